#include "data/fingerprint.h"

#include "base/strings.h"

namespace qat {

FingerprintStream::FingerprintStream(int64_t count, const Dataset& dataset) {
  std::string sizes = StrCat(count);
  for (const ExampleInput& input : dataset.inputs) {
    sizes += StrCat(" ", input.height, " ", input.width, " ", input.channels,
                    input.values == ValueType::kReal ? " float32" : "");
  }
  stream_.Update(sizes + "\n");
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
