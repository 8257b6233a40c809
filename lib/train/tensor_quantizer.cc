#include "train/tensor_quantizer.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "train/layout.h"
#include "train/learned_quantizer.h"
#include "train/output_counts.h"

namespace qat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

QuantizationParams ParamsFor(const Precision& precision, Range range) {
  return NudgedParams(RangeFor(precision, range), LimitsOf(precision));
}

}  // namespace

at::Tensor TensorQuantizer::Forward(const at::Tensor& values, const ForwardContext& context) {
  return Forward(values, {-kInfinity, kInfinity}, context);
}

at::Tensor TensorQuantizer::ForwardScaled(const at::Tensor& values, const at::Tensor& factors,
                                          const ForwardContext& context) {
  return Forward(values * AlongChannels(factors, values.dim(), 0), context);
}

RangeQuantizer::RangeQuantizer(std::string name, const Precision& precision, Observed observed,
                               const RangeObserver& observer)
    : TensorQuantizer(std::move(name), precision), observed_(observed), observer_(observer) {
  if (observed == Observed::kNothing && observer.empty()) return;
  auto own = std::make_shared<SharedRange>(precision);
  own->Add(&observer_);
  range_ = std::move(own);
}

at::Tensor RangeQuantizer::Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) {
  if (context.observe && observed_ != Observed::kNothing) Observe(values, bounds, context.sharing);
  if (ends_ != nullptr) ends_->Settle(context);
  const bool counts = context.counts != nullptr && observed_ == Observed::kBatch;
  if (!ready() || (!context.fake_quantize && !counts))
    return ClampAndFakeQuantize(values, bounds, std::nullopt);
  const Grid grid = {range_->params(), LimitsOf(precision())};
  if (counts) context.counts->CountClipped(name(), values, bounds, grid);
  const bool learns = ends_ != nullptr && ends_->started() && context.training && context.observe;
  if (learns && context.fake_quantize)
    return ClampAndFakeQuantizeLearned(values, ends_->ends(), bounds, grid);
  return ClampAndFakeQuantize(values, bounds,
                              context.fake_quantize ? std::optional<Grid>(grid) : std::nullopt);
}

void RangeQuantizer::Observe(const at::Tensor& values, Range bounds, const BatchSharing& sharing) {
  MeasuredRange seen = MeasureRange(values);
  if (observed_ == Observed::kBatch) seen = RangeAcross(seen, sharing);
  Note(seen.finite);
  if (!seen.finite) return;
  // Clamping is monotone: the range after the activation is the clamped range before it.
  const Range after = {std::clamp(seen.range.min, bounds.min, bounds.max),
                       std::clamp(seen.range.max, bounds.min, bounds.max)};
  if (ends_ != nullptr && ends_->started()) return ends_->Hold(after);
  observer_.Observe(after);
}

bool RangeQuantizer::ready() const { return !precision().is_real() && range_ != nullptr && range_->ready(); }

std::vector<QuantizationParams> RangeQuantizer::ParamsOf(const at::Tensor&) const {
  QAT_CHECK(range_ != nullptr);
  return {range_->params()};
}

std::vector<NamedObserver> RangeQuantizer::observers() {
  if (observed_ == Observed::kNothing) return {};
  return {{name(), &observer_}};
}

at::Tensor SliceQuantizer::Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) {
  QAT_CHECK(bounds.min == -kInfinity && bounds.max == kInfinity);
  if (!context.observe && !context.fake_quantize) return values;
  const MeasuredSlices seen = MeasureSlices(values.detach());
  Note(seen.finite);
  if (!context.fake_quantize || !seen.finite) return values;
  std::vector<Grid> grids;
  for (const Range& range : seen.ranges)
    grids.push_back({ParamsFor(precision(), range), LimitsOf(precision())});
  return FakeQuantizeSlices(values, grids);
}

std::vector<QuantizationParams> SliceQuantizer::ParamsOf(const at::Tensor& values) const {
  std::vector<QuantizationParams> params;
  for (const Range& range : MeasureSlices(values.detach()).ranges)
    params.push_back(ParamsFor(precision(), range));
  return params;
}

std::unique_ptr<TensorQuantizer> MakeFilterQuantizer(const std::string& name, const Precision& precision,
                                                     int64_t channels, bool learned) {
  if (learned && !precision.is_real()) return std::make_unique<LearnedQuantizer>(name, precision, channels);
  if (precision.per_axis()) return std::make_unique<SliceQuantizer>(name, precision);
  return std::make_unique<RangeQuantizer>(name, precision, Observed::kParameter);
}

}  // namespace qat
