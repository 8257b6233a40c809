#include "runtime/kernels/portable/matrix.h"

#include <algorithm>
#include <cstring>

namespace qat::portable {
namespace {

constexpr int64_t kDepthStep = 8;  // int16 values of one 128-bit register
constexpr int64_t kUnitStep = 4;
constexpr int64_t kFloatUnits = 8;

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// Sums of 2 rows by 4 units. The loop body is what GCC and Clang know as a dot product: pmaddwd on x86,
// smlal on ARM.
void DotTwoByFour(const int16_t* a, const int16_t* b, int64_t depth, int32_t* sums) {
  const int16_t *a0 = a, *a1 = a + depth;
  const int16_t *b0 = b, *b1 = b + depth, *b2 = b + 2 * depth, *b3 = b + 3 * depth;
  int32_t s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  for (int64_t k = 0; k < depth; ++k) {
    s00 += a0[k] * b0[k];
    s01 += a0[k] * b1[k];
    s02 += a0[k] * b2[k];
    s03 += a0[k] * b3[k];
    s10 += a1[k] * b0[k];
    s11 += a1[k] * b1[k];
    s12 += a1[k] * b2[k];
    s13 += a1[k] * b3[k];
  }
  const int32_t all[] = {s00, s01, s02, s03, s10, s11, s12, s13};
  std::copy(std::begin(all), std::end(all), sums);
}

void DotOneByFour(const int16_t* a, const int16_t* b, int64_t depth, int32_t* sums) {
  const int16_t *b0 = b, *b1 = b + depth, *b2 = b + 2 * depth, *b3 = b + 3 * depth;
  int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (int64_t k = 0; k < depth; ++k) {
    s0 += a[k] * b0[k];
    s1 += a[k] * b1[k];
    s2 += a[k] * b2[k];
    s3 += a[k] * b3[k];
  }
  const int32_t all[] = {s0, s1, s2, s3};
  std::copy(std::begin(all), std::end(all), sums);
}

template <class Arithmetic>
void StoreSums(const int32_t* sums, int64_t unit, int64_t units, const Arithmetic& arithmetic,
               const int32_t* bias, typename Arithmetic::Element* output) {
  const int64_t count = std::min(kUnitStep, units - unit);
  for (int64_t i = 0; i < count; ++i) {
    const int32_t acc = bias == nullptr ? sums[i] : WrappingAdd(sums[i], bias[unit + i]);
    output[unit + i] = arithmetic.Output(acc, unit + i);
  }
}

// Sums of `Rows` rows by eight units as vectors of four: element-wise operations, so each lane sums in order.
using Float4 = float __attribute__((vector_size(16)));

template <int kRows>
void SumFloat(const float* input, const float* filter, int64_t depth, float* sums) {
  Float4 low[kRows] = {}, high[kRows] = {};
  for (int64_t k = 0; k < depth; ++k) {
    Float4 w0, w1;
    std::memcpy(&w0, filter + k * kFloatUnits, sizeof(w0));
    std::memcpy(&w1, filter + k * kFloatUnits + 4, sizeof(w1));
    for (int r = 0; r < kRows; ++r) {
      const float x = input[r * depth + k];
      low[r] += x * w0;
      high[r] += x * w1;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    std::memcpy(sums + r * kFloatUnits, &low[r], sizeof(Float4));
    std::memcpy(sums + r * kFloatUnits + 4, &high[r], sizeof(Float4));
  }
}

template <int kRows>
void MultiplyFloatRows(const float* input, const PackedFloat& filter, const FloatArithmetic& arithmetic,
                       const float* bias, float* output) {
  float sums[kRows * kFloatUnits];
  for (int64_t unit = 0; unit < filter.units; unit += kFloatUnits) {
    SumFloat<kRows>(input, filter.values.data() + unit * filter.acc_depth, filter.acc_depth, sums);
    const int64_t count = std::min(kFloatUnits, filter.units - unit);
    for (int r = 0; r < kRows; ++r) {
      for (int64_t i = 0; i < count; ++i) {
        const float acc = sums[r * kFloatUnits + i];
        output[r * filter.units + unit + i] = arithmetic.Output(bias == nullptr ? acc : acc + bias[unit + i]);
      }
    }
  }
}

}  // namespace

template <class T>
PackedInt16 PackInt16(std::span<const T> filter, int64_t units, int64_t acc_depth, int32_t filter_offset) {
  PackedInt16 packed{units, acc_depth, RoundUp(acc_depth, kDepthStep), {}};
  packed.values.resize(static_cast<size_t>(RoundUp(units, kUnitStep) * packed.row_size));
  for (int64_t unit = 0; unit < units; ++unit) {
    for (int64_t k = 0; k < acc_depth; ++k) {
      packed.values[static_cast<size_t>(unit * packed.row_size + k)] =
          static_cast<int16_t>(filter[static_cast<size_t>(unit * acc_depth + k)] + filter_offset);
    }
  }
  return packed;
}

template <class T>
void WidenRows(int64_t rows, int64_t acc_depth, int64_t row_size, int32_t input_offset, const T* from,
               int16_t* to) {
  for (int64_t r = 0; r < rows; ++r, from += acc_depth, to += row_size) {
    for (int64_t i = 0; i < acc_depth; ++i) to[i] = static_cast<int16_t>(from[i] + input_offset);
  }
}

template <class Arithmetic>
void MultiplyInt16(int64_t rows, const int16_t* input, const PackedInt16& filter,
                   const Arithmetic& arithmetic, const int32_t* bias, typename Arithmetic::Element* output) {
  const int64_t depth = filter.row_size / kDepthStep * kDepthStep;  // tells the compiler that no tail is left
  int32_t sums[2 * kUnitStep];
  int64_t row = 0;
  for (; row + 1 < rows; row += 2) {
    auto* const first = output + row * filter.units;
    for (int64_t unit = 0; unit < filter.units; unit += kUnitStep) {
      DotTwoByFour(input + row * depth, filter.values.data() + unit * depth, depth, sums);
      StoreSums(sums, unit, filter.units, arithmetic, bias, first);
      StoreSums(sums + kUnitStep, unit, filter.units, arithmetic, bias, first + filter.units);
    }
  }
  if (row == rows) return;
  for (int64_t unit = 0; unit < filter.units; unit += kUnitStep) {
    DotOneByFour(input + row * depth, filter.values.data() + unit * depth, depth, sums);
    StoreSums(sums, unit, filter.units, arithmetic, bias, output + row * filter.units);
  }
}

template PackedInt16 PackInt16(std::span<const uint8_t>, int64_t, int64_t, int32_t);
template void WidenRows(int64_t, int64_t, int64_t, int32_t, const uint8_t*, int16_t*);
template PackedInt16 PackInt16(std::span<const int8_t>, int64_t, int64_t, int32_t);
template void WidenRows(int64_t, int64_t, int64_t, int32_t, const int8_t*, int16_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&, const FixedPointArithmetic<uint8_t>&,
                            const int32_t*, uint8_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&, const DoubleArithmetic<uint8_t>&,
                            const int32_t*, uint8_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&, const FixedPointArithmetic<int8_t>&,
                            const int32_t*, int8_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&, const DoubleArithmetic<int8_t>&,
                            const int32_t*, int8_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&,
                            const ChannelFixedPointArithmetic<int8_t>&, const int32_t*, int8_t*);
template void MultiplyInt16(int64_t, const int16_t*, const PackedInt16&,
                            const ChannelDoubleArithmetic<int8_t>&, const int32_t*, int8_t*);

PackedFloat PackFloat(std::span<const float> filter, int64_t units, int64_t acc_depth) {
  PackedFloat packed{units, acc_depth, {}};
  packed.values.resize(static_cast<size_t>(RoundUp(units, kFloatUnits) * acc_depth));
  for (int64_t unit = 0; unit < units; ++unit) {
    const int64_t block = unit / kFloatUnits * kFloatUnits * acc_depth;
    for (int64_t k = 0; k < acc_depth; ++k) {
      packed.values[static_cast<size_t>(block + k * kFloatUnits + unit % kFloatUnits)] =
          filter[static_cast<size_t>(unit * acc_depth + k)];
    }
  }
  return packed;
}

void MultiplyFloat(int64_t rows, const float* input, const PackedFloat& filter,
                   const FloatArithmetic& arithmetic, const float* bias, float* output) {
  constexpr int kRows = 4;
  int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    MultiplyFloatRows<kRows>(input + row * filter.acc_depth, filter, arithmetic, bias,
                             output + row * filter.units);
  }
  for (; row < rows; ++row) {
    MultiplyFloatRows<1>(input + row * filter.acc_depth, filter, arithmetic, bias,
                         output + row * filter.units);
  }
}

}  // namespace qat::portable
