#include "onnx/wire.h"

#include <cstring>

#include "base/strings.h"

namespace qat::onnx {
namespace {

// Little endian, as protobuf and this machine have them.
template <class T>
T Fixed(std::span<const uint8_t> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <class T>
Status AppendFixed(const WireField& field, WireType alone, std::vector<T>& values) {
  if (field.type == alone) {
    T value;
    std::memcpy(&value, &field.bits, sizeof(T));
    values.push_back(value);
    return {};
  }
  if (field.type != WireType::kBytes || field.bytes.size() % sizeof(T) != 0)
    return Corrupt(StrCat("field ", field.number, " holds ", field.bytes.size(),
                          " bytes, expected numbers of ", sizeof(T)));
  const size_t before = values.size();
  values.resize(before + field.bytes.size() / sizeof(T));
  if (!field.bytes.empty()) std::memcpy(values.data() + before, field.bytes.data(), field.bytes.size());
  return {};
}

}  // namespace

Error WireReader::Damaged(std::string_view what) const {
  return Corrupt(StrCat("a field at byte ", size_ - rest_.size(), " of ", size_, " ", what));
}

Expected<uint64_t> WireReader::Varint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) return Damaged("ends beyond its message");
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    if (shift < 64) value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return Damaged("has a number of more than ten bytes");
}

Expected<bool> WireReader::Next(WireField& field) {
  field = {};
  if (rest_.empty()) return false;
  QAT_ASSIGN_OR_RETURN(const uint64_t tag, Varint());
  if (tag >> 3 == 0 || tag >> 3 > (1u << 29) - 1) return Damaged("has no number that protobuf knows");
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  size_t size = 0;
  switch (field.type) {
    case WireType::kVarint: {
      QAT_ASSIGN_OR_RETURN(field.bits, Varint());
      return true;
    }
    case WireType::kFixed64:
      size = 8;
      break;
    case WireType::kFixed32:
      size = 4;
      break;
    case WireType::kBytes: {
      QAT_ASSIGN_OR_RETURN(const uint64_t length, Varint());
      if (length > rest_.size()) return Damaged("ends beyond its message");
      size = static_cast<size_t>(length);
      break;
    }
    default:
      return Damaged(StrCat("is of wire type ", tag & 7, ", which no message of today has"));
  }
  if (size > rest_.size()) return Damaged("ends beyond its message");
  field.bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  if (field.type == WireType::kBytes) return true;
  field.bits = size == 8 ? Fixed<uint64_t>(field.bytes) : Fixed<uint32_t>(field.bytes);
  field.bytes = {};
  return true;
}

Status AppendIntegers(const WireField& field, std::vector<int64_t>& values) {
  if (field.type == WireType::kVarint) {
    values.push_back(field.integer());
    return {};
  }
  if (field.type != WireType::kBytes) return Corrupt(StrCat("field ", field.number, " holds no integers"));
  // Packed: varints without tags. Each has one byte at least, which bounds what is allocated.
  std::span<const uint8_t> rest = field.bytes;
  while (!rest.empty()) {
    uint64_t value = 0;
    size_t length = 0;
    bool more = true;
    while (more) {
      if (length == rest.size() || length == 10)
        return Corrupt(StrCat("field ", field.number, " holds an integer that does not end"));
      if (length < 10) value |= (uint64_t{rest[length] & 0x7fu}) << (7 * length);
      more = (rest[length++] & 0x80) != 0;
    }
    values.push_back(static_cast<int64_t>(value));
    rest = rest.subspan(length);
  }
  return {};
}

Status AppendFloats(const WireField& field, std::vector<float>& values) {
  return AppendFixed(field, WireType::kFixed32, values);
}

Status AppendDoubles(const WireField& field, std::vector<double>& values) {
  return AppendFixed(field, WireType::kFixed64, values);
}

}  // namespace qat::onnx
