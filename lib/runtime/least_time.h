// least_time.h: how long work takes that nothing disturbs.
#ifndef QAT_RUNTIME_LEAST_TIME_H_
#define QAT_RUNTIME_LEAST_TIME_H_

#include <algorithm>
#include <chrono>

namespace qat {

inline double NanosecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

/// The best of several turns: disturbances only make it slower. At least 1.
template <class Work>
double LeastNanoseconds(const Work& work) {
  constexpr int kTurns = 7;
  double least = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const double time = NanosecondsSince(start);
    if (turn == 0 || time < least) least = time;
  }
  return std::max(least, 1.0);
}

}  // namespace qat

#endif  // QAT_RUNTIME_LEAST_TIME_H_
