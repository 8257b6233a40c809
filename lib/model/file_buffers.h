// file_buffers.h: the data that the tables of a .tflite file point to, and vectors out of those tables.
#ifndef QAT_MODEL_FILE_BUFFERS_H_
#define QAT_MODEL_FILE_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/expected.h"

namespace qat {

namespace tflite {
struct Buffer;
struct Model;
}  // namespace tflite

class FileBuffers {
 public:
  /// Requires tables that the structural verifier has passed; both must outlive this.
  FileBuffers(std::span<const uint8_t> bytes, const tflite::Model& file) : bytes_(bytes), file_(file) {}

  std::span<const uint8_t> bytes() const { return bytes_; }
  const tflite::Model& file() const { return file_; }

  /// What a buffer holds, within the tables or after them. Errors: kCorrupt.
  Expected<std::span<const uint8_t>> BytesOf(const tflite::Buffer& buffer) const;
  /// `data`, or a copy of it where it does not begin at a multiple of `alignment` (0: any place will do).
  std::span<const uint8_t> Align(std::span<const uint8_t> data, size_t alignment);
  /// Keeps memory that tensors point into.
  std::span<const uint8_t> Keep(std::unique_ptr<uint8_t[]> memory, size_t size);

  std::vector<std::unique_ptr<uint8_t[]>> TakeMemory() { return std::move(memory_); }

 private:
  std::span<const uint8_t> bytes_;
  const tflite::Model& file_;
  std::vector<std::unique_ptr<uint8_t[]>> memory_;
};

}  // namespace qat

#endif  // QAT_MODEL_FILE_BUFFERS_H_
