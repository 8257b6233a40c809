// wire.h: the fields of a protobuf message, one after the other, out of bytes of unknown origin. Nothing is
// copied, and nothing beyond the bytes is ever read. https://protobuf.dev/programming-guides/encoding
#ifndef QAT_ONNX_WIRE_H_
#define QAT_ONNX_WIRE_H_

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat::onnx {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field. What a type does not have is 0 or empty.
struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t bits = 0;               ///< of a varint, a fixed64 or a fixed32
  std::span<const uint8_t> bytes;  ///< of a text, a message or packed numbers; they lie in the message

  int64_t integer() const { return static_cast<int64_t>(bits); }
  float real() const { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }
  std::string text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

class WireReader {
 public:
  explicit WireReader(std::span<const uint8_t> message) : rest_(message), size_(message.size()) {}

  /// The next field; false at the end. Errors: kCorrupt, "a field at byte 12 of 40 ends beyond its message",
  /// with the groups that protobuf gave up.
  Expected<bool> Next(WireField& field);

 private:
  Expected<uint64_t> Varint();
  Error Damaged(std::string_view what) const;
  std::span<const uint8_t> rest_;
  size_t size_;
};

/// Appends what a repeated field of integers holds, packed or one alone. Errors: kCorrupt.
Status AppendIntegers(const WireField& field, std::vector<int64_t>& values);
/// The same of float.
Status AppendFloats(const WireField& field, std::vector<float>& values);
/// The same of double.
Status AppendDoubles(const WireField& field, std::vector<double>& values);

}  // namespace qat::onnx

#endif  // QAT_ONNX_WIRE_H_
