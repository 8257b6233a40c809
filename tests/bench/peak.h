// peak.h: what the processor could do at best: loops of independent accumulators with nothing but multiply-accumulates.
#ifndef QAT_TESTS_BENCH_PEAK_H_
#define QAT_TESTS_BENCH_PEAK_H_

#include <cstdint>

namespace qat::bench {

/// Multiply-accumulates of one step of RunPeak's loop.
struct Peak {
  int64_t macs_a_step;
  void (*run)(int64_t steps);
};

extern const Peak kAvx2Int16;        // vpmaddwd and vpaddd: 16 products a vector
extern const Peak kAvx512VnniInt8;   // vpdpbusd: 64 products a vector
extern const Peak kAvx512VnniFloat;  // vmulps and vaddps: 16 products a vector, each rounded twice

}  // namespace qat::bench

#endif  // QAT_TESTS_BENCH_PEAK_H_
