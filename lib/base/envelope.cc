#include "base/envelope.h"

#include <algorithm>
#include <cstring>

#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr size_t kSizeAt = 8;
constexpr size_t kHashAt = 16;

template <class T>
void PutLittleEndian(T value, uint8_t* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<uint8_t>(value >> (8 * i));
}

template <class T>
T GetLittleEndian(const uint8_t* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(T{in[i]} << (8 * i));
  return value;
}

}  // namespace

Bytes SealEnvelope(std::string_view identifier, uint32_t version, std::span<const uint8_t> payload) {
  QAT_CHECK(identifier.size() == 4);
  Bytes bytes(kEnvelopeSize + payload.size());
  PutLittleEndian(version, bytes.data());
  std::copy(identifier.begin(), identifier.end(), bytes.begin() + 4);
  PutLittleEndian(uint64_t{payload.size()}, bytes.data() + kSizeAt);
  const std::string hash = Sha256(payload);
  std::copy(hash.begin(), hash.end(), bytes.begin() + kHashAt);
  std::copy(payload.begin(), payload.end(), bytes.begin() + kEnvelopeSize);
  return bytes;
}

Expected<std::span<const uint8_t>> OpenEnvelope(std::span<const uint8_t> bytes, std::string_view identifier,
                                                uint32_t version, const std::string& source) {
  QAT_RETURN_IF_ERROR(ExpectKind(bytes, identifier, source));
  if (bytes.size() < kEnvelopeSize) {
    return Corrupt(
        StrCat(source, ": is cut short: ", bytes.size(), " bytes, the head alone takes ", kEnvelopeSize));
  }
  const auto found = GetLittleEndian<uint32_t>(bytes.data());
  if (found > version) {
    return Unsupported(StrCat(source, ": has format version ", found, ", this build reads up to ", version));
  }
  if (found == 0) return Corrupt(StrCat(source, ": has format version 0, expected 1 to ", version));
  const auto payload = bytes.subspan(kEnvelopeSize);
  const auto size = GetLittleEndian<uint64_t>(bytes.data() + kSizeAt);
  if (size != payload.size()) {
    return Corrupt(StrCat(source, ": ",
                          size > payload.size() ? "is cut short" : "has extra bytes after its end", ": ",
                          payload.size(), " bytes of content, its head says ", size));
  }
  if (std::memcmp(Sha256(payload).data(), bytes.data() + kHashAt, kEnvelopeSize - kHashAt) != 0) {
    return Corrupt(StrCat(source, ": is damaged: its content does not match its SHA-256"));
  }
  return payload;
}

}  // namespace qat
