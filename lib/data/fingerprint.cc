#include "data/fingerprint.h"

#include "base/strings.h"

namespace qat {

FingerprintStream::FingerprintStream(int64_t count, const Dataset& dataset) {
  stream_.Update(StrCat(count, " ", dataset.input().height, " ", dataset.input().width, " ", dataset.input().channels,
                        dataset.input().values == ValueType::kReal ? " float32\n" : "\n"));
}

std::string FingerprintStream::Finish(std::span<const int32_t> labels) {
  Bytes bytes;
  bytes.reserve(4 * labels.size());
  for (const int32_t label : labels) {
    for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(label >> shift));
  }
  stream_.Update(bytes);
  return stream_.Finish();
}

}  // namespace qat
