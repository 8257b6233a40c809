// fingerprint.h: the identity of a data set while its images pass by.
#ifndef QAT_DATA_FINGERPRINT_H_
#define QAT_DATA_FINGERPRINT_H_

#include <cstdint>
#include <span>

#include "base/hash.h"
#include "data/dataset.h"

namespace qat {

/// SHA-256 over "COUNT HEIGHT WIDTH CHANNELS\n", sizes of further inputs after the first, the examples in
/// order, and the labels as little-endian int32 (real numbers: the bits of their float32).
class FingerprintStream {
 public:
  /// Only the sizes of `dataset` are read.
  FingerprintStream(int64_t count, const Dataset& dataset);
  void Add(std::span<const uint8_t> images) { stream_.Update(images); }
  std::string Finish(std::span<const int32_t> labels);

 private:
  Sha256Stream stream_;
};

}  // namespace qat

#endif  // QAT_DATA_FINGERPRINT_H_
