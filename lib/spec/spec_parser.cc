// Grammar: name, width, divisor, resolution, classes, outputs (names of layers), [input] or [[input]] blocks,
// then [[layer]] blocks: name, op, inputs (default: the layer before), the keys of the operator's definition
// and those of all layers with a filter, filters or a stride.
#include "spec/spec_parser.h"

#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "spec/lower.h"
#include "spec/network_keys.h"
#include "spec/op_names.h"
#include "spec/output_names.h"
#include "spec/scaling.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

/// How many filters a layer gets in the end.
struct FilterRule {
  bool scaled = true;  ///< by the network's width
  int32_t times = 0;   ///< so many times the channels that it reads; 0: as written
};

class SpecParser {
 public:
  explicit SpecParser(const TomlText& text) : text_(text), refusals_(text.source()) {}

  /// The layers as written, lowered one by one (spec/lower.h). Errors: every problem of the text.
  Expected<NetworkSpec> Run();

 private:
  void ParseLayer(const toml::table& block);
  void RefuseSoftmaxAtTheEnd(const toml::table& block);
  bool IsOutput(const toml::table& block) const;
  void ParseOutputs();
  void ParseOutput(const toml::node& node);
  bool ParseLayerName(const toml::table& block, LayerSpec& layer);
  const OpDefinition* ParseOperator(const toml::table& block);
  bool ParseInputs(const toml::table& block, const OpDefinition* op, LayerSpec& layer);
  bool ParseKeys(const toml::table& block, LayerSpec& layer, FilterRule& rule);
  bool ParseInitializer(const toml::table& block, LayerSpec& layer);
  bool ParseBatchNorm(const toml::table& block, LayerSpec& layer);
  bool ParseCount(const toml::node& node, const AttributeKey& key, LayerSpec& layer, FilterRule& rule);
  bool ParseScale(const toml::table& block, LayerSpec& layer, FilterRule rule);
  bool SetKey(const toml::node& node, const AttributeKey& key, OpAttributes& attributes);
  std::vector<std::string> KnownKeys(const OpDefinition& op) const;

  void NameInputs();
  void DeclareNamesToCome(const toml::array& layers);
  bool Refuse(TextPlace place, Error error) { return refusals_.Refuse(place, std::move(error)); }
  template <class Node>
  bool Refuse(const Node& node, std::string what) {
    return refusals_.Refuse(node, std::move(what));
  }

  const TomlText& text_;
  NetworkSpec spec_;
  Scaling scaling_;
  Refusals refusals_;
  OutputNames names_;
};

Expected<NetworkSpec> SpecParser::Run() {
  ParseNetworkKeys(text_, refusals_, spec_, scaling_);
  NameInputs();
  const toml::node* node = text_.root().get("layer");
  const toml::array* layers = node == nullptr ? nullptr : node->as_array();
  if (node != nullptr && layers == nullptr) {
    Refuse(*node, StrCat("'layer' ", MismatchText(*node, "[[layer]] blocks")));
  } else if (layers == nullptr || layers->empty()) {
    Refuse(TextPlace(), InvalidArgument("no [[layer]] block, expected at least one"));
  } else {
    DeclareNamesToCome(*layers);
    for (const toml::node& each : *layers) {
      refusals_.set_context("");
      if (const toml::table* block = each.as_table()) {
        ParseLayer(*block);
        if (&each == &layers->back() || IsOutput(*block)) RefuseSoftmaxAtTheEnd(*block);
      } else {
        refusals_.Mismatch(each, "layer", "a [[layer]] block");
      }
    }
  }
  ParseOutputs();
  names_.AddUnread(refusals_.errors());
  QAT_RETURN_IF_ERROR(refusals_.errors().Take());
  return std::move(spec_);
}

void SpecParser::NameInputs() {
  if (spec_.inputs.size() == 1 && spec_.inputs[0].line == 0) return;
  std::vector<std::string> names;
  std::vector<TextPlace> places;
  for (const InputSpec& input : spec_.inputs) {
    names.push_back(input.name);
    places.push_back({input.line, input.column});
  }
  names_.SetInputs(std::move(names), std::move(places));
}

// So that a layer that reads a later one gets that message, and not that there is no such layer.
void SpecParser::DeclareNamesToCome(const toml::array& layers) {
  for (const toml::node& node : layers) {
    const toml::table* block = node.as_table();
    const auto* name = block == nullptr ? nullptr : (*block)["name"].as_string();
    if (name != nullptr) names_.DeclareToCome(name->get(), TextPlaceOf(*block));
  }
}

void SpecParser::ParseLayer(const toml::table& block) {
  LayerSpec layer;
  layer.line = static_cast<int32_t>(block.source().begin.line);
  layer.column = static_cast<int32_t>(block.source().begin.column);
  const bool named = ParseLayerName(block, layer);
  const OpDefinition* op = ParseOperator(block);
  FilterRule rule;
  bool good = op != nullptr;
  if (op != nullptr) {
    layer.type = op->type;
    layer.attributes = op->default_attributes;
    good = ParseKeys(block, layer, rule);
    good = ParseInitializer(block, layer) && good;
    good = ParseBatchNorm(block, layer) && good;
  }
  good = ParseInputs(block, op, layer) && good;
  good = good && ParseScale(block, layer, rule);
  const std::string name = layer.name;
  const TextPlace place = TextPlaceOf(block);
  if (good) {
    if (Status status = AppendLowered(spec_, std::move(layer)); !status.ok()) {
      good = Refuse(place, std::move(status).error());
    }
  }
  if (!named) return names_.DeclareNameless();
  if (!good) return names_.Declare(name, place, kUnknownLayer);
  const auto* split = std::get_if<SplitAttributes>(&spec_.layers.back().attributes);
  const int32_t parts = split == nullptr ? 1 : split->splits;
  names_.Declare(name, place, static_cast<int32_t>(spec_.layers.size()) - parts, parts);
}

void SpecParser::RefuseSoftmaxAtTheEnd(const toml::table& block) {
  const auto* op = block["op"].as_string();
  if (op == nullptr || op->get() != DefinitionOf(OpType::kSoftmax).name) return;
  Refuse(TextPlaceOf(*op), Unsupported("softmax is the output, which the loss contains already; leave it out "
                                       "and let qat-convert append it"));
}

// Whether the key `outputs` names the layer.
bool SpecParser::IsOutput(const toml::table& block) const {
  const toml::node* node = text_.root().get("outputs");
  const toml::array* names = node == nullptr ? nullptr : node->as_array();
  const auto* name = block["name"].as_string();
  return names != nullptr && name != nullptr &&
         std::any_of(names->begin(), names->end(), [&](const toml::node& each) {
           return each.is_string() && each.as_string()->get() == name->get();
         });
}

void SpecParser::ParseOutputs() {
  const toml::node* node = text_.root().get("outputs");
  if (node == nullptr) return;
  refusals_.set_context("");
  const toml::array* names = node->as_array();
  if (names == nullptr || names->empty()) {
    refusals_.Mismatch(*node, "outputs", "a list of names of layers");
    return;
  }
  names_.SetHasOutputs();
  for (const toml::node& each : *names) ParseOutput(each);
}

void SpecParser::ParseOutput(const toml::node& node) {
  const auto* name = node.as_string();
  if (name == nullptr) {
    refusals_.Mismatch(node, "outputs", "names of layers");
    return;
  }
  const Expected<int32_t> layer = names_.ReadOutput(name->get());
  if (!layer.ok()) {
    Refuse(TextPlaceOf(node), layer.error());
  } else if (std::find(spec_.outputs.begin(), spec_.outputs.end(), *layer) != spec_.outputs.end()) {
    Refuse(TextPlaceOf(node), InvalidArgument(StrCat("output '", name->get(), "' is named twice")));
  } else if (*layer != kUnknownLayer) {
    spec_.outputs.push_back(*layer);
  }
}

bool SpecParser::ParseLayerName(const toml::table& block, LayerSpec& layer) {
  const auto* name = block["name"].as_string();
  if (name == nullptr) {
    refusals_.set_context("a layer: ");
    return refusals_.Missing(block, "name", "a text");
  }
  layer.name = name->get();
  refusals_.set_context(StrCat("layer '", layer.name, "': "));
  if (!IsPlainName(layer.name)) {
    return Refuse(*name, "its name, expected letters, digits, '_', '-' or '.', and not 'input'");
  }
  const auto is_input = [&](const InputSpec& input) { return input.name == layer.name; };
  if (std::any_of(spec_.inputs.begin(), spec_.inputs.end(), is_input))
    return Refuse(*name, "its name is taken by an input of the network");
  if (const TextPlace taken = names_.PlaceOf(layer.name); taken.line != 0) {
    return Refuse(*name, StrCat("its name is taken by the layer of line ", taken.line));
  }
  return true;
}

const OpDefinition* SpecParser::ParseOperator(const toml::table& block) {
  const auto* name = block["op"].as_string();
  if (name == nullptr) {
    refusals_.Missing(block, "op", "the name of an operator");
    return nullptr;
  }
  const OpDefinition* op = FindOpByName(name->get());
  if (op != nullptr && IsInSpecs(op->type)) return op;
  Refuse(TextPlaceOf(*name), ExplainUnknownOp(name->get()));
  return nullptr;
}

bool SpecParser::ParseInputs(const toml::table& block, const OpDefinition* op, LayerSpec& layer) {
  const toml::node* node = block.get("inputs");
  const toml::node& place = node == nullptr ? static_cast<const toml::node&>(block) : *node;
  constexpr char kInputsText[] = "a list of names of earlier layers or \"input\"";
  bool good = true;
  const auto add = [&](const toml::node& at, Expected<int32_t> read) {
    if (!read.ok()) {
      good = Refuse(TextPlaceOf(at), std::move(read).error());
    } else {
      layer.inputs.push_back(*read);
      good = good && *read != kUnknownLayer;
    }
  };
  if (node == nullptr) {
    add(block, names_.ReadPrevious());
  } else {
    const toml::array* names = node->as_array();
    if (names == nullptr || names->empty()) return refusals_.Mismatch(*node, "inputs", kInputsText);
    for (const toml::node& element : *names) {
      const auto* name = element.as_string();
      if (name == nullptr) {
        good = refusals_.Mismatch(element, "inputs", kInputsText);
      } else {
        add(element, names_.Read(name->get()));
      }
    }
  }
  const auto count = static_cast<int64_t>(layer.inputs.size());
  if (!good || op == nullptr || (count >= op->min_layers && count <= op->max_layers)) return good;
  return Refuse(place, StrCat(count, count == 1 ? " input, " : " inputs, ", op->name, " takes ",
                              op->min_layers, op->max_layers == op->min_layers ? "" : " or more"));
}

std::vector<std::string> SpecParser::KnownKeys(const OpDefinition& op) const {
  std::vector<std::string> known = {"name", "op", "inputs"};
  for (const AttributeKey& key : op.keys) known.emplace_back(key.name);
  if (op.filter_input >= 0) known.insert(known.end(), {"batch_norm", "initializer"});
  OpAttributes attributes = op.default_attributes;
  if (FiltersOf(attributes) != nullptr) known.emplace_back("scale_width");
  if (HasStride(attributes)) known.emplace_back("stride_from");
  return known;
}

bool SpecParser::ParseKeys(const toml::table& block, LayerSpec& layer, FilterRule& rule) {
  const OpDefinition& op = layer.definition();
  bool good = refusals_.RejectUnknown(block, KnownKeys(op));
  for (const AttributeKey& key : op.keys) {
    if (const toml::node* node = block.get(key.name)) {
      const bool count = node->is_string() && (key.name == "filters" || key.name == "units");
      good = (count ? ParseCount(*node, key, layer, rule) : SetKey(*node, key, layer.attributes)) && good;
    } else if (key.default_value.empty()) {
      good =
          Refuse(block, StrCat("key '", key.name, "' of ", op.name, " is missing, expected ", key.expected));
    }
  }
  return good;
}

bool SpecParser::SetKey(const toml::node& node, const AttributeKey& key, OpAttributes& attributes) {
  const auto value = ToAttributeValue(node);
  const Status status = value.ok() ? key.set(attributes, *value) : Status(value.error());
  return status.ok() || Refuse(node, StrCat("'", key.name, "' ", status.error().message));
}

bool SpecParser::ParseInitializer(const toml::table& block, LayerSpec& layer) {
  const toml::node* node = block.get("initializer");
  if (node == nullptr) return true;
  using Kind = Initializer::Kind;
  constexpr std::pair<std::string_view, Kind> kKinds[] = {{"he_normal", Kind::kHeNormal},
                                                          {"glorot_uniform", Kind::kGlorotUniform},
                                                          {"truncated_normal", Kind::kTruncatedNormal}};
  const toml::table* table = node->as_table();
  const auto* kind = table == nullptr ? nullptr : (*table)["kind"].as_string();
  const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& each) {
    return kind != nullptr && each.first == kind->get();
  });
  if (found == std::end(kKinds)) {
    return refusals_.Mismatch(kind == nullptr ? *node : static_cast<const toml::node&>(*kind), "initializer",
                              "{kind = \"he_normal\", \"glorot_uniform\" or \"truncated_normal\"}");
  }
  layer.initializer.kind = found->second;
  if (!refusals_.RejectUnknown(*table, {"kind", "stddev"})) return false;
  const auto stddev = (*table)["stddev"].value<double>();
  const bool truncated = found->second == Kind::kTruncatedNormal;
  if (truncated != stddev.has_value() || (truncated && !(*stddev > 0 && *stddev < 1e3))) {
    return Refuse(*node, "'initializer' expected a positive 'stddev' with truncated_normal, and only there");
  }
  if (truncated) layer.initializer.stddev = static_cast<float>(*stddev);
  return true;
}

// "classes", or "6x": six times the channels that the layer reads, a widening that follows a scaled width.
bool SpecParser::ParseCount(const toml::node& node, const AttributeKey& key, LayerSpec& layer,
                            FilterRule& rule) {
  const std::string& text = node.as_string()->get();
  rule.scaled = false;
  if (text == "classes") {
    if (scaling_.classes == 0)
      return refusals_.Mismatch(node, key.name,
                                "a key 'classes' at the top of the network, as in classes = 10");
    spec_.classes = scaling_.classes;
    return key.set(layer.attributes, AttributeValue(int64_t{scaling_.classes})).ok();
  }
  if (key.name == "filters") rule.times = TimesOf(text);
  if (rule.times > 0) return true;
  return Refuse(node, StrCat("'", key.name, "' is \"", text, "\", expected a positive integer, \"classes\"",
                             key.name == "filters" ? " or, as a multiple of what is read, \"6x\"" : ""));
}

// true, false, or a table with the keys of the operator batch_norm.
bool SpecParser::ParseBatchNorm(const toml::table& block, LayerSpec& layer) {
  const toml::node* node = block.get("batch_norm");
  if (node == nullptr) return true;
  if (const auto* wanted = node->as_boolean()) {
    if (wanted->get()) layer.batch_norm.emplace();
    return true;
  }
  const toml::table* table = node->as_table();
  if (table == nullptr) {
    return refusals_.Mismatch(*node, "batch_norm", "true, false or {epsilon = 0.001, momentum = 0.99}");
  }
  bool good = refusals_.RejectUnknown(*table, {"epsilon", "momentum"});
  OpAttributes attributes = BatchNormSpec();
  for (const AttributeKey& key : DefinitionOf(OpType::kBatchNorm).keys) {
    if (const toml::node* value = table->get(key.name)) good = SetKey(*value, key, attributes) && good;
  }
  layer.batch_norm = std::get<BatchNormSpec>(attributes);
  return good;
}

bool SpecParser::ParseScale(const toml::table& block, LayerSpec& layer, FilterRule rule) {
  if (const toml::node* node = block.get("scale_width")) {
    const auto* flag = node->as_boolean();
    if (flag == nullptr) return refusals_.Mismatch(*node, "scale_width", keys::kFlag);
    rule.scaled = rule.scaled && flag->get();
  }
  if (int32_t* filters = FiltersOf(layer.attributes)) {
    const Shape& input = spec_.ShapeOf(layer.inputs[0]);
    if (rule.times > 0)
      *filters = static_cast<int32_t>(std::min<int64_t>(int64_t{rule.times} * input.back(), 1 << 20));
    if (rule.scaled && scaling_.width != 1)
      *filters = ScaledFilters(*filters, scaling_.width, scaling_.divisor);
  }
  if (const toml::node* node = block.get("stride_from")) {
    const auto* from = node->as_integer();
    if (from == nullptr || from->get() < 1) return refusals_.Mismatch(*node, "stride_from", keys::kPositive);
    if (scaling_.resolution == 0) {
      return refusals_.Mismatch(*node, "stride_from", "a network with the key 'resolution'");
    }
    if (scaling_.resolution < from->get()) SetStrideToOne(layer.attributes);
  }
  return true;
}

}  // namespace

Expected<NetworkSpec> ParseLayers(std::string_view text, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const TomlText parsed, TomlText::Parse(text, source));
  return SpecParser(parsed).Run();
}

}  // namespace qat
