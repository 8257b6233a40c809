// lookup.h: functions of one quantized value, as tables made in Prepare: one entry per 8-bit value, or 513 of
// int16, between which is interpolated.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace qat::reference {

/// Indexed by the byte of the input.
template <class Out>
using LookupTable = std::array<Out, 256>;

template <class In, class Out, class F>
LookupTable<Out> MakeLookupTable(const F& f) {
  LookupTable<Out> table;
  for (int32_t q = std::numeric_limits<In>::min(); q <= std::numeric_limits<In>::max(); ++q)
    table[static_cast<uint8_t>(q)] = static_cast<Out>(f(q));
  return table;
}

template <class Out>
void Lookup(int64_t count, const LookupTable<Out>& table, const uint8_t* input, Out* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = table[input[i]];
}

/// Entry i is for the value 128 * i - 32768.
using Int16Table = std::array<int16_t, 513>;

/// f at the 513 values, each moved by half of what straight lines are off in the middle of its piece, in
/// units of the output; all in Real: float, and double for the tables of softmax.
/// Source    equal bit by bit to tflite/kernels/internal/common.h, LUTPopulate, with f of the same library.
template <class Real, class F>
Int16Table MakeInt16Table(Real input_scale, int32_t input_zero_point, Real output_scale,
                          int32_t output_zero_point, const F& f) {
  constexpr int32_t kLow = std::numeric_limits<int16_t>::min(), kHigh = std::numeric_limits<int16_t>::max();
  constexpr int kPieces = 512;
  const auto real = [](Real scale, int32_t q) { return scale * static_cast<Real>(q); };
  const Real first = real(input_scale, kLow - input_zero_point),
             last = real(input_scale, kHigh - input_zero_point);
  const Real step = (last - first) / kPieces, half_step = step / 2;
  const Real inverse = static_cast<Real>(kHigh - kLow + 1) / (real(output_scale, kHigh - output_zero_point) -
                                                              real(output_scale, kLow - output_zero_point));
  // NaN, as the difference of two values of exp beyond all reals, is 0, as on TFLite's x86-64.
  const auto entry = [](Real value) {
    return std::isnan(value) ? int16_t{0} : static_cast<int16_t>(std::clamp<Real>(value, kLow, kHigh));
  };
  Int16Table table;
  for (int i = 0; i < kPieces; ++i) {
    const Real begin = first + static_cast<Real>(i) * step;
    const Real value = std::round(f(begin) * inverse);
    const Real middle = std::round(f(begin + half_step) * inverse);
    const Real next = f(first + static_cast<Real>(i + 1) * step) * inverse;
    const Real off = std::round((next + value) / 2) - middle;
    table[static_cast<size_t>(i)] = entry(value - std::round(off / 2));
  }
  table[kPieces] = entry(std::round(f(last) * inverse));
  return table;
}

/// The same file's LUTLookup: halves go up; sums wrap.
inline int16_t LookUp(const Int16Table& table, int16_t value) {
  const auto piece = static_cast<size_t>(256 + (value >> 7));
  const int16_t base = table[piece];
  const auto slope = static_cast<int16_t>(table[piece + 1] - base);
  return static_cast<int16_t>(base + ((slope * (value & 0x7f) + 64) >> 7));
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_
