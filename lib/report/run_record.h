// run_record.h: what a run directory's metrics.ndjson tells, as data, and what its ranges are worth.
#ifndef QAT_REPORT_RUN_RECORD_H_
#define QAT_REPORT_RUN_RECORD_H_

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "report/report.h"

namespace qat {

/// A range at an evaluation.
struct RangePoint {
  int64_t step = 0;
  double min = 0, max = 0;
  double clipped =
      std::numeric_limits<double>::quiet_NaN();  ///< share of values outside the range; NaN: not counted
};

struct RangeCurve {
  std::string tensor;  ///< "conv1": an output; "conv1/filter"
  std::vector<RangePoint> points;
};

struct RunRecord {
  std::string name;
  std::string scheme;
  int64_t steps = 0;  ///< of the recipe; 0: not known
  int64_t batch_size = 0;
  int64_t last_step = 0;     ///< that an event is from
  bool ended = false;        ///< false: in progress, or interrupted
  int64_t quant_delay = -1;  ///< step at which fake quantization started; -1: it has not
  int64_t batch_norm_freeze =
      -1;  ///< step at which batch norms froze; -1: they have not, or an earlier version did not say
  int64_t best_step = -1;
  double best_accuracy = std::numeric_limits<double>::quiet_NaN();
  std::vector<TrainingCurve>
      curves;  ///< "loss", "training_accuracy", then "holdout_accuracy", "holdout_loss", …
  std::vector<TrainingCurve> pace;                        ///< "learning_rate", "gradient_norm"
  std::vector<RangeCurve> ranges;                         ///< in the order of the network
  std::vector<std::pair<int64_t, std::string>> warnings;  ///< (step, sentence)
};

/// A range runs away that has become so many times as wide within a quarter of the run while rounding was
/// simulated: its step has doubled, so one bit of eight is lost in a time in which weights hardly change any
/// more. Measured: at most 1.08 in runs of LeNet on MNIST and of digits, 1.19 of resnet8 (300 steps on
/// CIFAR-10), 1.27 where all of a run is quantized.
inline constexpr double kRunawayGrowth = 2;
/// Part of its width by which an end of a settled range moves in a tenth of the run at most: what qat-freeze
/// warns above.
inline constexpr double kSettledMove = 0.05;
/// Share of values outside a range that is worth a look. Measured: at most 0.7 % in LeNet runs on MNIST, 0.2
/// % on digits, of logits.
inline constexpr double kMuchClipped = 0.01;

struct RangeFinding {
  std::string tensor;
  RangePoint last;
  double growth = 1;  ///< width over that of a quarter of the run before; 1: not known
  double moved =
      0;  ///< of the end that moved more in the last tenth of the run, as a part of the width; 0: not known
  bool RanAway() const { return growth > kRunawayGrowth; }
  bool Moves() const { return moved > kSettledMove; }
  bool Clips() const { return last.clipped > kMuchClipped; }
  /// How far beyond what is usual, to order by: 1 is a limit reached.
  double Badness() const;
};

/// What a curve ends with. Growth is judged between evaluations with fake quantization, from a quarter of the
/// run on: before, ranges are still being found. Requires a point.
RangeFinding JudgeRange(const RangeCurve& curve, int64_t steps, int64_t quant_delay);

/// Of all ranges of a run, the worst first.
std::vector<RangeFinding> JudgeRanges(const RunRecord& run);

}  // namespace qat

#endif  // QAT_REPORT_RUN_RECORD_H_
