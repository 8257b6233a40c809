#include "calibrate/repair_filters.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/random.h"
#include "base/slices.h"
#include "base/strings.h"
#include "calibrate/adaround.h"
#include "calibrate/filter_layer.h"
#include "ir/constants.h"

namespace qat {
namespace {

constexpr int64_t kWindows = 4096;   // of AdaRound, a layer
constexpr size_t kMostDepth = 8192;  // of AdaRound: its matrix has 256 MiB
constexpr uint64_t kSeed = 16;
constexpr double kMostWork = 2e12;  // multiplications of all runs: some two minutes of one core

/// What was seen of a layer's inputs: x in the float network, and xr in the network as it is repaired so far.
struct Seen {
  int64_t windows = 0;
  std::vector<double> sum, repaired_sum;  ///< of all windows of x, of xr: [taps, input channels]

  // Of AdaRound, some windows.
  std::vector<float> weights;  ///< w, of the float network
  int64_t taken = 0;
  std::vector<InputMoments> moments;      ///< of xr, for each part of the input; the pull is of w x
  std::vector<std::vector<double>> mean;  ///< of xr, of each part
  std::vector<double> lag, lag_square;    ///< w (x - xr), of each channel
};

const TensorPlan* PlanOf(const QuantizationPlan& plan, int32_t tensor) {
  for (const TensorPlan& each : plan.tensors) {
    if (each.tensor == tensor && each.role == PlannedRole::kFilter) return &each;
  }
  return nullptr;
}

class Repairer {
 public:
  Repairer(const FilterRepairs& repairs, const QuantizationPlan& plan, const Graph& source, Graph& graph)
      : repairs_(repairs), plan_(plan), source_(source), graph_(graph), repaired_(graph) {
    for (const GraphNode& node : graph.nodes) {
      const int32_t filter = node.InputAt(node.definition().filter_input);
      const TensorPlan* planned = filter < 0 ? nullptr : PlanOf(plan, filter);
      if (planned == nullptr) continue;
      const bool shared = std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& other) {
                            return other.InputAt(other.definition().filter_input) == filter;
                          }) > 1;
      const std::optional<FilterLayer> layer = shared ? std::nullopt : FilterLayerOf(graph, node, *planned);
      if (layer) layers_.push_back(*layer);
      if (!layer || (repairs.adaround && !Adapts(*layer))) result_.left.push_back(node.name);
    }
  }

  /// Layer after layer, so that each makes up for what those before it have lost; several at once where data
  /// and network are large.
  Expected<RepairedFilters> Run(const Dataset& dataset, const ChosenExamples& chosen,
                                const WorkHooks& hooks) {
    if (layers_.empty()) return std::move(result_);
    int64_t examples = 0;
    for (int64_t i = 0; i < dataset.size(); ++i) examples += !chosen || chosen(i);
    double work = 0;
    for (const FilterLayer& layer : layers_) work += layer.work();
    const double runs = kMostWork / std::max(1.0, 2 * work * static_cast<double>(examples));
    const size_t stages = static_cast<size_t>(std::clamp(runs, 1.0, static_cast<double>(layers_.size())));
    // Rounding a layer takes about as long as running the examples, as far as anyone can say before.
    const int64_t turns = static_cast<int64_t>(stages + (repairs_.adaround ? layers_.size() : 0));
    int64_t turn = 0;
    const auto report = [&](const std::string& what, int64_t done, int64_t total) {
      hooks.Progress(what, turn * dataset.size() + dataset.size() * done / std::max<int64_t>(1, total),
                     turns * dataset.size());
    };
    QAT_ASSIGN_OR_RETURN(FloatRun reference, FloatRun::Create(source_));
    for (size_t stage = 0; stage < stages; ++stage) {
      const size_t first = layers_.size() * stage / stages, end = layers_.size() * (stage + 1) / stages;
      std::vector<Seen> seen;
      for (size_t i = first; i < end; ++i) seen.push_back(Nothing(layers_[i]));
      QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(repaired_));
      const std::string inputs = StrCat("inputs of '", layers_[first].node->name, "'");
      const WorkHooks reading = {
          [&](const std::string&, int64_t done, int64_t total) { report(inputs, done, total); },
          hooks.interrupted};
      QAT_RETURN_IF_ERROR(reference.ForEach(dataset, chosen, reading, [&](int64_t example) -> Status {
        run.Repeat(reference);
        for (size_t i = first; i < end; ++i)
          Observe(layers_[i], reference, run, example, examples, seen[i - first]);
        return {};
      }));
      ++turn;
      for (size_t i = first; i < end; ++i) {
        const std::string rounding = StrCat("rounding '", layers_[i].node->name, "'");
        const WorkHooks adapting = {
            [&](const std::string&, int64_t done, int64_t total) { report(rounding, done, total); },
            hooks.interrupted};
        QAT_RETURN_IF_ERROR(hooks.Poll(rounding));
        QAT_RETURN_IF_ERROR(Repair(layers_[i], adapting, seen[i - first]));
        if (repairs_.adaround) report(rounding, 1, 1), ++turn;
      }
    }
    return std::move(result_);
  }

 private:
  bool Adapts(const FilterLayer& layer) const { return repairs_.adaround && layer.depth <= kMostDepth; }

  Seen Nothing(const FilterLayer& layer) const {
    Seen seen;
    seen.sum.assign(layer.windows.size(), 0);
    seen.repaired_sum = seen.sum;
    if (!Adapts(layer)) return seen;
    seen.weights = RealValues(source_.tensor(layer.filter->tensor));
    const size_t each = seen.weights.size() / layer.parts();
    seen.moments.assign(layer.parts(), {layer.depth, std::vector<float>(layer.depth * layer.depth),
                                        std::vector<float>(each)});
    seen.mean.assign(layer.parts(), std::vector<double>(layer.depth));
    seen.lag.assign(layer.channels, 0);
    seen.lag_square = seen.lag;
    return seen;
  }

  void Observe(const FilterLayer& layer, const FloatRun& reference, const FloatRun& run, int64_t example,
               int64_t examples, Seen& seen) const {
    const int32_t data = layer.node->InputAt(layer.node->definition().data_input);
    const auto input = reference.Values(data), repaired_input = run.Values(data);
    std::vector<float> window(layer.windows.size()), repaired(window.size());
    const int64_t count = layer.windows.count();
    for (int64_t i = 0; i < count; ++i) {
      layer.windows.Read(input, i, window);
      layer.windows.Read(repaired_input, i, repaired);
      for (size_t k = 0; k < window.size(); ++k)
        seen.sum[k] += window[k], seen.repaired_sum[k] += repaired[k];
    }
    seen.windows += count;
    if (!Adapts(layer)) return;
    // The same windows every time.
    Random random(kSeed + static_cast<uint64_t>(example));
    const int64_t wanted = std::min(count, std::max<int64_t>(1, kWindows / std::max<int64_t>(1, examples)));
    for (int64_t i = 0; i < wanted; ++i) {
      const int64_t taken = wanted == count ? i : random.Below(static_cast<uint32_t>(count));
      layer.windows.Read(input, taken, window);
      layer.windows.Read(repaired_input, taken, repaired);
      for (size_t part = 0; part < layer.parts(); ++part) AddMoments(layer, part, window, repaired, seen);
      ++seen.taken;
    }
  }

  /// Of one window, what the channels of a part read.
  void AddMoments(const FilterLayer& layer, size_t part, const std::vector<float>& window,
                  const std::vector<float>& repaired, Seen& seen) const {
    const size_t depth = layer.depth, each = layer.channels / layer.parts();
    InputMoments& moments = seen.moments[part];
    std::vector<float> x(depth), lag(depth);
    for (size_t i = 0; i < depth; ++i) {
      const size_t place = layer.InputPlace(part * each, i);
      x[i] = repaired[place];
      lag[i] = window[place] - repaired[place];
      seen.mean[part][i] += x[i];
    }
    for (size_t i = 0; i < depth; ++i) {
      if (x[i] == 0) continue;
      float* row = &moments.gram[i * depth];
      for (size_t j = 0; j < depth; ++j) row[j] += x[i] * x[j];
    }
    if (std::ranges::all_of(lag, [](float value) { return value == 0; })) return;
    for (size_t c = 0; c < each; ++c) {
      float sum = 0;
      for (size_t i = 0; i < depth; ++i) sum += seen.weights[layer.Place(part * each + c, i)] * lag[i];
      seen.lag[part * each + c] += sum;
      seen.lag_square[part * each + c] += double{sum} * sum;
      for (size_t i = 0; i < depth; ++i) moments.pull[c * depth + i] += sum * x[i];
    }
  }

  RoundingGrid GridOf(const FilterLayer& layer, size_t c) const {
    return {layer.filter->params[c % layer.filter->params.size()], LimitsOf(layer.filter->precision)};
  }

  Status Repair(const FilterLayer& layer, const WorkHooks& hooks, Seen& seen) {
    GraphTensor& filter = graph_.tensor(layer.filter->tensor);
    const std::vector<float> reals = RealValues(source_.tensor(layer.filter->tensor)),
                             values = RealValues(filter);
    std::vector<float> rounded(reals.size());
    for (size_t c = 0; c < layer.channels; ++c) {
      const RoundingGrid grid = GridOf(layer, c);
      for (size_t i = 0; i < layer.depth; ++i) {
        const int32_t integer = QuantizeFakeQuant(values[layer.Place(c, i)], grid.params, grid.limits);
        rounded[layer.Place(c, i)] = Dequantize(integer, grid.params);
      }
    }
    if (Adapts(layer)) QAT_RETURN_IF_ERROR(Adapt(layer, reals, hooks, seen, rounded));
    if (layer.bias >= 0) {
      const std::vector<float> bias = Corrected(layer, seen, reals, rounded);
      SetValues(graph_.tensor(layer.bias), DType::kFloat32, bias);
      SetValues(repaired_.tensor(layer.bias), DType::kFloat32, bias);
    }
    if (Adapts(layer)) SetValues(filter, DType::kFloat32, rounded);
    SetValues(repaired_.tensor(layer.filter->tensor), DType::kFloat32, rounded);
    if (Adapts(layer) || (!repairs_.adaround && layer.bias >= 0))
      result_.repaired.push_back(layer.node->name);
    return {};
  }

  /// Sums of windows become means; of deviations from the mean where a bias makes up for it.
  static void Average(const FilterLayer& layer, Seen& seen) {
    const auto taken = static_cast<double>(std::max<int64_t>(1, seen.taken));
    const bool centred = layer.bias >= 0;
    const size_t each = layer.channels / layer.parts();
    for (double& lag : seen.lag) lag /= taken;
    for (size_t c = 0; c < layer.channels; ++c)
      seen.lag_square[c] = seen.lag_square[c] / taken - (centred ? seen.lag[c] * seen.lag[c] : 0);
    for (size_t part = 0; part < layer.parts(); ++part) {
      std::vector<double>& mean = seen.mean[part];
      InputMoments& moments = seen.moments[part];
      for (double& value : mean) value = centred ? value / taken : 0;
      for (size_t i = 0; i < layer.depth; ++i) {
        for (size_t j = 0; j < layer.depth; ++j) {
          float& value = moments.gram[i * layer.depth + j];
          value = static_cast<float>(value / taken - mean[i] * mean[j]);
        }
        for (size_t c = 0; c < each; ++c) {
          float& pull = moments.pull[c * layer.depth + i];
          pull = static_cast<float>(pull / taken - seen.lag[part * each + c] * mean[i]);
        }
      }
    }
  }

  /// `rounded` has the nearest integers' values, then those of the chosen ones.
  Status Adapt(const FilterLayer& layer, const std::vector<float>& reals, const WorkHooks& hooks, Seen& seen,
               std::vector<float>& rounded) {
    Average(layer, seen);
    const size_t each = layer.channels / layer.parts(), depth = layer.depth;
    for (size_t part = 0; part < layer.parts(); ++part) {
      const size_t first = part * each;
      const InputMoments& moments = seen.moments[part];
      std::vector<float> weights;
      for (size_t c = 0; c < each; ++c) {
        for (size_t i = 0; i < depth; ++i) weights.push_back(reals[layer.Place(first + c, i)]);
      }
      QAT_ASSIGN_OR_RETURN(const std::vector<float> chosen, Chosen(layer, first, moments, weights, hooks));
      for (size_t c = 0; c < each; ++c) {
        std::vector<float> before;
        for (size_t i = 0; i < depth; ++i) {
          float& value = rounded[layer.Place(first + c, i)];
          before.push_back(value);
          value = chosen[c * depth + i];
        }
        const auto own = std::span(weights).subspan(c * depth, depth);
        const auto after = std::span(chosen).subspan(c * depth, depth);
        result_.error_before += seen.lag_square[first + c] + SumError(moments, c, own, before);
        result_.error_after += seen.lag_square[first + c] + SumError(moments, c, own, after);
      }
    }
    return {};
  }

  /// What AdaRound makes of the weights of channels from `first` on, [channels, depth]: on the grids of the
  /// plan, or of channels that lose less on them, on narrower ones.
  Expected<std::vector<float>> Chosen(const FilterLayer& layer, size_t first, const InputMoments& moments,
                                      const std::vector<float>& weights, const WorkHooks& hooks) const {
    const size_t depth = layer.depth, channels = weights.size() / depth;
    const auto row = [depth](const std::vector<float>& of, size_t c) {
      return std::span(of).subspan(c * depth, depth);
    };
    std::vector<RoundingGrid> planned, narrower;
    for (size_t c = 0; c < channels; ++c) {
      planned.push_back(GridOf(layer, first + c));
      narrower.push_back(planned.back());
      if (!ScaleIsFree(layer)) continue;
      const RoundingGrid grid = GridOfLeastError(moments, row(weights, c), planned.back().limits);
      if (HoldsBias(layer, first + c, grid.params.scale)) narrower.back() = grid;
    }
    const int64_t turns = narrower == planned ? 1 : 2;
    const auto round = [&](const std::vector<RoundingGrid>& grids,
                           int64_t turn) -> Expected<std::vector<float>> {
      Status polled;
      const std::vector<int32_t> integers = AdaRound(moments, weights, grids, [&](size_t done) {
        hooks.Progress("",
                       static_cast<int64_t>(first) +
                           (turn * static_cast<int64_t>(channels) + static_cast<int64_t>(done)) / turns,
                       static_cast<int64_t>(layer.channels));
        polled = hooks.Poll(StrCat("rounding '", layer.node->name, "'"));
        return polled.ok();
      });
      QAT_RETURN_IF_ERROR(std::move(polled));
      std::vector<float> values;
      for (size_t i = 0; i < integers.size(); ++i)
        values.push_back(Dequantize(integers[i], grids[i / depth].params));
      return values;
    };
    QAT_ASSIGN_OR_RETURN(std::vector<float> values, round(planned, 0));
    if (turns == 1) return values;
    QAT_ASSIGN_OR_RETURN(const std::vector<float> others, round(narrower, 1));
    for (size_t c = 0; c < channels; ++c) {
      const auto own = row(weights, c), other = row(others, c);
      if (SumError(moments, c, own, other) < SumError(moments, c, own, row(values, c)))
        std::copy(other.begin(), other.end(), values.begin() + static_cast<std::ptrdiff_t>(c * depth));
    }
    return values;
  }

  /// With few integers it pays to give up the largest weights for a finer step; per channel, the plan made
  /// again takes the scale from the values.
  static bool ScaleIsFree(const FilterLayer& layer) {
    return layer.filter->precision.bits < 8 && layer.filter->precision.per_axis();
  }

  /// Whether the plan made again will not ask for a larger scale, to keep the bias within 2^30 steps. Half of
  /// them are left to its correction.
  bool HoldsBias(const FilterLayer& layer, size_t c, float scale) const {
    if (layer.bias < 0) return true;
    const int32_t data = layer.node->InputAt(layer.node->definition().data_input);
    const auto input = std::ranges::find(plan_.tensors, data, &TensorPlan::tensor);
    if (input == plan_.tensors.end() || input->params.empty()) return false;
    const double step = double{input->params[0].scale} * scale;
    return std::abs(RealValues(source_.tensor(layer.bias))[c]) < 0x1p29 * step;
  }

  /// Biases that give the sums of every channel the mean that they have in the float network.
  std::vector<float> Corrected(const FilterLayer& layer, const Seen& seen, const std::vector<float>& reals,
                               const std::vector<float>& rounded) const {
    std::vector<float> corrected = RealValues(source_.tensor(layer.bias));
    const auto windows = static_cast<double>(std::max<int64_t>(1, seen.windows));
    for (size_t c = 0; c < layer.channels; ++c) {
      double shift = 0;
      for (size_t i = 0; i < layer.depth; ++i) {
        const size_t place = layer.Place(c, i), from = layer.InputPlace(c, i);
        shift += rounded[place] * seen.repaired_sum[from] - reals[place] * seen.sum[from];
      }
      corrected[c] = static_cast<float>(corrected[c] - shift / windows);
    }
    return corrected;
  }

  const FilterRepairs& repairs_;
  const QuantizationPlan& plan_;
  const Graph& source_;
  Graph& graph_;
  Graph repaired_;  // what runs: as `graph_`, with the values of integers as far as it is repaired
  std::vector<FilterLayer> layers_;
  RepairedFilters result_;
};

}  // namespace

Expected<RepairedFilters> RepairFilters(const FilterRepairs& repairs, const QuantizationPlan& plan,
                                        const Dataset& dataset, const ChosenExamples& chosen,
                                        const WorkHooks& hooks, const Graph& source, Graph& graph) {
  return Repairer(repairs, plan, source, graph).Run(dataset, chosen, hooks);
}

}  // namespace qat
