#include "runtime/machine_peaks.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "runtime/kernels/simd/peak.h"
#include "runtime/least_time.h"

namespace qat {
namespace {

double MacsPerNanosecond(const simd::Peak* peak) {
  if (peak == nullptr) return 0;
  constexpr int64_t kSteps = 100000;
  const double time = LeastNanoseconds([&] { peak->run(kSteps); });
  return static_cast<double>(kSteps * peak->macs_a_step) / time;
}

// The better of copying, where read and written bytes both count, and of reading, as a filter is read.
double BytesPerNanosecond(size_t size) {
  constexpr size_t kEnough = size_t{1} << 24;
  std::vector<uint8_t> from(size, 1), to(size);
  const size_t times = kEnough / size + 1;
  const double copy = LeastNanoseconds([&] {
    for (size_t i = 0; i < times; ++i) {
      std::memcpy(to.data(), from.data(), size);
      asm volatile("" ::"r"(to.data()) : "memory");  // else the copies are one
    }
  });
  const double read = LeastNanoseconds([&] {
    for (size_t i = 0; i < times; ++i) {
      const void* found = std::memchr(from.data(), 2, size);
      asm volatile("" ::"r"(found) : "memory");
    }
  });
  return static_cast<double>(times * size) * std::max(2 / copy, 1 / read);
}

}  // namespace

double MachinePeaks::Roofline(int64_t macs, int64_t bytes, bool real) const {
  if (macs == 0) return bytes_per_ns;
  const double peak = real ? float_macs_per_ns : integer_macs_per_ns;
  const double by_memory =
      bytes == 0 ? peak : bytes_per_ns * static_cast<double>(macs) / static_cast<double>(bytes);
  return std::min(peak, by_memory);
}

MachinePeaks MeasurePeaks(Isa isa, size_t size) {
  MachinePeaks peaks;
  peaks.integer_macs_per_ns = MacsPerNanosecond(simd::PeakOf(isa, DType::kInt8));
  peaks.float_macs_per_ns = MacsPerNanosecond(simd::PeakOf(isa, DType::kFloat32));
  peaks.bytes_per_ns = BytesPerNanosecond(std::max<size_t>(size, 4096));
  return peaks;
}

}  // namespace qat
