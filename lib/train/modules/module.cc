#include "train/modules/module.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/strings.h"
#include "train/fake_quantize.h"
#include "train/initializer.h"

namespace qat {
namespace {

const ParameterSpec& FindParameter(const LayerSpec& layer, ParameterSpec::Role role) {
  const auto it = std::find_if(layer.parameters.begin(), layer.parameters.end(),
                               [role](const ParameterSpec& p) { return p.role == role; });
  QAT_CHECK(it != layer.parameters.end());
  return *it;
}

}  // namespace

FilterModule::FilterModule(const LayerSpec& layer, uint64_t seed, double ema_decay)
    : Module(layer),
      filter_observer_(0),
      output_observer_(ema_decay),
      activation_(FusedActivation(layer.attributes)),
      attributes_text_(Describe(layer.attributes)) {
  const ParameterSpec& filter = FindParameter(layer, ParameterSpec::Role::kFilter);
  const ParameterSpec& bias = FindParameter(layer, ParameterSpec::Role::kBias);
  filter_ = FromTfliteLayout(InitialFilter(filter, layer.initializer, seed, layer.name));
  bias_ = at::zeros({bias.shape[0]}, at::kFloat);
  filter_.set_requires_grad(true);
  bias_.set_requires_grad(true);
}

at::Tensor FilterModule::Filter(const ForwardContext& context) {
  if (context.observe) {
    const MeasuredRange seen = MeasureRange(filter_);
    finite_ = finite_ && seen.finite;
    if (seen.finite) filter_observer_.Observe(seen.range);
  }
  if (!context.fake_quantize || filter_observer_.empty()) return filter_;
  return FakeQuantize(filter_,
                      {NudgedParams(filter_observer_.range(), kUInt8NarrowLimits), kUInt8NarrowLimits});
}

at::Tensor FilterModule::Activate(const at::Tensor& output, const ForwardContext& context) {
  const Range bounds = ActivationRange(activation_);
  if (context.observe) {
    const MeasuredRange seen = MeasureRange(output);
    finite_ = finite_ && seen.finite;
    // Clamping is monotone: the range after the activation is the clamped range before it.
    if (seen.finite) {
      output_observer_.Observe({std::clamp(seen.range.min, bounds.min, bounds.max),
                                std::clamp(seen.range.max, bounds.min, bounds.max)});
    }
  }
  std::optional<Grid> grid;
  if (context.fake_quantize && !output_observer_.empty()) {
    grid = Grid{NudgedParams(output_observer_.range(), kUInt8Limits), kUInt8Limits};
  }
  return ClampAndFakeQuantize(output, bounds, grid);
}

at::Tensor FilterModule::Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  return Activate(Apply(inputs[0], Filter(context), bias_).contiguous(), context);
}

SimulatedTensor FilterModule::Simulate(const std::vector<SimulatedTensor>& inputs) const {
  const SimulatedTensor& input = inputs[0];
  const SimulatedFilter filter = SimulateFilter(
      filter_, bias_, NudgedParams(filter_observer_.range(), kUInt8NarrowLimits), input.params.scale);
  const QuantizationParams output = NudgedParams(output_observer_.range(), kUInt8Limits);
  return {Requantized(input, filter, output), output};
}

std::vector<Parameter> FilterModule::parameters() {
  return {{name() + "/filter", ParameterSpec::Role::kFilter, filter_},
          {name() + "/bias", ParameterSpec::Role::kBias, bias_}};
}

std::vector<NamedObserver> FilterModule::observers() {
  return {{name() + "/filter", &filter_observer_}, {name(), &output_observer_}};
}

std::string FilterModule::PrettyPrint() const {
  const NamedTensor filter = ToTfliteLayout(filter_);
  return StrCat(name(), ": ", definition().name, "(filter ", ToString(filter.shape),
                attributes_text_.empty() ? "" : ", ", attributes_text_, ")");
}

NamedTensor ToTfliteLayout(const at::Tensor& value) {
  const at::Tensor source = value.detach();
  const at::Tensor rows = (source.dim() == 4 ? source.permute({0, 2, 3, 1}) : source).contiguous();
  NamedTensor tensor;
  for (const int64_t size : rows.sizes()) tensor.shape.push_back(static_cast<int32_t>(size));
  tensor.values.assign(rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
  return tensor;
}

at::Tensor FromTfliteLayout(const NamedTensor& tensor) {
  const std::vector<int64_t> sizes(tensor.shape.begin(), tensor.shape.end());
  at::Tensor rows = at::empty(sizes, at::kFloat);
  std::copy(tensor.values.begin(), tensor.values.end(), rows.data_ptr<float>());
  if (rows.dim() != 4) return rows;
  // Copied into a new tensor: contiguous() would keep strides that look like channels-last where a size is 1,
  // and convolution then answers in that order.
  const at::Tensor planes = rows.permute({0, 3, 1, 2});
  return at::empty(planes.sizes(), at::kFloat).copy_(planes);
}

Expected<std::unique_ptr<Module>> MakeModule(const LayerSpec& layer, const ModuleOptions& options) {
  switch (layer.type) {
#define QAT_OP(enumerator, stem, name, tflite_name) \
  case OpType::k##enumerator:                       \
    return Make##enumerator(layer, options);
#define QAT_RUN_OP(enumerator, stem, name, tflite_name) case OpType::k##enumerator:
#include "ops/op_list.inc"
#undef QAT_OP
    return Unsupported(StrCat("layer '", layer.name, "': training of ", layer.definition().name,
                              " is not built; it can be run from a .tflite"));
  }
  return Internal(
      StrCat("layer '", layer.name, "': operator ", static_cast<int>(layer.type), " has no module"));
}

}  // namespace qat
