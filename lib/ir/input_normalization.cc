#include "ir/input_normalization.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/join_some.h"
#include "base/strings.h"
#include "ir/constants.h"

namespace qat {
namespace {

// value * factor + offset, per channel or per value.
struct Affine {
  std::vector<double> factor, offset;
};

bool IsSane(const Affine& affine) {
  constexpr double kMost = kLargestOfContract, kLeast = 1 / kMost;
  for (size_t i = 0; i < affine.factor.size(); ++i) {
    const double std = 1 / affine.factor[i];
    const double mean = -affine.offset[i] * std;
    if (!(std >= kLeast && std <= kMost) || !(std::abs(mean) <= kMost)) return false;
  }
  return true;
}

// The constant's value beside each value of a tensor of this shape, in the order of memory; nothing where it
// does not broadcast to it.
std::optional<std::vector<float>> Broadcast(const GraphTensor& constant, const Shape& shape) {
  const std::vector<float> values = RealValues(constant);
  if (constant.shape.size() > shape.size()) return std::nullopt;
  Shape own(shape.size() - constant.shape.size(), 1);
  own.insert(own.end(), constant.shape.begin(), constant.shape.end());
  std::vector<size_t> places(static_cast<size_t>(FlatSize(shape)), 0);
  size_t inner = 1, stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    const auto size = static_cast<size_t>(shape[axis]);
    if (own[axis] != 1 && own[axis] != shape[axis]) return std::nullopt;
    for (size_t i = 0; own[axis] != 1 && i < places.size(); ++i) places[i] += i / inner % size * stride;
    inner *= size;
    stride *= static_cast<size_t>(own[axis]);
  }
  std::vector<float> spread;
  for (const size_t place : places) spread.push_back(values[place]);
  return spread;
}

class NormalizationReader {
 public:
  NormalizationReader(size_t index, const Graph& graph)
      : graph_(graph), contract_(graph.contract.inputs.at(index)), at_(graph.inputs.at(index)) {
    for (size_t i = 0; i < static_cast<size_t>(contract_.ValueCount()); ++i) {
      const size_t known = i % contract_.mean.size();
      affine_.factor.push_back(contract_.inside ? 1 : 1 / double{contract_.std[known]});
      affine_.offset.push_back(contract_.inside ? 0 : -double{contract_.mean[known]} / contract_.std[known]);
    }
  }

  // By node; what they do together is `affine`. Reshapes between them stay: the order of values is the same
  // behind them.
  std::vector<size_t> Read() {
    std::vector<size_t> nodes;
    while (const auto node = OnlyReader()) {
      const int32_t output = graph_.nodes[*node].outputs[0];
      if (std::find(graph_.outputs.begin(), graph_.outputs.end(), output) != graph_.outputs.end()) break;
      if (graph_.nodes[*node].type != OpType::kReshape) {
        std::optional<Affine> next = After(graph_.nodes[*node]);
        if (!next) break;
        affine_ = *std::move(next);
        nodes.push_back(*node);
      }
      at_ = output;
    }
    return nodes;
  }

  // Of each value, or of each channel where all its values have the same.
  Affine affine() const {
    const auto channels = static_cast<size_t>(contract_.channels);
    for (size_t i = channels; i < affine_.factor.size(); ++i) {
      if (affine_.factor[i] != affine_.factor[i - channels] ||
          affine_.offset[i] != affine_.offset[i - channels])
        return affine_;
    }
    const auto first = [&](const std::vector<double>& all) {
      return std::vector<double>(all.begin(), all.begin() + contract_.channels);
    };
    return {first(affine_.factor), first(affine_.offset)};
  }

 private:
  std::optional<size_t> OnlyReader() const {
    std::optional<size_t> reader;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto reads = std::count(graph_.nodes[i].inputs.begin(), graph_.nodes[i].inputs.end(), at_);
      if (reads == 0) continue;
      if (reads > 1 || reader) return std::nullopt;
      reader = i;
    }
    return reader;
  }

  // What was found and this node together.
  std::optional<Affine> After(const GraphNode& node) const {
    const bool is_sum = node.type == OpType::kAdd || node.type == OpType::kSub;
    const bool is_product = node.type == OpType::kMul || node.type == OpType::kDiv;
    if (!is_sum && !is_product) return std::nullopt;
    if (std::get<BinaryAttributes>(node.attributes).activation != Activation::kNone) return std::nullopt;
    const bool first = node.inputs[0] == at_;
    if (!first && (node.type == OpType::kSub || node.type == OpType::kDiv)) return std::nullopt;
    const GraphTensor& constant = graph_.tensor(node.inputs[first ? 1 : 0]);
    const Shape& shape = graph_.tensor(at_).shape;
    if (!constant.is_constant() || constant.type != DType::kFloat32 ||
        graph_.tensor(node.outputs[0]).shape != shape)
      return std::nullopt;
    const auto values = Broadcast(constant, shape);
    if (!values || values->size() != affine_.factor.size()) return std::nullopt;
    Affine next;
    for (size_t i = 0; i < values->size(); ++i) {
      const double by = (*values)[i];
      const double times = node.type == OpType::kMul ? by : node.type == OpType::kDiv ? 1 / by : 1;
      const double plus = node.type == OpType::kAdd ? by : node.type == OpType::kSub ? -by : 0;
      next.factor.push_back(affine_.factor[i] * times);
      next.offset.push_back(affine_.offset[i] * times + plus);
    }
    return IsSane(next) ? std::optional(std::move(next)) : std::nullopt;
  }

  const Graph& graph_;
  const InputContract& contract_;
  int32_t at_;
  Affine affine_;
};

}  // namespace

std::vector<std::string> TakeInputNormalization(size_t index, Graph& graph) {
  InputContract& contract = graph.contract.inputs.at(index);
  const int64_t values = FlatSize(graph.tensor(graph.inputs.at(index)).shape);
  if (contract.values != ValueType::kReal || contract.channels_first || values != contract.ValueCount())
    return {};
  NormalizationReader reader(index, graph);
  const std::vector<size_t> nodes = reader.Read();
  if (nodes.empty()) return {};
  const Affine affine = reader.affine();
  contract.inside = false;
  contract.mean.clear();
  contract.std.clear();
  for (size_t i = 0; i < affine.factor.size(); ++i) {
    contract.mean.push_back(static_cast<float>(-affine.offset[i] / affine.factor[i]));
    contract.std.push_back(static_cast<float>(1 / affine.factor[i]));
  }
  std::vector<std::string> names;
  for (const size_t place : nodes) {
    const GraphNode& node = graph.nodes[place];
    names.push_back(node.name);
    const int32_t from = graph.tensor(node.inputs[0]).is_constant() ? node.inputs[1] : node.inputs[0];
    const int32_t output = node.outputs[0];
    for (GraphNode& each : graph.nodes) std::replace(each.inputs.begin(), each.inputs.end(), output, from);
  }
  for (auto place = nodes.rbegin(); place != nodes.rend(); ++place)
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(*place));
  RemoveUnusedTensors(graph);
  return names;
}

std::string DescribeTaken(const std::vector<std::string>& names) {
  return StrCat(
      "the input is normalized by ", JoinSome(names, 4),
      ": computed in float32, in front of the first integers, by mean and std of the input contract");
}

}  // namespace qat
