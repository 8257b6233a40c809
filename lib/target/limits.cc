#include "target/limits.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/slices.h"
#include "base/strings.h"
#include "ops/op.h"

namespace qat {
namespace {

using Found = std::optional<LimitViolation>;

constexpr int64_t kMostWeights = int64_t{127} * 65536;
constexpr const char* kKeepFloat = "keep the layer in float";

const ModelTensor* TensorAt(const Model& model, const std::vector<int32_t>& indices, int32_t position) {
  if (position < 0 || static_cast<size_t>(position) >= indices.size()) return nullptr;
  const int32_t index = indices[static_cast<size_t>(position)];
  return index < 0 ? nullptr : &model.tensors()[static_cast<size_t>(index)];
}

const ModelTensor* DataOf(const Model& model, const ModelNode& node) {
  return TensorAt(model, node.inputs, DefinitionOf(node.type).data_input);
}
const ModelTensor* FilterOf(const Model& model, const ModelNode& node) {
  return TensorAt(model, node.inputs, DefinitionOf(node.type).filter_input);
}
const ModelTensor* OutputOf(const Model& model, const ModelNode& node) {
  return TensorAt(model, node.outputs, 0);
}

double ScaleOf(const ModelTensor* tensor) {
  return tensor == nullptr || tensor->scale.empty()
             ? 0
             : *std::max_element(tensor->scale.begin(), tensor->scale.end());
}

/// Window, strides, dilation and padding of whatever slides.
struct Sliding {
  int32_t window_h = 1, window_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Padding padding = Padding::kValid;
};

std::optional<Sliding> SlidingOf(const Model& model, const ModelNode& node) {
  const ModelTensor* filter = FilterOf(model, node);
  if (const auto* pool = std::get_if<Pool2DAttributes>(&node.attributes))
    return Sliding{pool->filter_h, pool->filter_w, pool->stride_h, pool->stride_w, 1, 1, pool->padding};
  if (filter == nullptr || filter->shape.size() != 4) return std::nullopt;
  const int32_t h = filter->shape[1], w = filter->shape[2];
  if (const auto* conv = std::get_if<Conv2DAttributes>(&node.attributes))
    return Sliding{h, w, conv->stride_h, conv->stride_w, conv->dilation_h, conv->dilation_w, conv->padding};
  if (const auto* conv = std::get_if<DepthwiseConv2DAttributes>(&node.attributes))
    return Sliding{h, w, conv->stride_h, conv->stride_w, conv->dilation_h, conv->dilation_w, conv->padding};
  if (const auto* conv = std::get_if<TransposeConvAttributes>(&node.attributes))
    return Sliding{h, w, conv->stride_h, conv->stride_w, 1, 1, conv->padding};
  return std::nullopt;
}

std::string StrideText(const Sliding& sliding) {
  return StrCat("strides of ", sliding.stride_h, "x", sliding.stride_w);
}

Found ScaleBelow256(const Model& model, const ModelNode& node) {
  const ModelTensor *data = DataOf(model, node), *filter = FilterOf(model, node),
                    *output = OutputOf(model, node);
  const double by = ScaleOf(output);
  if (data == nullptr || data->type == DType::kFloat32 || by == 0) return {};
  const double ratio = ScaleOf(data) * ScaleOf(filter) / by;
  if (ratio < 256) return {};
  return LimitViolation{StrCat("takes input scale x filter scale / output scale under 256, not ", ratio),
                        "calibrate again: the range of its output is far too narrow"};
}

Found StrideWithinWindow(const Model& model, const ModelNode& node) {
  const auto sliding = SlidingOf(model, node);
  if (!sliding || (sliding->stride_h <= sliding->window_h && sliding->stride_w <= sliding->window_w))
    return {};
  return LimitViolation{StrCat("takes strides of at most the window, not ", StrideText(*sliding), " of ",
                               sliding->window_h, "x", sliding->window_w),
                        "take a strided slice and a pool instead, or keep the layer in float"};
}

Found ScaleRatios(const Model& model, const ModelNode& node, bool product, int lowest) {
  const ModelTensor* output = OutputOf(model, node);
  if (output == nullptr || output->type == DType::kFloat32 || ScaleOf(output) == 0) return {};
  std::vector<double> ratios;
  for (size_t i = 0; i < 2; ++i)
    ratios.push_back(ScaleOf(TensorAt(model, node.inputs, static_cast<int32_t>(i))));
  if (product) ratios = {ratios[0] * ratios[1]};
  for (const double ratio : ratios) {
    const double quotient = ratio / ScaleOf(output);
    if (quotient >= std::ldexp(1.0, lowest) && quotient < 256) continue;
    return LimitViolation{
        StrCat("takes input scales by output scale from 2^", lowest, " to under 2^8, not ", quotient),
        "calibrate again, or keep the layer in float"};
  }
  return {};
}

Found Weights(const Model& model, const ModelNode& node) {
  const ModelTensor* filter = FilterOf(model, node);
  if (filter == nullptr) return {};
  if (filter->constant.empty())
    return LimitViolation{"takes constant filters, not computed ones", kKeepFloat};
  if (filter->scale.empty() || filter->zero_point.empty()) return {};
  const auto axis = static_cast<size_t>(DefinitionOf(node.type).filter_channel_axis);
  const size_t inner = InnerSize(filter->shape, axis);
  std::vector<int64_t> sums(static_cast<size_t>(filter->shape[axis]));
  for (size_t i = 0; i < filter->constant.size(); ++i) {
    const int64_t value =
        filter->type == DType::kInt8 ? static_cast<int8_t>(filter->constant[i]) : filter->constant[i];
    const size_t channel = i / inner % sums.size();
    sums[channel] += std::abs(value - filter->zero_point[filter->zero_point.size() > 1 ? channel : 0]);
  }
  const int64_t most = *std::max_element(sums.begin(), sums.end());
  if (most <= kMostWeights) return {};
  return LimitViolation{
      StrCat("takes filters whose magnitudes sum to at most ", kMostWeights, " per channel, not ", most),
      "divide the layer in two whose outputs are added"};
}

Found LongStrides(const Sliding& sliding) {
  if (std::max(sliding.stride_h, sliding.stride_w) <= 3) return {};
  if (sliding.dilation_h == 1 && sliding.dilation_w == 1 && sliding.padding == Padding::kValid) return {};
  return LimitViolation{
      StrCat("takes strides over 3 only without dilation and with padding valid, not ", StrideText(sliding)),
      "pad in a layer of its own, or divide the stride over two layers"};
}

Found Convolution(const Model& model, const ModelNode& node, bool depthwise) {
  if (const auto sliding = SlidingOf(model, node)) {
    if (depthwise && std::max(sliding->stride_h, sliding->stride_w) > 3)
      return LimitViolation{StrCat("takes strides of 1 to 3, not ", StrideText(*sliding)),
                            "divide the stride over two layers"};
    if (const Found found = LongStrides(*sliding)) return found;
  }
  return Weights(model, node);
}

Found TransposeConv(const Model& model, const ModelNode& node) {
  const auto sliding = SlidingOf(model, node);
  const ModelTensor *data = DataOf(model, node), *output = OutputOf(model, node);
  if (!sliding || data == nullptr || data->shape.size() != 4 || output->shape.size() != 4) return {};
  const int32_t h = data->shape[1], w = data->shape[2];
  const bool equal =
      sliding->stride_h == sliding->stride_w && (sliding->stride_h == 1 || sliding->stride_h == 2);
  const bool flat = (sliding->stride_w == 2 && sliding->stride_h == 1 && h == 1 && sliding->window_h == 1) ||
                    (sliding->stride_h == 2 && sliding->stride_w == 1 && w == 1 && sliding->window_w == 1);
  if (!equal && !flat)
    return LimitViolation{StrCat("takes strides of 1x1 or 2x2, not ", StrideText(*sliding)),
                          "resize and convolve instead"};
  if (sliding->stride_h > sliding->window_h || sliding->stride_w > sliding->window_w)
    return LimitViolation{StrCat("takes strides of at most the window, not ", StrideText(*sliding)),
                          "resize and convolve instead"};
  const bool same = sliding->padding == Padding::kSame;
  const int32_t more_h = same ? 0 : sliding->window_h - sliding->stride_h,
                more_w = same ? 0 : sliding->window_w - sliding->stride_w;
  if (output->shape[1] != h * sliding->stride_h + more_h ||
      output->shape[2] != w * sliding->stride_w + more_w)
    return LimitViolation{
        StrCat("takes outputs as large as strides and padding give, not ", ToString(output->shape)),
        "give the output this size, and cut it in a slice"};
  return Weights(model, node);
}

Found LargeWindow(const Sliding& sliding) {
  if (sliding.window_h <= 256 && int64_t{sliding.window_h} * sliding.window_w <= 65536) return {};
  return LimitViolation{StrCat("takes windows of at most 256 rows and 65536 places, not ", sliding.window_h,
                               "x", sliding.window_w),
                        "use two pools, one after the other"};
}

Found MaxPool(const Model& model, const ModelNode& node) {
  const auto sliding = SlidingOf(model, node);
  if (!sliding) return {};
  if (const Found found = LongStrides(*sliding)) return found;
  return LargeWindow(*sliding);
}

Found AveragePool(const Model& model, const ModelNode& node) {
  const auto sliding = SlidingOf(model, node);
  if (!sliding) return {};
  if (const Found found = LongStrides(*sliding)) return found;
  if (sliding->padding == Padding::kValid) return LargeWindow(*sliding);
  if (sliding->window_h <= 8 && sliding->window_w <= 8) return {};
  return LimitViolation{
      StrCat("takes padded windows of at most 8x8, not ", sliding->window_h, "x", sliding->window_w),
      "use padding valid, or a mean over height and width"};
}

std::vector<int32_t> Integers(const ModelTensor* tensor) {
  if (tensor == nullptr || tensor->type != DType::kInt32) return {};
  std::vector<int32_t> values(tensor->constant.size() / sizeof(int32_t));
  std::memcpy(values.data(), tensor->constant.data(), values.size() * sizeof(int32_t));
  return values;
}

Found Mean(const Model& model, const ModelNode& node) {
  const ModelTensor* data = DataOf(model, node);
  if (data == nullptr) return {};
  const auto rank = static_cast<int32_t>(data->shape.size());
  bool spatial = rank == 4 && data->shape[0] == 1;
  for (int32_t axis : Integers(TensorAt(model, node.inputs, 1))) {
    if (axis < 0) axis += rank;
    spatial &= axis == 1 || axis == 2;
  }
  if (spatial) return {};
  return LimitViolation{
      StrCat("takes means over height and width of one example, not of ", ToString(data->shape)),
      "use an average pool, or keep the layer in float"};
}

Found Softmax(const Model& model, const ModelNode& node) {
  const ModelTensor* data = DataOf(model, node);
  if (data == nullptr || data->shape.empty()) return {};
  const int64_t rows = FlatSize(data->shape) / std::max(1, data->shape.back());
  if (rows < 65536) return {};
  return LimitViolation{StrCat("takes under 65536 rows, not ", rows),
                        "leave it out: the largest logit is the same class"};
}

Found Split(const Model& model, const ModelNode& node) {
  const ModelTensor* data = DataOf(model, node);
  if (node.outputs.size() < 2)
    return LimitViolation{"takes two outputs and more, not one", "leave it out: it copies its input"};
  const std::vector<int32_t> axis = Integers(TensorAt(model, node.inputs, 0));
  if (data == nullptr || axis.empty() || axis[0] != -static_cast<int32_t>(data->shape.size())) return {};
  return LimitViolation{StrCat("takes the first axis as 0, not as ", axis[0]), "give the axis as 0"};
}

Found Resize(const Model& model, const ModelNode& node) {
  const auto* resize = std::get_if<ResizeAttributes>(&node.attributes);
  const ModelTensor *data = DataOf(model, node), *output = OutputOf(model, node);
  if (resize == nullptr || data == nullptr || data->shape.size() != 4 || output->shape.size() != 4) return {};
  const int32_t less = resize->align_corners ? 1 : 0;
  const int32_t h = data->shape[1] - less, w = data->shape[2] - less, to_h = output->shape[1] - less,
                to_w = output->shape[2] - less;
  if ((data->shape[1] == 1 && data->shape[2] == 1) || data->shape == output->shape) return {};
  const auto factor = [](int32_t from, int32_t to) { return from > 0 && to % from == 0 ? to / from : 0; };
  const int32_t times = factor(h, to_h);
  const bool known = times == 2 || ((times == 4 || times == 8) && !resize->half_pixel_centers);
  if (known && factor(w, to_w) == times) return {};
  return LimitViolation{
      StrCat("takes height and width times 2, 4 or 8 alike (half-pixel: 2), not from ", data->shape[1], "x",
             data->shape[2], " to ", output->shape[1], "x", output->shape[2]),
      "choose such a size, or resize by a transposed convolution"};
}

Found SameParams(const Model& model, const ModelNode& node) {
  const ModelTensor* output = OutputOf(model, node);
  for (const int32_t input : node.inputs) {
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(input)];
    if (tensor.scale == output->scale && tensor.zero_point == output->zero_point) continue;
    return LimitViolation{"takes inputs with the scale and zero point of the output",
                          "give them one range in the plan"};
  }
  return {};
}

Found Counted(size_t count, size_t least, size_t most, const char* what) {
  if (count >= least && count <= most) return {};
  return LimitViolation{StrCat("takes ", least, " to ", most, " ", what, ", not ", count),
                        count < least ? "leave it out: it copies its input" : "divide it in two"};
}

}  // namespace

std::optional<LimitViolation> Violation(Limit limit, const Model& model, const ModelNode& node) {
  switch (limit) {
    case Limit::kNoLimit:
      return {};
    case Limit::kStrideWithinWindow:
      return StrideWithinWindow(model, node);
    case Limit::kTransposedStride: {
      const auto sliding = SlidingOf(model, node);
      const bool padded = sliding && sliding->padding == Padding::kSame;
      if (const Found found = padded ? StrideWithinWindow(model, node) : Found()) return found;
      return ScaleBelow256(model, node);
    }
    case Limit::kOneScale: {
      const bool several = OutputOf(model, node)->scale.size() > 1 || DataOf(model, node)->scale.size() > 1;
      if (!several) return {};
      return LimitViolation{"takes one scale, not one per channel",
                            "leave it out: constants are quantized before"};
    }
    case Limit::kBetaOne: {
      const auto* softmax = std::get_if<SoftmaxAttributes>(&node.attributes);
      if (softmax == nullptr || softmax->beta == 1) return {};
      return LimitViolation{StrCat("takes beta 1, not ", softmax->beta),
                            "multiply the logits by beta before it"};
    }
    case Limit::kScaleBelow256:
      return ScaleBelow256(model, node);
    case Limit::kSumScales:
      return ScaleRatios(model, node, false, -10);
    case Limit::kProductScales:
      return ScaleRatios(model, node, true, -16);
    case Limit::kFiveAlikeInputs: {
      const Found found = SameParams(model, node);
      return found ? found : Counted(node.inputs.size(), 2, 5, "inputs");
    }
    case Limit::kTwoToFourOutputs:
      return Counted(node.outputs.size(), 2, 4, "outputs");
    case Limit::kOneScaleOfFourBits: {
      const ModelTensor* filter = FilterOf(model, node);
      if (filter == nullptr || filter->file_type != DType::kInt4 || filter->scale.size() == 1) return {};
      return LimitViolation{"takes filters of 4 bits with one scale, not with one per channel",
                            "use filters of 8 bits"};
    }
    case Limit::kNoNewAxis: {
      const auto* slice = std::get_if<StridedSliceAttributes>(&node.attributes);
      if (slice == nullptr || (slice->new_axis_mask == 0 && slice->ellipsis < 0)) return {};
      return LimitViolation{"takes no new axes and no ellipsis", "use a slice and a reshape"};
    }
    case Limit::kSameParams:
      return SameParams(model, node);
    case Limit::kNpuConvolution:
      return Convolution(model, node, false);
    case Limit::kNpuDepthwise:
      return Convolution(model, node, true);
    case Limit::kNpuWeights:
      return Weights(model, node);
    case Limit::kNpuTransposeConv:
      return TransposeConv(model, node);
    case Limit::kNpuMaxPool:
      return MaxPool(model, node);
    case Limit::kNpuAveragePool:
      return AveragePool(model, node);
    case Limit::kNpuMean:
      return Mean(model, node);
    case Limit::kNpuSoftmax:
      return Softmax(model, node);
    case Limit::kNpuSplit:
      return Split(model, node);
    case Limit::kNpuResize:
      return Resize(model, node);
  }
  return {};
}

}  // namespace qat
