#include "spec/network_keys.h"

#include <algorithm>
#include <iterator>

#include "base/strings.h"
#include "spec/network_spec.h"
#include "spec/output_names.h"
#include "spec/scaling.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

constexpr int64_t kLargestSide = 65536;

void ParseName(const toml::table& root, Refusals& refusals, NetworkSpec& spec) {
  if (const auto* name = root["name"].as_string()) {
    spec.name = name->get();
  } else if (const toml::node* node = root.get("name")) {
    refusals.Mismatch(*node, "name", "a text");
  } else {
    refusals.Refuse(TextPlace(), InvalidArgument("key 'name' is missing, expected a text"));
  }
}

// A whole number in [1, high]; what is missing is left as it is.
void ParseWhole(const toml::table& table, const std::string& name, int64_t high, Refusals& refusals,
                int32_t& into) {
  const toml::node* node = table.get(name);
  if (node == nullptr) return;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= 1 && value->get() <= high) {
    into = static_cast<int32_t>(value->get());
  } else {
    refusals.Mismatch(*node, name, StrCat("a whole number in [1, ", high, "]"));
  }
}

void ParseScaling(const toml::table& root, Refusals& refusals, Scaling& scaling) {
  if (const toml::node* node = root.get("width")) {
    const auto width = node->value<double>();
    if (width && *width > 0 && *width <= 16) {
      scaling.width = *width;
    } else {
      refusals.Mismatch(*node, "width", "a number in (0, 16]");
    }
  }
  ParseWhole(root, "divisor", 1024, refusals, scaling.divisor);
  ParseWhole(root, "resolution", kLargestSide, refusals, scaling.resolution);
  ParseWhole(root, "classes", 1 << 20, refusals, scaling.classes);
}

// [F] as 1 x 1 x F, [T, C] as 1 x T x C, [H, W, C]: what an example of the data has, without the batch.
void ParseShape(const toml::node& node, Refusals& refusals, Shape& shape) {
  constexpr char kExpected[] =
      "[features], [steps, channels] or [height, width, channels], each a whole number of at least 1";
  const toml::array* sizes = node.as_array();
  if (sizes == nullptr || sizes->empty() || sizes->size() > 3) {
    refusals.Mismatch(node, "shape", kExpected);
    return;
  }
  shape = {1, 1, 1, 1};
  size_t axis = shape.size() - sizes->size();
  for (const toml::node& size : *sizes) {
    const auto* value = size.as_integer();
    if (value == nullptr || value->get() < 1 || value->get() > kLargestSide) {
      refusals.Mismatch(size, "shape", kExpected);
      return;
    }
    shape[axis++] = static_cast<int32_t>(value->get());
  }
}

// What the values of an input are, where the spec decides it and not the data.
void ParseValues(const toml::table& input, Refusals& refusals, InputValues& values) {
  const toml::node* node = input.get("values");
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text != nullptr && text->get() == "bytes") {
    values = InputValues::kBytes;
  } else if (text != nullptr && text->get() == "reals") {
    values = InputValues::kReals;
  } else {
    refusals.Mismatch(*node, "values", "\"bytes\" or \"reals\"");
  }
}

// The keys of one block but for its name.
void ParseInputBlock(const toml::table& block, int32_t resolution, bool named, Refusals& refusals,
                     InputSpec& input) {
  std::vector<std::string> names = {"height", "width", "channels"};
  std::vector<std::string> known = {"values"};
  if (named) known.emplace_back("name");
  ParseValues(block, refusals, input.values);
  if (const toml::node* given = block.get("shape"); given != nullptr && resolution == 0) {
    known.emplace_back("shape");
    refusals.RejectUnknown(block, known);
    ParseShape(*given, refusals, input.shape);
    return;
  }
  if (resolution > 0) {
    input.shape = {1, resolution, resolution, 1};
    names = {"channels"};  // the others would contradict the resolution
  }
  known.insert(known.end(), names.begin(), names.end());
  refusals.RejectUnknown(block, known);
  for (const std::string& name : names) {
    const size_t axis = name == "height" ? 1 : name == "width" ? 2 : 3;
    if (!block.contains(name)) refusals.Missing(block, name, "a positive integer");
    ParseWhole(block, name, kLargestSide, refusals, input.shape[axis]);
  }
}

// [[input]] blocks: several inputs, each with a name.
void ParseInputs(const toml::array& blocks, int32_t resolution, Refusals& refusals,
                 std::vector<InputSpec>& inputs) {
  inputs.clear();
  if (resolution > 0)
    refusals.Refuse(TextPlaceOf(blocks),
                    InvalidArgument("a network with 'resolution' has one [input], not several"));
  for (const toml::node& node : blocks) {
    InputSpec& input = inputs.emplace_back();
    input.shape = {1, 1, 1, 1};
    input.name = StrCat("input", inputs.size());
    const toml::table* block = node.as_table();
    if (block == nullptr) {
      refusals.Mismatch(node, "input", "an [[input]] block");
      continue;
    }
    input.line = static_cast<int32_t>(block->source().begin.line);
    input.column = static_cast<int32_t>(block->source().begin.column);
    refusals.set_context("[[input]]: ");
    const auto* name = (*block)["name"].as_string();
    if (name == nullptr) {
      refusals.Missing(*block, "name", "a text");
    } else if (!IsPlainName(name->get())) {
      refusals.Refuse(*name, "its name, expected letters, digits, '_', '-' or '.', and not 'input'");
    } else if (std::any_of(inputs.begin(), std::prev(inputs.end()),
                           [&](const InputSpec& other) { return other.name == name->get(); })) {
      refusals.Refuse(*name, StrCat("two inputs are called '", name->get(), "'"));
    } else {
      input.name = name->get();
      refusals.set_context(StrCat("input '", input.name, "': "));
    }
    ParseInputBlock(*block, resolution, /*named=*/true, refusals, input);
    refusals.set_context("");
  }
}

void ParseInput(const toml::table& root, int32_t resolution, Refusals& refusals,
                std::vector<InputSpec>& inputs) {
  inputs.assign(1, InputSpec());
  inputs[0].shape = {1, 1, 1, 1};
  constexpr char kExpected[] = "a block with height, width and channels, or with shape";
  const toml::node* node = root.get("input");
  if (node == nullptr) {
    refusals.Refuse(TextPlace(), InvalidArgument(StrCat("[input] is missing, expected ", kExpected)));
  } else if (const toml::array* blocks = node->as_array(); blocks != nullptr && !blocks->empty()) {
    ParseInputs(*blocks, resolution, refusals, inputs);
  } else if (const toml::table* input = node->as_table()) {
    refusals.set_context("[input]: ");
    ParseInputBlock(*input, resolution, /*named=*/false, refusals, inputs[0]);
    refusals.set_context("");
  } else {
    refusals.Mismatch(*node, "input", kExpected);
  }
}

}  // namespace

void ParseNetworkKeys(const TomlText& text, Refusals& refusals, NetworkSpec& spec, Scaling& scaling) {
  const toml::table& root = text.root();
  refusals.RejectUnknown(root,
                         {"name", "width", "divisor", "resolution", "classes", "outputs", "input", "layer"});
  ParseName(root, refusals, spec);
  ParseScaling(root, refusals, scaling);
  ParseInput(root, scaling.resolution, refusals, spec.inputs);
}

}  // namespace qat
