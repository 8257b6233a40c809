#include "import/real_input.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "ir/input_normalization.h"

namespace qat {
namespace {

bool AreAll(const std::vector<float>& numbers, float number) {
  return std::all_of(numbers.begin(), numbers.end(), [=](float each) { return each == number; });
}

const GraphTensor& OutputOf(const Graph& graph, const std::string& node) {
  const auto found = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const GraphNode& each) { return each.name == node; });
  QAT_CHECK(found != graph.nodes.end());
  return graph.tensor(found->output());
}

// What a byte means is no normalization of real numbers: it was said of all inputs, or follows from the
// integers of the source.
void TakeAsTheyAre(const std::string& data, InputContract& input, std::vector<std::string>& notes) {
  if (AreAll(input.mean, 0) && AreAll(input.std, 1)) return;
  if (!input.name.empty())
    notes.push_back(
        StrCat(data, ": input '", input.name,
               "' holds real numbers, which go into the network as they are; what a byte means is "
               "not for them (`mean` and `std` with the name of an input are)"));
  std::fill(input.mean.begin(), input.mean.end(), 0.0f);
  std::fill(input.std.begin(), input.std.end(), 1.0f);
}

}  // namespace

void LeaveValuesOpen(const std::vector<bool>& open_inputs, OpenOptions& options) {
  for (size_t i = 0; i < open_inputs.size(); ++i) {
    if (open_inputs[i]) (options.inputs.empty() ? options.values : options.inputs[i].values).reset();
  }
}

void TakeValuesOfData(const Dataset& dataset, const std::vector<bool>& open_inputs,
                      const std::vector<bool>& named_inputs, Graph& graph, std::vector<std::string>& notes) {
  for (size_t i = 0; i < open_inputs.size(); ++i) {
    InputContract& input = graph.contract.inputs[i];
    if (!open_inputs[i]) continue;
    const bool reals = dataset.inputs[i].values == ValueType::kReal;
    if (reals && !named_inputs[i]) TakeAsTheyAre(dataset.name, input, notes);
    if (dataset.inputs[i].values == input.values) continue;
    input.values = dataset.inputs[i].values;
    input.low = input.high = 0;  // nothing was measured yet
    input.white = reals ? dataset.white : 0;
    const std::string held =
        input.name.empty() ? std::string("holds ") : StrCat("input '", input.name, "' holds ");
    if (reals) {
      notes.push_back(StrCat(dataset.name, ": ", held,
                             "real numbers, which go into the network as they are; bytes were only assumed"));
    } else {
      const bool as_they_are = AreAll(input.mean, 0) && AreAll(input.std, 1);
      notes.push_back(StrCat(
          dataset.name, ": ", held, "bytes, ", Describe(input),
          as_they_are ? "; what a byte means is not said, and so assumed (`mean` and `std` say otherwise)"
                      : ""));
    }
  }
}

void TakeValuesOfPlan(const PlanChoices& choices, const std::vector<bool>& open_inputs, Graph& graph,
                      std::vector<std::string>& notes) {
  for (size_t i = 0; i < open_inputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.inputs[i]).name;
    const auto planned = choices.inputs.find(name);
    InputContract& input = graph.contract.inputs[i];
    if (!open_inputs[i] || planned == choices.inputs.end() || input.values == ValueType::kReal) continue;
    input.values = ValueType::kReal;
    input.low = planned->second.min;
    input.high = planned->second.max;
    notes.push_back(StrCat("the plan has a range of input '", name,
                           "', so real numbers go into the network as they are; bytes were only assumed"));
  }
}

void TakeInputNormalizations(Graph& graph, std::vector<std::string>& notes) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::vector<std::string> names = TakeInputNormalization(i, graph);
    if (!names.empty()) notes.push_back(DescribeTaken(names));
  }
}

void TakeFloatInputNormalizations(const std::function<bool(const std::string& layer)>& stays,
                                  const std::function<bool(const std::string& input)>& has_range,
                                  Graph& graph, std::vector<std::string>& notes) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    Graph taken = graph;
    const std::vector<std::string> names = TakeInputNormalization(i, taken);
    if (names.empty() || std::any_of(names.begin(), names.end(), stays)) continue;
    const GraphTensor& last = OutputOf(graph, names.back());
    const bool all = std::all_of(names.begin(), names.end(),
                                 [&](const std::string& name) { return OutputOf(graph, name).has_range; });
    const bool ends = last.has_range && last.range.min < last.range.max;
    const bool known = graph.contract.inputs[i].inside || has_range(graph.tensor(graph.inputs[i]).name);
    if (all || (!ends && !known)) continue;
    InputContract& input = taken.contract.inputs[i];
    if (ends) input.low = last.range.min, input.high = last.range.max;
    graph = std::move(taken);
    notes.push_back(DescribeTaken(names));
  }
}

std::string DescribeWholeNumbers(const std::string& input, std::string_view type) {
  return StrCat("input '", input, "' is ", type,
                ": the model takes the same whole numbers as float32 (up to 16,777,216)");
}

}  // namespace qat
