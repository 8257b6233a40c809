#include "train/events/record_file.h"

#include <array>

namespace qat {
namespace {

constexpr std::array<uint32_t, 256> MakeCrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kCrcTable = MakeCrcTable();
constexpr size_t kHeaderSize = 12;
constexpr size_t kFooterSize = 4;

template <class T>
void AppendLittleEndian(Bytes& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

template <class T>
T LittleEndian(std::span<const uint8_t> bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(bytes[i]) << (8 * i);
  return value;
}

}  // namespace

uint32_t Crc32c(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xffffffffu;
  for (const uint8_t byte : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xff];
  return ~crc;
}

uint32_t MaskedCrc32c(std::span<const uint8_t> bytes) {
  const uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

void AppendRecord(Bytes& out, std::span<const uint8_t> payload) {
  const size_t start = out.size();
  AppendLittleEndian(out, static_cast<uint64_t>(payload.size()));
  AppendLittleEndian(out, MaskedCrc32c(std::span(out).subspan(start, 8)));
  out.insert(out.end(), payload.begin(), payload.end());
  AppendLittleEndian(out, MaskedCrc32c(payload));
}

std::optional<std::span<const uint8_t>> NextRecord(std::span<const uint8_t> file, size_t& offset) {
  const auto rest = file.subspan(offset);
  if (rest.size() < kHeaderSize + kFooterSize) return std::nullopt;
  const auto length = LittleEndian<uint64_t>(rest);
  if (LittleEndian<uint32_t>(rest.subspan(8)) != MaskedCrc32c(rest.first(8))) return std::nullopt;
  if (length > rest.size() - kHeaderSize - kFooterSize) return std::nullopt;
  const auto payload = rest.subspan(kHeaderSize, static_cast<size_t>(length));
  const auto footer = rest.subspan(kHeaderSize + payload.size());
  if (LittleEndian<uint32_t>(footer) != MaskedCrc32c(payload)) return std::nullopt;
  offset += kHeaderSize + payload.size() + kFooterSize;
  return payload;
}

}  // namespace qat
