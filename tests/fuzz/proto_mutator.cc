#include "fuzz/proto_mutator.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "fuzz/mutate.h"

namespace qat::fuzz {
namespace {

constexpr uint32_t kVarint = 0, k64Bits = 1, kBytes = 2, k32Bits = 5;
constexpr int kMostDepth = 12;

struct Field {
  uint64_t key = 0;  // number << 3 | wire type
  uint64_t number = 0;
  Bytes bytes;  // of a length-delimited or fixed field

  uint32_t wire() const { return key & 7; }
};

std::optional<uint64_t> ReadVarint(std::span<const uint8_t>& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const uint8_t byte = bytes.front();
    bytes = bytes.subspan(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void PutVarint(uint64_t value, Bytes& bytes) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<uint8_t>(value | 0x80));
  bytes.push_back(static_cast<uint8_t>(value));
}

std::optional<Field> ReadField(std::span<const uint8_t>& bytes) {
  Field field;
  const auto key = ReadVarint(bytes);
  if (!key || *key < 8) return std::nullopt;
  field.key = *key;
  uint64_t size = 0;
  if (field.wire() == kVarint || field.wire() == kBytes) {
    const auto value = ReadVarint(bytes);
    if (!value) return std::nullopt;
    (field.wire() == kVarint ? field.number : size) = *value;
  } else if (field.wire() == k32Bits || field.wire() == k64Bits) {
    size = field.wire() == k32Bits ? 4 : 8;
  } else {
    return std::nullopt;
  }
  if (size > bytes.size()) return std::nullopt;
  field.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  bytes = bytes.subspan(size);
  return field;
}

/// Nothing where the bytes are no message.
std::optional<std::vector<Field>> ReadFields(std::span<const uint8_t> bytes) {
  std::vector<Field> fields;
  while (!bytes.empty()) {
    auto field = ReadField(bytes);
    if (!field) return std::nullopt;
    fields.push_back(*std::move(field));
  }
  return fields;
}

Bytes WriteFields(const std::vector<Field>& fields) {
  Bytes bytes;
  for (const Field& field : fields) {
    PutVarint(field.key, bytes);
    if (field.wire() == kVarint) PutVarint(field.number, bytes);
    if (field.wire() == kBytes) PutVarint(field.bytes.size(), bytes);
    bytes.insert(bytes.end(), field.bytes.begin(), field.bytes.end());
  }
  return bytes;
}

bool IsText(std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}

void MutateFields(std::vector<Field>& fields, int depth, Random& random);

void MutateContent(Bytes& bytes, int depth, Random& random) {
  auto inner = depth < kMostDepth && !bytes.empty() ? ReadFields(bytes) : std::nullopt;
  if (inner && !inner->empty() && (!IsText(bytes) || random.Below(8) == 0)) {
    MutateFields(*inner, depth + 1, random);
    bytes = WriteFields(*inner);
  } else if (IsText(bytes) && random.Below(4) != 0) {
    std::string text = TextOf(bytes);
    MutateText({}, random, text);
    bytes = BytesOf(text);
  } else {
    const Bytes copy = bytes;
    MutateBytes(copy, random, bytes);
  }
}

void MutateFields(std::vector<Field>& fields, int depth, Random& random) {
  const size_t index = Place(random, fields.size());
  Field& field = fields[index];
  switch (random.Below(12)) {
    case 0:
      fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(index));
      return;
    case 1:
      fields.push_back(Field(field));
      return;
    case 2:
      std::swap(field, fields[Place(random, fields.size())]);
      return;
    case 3:
      field.bytes = fields[Place(random, fields.size())].bytes;  // as another field of this message
      return;
    case 4:
      field.key = uint64_t{1 + random.Below(24)} << 3 | field.wire();
      return;
    default:
      break;
  }
  if (field.wire() == kVarint)
    field.number = static_cast<uint64_t>(
        random.Below(2) == 0 ? random.Below(24)
                             : InterestingInteger(random, static_cast<int64_t>(field.number)));
  else if (field.wire() == kBytes)
    MutateContent(field.bytes, depth, random);
  else
    MutateNumberInPlace(random, field.bytes);
}

}  // namespace

void MutateMessage(Random& random, Bytes& bytes) {
  auto fields = ReadFields(bytes);
  if (!fields || fields->empty()) return MutateNumberInPlace(random, bytes);
  MutateFields(*fields, 0, random);
  bytes = WriteFields(*fields);
}

}  // namespace qat::fuzz
