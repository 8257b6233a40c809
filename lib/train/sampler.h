// sampler.h: which examples a step sees, and how they are changed on the way. Everything follows from (seed,
// step), so a resumed run makes the same batches without any saved state.
#ifndef QAT_TRAIN_SAMPLER_H_
#define QAT_TRAIN_SAMPLER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "contract/input_contract.h"
#include "spec/train_config.h"

namespace qat {

/// Endless passes over `examples`, each in a new order; a batch may reach from one pass into the next.
class Sampler {
 public:
  Sampler(std::vector<int32_t> examples, int32_t batch_size, uint64_t seed);
  /// Examples of one step, counted from 0.
  void Batch(int64_t step, std::vector<int32_t>& batch);
  /// Steps of a pass, rounded up.
  int64_t PassSteps() const { return (std::ssize(examples_) + batch_size_ - 1) / batch_size_; }

 private:
  void Shuffle(int64_t pass);
  std::vector<int32_t> examples_;
  std::vector<int32_t> order_;
  int64_t shuffled_pass_ = -1;
  int32_t batch_size_;
  uint64_t seed_;
};

/// A random change of an image: rotated and zoomed around its centre, shifted, mirrored, then cut out of.
struct ImageChange {
  int32_t shift_x = 0;
  int32_t shift_y = 0;
  double angle = 0;    ///< radians, counter-clockwise
  double zoom = 1;     ///< > 1 enlarges
  bool flip = false;   ///< left to right
  int32_t cutout = 0;  ///< side of a square of zeros, which may reach over the border
  float cut_x = 0;     ///< its centre, as a part of the width in [0, 1)
  float cut_y = 0;
  bool IsShift() const { return angle == 0 && zoom == 1; }
};

/// The change of example `position` in the batch of `step`, uniform within the configured limits.
ImageChange DrawChange(const TrainConfig& config, int64_t step, int64_t position);

/// Applies a change to bytes [H, W, C]. What comes from outside is 0; between pixels the values are
/// interpolated bilinearly and rounded to bytes, so that training sees what the deployed input type can hold.
void ChangeImage(std::span<const uint8_t> image, int32_t height, int32_t width, int32_t channels,
                 const ImageChange& change, std::span<uint8_t> out);

/// The same change of labels [label_height, label_width] over an image [height, width]: each takes the
/// nearest one; what comes from outside is `outside`, a cut-out square keeps its labels. A single label is
/// that of the image, whatever happens to it.
void ChangeLabels(std::span<const int32_t> labels, int32_t label_height, int32_t label_width, int32_t height,
                  int32_t width, const ImageChange& change, int32_t outside, std::span<int32_t> out);

/// Random changes of a batch of real numbers, float32 in the units of the data, in place: each example is
/// shifted in time, the value at the edge coming in, multiplied by one factor, and given noise in units of
/// the deviation of each channel. `positions`: of the examples in the whole batch. Requires an input [T, C]
/// where the recipe shifts.
void ChangeSeries(const TrainConfig& config, const InputContract& contract, int64_t step,
                  std::span<const int32_t> positions, std::span<uint8_t> examples);

}  // namespace qat

#endif  // QAT_TRAIN_SAMPLER_H_
