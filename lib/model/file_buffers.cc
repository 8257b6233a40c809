#include "model/file_buffers.h"

#include <cstring>
#include <utility>

#include "base/strings.h"
#include "ops/tflite_options.h"

namespace qat {

Expected<std::span<const uint8_t>> FileBuffers::BytesOf(const tflite::Buffer& buffer) const {
  if (buffer.data() != nullptr) return std::span<const uint8_t>(buffer.data()->data(), buffer.data()->size());
  // Files beyond 2 GiB keep data after the FlatBuffer; offsets 0 and 1 say that there is none.
  if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset()) {
    return Corrupt(
        StrCat("its data lie at ", buffer.offset(), " + ", buffer.size(), ", behind the end of the file"));
  }
  return bytes_.subspan(buffer.offset(), buffer.size());
}

std::span<const uint8_t> FileBuffers::Align(std::span<const uint8_t> data, size_t alignment) {
  if (alignment == 0 || reinterpret_cast<uintptr_t>(data.data()) % alignment == 0) return data;
  auto copy = std::make_unique<uint8_t[]>(data.size());
  std::memcpy(copy.get(), data.data(), data.size());
  return Keep(std::move(copy), data.size());
}

std::span<const uint8_t> FileBuffers::Keep(std::unique_ptr<uint8_t[]> memory, size_t size) {
  memory_.push_back(std::move(memory));
  return {memory_.back().get(), size};
}

}  // namespace qat
