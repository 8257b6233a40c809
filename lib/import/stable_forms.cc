#include "import/stable_forms.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/strings.h"
#include "import/graph_edits.h"
#include "ir/constants.h"
#include "ir/output_source.h"

namespace qat {
namespace {

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph) {}

  void Run(std::vector<std::string>& notes) {
    size_t count = 0;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (const auto softplus = MatchSoftplus(graph_.nodes[i])) {
        i += RewriteSoftplus(i, *softplus);
        ++count;
      } else if (const auto exp = MatchChosenExp(graph_.nodes[i])) {
        LimitExp(*exp);
        ++i;
        ++count;
      }
    }
    if (count == 0) return;
    std::erase_if(graph_.nodes, [&](const GraphNode& node) { return replaced_.contains(node.name); });
    RemoveUnusedTensors(graph_);
    notes.push_back(StrCat(count,
                           count == 1 ? " function of exponentials was" : " functions of exponentials were",
                           " put so that large inputs leave small ones their steps (softplus, selu)"));
  }

 private:
  struct Softplus {
    std::string sum, exp;  // nodes
    int32_t x, one;        // tensors
  };
  struct ChosenExp {
    std::string exp;  // the node
    int32_t x;
  };

  bool IsConstant(int32_t tensor, float number) const {
    const GraphTensor& constant = graph_.tensor(tensor);
    if (!constant.is_constant() || constant.type != DType::kFloat32) return false;
    const std::vector<float> values = RealValues(constant);
    return std::all_of(values.begin(), values.end(), [=](float value) { return value == number; });
  }

  /// log(exp(x) + 1).
  std::optional<Softplus> MatchSoftplus(const GraphNode& node) const {
    if (node.type != OpType::kLog) return std::nullopt;
    const GraphNode* sum = SourceForOneReader(graph_, node.inputs[0]);
    if (sum == nullptr || sum->type != OpType::kAdd || FusedActivation(sum->attributes) != Activation::kNone)
      return std::nullopt;
    for (const size_t at : {size_t{0}, size_t{1}}) {
      const GraphNode* exp = SourceForOneReader(graph_, sum->inputs[at]);
      if (exp != nullptr && exp->type == OpType::kExp && IsConstant(sum->inputs[1 - at], 1))
        return Softplus{sum->name, exp->name, exp->inputs[0], sum->inputs[1 - at]};
    }
    return std::nullopt;
  }

  /// Whether the branch of a select counts where x < 0 (or <= 0) alone: its position; 0: none.
  static size_t BranchBelowZero(OpType comparison) {
    switch (comparison) {
      case OpType::kGreater:
      case OpType::kGreaterEqual:
        return 2;
      case OpType::kLess:
      case OpType::kLessEqual:
        return 1;
      default:
        return 0;
    }
  }

  /// An exponential of x, behind which constants alone come in, chosen where x is below 0.
  std::optional<ChosenExp> MatchChosenExp(const GraphNode& node) const {
    if (node.type != OpType::kSelectV2 && node.type != OpType::kSelect) return std::nullopt;
    const GraphNode* condition = ProducerOf(graph_, node.inputs[0]);
    if (condition == nullptr) return std::nullopt;
    const size_t branch = BranchBelowZero(condition->type);
    if (branch == 0 || !IsConstant(condition->inputs[1], 0)) return std::nullopt;
    const int32_t x = condition->inputs[0];
    const GraphNode* at = SourceForOneReader(graph_, node.inputs[branch]);
    while (at != nullptr && at->type != OpType::kExp) {
      const bool affine = at->type == OpType::kMul || at->type == OpType::kAdd || at->type == OpType::kSub;
      if (!affine) return std::nullopt;
      const bool first = graph_.tensor(at->inputs[1]).is_constant();
      if (!first && !graph_.tensor(at->inputs[0]).is_constant()) return std::nullopt;
      at = SourceForOneReader(graph_, at->inputs[first ? 0 : 1]);
    }
    if (at == nullptr || at->inputs[0] != x || graph_.tensor(x).type != DType::kFloat32) return std::nullopt;
    return ChosenExp{at->name, x};
  }

  int32_t Insert(size_t place, OpType type, const std::string& name, std::vector<int32_t> inputs) {
    return InsertNode(graph_, place, type, name, DefinitionOf(type).default_attributes, std::move(inputs));
  }

  /// How many nodes came in front of the one at `place`, which gives the sum now.
  size_t RewriteSoftplus(size_t place, const Softplus& found) {
    const std::string name = graph_.nodes[place].name;
    size_t at = place;
    int32_t rest = Insert(at++, OpType::kAbs, name + "/abs", {found.x});
    rest = Insert(at++, OpType::kNeg, name + "/neg", {rest});
    rest = Insert(at++, OpType::kExp, name + "/exp", {rest});
    rest = Insert(at++, OpType::kAdd, name + "/add", {rest, found.one});
    rest = Insert(at++, OpType::kLog, name + "/log", {rest});
    const int32_t positive = Insert(at++, OpType::kRelu, name + "/relu", {found.x});
    GraphNode& node = graph_.nodes[at];
    node.type = OpType::kAdd;
    node.attributes = DefinitionOf(OpType::kAdd).default_attributes;
    node.inputs = {positive, rest};
    replaced_.insert({found.sum, found.exp});
    return at - place;
  }

  void LimitExp(const ChosenExp& found) {
    const auto exp = std::find_if(graph_.nodes.begin(), graph_.nodes.end(),
                                  [&](const GraphNode& node) { return node.name == found.exp; });
    const auto place = static_cast<size_t>(exp - graph_.nodes.begin());
    // Each reader quantizes a constant in its own way.
    const int32_t zero = graph_.AddConstant(FreeName(graph_, found.exp + "/zero"), {}, std::vector<float>{0});
    const int32_t limited = Insert(place, OpType::kMinimum, found.exp + "/min", {found.x, zero});
    graph_.nodes[place + 1].inputs[0] = limited;
  }

  Graph& graph_;
  std::set<std::string> replaced_;  // nodes
};

}  // namespace

void UseStableForms(Graph& graph, std::vector<std::string>& notes) { Rewriter(graph).Run(notes); }

}  // namespace qat
