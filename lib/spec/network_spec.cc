// Grammar: name, [input] height width channels, then [[layer]] blocks: name, op, inputs (default: the layer
// before), initializer (operators with a filter), and the keys of the operator's definition.
#include "spec/network_spec.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "ops/keys.h"
#include "spec/embedded.h"
#include "spec/layer_shapes.h"
#include "spec/rewrite.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

constexpr std::string_view kInputName = "input";

class Parser {
 public:
  explicit Parser(const TomlText& text) : text_(text) {}

  Expected<NetworkSpec> Run() {
    QAT_RETURN_IF_ERROR(RejectUnknown(text_.root(), {"name", "input", "layer"}, "key"));
    QAT_RETURN_IF_ERROR(ParseName());
    QAT_RETURN_IF_ERROR(ParseInput());
    const toml::array* layers = text_.root()["layer"].as_array();
    if (layers == nullptr || layers->empty()) {
      return InvalidArgument(StrCat(text_.source(), ": no [[layer]] block, expected at least one"));
    }
    for (const toml::node& node : *layers) {
      const toml::table* block = node.as_table();
      if (block == nullptr) return InvalidArgument(StrCat(text_.Place(node), ": expected a [[layer]] block"));
      QAT_RETURN_IF_ERROR(ParseLayer(*block));
    }
    QAT_RETURN_IF_ERROR(RejectUnused());
    return std::move(spec_);
  }

 private:
  Status RejectUnknown(const toml::table& table, std::vector<std::string> known,
                       std::string_view what) const {
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      return InvalidArgument(StrCat(text_.Place(key), ": ", UnknownName(what, name, known),
                                    " (expected one of ", Join(known), ")"));
    }
    return {};
  }

  Status ParseName() {
    const toml::node* node = text_.root().get("name");
    if (node == nullptr)
      return InvalidArgument(StrCat(text_.source(), ": key 'name' is missing, expected a text"));
    if (!node->is_string()) return InvalidArgument(StrCat(text_.Place(*node), ": 'name' expected a text"));
    spec_.name = node->as_string()->get();
    return {};
  }

  Status ParseInput() {
    const toml::table* input = text_.root()["input"].as_table();
    if (input == nullptr) {
      return InvalidArgument(
          StrCat(text_.source(), ": [input] is missing, expected a block with height, width and channels"));
    }
    const std::vector<std::string> names = {"height", "width", "channels"};
    QAT_RETURN_IF_ERROR(RejectUnknown(*input, names, "key"));
    spec_.input_shape = {1};
    for (const std::string& name : names) {
      const toml::node* node = input->get(name);
      if (node == nullptr) {
        return InvalidArgument(
            StrCat(text_.Place(*input), ": [input] has no '", name, "', expected a positive integer"));
      }
      const auto* size = node->as_integer();
      if (size == nullptr || size->get() < 1 || size->get() > 65536) {
        return InvalidArgument(StrCat(text_.Place(*node), ": [input] '", name,
                                      "' is not a whole number in [1, 65536], expected a positive integer"));
      }
      spec_.input_shape.push_back(static_cast<int32_t>(size->get()));
    }
    return {};
  }

  Status ParseLayer(const toml::table& block) {
    LayerSpec layer;
    layer.line = static_cast<int32_t>(block.source().begin.line);
    layer.column = static_cast<int32_t>(block.source().begin.column);
    QAT_RETURN_IF_ERROR(ParseLayerName(block, layer));
    const std::string context = StrCat("layer '", layer.name, "'");
    QAT_RETURN_IF_ERROR(ParseOperator(block, context, layer));
    QAT_RETURN_IF_ERROR(ParseInputs(block, context, layer));
    QAT_RETURN_IF_ERROR(ParseKeys(block, context, layer));
    QAT_RETURN_IF_ERROR(ParseInitializer(block, context, layer));
    QAT_RETURN_IF_ERROR(ParseBatchNorm(block, context, layer));
    QAT_RETURN_IF_ERROR_IN(StrCat(text_.Place(block), ": ", context), InferLayer(spec_, layer));
    by_name_[layer.name] = static_cast<int32_t>(spec_.layers.size());
    spec_.layers.push_back(std::move(layer));
    return {};
  }

  Status ParseLayerName(const toml::table& block, LayerSpec& layer) {
    const auto* name = block["name"].as_string();
    if (name == nullptr) {
      return InvalidArgument(
          StrCat(text_.Place(block), ": layer ", spec_.layers.size() + 1, " has no 'name'"));
    }
    layer.name = name->get();
    // Names become tensor names ("<layer>/filter") and file names.
    const bool plain =
        !layer.name.empty() && std::all_of(layer.name.begin(), layer.name.end(), [](unsigned char c) {
          return std::isalnum(c) || c == '_' || c == '-' || c == '.';
        });
    if (!plain || layer.name == kInputName) {
      return InvalidArgument(StrCat(text_.Place(*name), ": layer name '", layer.name,
                                    "', expected letters, digits, '_', '-' or '.', and not 'input'"));
    }
    if (by_name_.contains(layer.name)) {
      const int32_t line = spec_.layers[static_cast<size_t>(by_name_[layer.name])].line;
      return InvalidArgument(
          StrCat(text_.Place(*name), ": layer name '", layer.name, "' is taken by line ", line));
    }
    return {};
  }

  Status ParseOperator(const toml::table& block, const std::string& context, LayerSpec& layer) {
    std::vector<std::string> names;
    for (const OpDefinition* op : AllOps()) {
      if (IsTrainable(op->type)) names.emplace_back(op->name);
    }
    const auto* name = block["op"].as_string();
    if (name == nullptr) {
      return InvalidArgument(
          StrCat(text_.Place(block), ": ", context, " has no 'op', expected one of ", Join(names)));
    }
    const OpDefinition* op = FindOpByName(name->get());
    if (op == nullptr) {
      return InvalidArgument(StrCat(text_.Place(*name), ": ", context, ": ",
                                    UnknownName("op", name->get(), names), " (expected one of ", Join(names),
                                    ")"));
    }
    if (!IsTrainable(op->type)) {
      return Unsupported(StrCat(text_.Place(*name), ": ", context, ": training of ", op->name,
                                " is not built; it can be run from a .tflite"));
    }
    layer.type = op->type;
    layer.attributes = op->default_attributes;
    return {};
  }

  Status ParseInputs(const toml::table& block, const std::string& context, LayerSpec& layer) {
    const toml::node* node = block.get("inputs");
    if (node == nullptr) {
      layer.inputs = {static_cast<int32_t>(spec_.layers.size()) - 1};
      return {};
    }
    std::vector<std::string> known = {std::string(kInputName)};
    for (const LayerSpec& earlier : spec_.layers) known.push_back(earlier.name);
    const toml::array* names = node->as_array();
    if (names == nullptr || names->empty()) {
      return InvalidArgument(StrCat(text_.Place(*node), ": ", context,
                                    ": 'inputs' expected a list of names of earlier layers or \"input\""));
    }
    for (const toml::node& element : *names) {
      const auto* name = element.as_string();
      const std::string shown = name == nullptr ? "" : name->get();
      if (shown == kInputName) {
        layer.inputs.push_back(kNetworkInput);
      } else if (by_name_.contains(shown)) {
        layer.inputs.push_back(by_name_[shown]);
      } else {
        return InvalidArgument(StrCat(text_.Place(element), ": ", context, ": ",
                                      UnknownName("input", shown, known),
                                      " (expected an earlier layer or \"input\")"));
      }
    }
    return CheckInputCount(*node, context, layer);
  }

  // Parameters and index operands are inputs of the operator but not of the layer.
  Status CheckInputCount(const toml::node& node, const std::string& context, const LayerSpec& layer) const {
    const OpDefinition& op = layer.definition();
    const Shape& input = spec_.ShapeOf(layer.inputs[0]);
    size_t own = 0;
    if (op.parameters != nullptr) {
      own = op.parameters(layer.attributes, input).size();
      if (own == 0) return {};  // the shape rule says better what is wrong
    }
    if (op.index_operands != nullptr) own += 1;
    const size_t least = std::max<size_t>(static_cast<size_t>(op.min_inputs), own + 1) - own;
    const size_t most = std::max<size_t>(static_cast<size_t>(op.max_inputs) - own, least);
    if (layer.inputs.size() >= least && layer.inputs.size() <= most) return {};
    return InvalidArgument(StrCat(text_.Place(node), ": ", context, ": ", layer.inputs.size(), " inputs, ",
                                  op.name, " takes ",
                                  least == most ? StrCat(least) : StrCat(least, " to ", most)));
  }

  Status ParseKeys(const toml::table& block, const std::string& context, LayerSpec& layer) {
    const OpDefinition& op = layer.definition();
    std::vector<std::string> known = {"name", "op", "inputs"};
    if (op.filter_input >= 0) known.insert(known.end(), {"initializer", "batch_norm"});
    for (const AttributeKey& key : op.keys) known.emplace_back(key.name);
    if (Status status = RejectUnknown(block, known, "key"); !status.ok()) {
      return WithContext(std::move(status).error(), context);
    }
    for (const AttributeKey& key : op.keys) {
      const toml::node* node = block.get(key.name);
      if (node == nullptr) {
        if (!key.default_value.empty()) continue;
        return InvalidArgument(StrCat(text_.Place(block), ": ", context, ": key '", key.name, "' of ",
                                      op.name, " is missing, expected ", key.expected));
      }
      QAT_RETURN_IF_ERROR(SetKey(*node, key, context, layer.attributes));
    }
    return {};
  }

  Status SetKey(const toml::node& node, const AttributeKey& key, const std::string& context,
                OpAttributes& attributes) const {
    const auto value = ToAttributeValue(node);
    const Status status = value.ok() ? key.set(attributes, *value) : Status(value.error());
    if (status.ok()) return {};
    return InvalidArgument(
        StrCat(text_.Place(node), ": ", context, ": '", key.name, "' ", status.error().message));
  }

  // "FILE:1:2: what" -> "FILE:1:2: layer 'x': what".
  Error WithContext(Error error, const std::string& context) const {
    const size_t at = error.message.find(": ", text_.source().size());
    error.message.insert(at + 2, context + ": ");
    return error;
  }

  Status ParseInitializer(const toml::table& block, const std::string& context, LayerSpec& layer) {
    const toml::node* node = block.get("initializer");
    if (node == nullptr) return {};
    const toml::table* table = node->as_table();
    const auto* kind = table == nullptr ? nullptr : (*table)["kind"].as_string();
    const std::string place = StrCat(text_.Place(*node), ": ", context, ": 'initializer' ");
    constexpr std::string_view kKinds = R"("he_normal", "glorot_uniform" or "truncated_normal")";
    if (kind == nullptr) return InvalidArgument(StrCat(place, "expected {kind = ", kKinds, "}"));
    if (kind->get() == "he_normal") {
      layer.initializer.kind = Initializer::Kind::kHeNormal;
    } else if (kind->get() == "glorot_uniform") {
      layer.initializer.kind = Initializer::Kind::kGlorotUniform;
    } else if (kind->get() == "truncated_normal") {
      layer.initializer.kind = Initializer::Kind::kTruncatedNormal;
    } else {
      return InvalidArgument(StrCat(place, "kind is \"", kind->get(), "\", expected ", kKinds));
    }
    if (Status status = RejectUnknown(*table, {"kind", "stddev"}, "key"); !status.ok()) {
      return WithContext(std::move(status).error(), context);
    }
    const auto stddev = (*table)["stddev"].value<double>();
    const bool truncated = layer.initializer.kind == Initializer::Kind::kTruncatedNormal;
    if (truncated != stddev.has_value() || (truncated && !(*stddev > 0 && *stddev < 1e3))) {
      return InvalidArgument(
          StrCat(place, "expected a positive 'stddev' with truncated_normal, and only there"));
    }
    if (truncated) layer.initializer.stddev = static_cast<float>(*stddev);
    return {};
  }

  // true, false, or a table with the keys of the operator batch_norm.
  Status ParseBatchNorm(const toml::table& block, const std::string& context, LayerSpec& layer) {
    const toml::node* node = block.get("batch_norm");
    if (node == nullptr) return {};
    if (const auto* wanted = node->as_boolean()) {
      if (wanted->get()) layer.batch_norm.emplace();
      return {};
    }
    const toml::table* table = node->as_table();
    if (table == nullptr) {
      return InvalidArgument(
          StrCat(text_.Place(*node), ": ", context,
                 ": 'batch_norm' expected true, false or {epsilon = 0.001, momentum = 0.99}"));
    }
    if (Status status = RejectUnknown(*table, {"epsilon", "momentum"}, "key"); !status.ok()) {
      return WithContext(std::move(status).error(), context);
    }
    OpAttributes attributes = BatchNormSpec();
    for (const AttributeKey& key : DefinitionOf(OpType::kBatchNorm).keys) {
      if (const toml::node* value = table->get(key.name)) {
        QAT_RETURN_IF_ERROR(SetKey(*value, key, context, attributes));
      }
    }
    layer.batch_norm = std::get<BatchNormSpec>(attributes);
    return {};
  }

  // A layer that nothing reads is a spelling mistake somewhere, unless it is the last one.
  Status RejectUnused() const {
    std::vector<bool> used(spec_.layers.size(), false);
    for (const LayerSpec& layer : spec_.layers) {
      for (const int32_t input : layer.inputs) {
        if (input != kNetworkInput) used[static_cast<size_t>(input)] = true;
      }
    }
    for (size_t i = 0; i + 1 < used.size(); ++i) {
      if (used[i]) continue;
      return InvalidArgument(StrCat(text_.source(), ":", spec_.layers[i].line, ": layer '",
                                    spec_.layers[i].name,
                                    "' is read by no other layer and is not the last one"));
    }
    return {};
  }

  const TomlText& text_;
  NetworkSpec spec_;
  std::map<std::string, int32_t> by_name_;
};

const EmbeddedFile* FindZoo(std::string_view name) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "zoo" && file.name == name) return &file;
  }
  return nullptr;
}

}  // namespace

Expected<NetworkSpec> ParseNetworkSpec(std::string_view text, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const TomlText parsed, TomlText::Parse(text, source));
  QAT_ASSIGN_OR_RETURN(NetworkSpec spec, Parser(parsed).Run());
  QAT_RETURN_IF_ERROR(Rewrite(spec, source));
  spec.text = std::string(text);
  return spec;
}

Expected<NetworkSpec> LoadNetworkSpec(const std::string& name_or_path) {
  if (const EmbeddedFile* file = FindZoo(name_or_path)) {
    return ParseNetworkSpec(file->text, StrCat(name_or_path, ".toml"));
  }
  const bool looks_like_path = name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
  if (!looks_like_path && !FileExists(name_or_path)) {
    return InvalidArgument(StrCat(UnknownName("network", name_or_path, ZooNames()), " (expected one of ",
                                  Join(ZooNames()), ", or the path of a spec file)"));
  }
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(name_or_path));
  return ParseNetworkSpec(text, name_or_path);
}

std::vector<std::string> ZooNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "zoo") names.emplace_back(file.name);
  }
  return names;
}

std::vector<ParameterSpec> TrainedParameters(const LayerSpec& layer) {
  if (!layer.batch_norm) return layer.parameters;
  using Role = ParameterSpec::Role;
  std::vector<ParameterSpec> trained;
  Shape channels;
  for (const ParameterSpec& parameter : layer.parameters) {
    if (parameter.role == Role::kFilter) trained.push_back(parameter);
    if (parameter.role == Role::kBias) channels = parameter.shape;
  }
  trained.push_back({"gamma", Role::kGamma, channels, 0, 0});
  trained.push_back({"beta", Role::kBeta, channels, 0, 0});
  trained.push_back({"moving_mean", Role::kMovingMean, channels, 0, 0});
  trained.push_back({"moving_variance", Role::kMovingVariance, channels, 0, 0});
  return trained;
}

}  // namespace qat
