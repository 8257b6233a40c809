// peak-inl.h: the loop of a Peak for one instruction set. Included by its source only, under the rules of
// vectors256-inl.h.
//
// Step: Vector, kAccumulators, One(), and Accumulate(acc, x, w). That is one statement of assembly: compilers
// move and spill values of intrinsics, and the loop must contain nothing but multiply-accumulates.

namespace qat::simd {
namespace {

template <class Step>
void RunPeak(int64_t steps) {
  typename Step::Vector acc[Step::kAccumulators];
  const typename Step::Vector x = Step::One(), w = x;
#pragma GCC unroll 16
  for (int i = 0; i < Step::kAccumulators; ++i) acc[i] = x;
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < Step::kAccumulators; ++i) Step::Accumulate(acc[i], x, w);
  }
}

template <class Step>
constexpr Peak PeakOfStep() {
  return {Step::kAccumulators * Step::kMacs, RunPeak<Step>};
}

}  // namespace
}  // namespace qat::simd
