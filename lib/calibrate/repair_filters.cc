#include "calibrate/repair_filters.h"

#include <algorithm>
#include <optional>

#include "base/random.h"
#include "base/slices.h"
#include "base/strings.h"
#include "calibrate/adaround.h"
#include "ir/constants.h"
#include "ops/padding.h"

namespace qat {
namespace {

constexpr int64_t kWindows = 4096;  // of AdaRound, a layer
constexpr uint64_t kSeed = 16;

/// How the windows of a layer lie over its input [1, H, W, C]; of a fully connected layer one of all values, or of each row.
struct Windows {
  int32_t height = 1, width = 1, channels = 1;  // of the input
  int32_t filter_h = 1, filter_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t out_h = 1, out_w = 1, pad_h = 0, pad_w = 0;

  int64_t count() const { return int64_t{out_h} * out_w; }
  size_t taps() const { return static_cast<size_t>(filter_h) * static_cast<size_t>(filter_w); }

  /// The values under window `index`, [filter_h, filter_w, channels]; 0 beyond the border.
  void Read(std::span<const float> input, int64_t index, std::span<float> window) const {
    const auto row = static_cast<int32_t>(index / out_w) * stride_h - pad_h;
    const auto column = static_cast<int32_t>(index % out_w) * stride_w - pad_w;
    size_t at = 0;
    for (int32_t y = 0; y < filter_h; ++y) {
      for (int32_t x = 0; x < filter_w; ++x) {
        const int32_t from_y = row + y * dilation_h, from_x = column + x * dilation_w;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        const auto start =
            (static_cast<size_t>(from_y) * static_cast<size_t>(width) + static_cast<size_t>(from_x)) *
            static_cast<size_t>(channels);
        for (int32_t c = 0; c < channels; ++c)
          window[at++] = inside ? input[start + static_cast<size_t>(c)] : 0;
      }
    }
  }
};

template <class A>
Windows WindowsOf(const A& a, const Shape& input, int32_t filter_h, int32_t filter_w) {
  Windows windows;
  windows.height = input[1], windows.width = input[2], windows.channels = input[3];
  windows.filter_h = filter_h, windows.filter_w = filter_w;
  windows.stride_h = a.stride_h, windows.stride_w = a.stride_w;
  windows.dilation_h = a.dilation_h, windows.dilation_w = a.dilation_w;
  const WindowExtent rows = ComputeWindow(a.padding, input[1], filter_h, a.stride_h, a.dilation_h);
  const WindowExtent columns = ComputeWindow(a.padding, input[2], filter_w, a.stride_w, a.dilation_w);
  windows.out_h = rows.output, windows.pad_h = rows.before;
  windows.out_w = columns.output, windows.pad_w = columns.before;
  return windows;
}

/// One layer, its filter as [channels, depth] and what was seen of its inputs.
struct Layer {
  const GraphNode* node = nullptr;
  const TensorPlan* filter = nullptr;
  int32_t bias = -1;
  Windows windows;
  bool depthwise = false;
  size_t depth = 0, channels = 0;
  std::vector<double> sum;  // of windows, [taps, input channels]
  int64_t windows_seen = 0;
  std::vector<InputMoments> moments;  // one, or one for each input channel of a depthwise convolution
  int64_t windows_taken = 0;

  /// Channels that read one input channel; 1 where it is not depthwise.
  size_t multiplier() const { return depthwise ? channels / static_cast<size_t>(windows.channels) : 1; }
  /// Where weight `i` of channel `c` lies in the filter: [O, …] or, depthwise, [1, H, W, O].
  size_t Place(size_t c, size_t i) const { return depthwise ? i * channels + c : c * depth + i; }
  /// Where its input lies in a window.
  size_t InputPlace(size_t c, size_t i) const {
    return depthwise ? i * static_cast<size_t>(windows.channels) + c / multiplier() : i;
  }
};

int32_t InputAt(const GraphNode& node, int32_t position) {
  return position >= 0 && static_cast<size_t>(position) < node.inputs.size()
             ? node.inputs[static_cast<size_t>(position)]
             : -1;
}

const TensorPlan* PlanOf(const QuantizationPlan& plan, int32_t tensor) {
  for (const TensorPlan& each : plan.tensors) {
    if (each.tensor == tensor && each.role == PlannedRole::kFilter) return &each;
  }
  return nullptr;
}

/// Nothing for kinds of layers that are not known here.
std::optional<Layer> LayerOf(const Graph& graph, const GraphNode& node, const TensorPlan& filter) {
  const OpDefinition& definition = node.definition();
  const Shape& shape = graph.tensor(filter.tensor).shape;
  const Shape& input = graph.tensor(InputAt(node, definition.data_input)).shape;
  Layer layer;
  layer.node = &node;
  layer.filter = &filter;
  layer.bias = InputAt(node, definition.bias_input);
  if (node.type == OpType::kConv2D && shape[3] == input[3]) {
    layer.windows = WindowsOf(std::get<Conv2DAttributes>(node.attributes), input, shape[1], shape[2]);
  } else if (node.type == OpType::kDepthwiseConv2D) {
    layer.windows =
        WindowsOf(std::get<DepthwiseConv2DAttributes>(node.attributes), input, shape[1], shape[2]);
    layer.depthwise = true;
  } else if (node.type == OpType::kFullyConnected) {
    layer.windows.channels = shape[1];
    layer.windows.out_h = static_cast<int32_t>(FlatSize(input) / shape[1]);
    layer.windows.height = layer.windows.out_h;
  } else {
    return std::nullopt;
  }
  layer.channels = static_cast<size_t>(shape[static_cast<size_t>(definition.filter_channel_axis)]);
  layer.depth = static_cast<size_t>(FlatSize(shape)) / layer.channels;
  return layer;
}

/// gram += x xᵀ, of the part of a window that channel `c` reads.
void AddMoment(const Layer& layer, size_t c, std::span<const float> window, InputMoments& moments) {
  std::vector<float> x(layer.depth);
  for (size_t i = 0; i < layer.depth; ++i) x[i] = window[layer.InputPlace(c, i)];
  for (size_t i = 0; i < layer.depth; ++i) {
    if (x[i] == 0) continue;
    float* row = &moments.gram[i * layer.depth];
    for (size_t j = 0; j < layer.depth; ++j) row[j] += x[i] * x[j];
  }
}

class Repairer {
 public:
  Repairer(const FilterRepairs& repairs, const QuantizationPlan& plan, const Graph& source, Graph& graph)
      : repairs_(repairs), source_(source), graph_(graph) {
    for (const GraphNode& node : graph.nodes) {
      const int32_t filter = InputAt(node, node.definition().filter_input);
      const TensorPlan* planned = filter < 0 ? nullptr : PlanOf(plan, filter);
      if (planned == nullptr) continue;
      const bool shared = std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& other) {
                            return InputAt(other, other.definition().filter_input) == filter;
                          }) > 1;
      std::optional<Layer> layer = shared ? std::nullopt : LayerOf(graph, node, *planned);
      if (!layer) {
        result_.left.push_back(node.name);
        continue;
      }
      layer->sum.assign(layer->windows.taps() * static_cast<size_t>(layer->windows.channels), 0);
      const size_t matrices = layer->depthwise ? static_cast<size_t>(layer->windows.channels) : 1;
      if (repairs.adaround)
        layer->moments.assign(matrices, {layer->depth, std::vector<float>(layer->depth * layer->depth)});
      layers_.push_back(std::move(*layer));
    }
  }

  bool empty() const { return layers_.empty(); }

  void Observe(const FloatRun& run, int64_t example, int64_t examples) {
    std::vector<float> window;
    for (Layer& layer : layers_) {
      window.resize(layer.sum.size());
      const auto input = run.Values(InputAt(*layer.node, layer.node->definition().data_input));
      const int64_t count = layer.windows.count();
      for (int64_t i = 0; i < count && repairs_.correct_bias; ++i) {
        layer.windows.Read(input, i, window);
        for (size_t k = 0; k < window.size(); ++k) layer.sum[k] += window[k];
      }
      layer.windows_seen += count;
      if (!repairs_.adaround) continue;
      // The same windows every time.
      Random random(kSeed + static_cast<uint64_t>(example));
      const int64_t wanted = std::min(count, std::max<int64_t>(1, kWindows / std::max<int64_t>(1, examples)));
      for (int64_t i = 0; i < wanted; ++i) {
        const int64_t taken = wanted == count ? i : random.Below(static_cast<uint32_t>(count));
        layer.windows.Read(input, taken, window);
        for (size_t m = 0; m < layer.moments.size(); ++m)
          AddMoment(layer, m * layer.multiplier(), window, layer.moments[m]);
        ++layer.windows_taken;
      }
    }
  }

  RepairedFilters Run() {
    for (Layer& layer : layers_) Repair(layer);
    return std::move(result_);
  }

 private:
  RoundingGrid GridOf(const Layer& layer, size_t c) const {
    return {layer.filter->params[c % layer.filter->params.size()], LimitsOf(layer.filter->precision)};
  }

  void Repair(Layer& layer) {
    GraphTensor& filter = graph_.tensor(layer.filter->tensor);
    const std::vector<float> reals = RealValues(source_.tensor(layer.filter->tensor)),
                             repaired = RealValues(filter);
    std::vector<float> rounded(reals.size());
    for (size_t c = 0; c < layer.channels; ++c) {
      const RoundingGrid grid = GridOf(layer, c);
      for (size_t i = 0; i < layer.depth; ++i) {
        const int32_t integer = QuantizeFakeQuant(repaired[layer.Place(c, i)], grid.params, grid.limits);
        rounded[layer.Place(c, i)] = Dequantize(integer, grid.params);
      }
    }
    if (repairs_.adaround) Adapt(layer, reals, rounded);
    if (repairs_.correct_bias && layer.bias >= 0) Correct(layer, reals, rounded);
    if (repairs_.adaround) SetValues(filter, DType::kFloat32, rounded);
    if (repairs_.adaround || layer.bias >= 0) result_.repaired.push_back(layer.node->name);
  }

  /// `rounded` has the nearest integers' values, then those of the chosen ones.
  void Adapt(Layer& layer, const std::vector<float>& reals, std::vector<float>& rounded) {
    const size_t each = layer.channels / layer.moments.size();  // channels that read the same inputs
    for (size_t m = 0; m < layer.moments.size(); ++m) {
      for (float& value : layer.moments[m].gram)
        value /= static_cast<float>(std::max<int64_t>(1, layer.windows_taken));
      std::vector<float> weights;
      std::vector<RoundingGrid> grids;
      for (size_t c = m * each; c < (m + 1) * each; ++c) {
        for (size_t i = 0; i < layer.depth; ++i) weights.push_back(reals[layer.Place(c, i)]);
        grids.push_back(GridOf(layer, c));
      }
      const std::vector<int32_t> integers = AdaRound(layer.moments[m], weights, grids);
      for (size_t c = 0; c < each; ++c) {
        std::vector<float> before, after;
        for (size_t i = 0; i < layer.depth; ++i) {
          float& value = rounded[layer.Place(m * each + c, i)];
          before.push_back(value);
          value = Dequantize(integers[c * layer.depth + i], grids[c].params);
          after.push_back(value);
        }
        const auto own = std::span(weights).subspan(c * layer.depth, layer.depth);
        result_.error_before += SumError(layer.moments[m], own, before);
        result_.error_after += SumError(layer.moments[m], own, after);
      }
    }
  }

  void Correct(const Layer& layer, const std::vector<float>& reals, const std::vector<float>& rounded) {
    GraphTensor& bias = graph_.tensor(layer.bias);
    std::vector<float> corrected = RealValues(bias);
    for (size_t c = 0; c < layer.channels; ++c) {
      double shift = 0;
      for (size_t i = 0; i < layer.depth; ++i) {
        const double mean =
            layer.sum[layer.InputPlace(c, i)] / static_cast<double>(std::max<int64_t>(1, layer.windows_seen));
        shift += (double{rounded[layer.Place(c, i)]} - reals[layer.Place(c, i)]) * mean;
      }
      corrected[c] = static_cast<float>(corrected[c] - shift);
    }
    SetValues(bias, DType::kFloat32, corrected);
  }

  const FilterRepairs& repairs_;
  const Graph& source_;
  Graph& graph_;
  std::vector<Layer> layers_;
  RepairedFilters result_;
};

}  // namespace

Expected<RepairedFilters> RepairFilters(const FilterRepairs& repairs, const QuantizationPlan& plan,
                                        const Dataset& dataset, const ChosenExamples& chosen,
                                        const WorkHooks& hooks, const Graph& source,
                                        Graph& graph) {
  Repairer repairer(repairs, plan, source, graph);
  if (!repairer.empty()) {
    QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(source));
    int64_t examples = 0;
    for (int64_t i = 0; i < dataset.size(); ++i) examples += !chosen || chosen(i);
    const auto observe = [&](int64_t example) -> Status {
      repairer.Observe(run, example, examples);
      return {};
    };
    QAT_RETURN_IF_ERROR(run.ForEach(dataset, chosen, hooks, observe));
  }
  return repairer.Run();
}

}  // namespace qat
