#include "train/divergence.h"

#include <algorithm>

namespace qat {
namespace {

constexpr double kFarAbove = 5;        // times the loss of a network that knows nothing
constexpr int64_t kLeastWindow = 10;   // steps
constexpr int64_t kWindows = 20;       // in a run
constexpr int64_t kLeastAtTheEnd = 3;  // steps

}  // namespace

DivergenceWatch::DivergenceWatch(int64_t steps) : window_(std::max(steps / kWindows, kLeastWindow)) {}

void DivergenceWatch::Add(double loss, double chance) {
  if (reference_ == 0) reference_ = std::max(loss, chance);
  if (count_ == window_) {
    sum_ = 0;
    count_ = 0;
  }
  sum_ += loss;
  if (++count_ < window_) return;
  before_last_ = last_;
  last_ = sum_ / static_cast<double>(window_);
}

std::optional<DivergenceWatch::Finding> DivergenceWatch::Diverged(bool ended) const {
  const double limit = kFarAbove * reference_;
  if (count_ == window_ && last_ > limit && before_last_ > limit && last_ > before_last_ / 2) {
    return Finding{last_, reference_, window_};
  }
  if (!ended || count_ < kLeastAtTheEnd || !(sum_ > limit * static_cast<double>(count_))) return std::nullopt;
  return Finding{sum_ / static_cast<double>(count_), reference_, count_};
}

void DivergenceWatch::Save(TrainerState& state) const {
  state.scalars["divergence/reference"] = reference_;
  state.scalars["divergence/sum"] = sum_;
  state.scalars["divergence/count"] = static_cast<double>(count_);
  state.scalars["divergence/last"] = last_;
  state.scalars["divergence/before_last"] = before_last_;
}

void DivergenceWatch::Load(const TrainerState& state) {
  const auto number = [&](const char* name) {
    const auto found = state.scalars.find(name);
    return found == state.scalars.end() ? 0.0 : found->second;
  };
  reference_ = number("divergence/reference");
  sum_ = number("divergence/sum");
  count_ = static_cast<int64_t>(number("divergence/count"));
  last_ = number("divergence/last");
  before_last_ = number("divergence/before_last");
}

}  // namespace qat
