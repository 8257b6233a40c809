// time_gates.h: limits of time, judged so that other processes cannot make them fail.
#ifndef QAT_EVAL_TIME_GATES_H_
#define QAT_EVAL_TIME_GATES_H_

#include <optional>
#include <string>

#include "base/expected.h"
#include "report/report.h"

namespace qat {

/// Where the machine was busy, or where too few turns were measured for an interval, a time must be so many
/// times its limit to fail: other processes slow one model more than another.
/// Factors; chosen so that scripts/check_latency_gate.sh gives no false alarm
/// (docs/benchmarks.md#the-latency-gate).
inline constexpr double kBusyWithinARun = 1.25;
inline constexpr double kBusyAcrossRuns = 2;
/// Two processes place a model differently in memory; quiet runs of one model were seen to differ by this
/// much.
inline constexpr double kAcrossRuns = 0.05;

/// A number whose limit is a most.
struct TimeCase {
  double value = 0;
  std::optional<double> low = {};  ///< of its 95 % interval; absent: too few turns
  double limit = 0;
  double noise = 0;            ///< measured difference of a model from itself, a share
  std::string disturbed = {};  ///< what else the machine did; empty: it was quiet
  double busy_factor = kBusyWithinARun;
};

struct TimeVerdict {
  bool pass = true;
  std::string note = {};  ///< "too noisy to tell: …" where it passes beyond the limit
};

/// Fails only where the whole interval lies beyond the limit by more than the noise:  low > limit (1 +
/// noise), and on a busy machine  low > limit (1 + noise) busy_factor.
TimeVerdict JudgeTime(const TimeCase& time);

/// max_latency. Errors: kInvalidArgument, where the row has no times.
Status JudgeLatency(double limit, const ModelResult& row, Report& report);

/// max_latency_ratio and min_speedup, against a row of the same run: by their pair's speed-up, which comes of
/// turns side by side. Errors as above.
Status JudgeTimeAgainstRow(double limit, bool speedup, const ModelResult& reference, const ModelResult& row,
                           Report& report);

/// The same against a row of an earlier report: by medians. Where a fixed loop says that this machine is
/// slower now, by so much less. Another processor than the baseline's is not judged. Errors as above.
Status JudgeTimeAgainstBaseline(double limit, bool speedup, const Report& baseline,
                                const ModelResult& reference, const ModelResult& row, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_TIME_GATES_H_
