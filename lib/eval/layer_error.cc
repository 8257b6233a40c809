#include "eval/layer_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>

#include "base/strings.h"
#include "eval/histogram.h"

namespace qat {
namespace {

constexpr double kStepsOfAByte = 255;
constexpr double kStepsBeside = 32;  // of the histogram on either side of the representable range
constexpr size_t kCells = 40;        // of eight steps each

std::optional<double> Decibels(double signal, double noise) {
  if (!(signal > 0) || !(noise > 0)) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

// Sums over all images of one layer.
class Sums {
 public:
  explicit Sums(const LayerOutput& model) {
    error_.layer = model.layer;
    error_.op = model.op;
    error_.index = model.index;
    error_.scale = step_ = model.step;
    low_ = static_cast<double>(int64_t{model.quant_min} - model.zero_point) * step_;
    high_ = low_ + kStepsOfAByte * step_;
    const double beside = kStepsBeside * step_;
    histogram_ = EmptyHistogram(low_ - step_ / 2 - beside, high_ + step_ / 2 + beside, kCells);
  }

  void Add(const std::vector<float>& reference, const std::vector<float>& model) {
    for (size_t i = 0; i < model.size(); ++i) {
      const double real = reference[i], apart = real - double{model[i]};
      const double own = real - std::clamp(std::round(real / step_) * step_, low_, high_);
      signal_ += real * real;
      noise_ += apart * apart;
      own_noise_ += own * own;
      largest_ = std::max(largest_, std::abs(apart) / step_);
      clipped_ += real < low_ - step_ / 2 || real > high_ + step_ / 2;
      Count(real, histogram_);
      min_ = std::min(min_, model[i]);
      max_ = std::max(max_, model[i]);
    }
    values_ += static_cast<int64_t>(model.size());
  }

  LayerError Result() const {
    LayerError error = error_;
    error.sqnr_db = Decibels(signal_, noise_);
    error.own_sqnr_db = Decibels(signal_, own_noise_);
    error.max_steps = largest_;
    error.range_used = std::min(1.0, (double{max_} - double{min_}) / (kStepsOfAByte * step_));
    error.clipped = static_cast<double>(clipped_) / static_cast<double>(std::max<int64_t>(values_, 1));
    error.histogram = histogram_;
    return error;
  }

 private:
  LayerError error_;
  double step_ = 0, low_ = 0, high_ = 0;
  double signal_ = 0, noise_ = 0, own_noise_ = 0, largest_ = 0;
  float min_ = std::numeric_limits<float>::max(), max_ = std::numeric_limits<float>::lowest();
  int64_t clipped_ = 0, values_ = 0;
  Histogram histogram_;
};

class Measurement {
 public:
  void Add(const std::vector<LayerOutput>& reference, const std::vector<LayerOutput>& model) {
    std::map<std::string_view, const LayerOutput*> real;
    for (const LayerOutput& layer : reference) {
      if (layer.step == 0) real.emplace(layer.layer, &layer);
    }
    size_t place = 0;
    for (const LayerOutput& layer : model) {
      const auto found = real.find(layer.layer);
      if (layer.step == 0 || found == real.end()) continue;
      if (found->second->values.size() != layer.values.size()) continue;
      if (place == sums_.size()) sums_.emplace_back(layer);
      sums_[place++].Add(found->second->values, layer.values);
    }
  }

  std::vector<LayerError> Results() const {
    std::vector<LayerError> errors;
    for (const Sums& sums : sums_) errors.push_back(sums.Result());
    return errors;
  }

 private:
  std::vector<Sums> sums_;  // in the order of execution, which is the same for every image
};

}  // namespace

Expected<std::vector<LayerError>> MeasureLayerErrors(Predictor& reference, Predictor& model,
                                                     std::span<const uint8_t> images, int64_t count,
                                                     const WorkHooks& hooks) {
  Measurement measurement;
  const size_t size = count == 0 ? 0 : images.size() / static_cast<size_t>(count);
  for (int64_t i = 0; i < count; ++i) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    const auto image = images.subspan(static_cast<size_t>(i) * size, size);
    QAT_ASSIGN_OR_RETURN(const std::vector<LayerOutput> real, reference.Layers(image));
    QAT_ASSIGN_OR_RETURN(const std::vector<LayerOutput> quantized, model.Layers(image));
    measurement.Add(real, quantized);
    hooks.Progress(StrCat("layers of ", model.name()), i + 1, count);
  }
  std::vector<LayerError> errors = measurement.Results();
  for (LayerError& error : errors) {
    error.model = model.name();
    error.reference = reference.name();
    error.images = count;
  }
  return errors;
}

const LayerError* WorstLayer(const std::vector<LayerError>& errors, const std::string& model) {
  const LayerError* worst = nullptr;
  for (const LayerError& error : errors) {
    if (error.model != model || !error.own_sqnr_db) continue;
    if (worst == nullptr || *error.own_sqnr_db < *worst->own_sqnr_db) worst = &error;
  }
  return worst;
}

const LayerError* CoarsestFilter(const std::vector<LayerError>& errors, const std::string& model) {
  const auto share = [](const LayerError& error) {
    return static_cast<double>(error.filter->coarse_channels) / static_cast<double>(error.filter->channels);
  };
  const LayerError* coarsest = nullptr;
  for (const LayerError& error : errors) {
    if (error.model != model || !error.filter || error.filter->coarse_channels == 0) continue;
    if (coarsest == nullptr || share(error) > share(*coarsest)) coarsest = &error;
  }
  return coarsest;
}

}  // namespace qat
