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
  constexpr double kLeast = 1e-15, kMost = 1e15;  // what Validate takes of a contract
  for (size_t i = 0; i < affine.factor.size(); ++i) {
    const double std = 1 / affine.factor[i];
    const double mean = -affine.offset[i] * std;
    if (!(std >= kLeast && std <= kMost) || !(std::abs(mean) <= kMost)) return false;
  }
  return true;
}

class NormalizationReader {
 public:
  NormalizationReader(size_t index, const Graph& graph)
      : graph_(graph), contract_(graph.contract.inputs.at(index)), at_(graph.inputs.at(index)) {
    for (size_t i = 0; i < contract_.mean.size(); ++i) {
      affine_.factor.push_back(1 / double{contract_.std[i]});
      affine_.offset.push_back(-double{contract_.mean[i]} / contract_.std[i]);
    }
  }

  // By node; what they do together is `affine`, what they give `output`.
  std::vector<size_t> Read() {
    std::vector<size_t> nodes;
    while (const auto node = OnlyReader()) {
      std::optional<Affine> next = After(graph_.nodes[*node]);
      if (!next) break;
      affine_ = *std::move(next);
      at_ = graph_.nodes[*node].outputs[0];
      nodes.push_back(*node);
    }
    return nodes;
  }

  const Affine& affine() const { return affine_; }
  int32_t output() const { return at_; }

 private:
  std::optional<size_t> OnlyReader() const {
    if (std::find(graph_.outputs.begin(), graph_.outputs.end(), at_) != graph_.outputs.end()) return std::nullopt;
    std::optional<size_t> reader;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto reads = std::count(graph_.nodes[i].inputs.begin(), graph_.nodes[i].inputs.end(), at_);
      if (reads == 0) continue;
      if (reads > 1 || reader) return std::nullopt;
      reader = i;
    }
    return reader;
  }

  // The values of a constant by channel, or by value; nothing where it has other axes.
  std::optional<std::vector<float>> Spread(const GraphTensor& constant) const {
    const std::vector<float> values = RealValues(constant);
    const auto channels = static_cast<size_t>(contract_.channels);
    const auto all = static_cast<size_t>(contract_.ValueCount());
    if (values.size() == 1) return std::vector<float>(affine_.factor.size(), values[0]);
    const bool per_channel = values.size() == channels && constant.shape.back() == contract_.channels;
    if (!per_channel && values.size() != all) return std::nullopt;
    std::vector<float> spread(std::max(values.size(), affine_.factor.size()));
    for (size_t i = 0; i < spread.size(); ++i) spread[i] = values[i % values.size()];
    return spread;
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
    const GraphTensor& output = graph_.tensor(node.outputs[0]);
    if (!constant.is_constant() || constant.type != DType::kFloat32 || output.shape != graph_.tensor(at_).shape)
      return std::nullopt;
    const auto values = Spread(constant);
    if (!values) return std::nullopt;
    Affine next;
    for (size_t i = 0; i < values->size(); ++i) {
      const size_t known = i % affine_.factor.size();
      const double by = (*values)[i];
      const double times = node.type == OpType::kMul ? by : node.type == OpType::kDiv ? 1 / by : 1;
      const double plus = node.type == OpType::kAdd ? by : node.type == OpType::kSub ? -by : 0;
      next.factor.push_back(affine_.factor[known] * times);
      next.offset.push_back(affine_.offset[known] * times + plus);
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
  if (contract.values != ValueType::kReal || contract.inside) return {};
  NormalizationReader reader(index, graph);
  const std::vector<size_t> nodes = reader.Read();
  if (nodes.empty()) return {};
  const Affine& affine = reader.affine();
  contract.mean.clear();
  contract.std.clear();
  for (size_t i = 0; i < affine.factor.size(); ++i) {
    contract.mean.push_back(static_cast<float>(-affine.offset[i] / affine.factor[i]));
    contract.std.push_back(static_cast<float>(1 / affine.factor[i]));
  }
  // The input keeps its name.
  std::swap(graph.tensor(graph.inputs[index]).name, graph.tensor(reader.output()).name);
  graph.inputs[index] = reader.output();
  std::vector<std::string> names;
  for (const size_t node : nodes) names.push_back(graph.nodes[node].name);
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(*node));
  RemoveUnusedTensors(graph);
  return names;
}

std::string DescribeTaken(const std::vector<std::string>& names) {
  return StrCat("the input is normalized by ", JoinSome(names, 4),
                ": computed in float32, in front of the first integers, by mean and std of the input contract");
}

}  // namespace qat
