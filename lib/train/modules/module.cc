#include "train/modules/module.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/slices.h"
#include "base/strings.h"
#include "ir/range_groups.h"
#include "quant/batch_norm.h"
#include "quant/learned_range.h"
#include "train/batch_norm_across.h"
#include "train/fake_quantize.h"
#include "train/initializer.h"
#include "train/layout.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

const LayerParameter& FindParameter(const LayerNode& layer, Role role) {
  const LayerParameter* found = layer.Find(role);
  QAT_CHECK(found != nullptr);
  return *found;
}

at::Tensor Trained(at::Tensor value) { return value.set_requires_grad(true); }

at::Tensor Filled(const LayerParameter& parameter) {
  const std::vector<int64_t> sizes(parameter.shape.begin(), parameter.shape.end());
  return Trained(at::full(sizes, parameter.trained.initializer.value, at::kFloat));
}

int64_t ValuesPerChannel(const at::Tensor& output) { return output.numel() / output.size(1); }

// What makes the variance of a batch an unbiased one; 1 where there is one value.
double Unbiased(int64_t count) {
  return static_cast<double>(count) / static_cast<double>(std::max<int64_t>(count - 1, 1));
}

}  // namespace

Module::Module(const LayerNode& layer, const ModuleOptions& options)
    : node_(layer),
      precisions_(options.precisions),
      output_(layer.name, precisions_.activations,
              OwnsRange(layer.definition()) ? Observed::kBatch : Observed::kNothing,
              RangeObserver(options.ema_decay, options.ranges_cover)) {}

std::vector<NamedObserver> Module::observers() { return output_.observers(); }

void Module::Hold() {
  held_ = true;
  for (Parameter& each : parameters()) each.value.set_requires_grad(false);
}

std::string Module::PrettyPrint() const {
  return StrCat(name(), ": ", definition().name, "(", Describe(attributes()), ")");
}

at::Tensor Module::Finish(const at::Tensor& output, Range bounds, const ForwardContext& context) {
  return output_.Forward(output, bounds, context);
}

at::Tensor Module::Finish(const at::Tensor& output, const ForwardContext& context) {
  return output_.Forward(output, context);
}

QuantizationParams Module::OutputParams() const { return output_.ParamsOf({}).at(0); }

FilterModule::FilterModule(const LayerNode& layer, const ModuleOptions& options, FilterLayout layout)
    : Module(layer, options),
      layout_(layout),
      activation_(FusedActivation(layer.attributes)),
      bn_convolutions_(options.bn_convolutions) {
  const LayerParameter& filter = FindParameter(layer, Role::kFilter);
  filter_ = Trained(
      FromTfliteLayout(InitialFilter(filter.shape, filter.trained, options.seed, layer.node_name), layout));
  const auto axis = static_cast<size_t>(definition().filter_channel_axis);
  folding_block_ = InnerSize(filter.shape, axis);
  quantizer_ = MakeFilterQuantizer(filter.name, filters(), filter.shape[axis], options.learn_filter_ranges);
  if (!layer.batch_norm) {
    if (const LayerParameter* bias = layer.Find(Role::kBias)) bias_ = Filled(*bias);
    return;
  }
  norm_ =
      BatchNorm{Filled(FindParameter(layer, Role::kGamma)), Filled(FindParameter(layer, Role::kBeta)),
                BatchStatistics(filter.shape[axis], layer.batch_norm->momentum), layer.batch_norm->epsilon};
}

at::Tensor FilterModule::OutputFirst(const at::Tensor& filter) const {
  // A depthwise filter has its channels first as it is.
  const bool swap = layout_ == FilterLayout::kRotated && definition().filter_channel_axis == 0;
  return swap ? filter.transpose(0, 1) : filter;
}

// Where nothing is rounded, the usual normalization is the same function and cheaper.
at::Tensor FilterModule::Normalized(const at::Tensor& input, const ForwardContext& context) {
  const BatchNorm& n = *norm_;
  const at::Tensor filter = OutputFirst(filter_);
  const at::Tensor factor = n.gamma / at::sqrt(n.statistics.variance().clone() + n.epsilon);
  const bool learns = context.training && !context.freeze_batch_norm && !held();
  if (learns && !context.fake_quantize) {
    if (context.observe) {
      const at::NoGradGuard no_gradients;
      quantizer_->ForwardScaled(filter, factor, context);
    }
    return NormalizedByBatch(Apply(input, filter, {}), context);
  }
  if (learns && OneConvolutionServes(filter, factor))
    return NormalizedByBatch(Apply(input, RoundedUnfolded(filter, factor, context), {}), context);
  const at::Tensor rounded = quantizer_->ForwardScaled(filter, factor, context);
  if (learns) return Corrected(input, rounded, context);
  return Apply(input, rounded, n.beta - n.statistics.mean().clone() * factor);
}

at::Tensor FilterModule::NormalizedByBatch(const at::Tensor& sums, const ForwardContext& context) {
  BatchNorm& n = *norm_;
  // LibTorch divides by the number of values less one.
  const bool learns = !context.note_statistics && ValuesPerChannel(sums) > 1;
  if (context.sharing.workers != nullptr) return NormalizedTogether(sums, context);
  if (learns) {
    const double share = n.statistics.NextShare();
    n.statistics.CountBatch();
    return at::batch_norm(sums, n.gamma, n.beta, n.statistics.mean(), n.statistics.variance(), true, share,
                          n.epsilon, false);
  }
  const BatchMoments moments = MomentsAcross(sums.detach(), {});
  TakeIn(moments.mean, moments.variance * Unbiased(moments.count), context);
  return at::batch_norm(sums, n.gamma, n.beta, {}, {}, true, 0, n.epsilon, false);
}

// LibTorch's operator knows the values of one process only.
at::Tensor FilterModule::NormalizedTogether(const at::Tensor& sums, const ForwardContext& context) {
  const BatchNorm& n = *norm_;
  const NormalizedBatch normalized = BatchNormAcross(sums, n.gamma, n.beta, n.epsilon, context.sharing);
  TakeIn(normalized.mean, normalized.variance * Unbiased(normalized.count), context);
  return normalized.values;
}

void FilterModule::TakeIn(const at::Tensor& mean, const at::Tensor& variance, const ForwardContext& context) {
  if (context.note_statistics) {
    norm_->statistics.Note(mean, variance);
  } else {
    norm_->statistics.Learn(mean, variance);
  }
}

// Statistics of the sums of a rounded filter stand for those of the unrounded one, unless a channel has so
// few steps of the grid that its sums are mostly rounding: normalizing them would blow the rounding up, and
// the channel with it.
bool FilterModule::OneConvolutionServes(const at::Tensor& filter, const at::Tensor& factor) const {
  if (bn_convolutions_ != 0) return bn_convolutions_ == 1;
  if (filters().per_axis() || !quantizer_->ready()) return true;
  // Steps from 0 to a channel's largest value. 4 and 16 gave the accuracy of two convolutions
  // (docs/quantization.md), 0 less.
  constexpr float kFewestSteps = 8;
  const float fewest = kFewestSteps * quantizer_->ParamsOf(filter)[0].scale;
  const at::Tensor factors = factor.detach().contiguous();
  const MeasuredSlices seen = MeasureSlices(filter.detach());
  for (size_t c = 0; c < seen.ranges.size(); ++c) {
    const Range& range = seen.ranges[c];
    if (std::max(-range.min, range.max) * std::abs(SpanOf(factors)[c]) < fewest) return false;
  }
  return true;
}

// The deployed filter without the factor that folding gives each channel: normalization by the batch cancels
// that factor, so its sums need no correction and no second convolution. A grid per channel is scaled with
// its channel: nothing is to be divided.
// A channel that folding takes to 0 is deployed as its offset alone; its own filter lets gamma learn to bring
// it back.
at::Tensor FilterModule::RoundedUnfolded(const at::Tensor& filter, const at::Tensor& factor,
                                         const ForwardContext& context) {
  if (filters().per_axis()) return quantizer_->Forward(filter, context);
  // its inverse, times a filter's value, stays far from the ends of float32
  constexpr double kVanishing = 1e-20;
  const at::Tensor fixed = AlongChannels(factor.detach(), filter.dim(), 0);
  const at::Tensor rounded = quantizer_->Forward(filter * fixed, context);
  const at::Tensor vanishes = fixed.abs() < kVanishing;
  if (!vanishes.any().item<bool>()) return rounded / fixed;
  return at::where(vanishes, filter, rounded / at::where(vanishes, at::ones_like(fixed), fixed));
}

// The filter is rounded as it will be deployed, folded with the moving averages; its sums are then brought to
// the scale of this batch, so that training sees batch normalization. Source: tf.contrib.quantize,
// fold_batch_norms.
at::Tensor FilterModule::Corrected(const at::Tensor& input, const at::Tensor& rounded,
                                   const ForwardContext& context) {
  const BatchNorm& n = *norm_;
  const at::Tensor raw = Apply(input, OutputFirst(filter_), {});
  const auto [mean, variance, count] = MomentsAcross(raw, context.sharing);
  const at::Tensor deviation = at::sqrt(variance + n.epsilon);
  const at::Tensor correction = at::sqrt(n.statistics.variance().clone() + n.epsilon) / deviation;
  const at::Tensor offset = n.beta - mean * n.gamma / deviation;
  TakeIn(mean.detach(), variance.detach() * Unbiased(count), context);
  const at::Tensor sums = Apply(input, rounded, {});
  return sums * AlongChannels(correction, sums.dim(), 1) + AlongChannels(offset, sums.dim(), 1);
}

at::Tensor FilterModule::Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  const at::Tensor sums = norm_ ? Normalized(inputs[0], context)
                                : Apply(inputs[0], quantizer_->Forward(OutputFirst(filter_), context), bias_);
  return Arrange(Finish(Dense(sums), ActivationRange(activation_), context), inputs[0]);
}

std::pair<at::Tensor, at::Tensor> FilterModule::DeployedParameters() const {
  NamedTensor filter = ToTfliteLayout(filter_, layout_);
  const std::span<const float> ends = quantizer_->channel_ends();
  if (!ends.empty()) RoundChannels(filter.values, folding_block_, ends, filters());
  if (!norm_)
    return {FromTfliteLayout(filter, layout_),
            bias_.defined() ? bias_ : at::zeros({OutputFirst(filter_).size(0)}, at::kFloat)};
  const FoldedFilter folded =
      FoldBatchNorm(filter.values, folding_block_,
                    {SpanOf(norm_->gamma), SpanOf(norm_->beta), SpanOf(norm_->statistics.mean()),
                     SpanOf(norm_->statistics.variance()), norm_->epsilon});
  const auto channels = static_cast<int32_t>(folded.bias.size());
  return {FromTfliteLayout({filter.shape, folded.filter}, layout_),
          FromTfliteLayout({{channels}, folded.bias})};
}

SimulatedTensor FilterModule::Simulate(const std::vector<SimulatedTensor>& inputs) const {
  const SimulatedTensor& input = inputs[0];
  const auto [filter, bias] = DeployedParameters();
  const at::Tensor first = OutputFirst(filter.detach()).contiguous();
  const SimulatedFilter simulated =
      SimulateFilter(first, bias, quantizer_->ParamsOf(first), LimitsOf(filters()), input.params.scale);
  // Zero points go first, so that padding writes 0.
  const at::Tensor acc = Apply(input.values.sub(input.params.zero_point), simulated.values, simulated.bias);
  const SimulatedOutput output = {OutputParams(), activations(), activation_};
  return {Arrange(Requantize(acc, input.params.scale, simulated, output), input.values), output.params};
}

at::Tensor FilterModule::Requantize(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                                    const SimulatedOutput& output) const {
  return RequantizeByMultiplier(acc, input_scale, filter, output);
}

at::Tensor FilterModule::Arrange(const at::Tensor& output, const at::Tensor&) const { return output; }

std::vector<Parameter> FilterModule::parameters() {
  std::vector<Parameter> all = {{FindParameter(node(), Role::kFilter).name, Role::kFilter, filter_, layout_}};
  const auto add = [&](Role role, const at::Tensor& value) {
    all.push_back({FindParameter(node(), role).name, role, value});
  };
  for (Parameter& each : quantizer_->parameters()) all.push_back(std::move(each));
  if (bias_.defined()) add(Role::kBias, bias_);
  if (!norm_) return all;
  add(Role::kGamma, norm_->gamma);
  add(Role::kBeta, norm_->beta);
  add(Role::kMovingMean, norm_->statistics.mean());
  add(Role::kMovingVariance, norm_->statistics.variance());
  return all;
}

void FilterModule::Share(const Parameter& parameter) {
  if (parameter.is_range()) return quantizer_->Share(parameter);
  if (parameter.role == Role::kFilter && parameter.name == FindParameter(node(), Role::kFilter).name)
    filter_ = parameter.value;
  if (parameter.role == Role::kBias && bias_.defined() &&
      parameter.name == FindParameter(node(), Role::kBias).name)
    bias_ = parameter.value;
}

std::vector<NamedObserver> FilterModule::observers() {
  std::vector<NamedObserver> all = Module::observers();
  const std::vector<NamedObserver> own = quantizer_->observers();
  all.insert(all.begin(), own.begin(), own.end());
  return all;
}

std::optional<NamedStatistics> FilterModule::batch_norm() {
  if (!norm_ || held()) return std::nullopt;
  return NamedStatistics{name(), &norm_->statistics, norm_->epsilon};
}

std::string FilterModule::PrettyPrint() const {
  const std::string text = Describe(attributes());
  return StrCat(name(), ": ", definition().name, "(filter ", ToString(ToTfliteLayout(filter_, layout_).shape),
                norm_ ? ", batch norm" : "", text.empty() ? "" : ", ", text, ")");
}

NamedTensor ToTfliteLayout(const at::Tensor& value, FilterLayout layout) {
  const at::Tensor source = value.detach();
  const bool output_first = layout == FilterLayout::kOutputFirst;
  const at::Tensor rows = (source.dim() != 4 || layout == FilterLayout::kAsIs ? source
                           : output_first                                     ? source.permute({0, 2, 3, 1})
                                                                              : source.permute({1, 2, 3, 0}))
                              .contiguous();
  NamedTensor tensor;
  for (const int64_t size : rows.sizes()) tensor.shape.push_back(static_cast<int32_t>(size));
  tensor.values.assign(rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
  return tensor;
}

at::Tensor FromTfliteLayout(const NamedTensor& tensor, FilterLayout layout) {
  const std::vector<int64_t> sizes(tensor.shape.begin(), tensor.shape.end());
  at::Tensor rows = at::empty(sizes, at::kFloat);
  std::copy(tensor.values.begin(), tensor.values.end(), rows.data_ptr<float>());
  if (rows.dim() != 4 || layout == FilterLayout::kAsIs) return rows;
  // Copied into a new tensor: contiguous() would keep strides that look like channels-last where a size is 1,
  // and convolution then answers in that order.
  const at::Tensor planes =
      layout == FilterLayout::kOutputFirst ? rows.permute({0, 3, 1, 2}) : rows.permute({3, 0, 1, 2});
  return at::empty(planes.sizes(), at::kFloat).copy_(planes);
}

Expected<std::unique_ptr<Module>> MakeModule(const LayerNode& layer, const ModuleOptions& options) {
  if (!IsTrainable(layer.type))
    return Unsupported(StrCat("layer '", layer.name, "': training of ", layer.definition().name,
                              " is not built; the network can be converted as it is"));
  if (layer.definition().filter_input >= 0 && layer.Find(Role::kFilter) == nullptr)
    return Unsupported(
        StrCat("layer '", layer.name, "': its filter is a constant, which has no training form"));
  switch (layer.type) {
#define QAT_OP(enumerator, stem, name, tflite_name) \
  case OpType::k##enumerator:                       \
    return Make##enumerator(layer, options);
#define QAT_RUN_OP(enumerator, stem, name, tflite_name) \
  case OpType::k##enumerator:                           \
    break;
#include "ops/op_list.inc"
#undef QAT_OP
  }
  return Internal(
      StrCat("layer '", layer.name, "': operator ", static_cast<int>(layer.type), " has no module"));
}

}  // namespace qat
