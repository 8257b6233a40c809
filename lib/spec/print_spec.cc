#include "spec/print_spec.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/printable.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "ops/keys.h"
#include "spec/build_graph.h"
#include "spec/quoted.h"
#include "spec/sayable.h"
#include "spec/spec_attributes.h"

namespace qat {
namespace {

/// For people: what a terminal would obey is written out in the name itself.
std::string Shown(std::string_view text) { return Quoted(Printable(text)); }

std::string QuotedList(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(Shown(text));
  return StrCat("[", Join(quoted), "]");
}

std::string Title(const GraphNode& node) {
  return StrCat("'", node.name, "' (", node.definition().name, ")");
}

/// What a block says beyond name, operator and inputs.
struct Body {
  OpType type = OpType::kConv2D;
  OpAttributes attributes;
  const GraphNode* trained =
      nullptr;  ///< the node whose filter starts so and whose batch normalization it is
};

class Printer {
 public:
  explicit Printer(const Graph& graph) : graph_(graph) {
    for (const int32_t input : graph.inputs) names_[input] = graph.tensor(input).name;
    if (graph.inputs.size() == 1) previous_ = graph.inputs[0];
    FindLayersOfClasses();
  }

  Expected<std::string> Run(const std::vector<std::string>& notes) {
    PrintHead(notes);
    for (size_t i = 0; i < graph_.nodes.size();) {
      QAT_ASSIGN_OR_RETURN_IN(Title(graph_.nodes[i]), const size_t count, PrintLayer(i));
      i += count;
    }
    return std::move(text_);
  }

 private:
  void Line(std::string_view key, std::string_view value) { text_ += StrCat(key, " = ", value, "\n"); }

  void PrintHead(const std::vector<std::string>& notes) {
    for (const std::string& note : notes) text_ += StrCat("# ", note, "\n");
    Line("name", Shown(graph_.name));
    if (!classes_.empty()) Line("classes", classes_);
    if (graph_.outputs.size() > 1 ||
        (!graph_.nodes.empty() && graph_.outputs[0] != graph_.nodes.back().outputs.back())) {
      std::vector<std::string> outputs;
      for (const int32_t output : graph_.outputs) outputs.push_back(graph_.tensor(output).name);
      Line("outputs", QuotedList(outputs));
    }
    const bool named = graph_.inputs.size() > 1 || graph_.tensor(graph_.inputs[0]).name != "input";
    for (const int32_t input : graph_.inputs) {
      text_ += named ? "\n[[input]]\n" : "\n[input]\n";
      if (named) Line("name", Shown(graph_.tensor(input).name));
      const Shape& shape = graph_.tensor(input).shape;
      size_t axis = 1;
      while (axis + 1 < shape.size() && shape[axis] == 1) ++axis;
      Line("shape", ToString(Shape(shape.begin() + static_cast<int64_t>(axis), shape.end())));
    }
  }

  /// Of the layers that decide how many values an output has per example or pixel.
  void FindLayersOfClasses() {
    const auto found = graph_.provenance.find(kSourceClassesKey);
    if (found == graph_.provenance.end()) return;
    classes_ = found->second;
    for (int32_t tensor : graph_.outputs) {
      for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
        if (std::find(node->outputs.begin(), node->outputs.end(), tensor) == node->outputs.end()) continue;
        if (node->definition().filter_input >= 0) {
          decide_classes_.insert(node->name);
          break;
        }
        tensor = node->inputs[static_cast<size_t>(node->definition().data_input)];
      }
    }
  }

  /// The layer that begins at node `at`. Returns how many nodes it has.
  Expected<size_t> PrintLayer(size_t at) {
    const GraphNode& node = graph_.nodes[at];
    QAT_ASSIGN_OR_RETURN(OpAttributes attributes, SpecAttributesOf(graph_, node));
    if (IsBorderOf(node, attributes)) {
      border_ = std::get<PadAttributes>(attributes).pads;
      border_.resize(4);
      names_[node.output()] = NameOf(node.inputs[0]);
      if (previous_ == node.inputs[0]) previous_ = node.output();
      return size_t{1};
    }
    if (const size_t groups = GroupsFrom(at); groups > 0) {
      const GraphNode& first = graph_.nodes[at + 1];
      const GraphNode& joined = graph_.nodes[at + groups + 1];
      QAT_ASSIGN_OR_RETURN(attributes, SpecAttributesOf(graph_, first));
      auto& conv = std::get<Conv2DAttributes>(attributes);
      conv.groups = static_cast<int32_t>(groups);
      conv.filters *= conv.groups;
      Begin(joined, OpType::kConv2D, {node.inputs[static_cast<size_t>(node.definition().data_input)]},
            first.fused);
      PrintBody({OpType::kConv2D, attributes, &first}, false);
      End(joined);
      return groups + 2;
    }
    std::vector<int32_t> data;
    for (const size_t position : DataInputs(graph_, node)) {
      if (!graph_.tensor(node.inputs[position]).trained) data.push_back(node.inputs[position]);
    }
    if (IsBatchNorm(node)) {
      PrintBatchNorm(node, data);
    } else {
      const OpType type = node.type == OpType::kSplitV ? OpType::kSplit : node.type;
      Begin(node, type, data, node.fused);
      PrintBody({type, attributes, &node}, decide_classes_.contains(node.name));
    }
    End(node);
    return size_t{1};
  }

  // "conv/pad" in front of "conv" alone, or of its groups.
  bool IsBorderOf(const GraphNode& node, const OpAttributes& attributes) const {
    const auto* pad = std::get_if<PadAttributes>(&attributes);
    if (pad == nullptr || !node.name.ends_with("/pad") || pad->pads.size() > 4) return false;
    const std::string layer = node.name.substr(0, node.name.size() - 4);
    int64_t readers = std::count(graph_.outputs.begin(), graph_.outputs.end(), node.output());
    for (const GraphNode& reader : graph_.nodes) {
      const auto reads = std::count(reader.inputs.begin(), reader.inputs.end(), node.output());
      if (reads > 0 && reader.name != layer && reader.name != layer + "/in") return false;
      readers += reads;
    }
    return readers == 1;
  }

  // "conv/in", which splits, "conv/group0", …, "conv", which joins: how many groups; 0: it is something else.
  size_t GroupsFrom(size_t at) const {
    const GraphNode& split = graph_.nodes[at];
    const size_t groups = split.outputs.size();
    if (split.type != OpType::kSplit || !split.name.ends_with("/in") ||
        at + groups + 1 >= graph_.nodes.size())
      return 0;
    const std::string layer = split.name.substr(0, split.name.size() - 3);
    for (size_t i = 0; i < groups; ++i) {
      const GraphNode& group = graph_.nodes[at + 1 + i];
      if (group.type != OpType::kConv2D || group.name != StrCat(layer, "/group", i) ||
          group.inputs[0] != split.outputs[i])
        return 0;
    }
    const GraphNode& joined = graph_.nodes[at + groups + 1];
    return joined.type == OpType::kConcatenation && joined.name == layer ? groups : 0;
  }

  // A batch normalization that no layer takes in is a depthwise convolution that starts with ones.
  bool IsBatchNorm(const GraphNode& node) const {
    return node.type == OpType::kDepthwiseConv2D && node.batch_norm &&
           StartOf(node).kind == Initializer::Kind::kOnes;
  }

  const Initializer& StartOf(const GraphNode& node) const {
    return graph_.tensor(node.inputs[static_cast<size_t>(node.definition().filter_input)])
        .trained->initializer;
  }

  void PrintBatchNorm(const GraphNode& node, const std::vector<int32_t>& data) {
    const Activation activation = FusedActivation(node.attributes);
    std::vector<std::string> fused = node.fused;
    if (activation != Activation::kNone && !fused.empty()) fused.pop_back();
    Begin(node, OpType::kBatchNorm, data, fused);
    PrintBody({OpType::kBatchNorm, BatchNormAttributes{node.batch_norm->epsilon, node.batch_norm->momentum},
               nullptr},
              false);
    if (activation == Activation::kNone) return;
    // The activation was a layer of its own, which the normalization took in; what reads it reads it by its
    // name.
    const std::string name = node.fused.empty() ? node.name + "_activation" : node.fused.back();
    text_ += StrCat("\n[[layer]]\nname = ", Shown(name), "\nop = ", Quoted(qat::NameOf(activation)), "\n");
    names_[node.output()] = name;
  }

  std::string NameOf(int32_t tensor) const {
    const auto found = names_.find(tensor);
    return found == names_.end() ? graph_.tensor(tensor).name : found->second;
  }

  void Begin(const GraphNode& node, OpType type, const std::vector<int32_t>& data,
             const std::vector<std::string>& fused) {
    text_ += StrCat("\n[[layer]]\nname = ", Shown(node.name),
                    fused.empty() ? "" : StrCat("  # with ", Printable(Join(fused))), "\n");
    Line("op", Quoted(DefinitionOf(type).name));
    if (data.size() == 1 && data[0] == previous_) return;
    std::vector<std::string> inputs;
    for (const int32_t tensor : data) inputs.push_back(NameOf(tensor));
    Line("inputs", QuotedList(inputs));
  }

  void End(const GraphNode& node) { previous_ = node.outputs.size() == 1 ? node.output() : -1; }

  void PrintBody(Body body, bool decides_classes) {
    const OpDefinition& op = DefinitionOf(body.type);
    if (!border_.empty()) TakeBorder(body.attributes);
    for (const AttributeKey& key : op.keys) {
      const auto value = key.get(body.attributes);
      const bool is_default = !key.default_value.empty() && value == key.get(op.default_attributes);
      if (!value || is_default) continue;
      const bool counts = key.name == "filters" || key.name == "units";
      Line(key.name, decides_classes && counts && keys::TextOf(*value) == classes_ ? "\"classes\""
                                                                                   : keys::TextOf(*value));
    }
    if (body.trained == nullptr || op.filter_input < 0) return;
    if (const auto& norm = body.trained->batch_norm) PrintNormOf(*norm);
    PrintInitializer(StartOf(*body.trained));
  }

  void TakeBorder(OpAttributes& attributes) {
    std::visit(
        [&](auto& a) {
          if constexpr (requires { a.explicit_padding; })
            a.explicit_padding = {border_[0], border_[1], border_[2], border_[3]};
        },
        attributes);
    border_.clear();
  }

  void PrintNormOf(const FusedBatchNorm& norm) {
    std::vector<std::string> keys;
    const OpAttributes attributes = BatchNormAttributes{norm.epsilon, norm.momentum};
    const OpDefinition& op = DefinitionOf(OpType::kBatchNorm);
    for (const AttributeKey& key : op.keys) {
      if (key.get(attributes) != key.get(op.default_attributes))
        keys.push_back(StrCat(key.name, " = ", keys::TextOf(*key.get(attributes))));
    }
    Line("batch_norm", keys.empty() ? "true" : StrCat("{", Join(keys), "}"));
  }

  void PrintInitializer(const Initializer& start) {
    if (start.kind == Initializer::Kind::kGlorotUniform) Line("initializer", "{kind = \"glorot_uniform\"}");
    if (start.kind == Initializer::Kind::kTruncatedNormal)
      Line("initializer", StrCat("{kind = \"truncated_normal\", stddev = ", NumberText(start.stddev), "}"));
  }

  const Graph& graph_;
  std::map<int32_t, std::string> names_;  // of tensors that layers read by another name
  std::string classes_;
  std::set<std::string> decide_classes_;
  std::vector<int32_t> border_;  // of the layer to come
  int32_t previous_ = -1;        // what a layer without `inputs` reads
  std::string text_;
};

// ---- what was printed, read back ----------------------------------------------------------------

std::vector<std::string> DataNames(const Graph& graph, const GraphNode& node) {
  std::vector<std::string> names;
  for (const size_t position : DataInputs(graph, node))
    names.push_back(graph.tensor(node.inputs[position]).name);
  return names;
}

std::vector<std::string> ParameterTexts(const Graph& graph, const GraphNode& node) {
  std::vector<std::string> texts;
  for (const int32_t index : TrainedTensorsOf(graph, node)) {
    const GraphTensor& tensor = graph.tensor(index);
    const Initializer& start = tensor.trained->initializer;
    texts.push_back(StrCat(ToString(tensor.shape), " ", static_cast<int>(tensor.trained->role), " ",
                           static_cast<int>(start.kind), " ", start.stddev, " ", start.value));
  }
  return texts;
}

std::string ShapesText(const Graph& graph, const GraphNode& node) {
  std::vector<std::string> shapes;
  for (const int32_t output : node.outputs) shapes.push_back(ToString(graph.tensor(output).shape));
  return Join(shapes);
}

/// In what the layer that was read differs from the node that was printed; empty: in nothing.
std::string DifferenceOf(const Graph& graph, const GraphNode& node, const Graph& read,
                         const GraphNode& again) {
  const auto attributes = SpecAttributesOf(graph, node), found = SpecAttributesOf(read, again);
  if (again.type != node.type || again.name != node.name) return StrCat("its layer would be ", Title(again));
  if (ShapesText(read, again) != ShapesText(graph, node))
    return StrCat("its layer would give ", ShapesText(read, again), " instead of ", ShapesText(graph, node));
  if (!attributes.ok() || !found.ok() || *attributes != *found)
    return StrCat("its layer would have ", Describe(again.attributes), " instead of ",
                  Describe(node.attributes));
  if (DataNames(read, again) != DataNames(graph, node))
    return StrCat("its layer would read ", Join(DataNames(read, again)));
  const auto norm = [](const GraphNode& each) {
    return each.batch_norm ? std::pair(each.batch_norm->epsilon, each.batch_norm->momentum)
                           : std::pair(0.0f, 0.0f);
  };
  if (ParameterTexts(read, again) != ParameterTexts(graph, node) || norm(again) != norm(node))
    return "its layer would have other parameters";
  return "";
}

constexpr std::string_view kTextName = "its spec";

// A refusal of the text, which nobody sees: without lines of it, and with the layers as the network calls
// them.
Error InTermsOf(const Sayable& sayable, const Error& refused) {
  std::vector<std::string> lines = SplitText(refused.message, '\n');
  for (std::string& line : lines) {
    line.erase(0, line.find_first_not_of(' '));
    if (line.starts_with(StrCat(kTextName, ":"))) {
      if (const size_t end = line.find(": "); end != std::string::npos) line.erase(0, end + 2);
    }
    const std::string_view layer = "layer '";
    const size_t quote = line.find('\'', layer.size());
    if (!line.starts_with(layer) || quote == std::string::npos) continue;
    const auto source = sayable.sources.find(line.substr(layer.size(), quote - layer.size()));
    if (source != sayable.sources.end()) line.replace(0, quote + 1, source->second);
  }
  return Unsupported(Join(lines, "\n  "));
}

Status ReadBack(const std::string& text, const Sayable& sayable) {
  const Graph& graph = sayable.graph;
  const auto spec = ParseNetworkSpec(text, std::string(kTextName));
  if (!spec.ok()) return InTermsOf(sayable, spec.error());
  auto built = BuildGraph(*spec);
  if (!built.ok()) return InTermsOf(sayable, built.error());
  Graph read = *std::move(built);
  RemoveSeparators(read);
  std::vector<std::string> differences;
  const auto ends = [](const Graph& of) {
    std::vector<std::string> names;
    for (const int32_t tensor : of.inputs)
      names.push_back(StrCat(of.tensor(tensor).name, " ", ToString(of.tensor(tensor).shape)));
    for (const int32_t tensor : of.outputs) names.push_back(of.tensor(tensor).name);
    return names;
  };
  if (ends(read) != ends(graph)) differences.emplace_back("its inputs and outputs would be others");
  if (read.nodes.size() != graph.nodes.size())
    differences.push_back(
        StrCat("its spec would have ", read.nodes.size(), " layers instead of ", graph.nodes.size()));
  for (size_t i = 0; i < std::min(read.nodes.size(), graph.nodes.size()); ++i) {
    const std::string difference = DifferenceOf(graph, graph.nodes[i], read, read.nodes[i]);
    if (difference.empty()) continue;
    const auto source = sayable.sources.find(graph.nodes[i].name);
    const bool known = source != sayable.sources.end();
    differences.push_back(StrCat(known ? source->second : Title(graph.nodes[i]), ": ", difference));
  }
  if (differences.empty()) return {};
  return Unsupported(Join(differences, "\n  "));
}

/// The text, read back.
Expected<std::string> Print(const Sayable& sayable) {
  if (!sayable.refusals.empty()) return Unsupported(Join(sayable.refusals, "\n  "));
  QAT_ASSIGN_OR_RETURN(std::string text, Printer(sayable.graph).Run(sayable.notes));
  QAT_RETURN_IF_ERROR(ReadBack(text, sayable));
  return text;
}

}  // namespace

Expected<std::string> PrintSpec(const Graph& network) {
  auto text = Print(MakeSayable(network, /*parts=*/true));
  // A border that only happens to be called as a part of a layer is a layer of its own.
  if (!text.ok()) text = Print(MakeSayable(network, /*parts=*/false));
  if (text.ok()) return text;
  const bool trains = std::all_of(network.nodes.begin(), network.nodes.end(),
                                  [](const GraphNode& node) { return IsTrainable(node.type); });
  return Unsupported(StrCat("no spec says this network; it can be ", trains ? "trained and " : "",
                            "converted as the file that it is\n  ", text.error().message));
}

}  // namespace qat
