// Last layers of real numbers: in which units they learn, and where they start.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "train/initializer.h"
#include "train/modules/nhwc.h"
#include "train/step_engine.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

// Of those that are numbers: targets that nobody knows are none.
double RootMeanSquare(std::span<const float> values) {
  double squares = 0;
  int64_t count = 0;
  for (const float value : values) {
    if (std::isnan(value)) continue;
    squares += double{value} * value;
    ++count;
  }
  return std::sqrt(squares / static_cast<double>(std::max<int64_t>(count, 1)));
}

// Scaling the tensor would change another output or a layer that reads it, too.
bool IsReadElsewhere(const Graph& graph, size_t output) {
  const int32_t tensor = graph.outputs[output];
  return std::count(graph.outputs.begin(), graph.outputs.end(), tensor) > 1 ||
         std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
           return std::find(node.inputs.begin(), node.inputs.end(), tensor) != node.inputs.end();
         });
}

}  // namespace

// Of a layer that has them to itself, and whose outputs are what they give.
std::optional<StepEngine::LastLayer> StepEngine::PlainLastLayer(size_t output) {
  const LayerNode& last = network_->output_module(output).node();
  if (FusedActivation(last.attributes) != Activation::kNone || last.batch_norm) return std::nullopt;
  const auto span_of = [&](ParameterSpec::Role role) -> TrainableSpan* {
    const LayerParameter* parameter = last.Find(role);
    if (parameter == nullptr) return nullptr;
    const auto has_name = [&](const TrainableSpan& each) { return each.name == parameter->name; };
    const auto found = std::find_if(spans_.begin(), spans_.end(), has_name);
    return found == spans_.end() ? nullptr : &*found;
  };
  const LastLayer layer = {span_of(ParameterSpec::Role::kFilter), span_of(ParameterSpec::Role::kBias)};
  if (layer.filter == nullptr || layer.bias == nullptr) return std::nullopt;
  return layer;
}

void StepEngine::LearnInUnits(size_t output, const std::vector<double>& deviations) {
  const std::optional<LastLayer> last = PlainLastLayer(output);
  if (!last || last->bias->values.size() != deviations.size()) return;
  target_units_[output].assign(deviations.begin(), deviations.end());
  last->filter->units = last->bias->units = target_units_[output];
}

bool StepEngine::NormalizeOutput(size_t output, const OutputContract& contract) {
  const std::optional<LastLayer> last = PlainLastLayer(output);
  const size_t targets = contract.mean.size();
  if (!last || targets == 0) return false;
  const size_t rows = last->bias->values.size();
  const LayerNode& node = network_->output_module(output).node();
  const bool rows_first = node.type == OpType::kFullyConnected || node.type == OpType::kConv2D;
  const Graph& graph = network_->graph();
  const auto readers = std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& each) {
    return std::any_of(each.inputs.begin(), each.inputs.end(), [&](int32_t input) {
      return input >= 0 && graph.tensor(input).name == last->filter->name;
    });
  });
  if (!rows_first || rows % targets != 0 || readers > 1 || IsReadElsewhere(graph, output)) return false;
  const size_t length = last->filter->values.size() / rows;
  for (TrainableSpan& each : spans_) {
    if (each.name == RangeName(last->filter->name)) std::fill(each.values.begin(), each.values.end(), 0.0f);
  }
  for (size_t row = 0; row < rows; ++row) {
    const float std = contract.std[row % targets];
    for (float& weight : last->filter->values.subspan(row * length, length)) weight /= std;
    last->bias->values[row] = (last->bias->values[row] - contract.mean[row % targets]) / std;
  }
  // What was learned of their ranges is over.
  for (const NamedObserver& each : observers_) {
    if (each.name == node.name || each.name == last->filter->name) each.observer->set_state({});
  }
  SetOutput(output, contract);
  return true;
}

std::vector<float> StepEngine::AnswersTo(const Batch& batch, size_t output) {
  const at::NoGradGuard no_gradients;
  const at::Tensor answers = functional::ToNhwc(network_->Forward(batch.inputs, {}).at(output)).contiguous();
  return {answers.data_ptr<float>(), answers.data_ptr<float>() + answers.numel()};
}

double StepEngine::DeviationsOff(size_t output, const Batch& batch) {
  std::vector<float> targets = batch.outputs[output].numbers;
  NormalizeTargets(losses_[output].output, targets);
  const std::vector<float> answers = AnswersTo(batch, output);
  QAT_CHECK(answers.size() == targets.size());
  for (size_t i = 0; i < answers.size(); ++i) targets[i] -= answers[i];
  return RootMeanSquare(targets);
}

void StepEngine::StartOutput(size_t output, const Batch& batch) {
  const std::optional<LastLayer> last = PlainLastLayer(output);
  QAT_CHECK(last.has_value());
  const LayerNode& node = network_->output_module(output).node();
  const LayerParameter& filter = *node.Find(ParameterSpec::Role::kFilter);
  // Values that are drawn alike have no order.
  const NamedTensor drawn = InitialFilter(filter.shape, filter.trained, config_.seed, node.node_name);
  std::copy(drawn.values.begin(), drawn.values.end(), last->filter->values.begin());
  std::fill(last->bias->values.begin(), last->bias->values.end(), 0.0f);
  const double reach = RootMeanSquare(AnswersTo(batch, output));
  if (!(reach > 1)) return;
  for (float& weight : last->filter->values) weight = static_cast<float>(weight / reach);
}

}  // namespace qat
