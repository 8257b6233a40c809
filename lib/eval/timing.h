// timing.h: a clock that other processes hardly disturb, and what they did during the measurement.
#ifndef QAT_EVAL_TIMING_H_
#define QAT_EVAL_TIMING_H_

#include <sched.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "report/report.h"

namespace qat {

/// Of one run, microseconds.
struct RunTime {
  float wall = 0;
  float own = 0;  ///< wall, or the thread's processor time where that is less: another process had the core
};

/// While it lives, the calling thread stays on the processor it is on, where `one_thread` says that all work
/// is its own; the destructor undoes that.
class TimingSession {
 public:
  explicit TimingSession(bool one_thread);
  ~TimingSession();
  TimingSession(const TimingSession&) = delete;
  TimingSession& operator=(const TimingSession&) = delete;

  void Start();
  RunTime Stop();

  /// Times a fixed loop of dependent multiplications, about 30 µs: tells clock rates of runs apart.
  void Calibrate();

  /// All but `noise`.
  TimingConditions Conditions() const;

 private:
  struct Usage {
    double wall = 0, own = 0;                // seconds; own: processor time of this process
    double busy = 0, stolen = 0;             // of all processors, ours included
    double pinned_busy = 0, own_thread = 0;  // of the one we are pinned to, and ours of it
    int64_t processors = 1;
  };
  Usage Now() const;

  const bool one_thread_;
  std::optional<cpu_set_t> allowed_before_;
  std::optional<int64_t> pinned_;
  double load_average_;
  Usage begin_;
  double wall_start_ = 0, own_start_ = 0;
  int64_t runs_ = 0, preempted_ = 0;
  std::vector<float> calibrations_;
};

}  // namespace qat

#endif  // QAT_EVAL_TIMING_H_
