#include "debug/observe.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "base/strings.h"
#include "eval/histogram.h"
#include "eval/lowered_graph.h"
#include "runtime/interpreter.h"
#include "runtime/model_predictor.h"

namespace qat {
namespace {

constexpr size_t kCells = 512;
constexpr int kShrinkSteps = 50;

/// The model's tensor that has the values of each tensor of the graph, which `quantize` and `dequantize`
/// nodes only hand on.
std::map<std::string, std::string> CarriersOf(const Graph& graph) {
  std::map<int32_t, int32_t> same;
  for (const GraphNode& node : graph.nodes) {
    if (node.type != OpType::kQuantize && node.type != OpType::kDequantize) continue;
    const auto found = same.find(node.inputs[0]);
    same[node.output()] = found == same.end() ? node.inputs[0] : found->second;
  }
  std::map<std::string, std::string> names;
  for (const auto& [tensor, carrier] : same) names[graph.tensor(tensor).name] = graph.tensor(carrier).name;
  return names;
}

class Observation {
 public:
  Status Reach(const std::vector<LayerOutput>& layers) {
    for (const LayerOutput& layer : layers) {
      Observed& seen = seen_[layer.layer];
      for (const float value : layer.values) {
        if (!(std::abs(value) < std::numeric_limits<float>::max()))
          return Numerical(StrCat("'", layer.layer, "' has a value that is not finite"));
        seen.range = {std::min(seen.range.min, value), std::max(seen.range.max, value)};
      }
      if (seen.channels.empty()) continue;
      for (size_t i = 0; i < layer.values.size(); ++i) {
        float& channel = seen.channels[i % seen.channels.size()];
        channel = std::max(channel, std::abs(layer.values[i]));
      }
    }
    return {};
  }

  void BeginCounting() {
    for (auto& [name, seen] : seen_) {
      const double width = double{seen.range.max} - seen.range.min;
      seen.histogram =
          EmptyHistogram(seen.range.min, width > 0 ? seen.range.max : seen.range.min + 1, kCells);
    }
  }

  void CountAll(const std::vector<LayerOutput>& layers) {
    for (const LayerOutput& layer : layers) {
      for (const float value : layer.values) Count(value, seen_[layer.layer].histogram);
    }
  }

  std::map<std::string, Observed>& seen() { return seen_; }

 private:
  std::map<std::string, Observed> seen_;
};

/// Of values spread evenly within each cell, which a grid finer than the cells meets everywhere alike.
double MeanSquareError(const Histogram& histogram, Range range, QuantizedLimits limits) {
  const QuantizationParams params = NudgedParams(range, limits);
  const Range ends = RepresentableRange(params, limits);
  const double width = (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
  const double rounding = double{params.scale} * params.scale / 12;
  double sum = 0;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double value = histogram.low + (static_cast<double>(i) + 0.5) * width;
    const double beyond = value > ends.max ? value - ends.max : value < ends.min ? ends.min - value : 0.0;
    sum += static_cast<double>(histogram.counts[i]) * (beyond > 0 ? beyond * beyond : rounding);
  }
  return sum;
}

}  // namespace

Expected<std::map<std::string, Observed>> Observe(const Graph& graph, const Dataset& dataset,
                                                  const WorkHooks& hooks) {
  QAT_ASSIGN_OR_RETURN(const auto model, LowerToModel(graph, graph.name));
  QAT_ASSIGN_OR_RETURN(const auto predictor,
                       MakeModelPredictor(model, graph.name, "graph", {}, &graph.contract));
  Observation observation;
  for (const GraphTensor& tensor : graph.tensors) {
    if (!tensor.is_constant() && tensor.type == DType::kFloat32 && !tensor.shape.empty())
      observation.seen()[tensor.name].channels.resize(static_cast<size_t>(tensor.shape.back()));
  }
  const auto size = static_cast<size_t>(dataset.ImageSize());
  for (const bool counting : {false, true}) {
    if (counting) observation.BeginCounting();
    const auto run = [&](int64_t first, int64_t count, std::span<const uint8_t> images) -> Status {
      for (int64_t i = 0; i < count; ++i) {
        QAT_RETURN_IF_ERROR(hooks.Poll());
        QAT_ASSIGN_OR_RETURN(const std::vector<LayerOutput> layers,
                             predictor->Layers(images.subspan(static_cast<size_t>(i) * size, size)));
        if (counting) observation.CountAll(layers);
        if (!counting) QAT_RETURN_IF_ERROR_IN(StrCat("example ", first + i), observation.Reach(layers));
        hooks.Progress("ranges", (counting ? dataset.size() : 0) + first + i + 1, 2 * dataset.size());
      }
      return {};
    };
    QAT_RETURN_IF_ERROR(ForEachBatch(dataset, 64, run));
  }
  for (const auto& [name, carrier] : CarriersOf(graph))
    observation.seen()[name] = observation.seen()[carrier];
  return std::move(observation.seen());
}

Range LeastErrorRange(const Observed& observed, QuantizedLimits limits) {
  Range best = observed.range;
  double least = MeanSquareError(observed.histogram, best, limits);
  const auto attempt = [&](float low, float high) {
    const Range range = {observed.range.min * low, observed.range.max * high};
    if (!(range.min < range.max)) return;
    const double error = MeanSquareError(observed.histogram, range, limits);
    if (error < least) least = error, best = range;
  };
  for (int step = 1; step < kShrinkSteps; ++step) {
    const float shrunk = 1 - static_cast<float>(step) / kShrinkSteps;
    attempt(shrunk, shrunk);
    attempt(1, shrunk);
    attempt(shrunk, 1);
  }
  return best;
}

Range CentralRange(const Observed& observed, double share) {
  const Histogram& histogram = observed.histogram;
  const double total = std::accumulate(histogram.counts.begin(), histogram.counts.end(), 0.0);
  const double beyond = (1 - share) / 2 * total;
  const double width = (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
  size_t first = 0, last = histogram.counts.size();
  for (double left = 0; first < last; ++first) {
    left += static_cast<double>(histogram.counts[first]);
    if (left > beyond) break;
  }
  for (double right = 0; last > first; --last) {
    right += static_cast<double>(histogram.counts[last - 1]);
    if (right > beyond) break;
  }
  const auto edge = [&](size_t cell) {
    return static_cast<float>(histogram.low + static_cast<double>(cell) * width);
  };
  return {std::min(edge(first), 0.0f), std::max(edge(last), 0.0f)};
}

}  // namespace qat
