#include "spec/sayable.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/printable.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "spec/output_names.h"
#include "spec/plain_names.h"

namespace qat {
namespace {

std::string Title(const GraphNode& node) {
  return StrCat("'", Printable(node.name), "' (", node.definition().name, ")");
}

int64_t CountReaders(const Graph& graph, int32_t tensor) {
  int64_t count = std::count(graph.outputs.begin(), graph.outputs.end(), tensor);
  for (const GraphNode& node : graph.nodes)
    count += std::count(node.inputs.begin(), node.inputs.end(), tensor);
  return count;
}

void Replace(Graph& graph, int32_t tensor, int32_t by) {
  for (GraphNode& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), tensor, by);
  std::replace(graph.outputs.begin(), graph.outputs.end(), tensor, by);
}

class Maker {
 public:
  Maker(const Graph& network, bool parts) : parts_(parts) { made_.graph = network; }

  Sayable Run() {
    std::erase_if(graph_.provenance, [](const auto& entry) { return entry.first != kSourceClassesKey; });
    RemoveSeparators(graph_);
    LeaveOutSoftmax();
    for (size_t i = 0; i < graph_.inputs.size(); ++i) MakeImage(graph_.inputs[i]);
    for (GraphNode& node : graph_.nodes) CheckNode(node);
    if (!without_bias_.empty())
      made_.notes.push_back(StrCat("A bias that starts at 0 was added to: ", Join(without_bias_), "."));
    RemoveUnusedTensors(graph_);
    Rename();
    return std::move(made_);
  }

 private:
  void Refuse(const GraphNode& node, std::string_view why) {
    made_.refusals.push_back(StrCat(Title(node), ": ", why));
  }

  void LeaveOutSoftmax() {
    for (int32_t& output : graph_.outputs) {
      const auto node = std::find_if(graph_.nodes.begin(), graph_.nodes.end(), [&](const GraphNode& each) {
        return each.type == OpType::kSoftmax && each.output() == output;
      });
      if (node == graph_.nodes.end() || CountReaders(graph_, output) != 1) continue;
      output = node->inputs[0];
      made_.notes.push_back(
          StrCat("Left out: softmax '", Printable(node->name), "' at the end, which the loss contains."));
      graph_.nodes.erase(node);
    }
  }

  // Inputs of a spec are images; what reads rows or a series gets a reshape, unless it flattens what it reads
  // anyway.
  void MakeImage(int32_t input) {
    const Shape given = graph_.tensor(input).shape;
    if (graph_.tensor(input).type != DType::kFloat32) {
      made_.refusals.push_back(StrCat("input '", Printable(graph_.tensor(input).name), "' takes ",
                                      NameOf(graph_.tensor(input).type),
                                      ", inputs of a spec take real numbers or bytes"));
    } else if (given.size() > 4 || given.size() < 2 || given[0] != 1) {
      made_.refusals.push_back(StrCat("input '", Printable(graph_.tensor(input).name), "' is ",
                                      ToString(given),
                                      ", inputs of a spec are [1, F], [1, T, C] or [1, H, W, C]"));
    }
    if (given.size() > 3 || given.size() < 2) return;
    Shape& shape = graph_.tensor(input).shape;
    shape.insert(shape.begin() + 1, 4 - given.size(), 1);
    std::vector<GraphNode*> readers;
    for (GraphNode& node : graph_.nodes) {
      if (std::find(node.inputs.begin(), node.inputs.end(), input) != node.inputs.end())
        readers.push_back(&node);
    }
    const auto flattens = [&](const GraphNode* node) {
      return node->type == OpType::kFullyConnected && given.size() == 2;
    };
    if (std::all_of(readers.begin(), readers.end(), flattens)) {
      for (GraphNode* node : readers)
        std::get<FullyConnectedAttributes>(node->attributes).keep_num_dims = false;
      return;
    }
    GraphTensor rows;
    // Names yet to be chosen (Rename), one for each input.
    rows.name = (given.size() == 2 ? "rows" : "series") + std::string(static_cast<size_t>(input) + 1, '/');
    rows.shape = given;
    const int32_t output = graph_.AddTensor(std::move(rows));
    Replace(graph_, input, output);
    GraphNode reshape;
    reshape.type = OpType::kReshape;
    reshape.name = graph_.tensor(output).name;
    reshape.attributes = ReshapeAttributes{given.size() == 2 ? Shape{1, -1} : given};
    reshape.inputs = {input};
    reshape.outputs = {output};
    graph_.nodes.insert(graph_.nodes.begin() + reshapes_++, std::move(reshape));
  }

  bool KeepsAxes(const GraphNode& node) const {
    const auto* dense = std::get_if<FullyConnectedAttributes>(&node.attributes);
    return dense != nullptr && dense->keep_num_dims && graph_.tensor(node.inputs[0]).shape.size() != 2;
  }

  void CheckNode(GraphNode& node) {
    const OpDefinition& op = node.definition();
    if (!IsInSpecs(node.type) && node.type != OpType::kSplitV)
      return Refuse(node, "specs have no such layer");
    if (KeepsAxes(node))
      return Refuse(node, StrCat("it computes each row of ", ToString(graph_.tensor(node.inputs[0]).shape),
                                 " alone, and a fully_connected of a spec takes all values of an example"));
    for (const size_t position : DataInputs(graph_, node)) {
      const GraphTensor& read = graph_.tensor(node.inputs[position]);
      if (read.trained) continue;
      if (read.is_constant())
        return Refuse(
            node, StrCat("it reads the constant '", Printable(read.name), "', layers of a spec read layers"));
    }
    for (const int32_t position : {op.filter_input, op.bias_input}) {
      if (position < 0 || position >= std::ssize(node.inputs)) continue;
      if (!graph_.tensor(node.inputs[static_cast<size_t>(position)]).trained)
        return Refuse(
            node,
            "its filter or bias is a constant that other layers read, too; each layer of a spec has its own");
    }
    if (op.bias_input >= 0 && !node.batch_norm && op.bias_input >= std::ssize(node.inputs)) AddBias(node);
  }

  void AddBias(GraphNode& node) {
    const OpDefinition& op = node.definition();
    const Shape& filter = graph_.tensor(node.inputs[static_cast<size_t>(op.filter_input)]).shape;
    TrainedTensor bias;
    bias.role = ParameterSpec::Role::kBias;
    bias.initializer = Initializer::Constant(0);
    const Shape shape = {filter[static_cast<size_t>(op.filter_channel_axis)]};
    node.inputs.push_back(graph_.AddTrained(StrCat(node.name, "/bias"), shape, bias));
    without_bias_.push_back(Printable(node.name));
  }

  /// Of "conv/pad" where the slash before "pad" is; npos: the node is a layer.
  size_t EndOfLayer(const std::string& name, const std::set<std::string>& names) const {
    const size_t slash = name.rfind('/');
    if (!parts_ || slash == std::string::npos || !names.contains(name.substr(0, slash)))
      return std::string::npos;
    const std::string part = name.substr(slash + 1);
    return part == "pad" || part == "in" || part.starts_with("group") ? slash : std::string::npos;
  }

  void Rename() {
    std::set<std::string> known;
    for (const GraphNode& node : graph_.nodes) known.insert(node.name);
    std::vector<std::string> names;
    for (const GraphNode& node : graph_.nodes) {
      if (EndOfLayer(node.name, known) == std::string::npos) names.push_back(node.name);
    }
    const size_t layers = names.size();
    const bool named = graph_.inputs.size() > 1 || IsPlainName(graph_.tensor(graph_.inputs[0]).name);
    for (const int32_t input : graph_.inputs) {
      if (named) names.push_back(graph_.tensor(input).name);
    }
    const std::vector<std::string> plain = PlainNames(names);
    std::map<std::string, std::string> renamed;
    for (size_t i = 0; i < layers; ++i) renamed[names[i]] = plain[i];
    for (GraphNode& node : graph_.nodes) {
      if (const auto own = renamed.find(node.name); own != renamed.end())
        made_.sources[own->second] = Title(node);
      const size_t end = std::min(EndOfLayer(node.name, known), node.name.size());
      node.name = renamed.at(node.name.substr(0, end)) + node.name.substr(end);
    }
    for (size_t i = 0; i < graph_.inputs.size(); ++i)
      graph_.tensor(graph_.inputs[i]).name = named ? plain[layers + i] : "input";
    for (const GraphNode& node : graph_.nodes) {
      for (size_t i = 0; i < node.outputs.size(); ++i)
        graph_.tensor(node.outputs[i]).name =
            node.outputs.size() == 1 ? node.name : StrCat(node.name, ":", i);
    }
  }

  Sayable made_;
  Graph& graph_ = made_.graph;
  std::vector<std::string> without_bias_;
  bool parts_;
  int64_t reshapes_ = 0;  ///< of inputs, in front of everything else
};

}  // namespace

Sayable MakeSayable(const Graph& network, bool parts) { return Maker(network, parts).Run(); }

void RemoveSeparators(Graph& graph) {
  std::set<int32_t> removed;
  for (const GraphNode& node : graph.nodes) {
    for (const int32_t input : node.inputs) {
      if (graph.tensor(input).name.starts_with(StrCat(node.name, "/from_"))) removed.insert(input);
    }
  }
  for (size_t i = 0; i < graph.nodes.size();) {
    const GraphNode& node = graph.nodes[i];
    if (node.type == OpType::kQuantize && removed.contains(node.output())) {
      const int32_t from = node.output(), to = node.inputs[0];
      graph.nodes.erase(graph.nodes.begin() + static_cast<int64_t>(i));
      Replace(graph, from, to);
    } else {
      ++i;
    }
  }
  RemoveUnusedTensors(graph);
}

}  // namespace qat
