// safetensors.h: the bytes of a .safetensors file. The format:
// https://github.com/huggingface/safetensors#format
#ifndef QAT_WEIGHTS_SAFETENSORS_H_
#define QAT_WEIGHTS_SAFETENSORS_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "weights/weights_file.h"

namespace qat {

/// Most that a header may take: more than 100,000 tensors.
inline constexpr uint64_t kLargestSafetensorsHeader = uint64_t{16} << 20;

struct Safetensors {
  std::vector<WeightTensor> tensors;  ///< into the bytes that were read; by their place in them
  std::map<std::string, std::string> metadata;
};

/// Every byte behind the header belongs to one tensor, as the format demands. Errors: kCorrupt, kUnsupported
/// "SOURCE: …".
Expected<Safetensors> ParseSafetensors(std::span<const uint8_t> bytes, const std::string& source);

/// Ordered as the format's own library does: by the size of their elements, larger ones first, then by name;
/// the header padded so that values start at a multiple of 8.
Bytes SerializeSafetensors(std::span<const StoredTensor> tensors,
                           const std::map<std::string, std::string>& metadata);

}  // namespace qat

#endif  // QAT_WEIGHTS_SAFETENSORS_H_
