// observer.h: how the range of a tensor is learned while it trains. No LibTorch here.
#ifndef QAT_TRAIN_OBSERVER_H_
#define QAT_TRAIN_OBSERVER_H_

#include <cstdint>

#include "quant/params.h"

namespace qat {

/// Zero-debiased moving average of the ranges it is shown: after t of them
///   end = sum over k of decay^(t-k) * end_k / sum over k of decay^(t-k),
/// so the first one counts fully and no initial value is ever forgotten too slowly. Decay 0 is the last
/// value, as filters are observed; activations take 0.999. Every range is widened to hold 0 first.
/// One that covers takes over at once what reaches farther, and falls back by
///   end = decay * end + (1 - decay) * end_t
/// where nothing does: real numbers as answers must not be cut off, while the averaged ends of batches lie
/// inside those of the data.
/// Source    tf.contrib.quantize, MovingAvgQuantize (zero_debias) and LastValueQuantize.
class RangeObserver {
 public:
  explicit RangeObserver(double decay = 0, bool covers = false) : decay_(decay), covers_(covers) {}

  /// Requires finite ends; a tensor that holds NaN or inf is never shown (network.h reports it).
  void Observe(Range seen);

  /// One that covers forgets all: what was seen while the weights were far from what they become.
  void Restart() {
    if (covers_) state_ = {};
  }

  bool empty() const { return state_.weight == 0; }
  /// Requires not empty.
  Range range() const;
  /// Replaces everything learned by one fixed range.
  void Fix(Range range) { state_ = {range.min, range.max, 1}; }

  /// What resuming needs.
  struct State {
    double min_sum = 0;
    double max_sum = 0;
    double weight = 0;
    bool operator==(const State&) const = default;
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  double decay_;
  bool covers_ = false;
  State state_;
};

/// How far the ends of a range moved, relative to its width now:
///   max(|min - min'|, |max - max'|) / (max - min).
/// An empty width counts as 0 where nothing moved, else as 1.
float Drift(Range before, Range now);

}  // namespace qat

#endif  // QAT_TRAIN_OBSERVER_H_
