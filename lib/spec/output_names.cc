#include "spec/output_names.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/strings.h"
#include "spec/network_spec.h"

namespace qat {
namespace {

constexpr std::string_view kInputName = "input";

// "split:1" -> "split", 1; without a number -1.
std::pair<std::string, int32_t> SplitPart(const std::string& name) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {name, -1};
  int32_t part = -1;
  std::from_chars(name.data() + colon + 1, name.data() + name.size(), part);
  return {name.substr(0, colon), part};
}

std::string PartNames(const std::string& name, size_t parts) {
  return StrCat("\"", name, ":0\" to \"", name, ":", parts - 1, "\"");
}

}  // namespace

bool IsPlainName(std::string_view name) {
  return !name.empty() && name != kInputName && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.';
  });
}

void OutputNames::SetInputs(std::vector<std::string> names, std::vector<TextPlace> places) {
  inputs_ = std::move(names);
  input_places_ = std::move(places);
  input_read_.assign(inputs_.size(), false);
  previous_ = inputs_[0];
}

void OutputNames::Declare(const std::string& name, TextPlace place, int32_t layer, int32_t parts) {
  by_name_[name] = layers_.size();
  layers_.push_back({name, place, layer, std::vector<bool>(static_cast<size_t>(parts))});
  previous_ = name;
}

TextPlace OutputNames::PlaceOf(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? TextPlace() : layers_[found->second].place;
}

Error OutputNames::NotFound(const std::string& name) const {
  if (const auto later = to_come_.find(SplitPart(name).first); later != to_come_.end()) {
    return InvalidArgument(StrCat("input '", name, "' is this layer or a later one (line ",
                                  later->second.line,
                                  "), expected an earlier one: layers run in the order of the text"));
  }
  std::vector<std::string> known = inputs_;
  for (const Layer& layer : layers_) known.push_back(layer.name);
  return InvalidArgument(StrCat(UnknownName("input", name, known), " (expected an earlier layer or ",
                                inputs_.size() > 1 ? "an input" : "\"input\"", ")"));
}

Expected<int32_t> OutputNames::Read(const std::string& name) {
  if (const auto input = std::find(inputs_.begin(), inputs_.end(), name); input != inputs_.end()) {
    const auto index = static_cast<size_t>(input - inputs_.begin());
    input_read_[index] = true;
    return NetworkInput(index);
  }
  const auto [base, part] = SplitPart(name);
  const auto found = by_name_.find(base);
  if (found == by_name_.end()) {
    missed_ = true;
    if (nameless_) return kUnknownLayer;
    return NotFound(name);
  }
  Layer& layer = layers_[found->second];
  if (layer.layer == kUnknownLayer) return kUnknownLayer;
  const size_t parts = layer.read.size();
  if ((parts > 1) != (base != name) || part >= static_cast<int32_t>(parts) || (part < 0 && parts > 1)) {
    missed_ = true;
    return InvalidArgument(StrCat("input '", name, "', expected ",
                                  parts > 1 ? PartNames(base, parts) : StrCat("\"", base, "\""),
                                  parts > 1 ? ", one of the parts" : ", which has one output"));
  }
  const int32_t index = part < 0 ? 0 : part;
  layer.read[static_cast<size_t>(index)] = true;
  return layer.layer + index;
}

Expected<int32_t> OutputNames::ReadOutput(const std::string& name) {
  if (std::find(inputs_.begin(), inputs_.end(), name) != inputs_.end()) {
    missed_ = true;
    return InvalidArgument(
        StrCat("output '", name, "' is an input of the network, expected the name of a layer"));
  }
  if (!by_name_.contains(SplitPart(name).first) && !nameless_) {
    missed_ = true;
    std::vector<std::string> known;
    for (const Layer& layer : layers_) known.push_back(layer.name);
    return InvalidArgument(StrCat(UnknownName("output", name, known), " (expected the name of a layer)"));
  }
  return Read(name);
}

Expected<int32_t> OutputNames::ReadPrevious() {
  if (!previous_) return kUnknownLayer;
  if (layers_.empty() && inputs_.size() > 1) {
    missed_ = true;
    return InvalidArgument(
        StrCat("the network has ", inputs_.size(), " inputs, expected 'inputs' with one of ", Join(inputs_)));
  }
  const auto found = by_name_.find(*previous_);
  if (found == by_name_.end()) return Read(*previous_);
  const Layer& layer = layers_[found->second];
  if (layer.layer == kUnknownLayer || layer.read.size() == 1) return Read(*previous_);
  missed_ = true;
  return InvalidArgument(StrCat("the layer before has ", layer.read.size(),
                                " outputs, expected 'inputs' with ",
                                PartNames(*previous_, layer.read.size())));
}

void OutputNames::AddUnread(Diagnostics& diagnostics) const {
  if (missed_ || nameless_) return;
  for (size_t i = 0; i < input_places_.size(); ++i) {
    if (!input_read_[i])
      diagnostics.Add(input_places_[i],
                      InvalidArgument(StrCat("input '", inputs_[i], "' is read by no layer")));
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool last = i + 1 == layers_.size() && !has_outputs_;
    for (size_t part = 0; part < layer.read.size(); ++part) {
      if (layer.read[part] || layer.layer == kUnknownLayer || (last && part + 1 == layer.read.size()))
        continue;
      diagnostics.Add(layer.place,
                      InvalidArgument(StrCat(
                          "layer '", layer.name, layer.read.size() > 1 ? StrCat(":", part) : "",
                          "' is read by no other layer and is ",
                          has_outputs_ ? "not among the outputs" : "not the last one",
                          layer.read.size() > 1 ? "; a slice takes a part and leaves the others" : "")));
    }
  }
}

}  // namespace qat
