#include "runtime/kernels/reference/int16_sigmoid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "quant/power_of_two.h"

namespace qat::reference {
namespace {

// Entry i: about 2^16 / (1 + exp(-i / 24)). TFLite's numbers, which no formula gives: many are one above the
// nearest.
constexpr std::array<uint16_t, 256> kSigmoid = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064,
    42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464,
    50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503,
    56823, 57133, 57433, 57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370,
    60565, 60753, 60935, 61110, 61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666,
    62778, 62886, 62990, 63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968,
    64030, 64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687,
    64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079,
    65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258, 65269, 65280, 65291,
    65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367, 65374, 65381, 65387, 65393, 65399, 65404,
    65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465,
    65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498,
    65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524, 65525, 65525,
    65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530, 65530,
    65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
    65535,
};

// Truncated to int32; the largest where it would not fit.
int32_t ToInt32(double value) {
  constexpr double kLargest = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::min(value, kLargest));
}

int32_t Scale(Int16SigmoidScaling scaling, int16_t q) {
  const uint32_t round = scaling.shift > 0 ? uint32_t{1} << (scaling.shift - 1) : 0;
  const uint32_t product = static_cast<uint32_t>(int32_t{q}) * static_cast<uint32_t>(scaling.multiplier);
  return static_cast<int32_t>(product + round) >> scaling.shift;
}

uint32_t Magnitude(int32_t value) {
  return value < 0 ? 0u - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
}

// The table at `magnitude` / 2^bits, with `bits` more bits; `end` beyond it.
uint32_t Interpolate(uint32_t magnitude, int bits, uint32_t end) {
  const uint32_t index = magnitude >> bits;
  if (index >= kSigmoid.size() - 1) return end;
  const uint32_t low = kSigmoid[index], high = kSigmoid[index + 1];
  return (low << bits) + (magnitude & ((1u << bits) - 1)) * (high - low);
}

}  // namespace

Int16SigmoidScaling ComputeInt16SigmoidScaling(float input_scale, bool is_tanh) {
  constexpr int kBits = 12;
  if (const std::optional<int> log2 = Log2OfPowerOfTwo(input_scale)) {
    const int left = kBits + *log2;
    if (left == 0 || (is_tanh && left == 1)) return {3 << left, 0};
  }
  double multiplier = static_cast<double>(input_scale) * 4096.0 * 3.0;
  Int16SigmoidScaling scaling;
  for (; multiplier <= 32767.0 / 2.0 && scaling.shift <= 30; ++scaling.shift) multiplier *= 2;
  scaling.multiplier = ToInt32(multiplier);
  return scaling;
}

int16_t Int16Logistic(Int16SigmoidScaling scaling, int16_t q) {
  const int32_t x = Scale(scaling, q);
  const uint32_t half = Interpolate(Magnitude(x), 9, 0x7fffu << 10);
  const uint32_t value = x >= 0 ? half + (1 << 9) : (1u << 25) - half + (1 << 9) - 1;
  return static_cast<int16_t>(value >> 10);
}

int16_t Int16Tanh(Int16SigmoidScaling scaling, int16_t q) {
  const int32_t x = Scale(scaling, q);
  const auto half = static_cast<int32_t>(Interpolate(Magnitude(x), 8, 0xffffu << 8));
  constexpr int32_t kOne = 1 << 23, kRound = 1 << 7;
  const int32_t value = x >= 0 ? half - kOne + kRound : kOne - half + kRound - 1;
  return static_cast<int16_t>(value >> 8);
}

}  // namespace qat::reference
