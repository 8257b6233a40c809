// machine_peaks.h: what this machine can do at best, measured: the roofline that operators are compared with.
#ifndef QAT_RUNTIME_MACHINE_PEAKS_H_
#define QAT_RUNTIME_MACHINE_PEAKS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/kernels/isa.h"

namespace qat {

/// What one thread of this machine reaches at best; 0: not known.
struct MachinePeaks {
  double integer_macs_per_ns = 0;  ///< products of 8-bit integers
  double float_macs_per_ns = 0;
  double bytes_per_ns = 0;  ///< read, or copied, in buffers of the size asked for

  /// Multiply-accumulates per nanosecond for work that moves `bytes`: the roofline of Williams, Waterman and
  /// Patterson (2009). Without multiply-accumulates: bytes per nanosecond.
  double Roofline(int64_t macs, int64_t bytes, bool real) const;
};

/// Measures them in some milliseconds: loops of nothing but the instructions that kernels of `isa` multiply
/// with, and passes over `size` bytes.
MachinePeaks MeasurePeaks(Isa isa, size_t size);

}  // namespace qat

#endif  // QAT_RUNTIME_MACHINE_PEAKS_H_
