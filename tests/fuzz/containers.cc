#include "fuzz/containers.h"

#include <zlib.h>

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/envelope.h"
#include "base/file_kind.h"

namespace qat::fuzz {
namespace {

constexpr std::array<uint8_t, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr size_t kLocalSize = 30, kDirectorySize = 46;
constexpr size_t kMostContent = 1 << 20;

uint64_t GetLittle(std::span<const uint8_t> bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

void PutLittle(uint64_t value, size_t size, size_t at, Bytes& bytes) {
  for (size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

uint32_t Checksum(std::span<const uint8_t> bytes) {
  return static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

int WindowBits(Stream stream) { return stream == Stream::kGzip ? 31 : stream == Stream::kZlib ? 15 : -15; }

// Of an envelope of the same length: its header alone is made again.
void Reseal(std::span<uint8_t> envelope) {
  if (envelope.size() < kEnvelopeSize) return;
  const std::string_view identifier(reinterpret_cast<const char*>(envelope.data()) + 4, 4);
  const auto version = static_cast<uint32_t>(GetLittle(envelope, 0, 4));
  const Bytes sealed = SealEnvelope(identifier, version, envelope.subspan(kEnvelopeSize));
  std::copy_n(sealed.begin(), kEnvelopeSize, envelope.begin());
}

// The entry whose record in the directory begins at `record`.
void MendEntry(size_t record, Bytes& bytes) {
  const auto method = GetLittle(bytes, record + 10, 2);
  const auto packed_size = GetLittle(bytes, record + 20, 4);
  const auto local = static_cast<size_t>(GetLittle(bytes, record + 42, 4));
  if (local > bytes.size() || bytes.size() - local < kLocalSize) return;
  const size_t content =
      local + kLocalSize + GetLittle(bytes, local + 26, 2) + GetLittle(bytes, local + 28, 2);
  if (content > bytes.size() || packed_size > bytes.size() - content) return;
  const auto packed = std::span<const uint8_t>(bytes).subspan(content, packed_size);
  const Bytes unpacked = method == 8 ? Uncompress(packed, Stream::kRaw) : Bytes(packed.begin(), packed.end());
  for (const size_t at : {record + 16, local + 14}) {
    PutLittle(Checksum(unpacked), 4, at, bytes);
    PutLittle(packed_size, 4, at + 4, bytes);
    PutLittle(unpacked.size(), 4, at + 8, bytes);
  }
}

}  // namespace

std::span<uint8_t> InnerEnvelope(std::span<uint8_t> bytes) {
  if (bytes.size() <= kEnvelopeSize) return {};
  const auto found = std::search(bytes.begin() + kEnvelopeSize, bytes.end(), kGraphIdentifier.begin(),
                                 kGraphIdentifier.end());
  const auto at = static_cast<size_t>(found - bytes.begin());
  if (found == bytes.end() || at < 8) return {};
  const uint64_t size = GetLittle(bytes, at - 8, 4);  // a vector's length stands before its values
  return size > bytes.size() - (at - 4) ? std::span<uint8_t>() : bytes.subspan(at - 4, size);
}

void MendEnvelope(Bytes& bytes) {
  Reseal(InnerEnvelope(bytes));
  Reseal(bytes);
}

void MendZip(Bytes& bytes) {
  constexpr std::array<uint8_t, 4> kRecord = {'P', 'K', 1, 2};
  for (auto at = bytes.begin();
       (at = std::search(at, bytes.end(), kRecord.begin(), kRecord.end())) != bytes.end(); ++at) {
    const auto record = static_cast<size_t>(at - bytes.begin());
    if (bytes.size() - record >= kDirectorySize) MendEntry(record, bytes);
  }
}

std::vector<PngChunk> ReadPngChunks(std::span<const uint8_t> bytes) {
  std::vector<PngChunk> chunks;
  for (size_t at = kPngSignature.size(); at + 12 <= bytes.size();) {
    const size_t size =
        size_t{bytes[at]} << 24 | size_t{bytes[at + 1]} << 16 | size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    const auto content = bytes.subspan(at + 8, std::min(size, bytes.size() - at - 12));
    PngChunk& chunk = chunks.emplace_back();
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at + 4), 4, chunk.type.begin());
    chunk.content.assign(content.begin(), content.end());
    at += 12 + content.size();
  }
  return chunks;
}

Bytes WritePng(std::span<const PngChunk> chunks) {
  Bytes bytes(kPngSignature.begin(), kPngSignature.end());
  const auto put = [&bytes](size_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
  };
  for (const PngChunk& chunk : chunks) {
    put(chunk.content.size());
    const size_t begin = bytes.size();
    bytes.insert(bytes.end(), chunk.type.begin(), chunk.type.end());
    bytes.insert(bytes.end(), chunk.content.begin(), chunk.content.end());
    put(Checksum(std::span<const uint8_t>(bytes).subspan(begin)));
  }
  return bytes;
}

Bytes Compress(std::span<const uint8_t> bytes, Stream stream) {
  z_stream z = {};
  QAT_CHECK(deflateInit2(&z, 1, Z_DEFLATED, WindowBits(stream), 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&z, bytes.size()) + 32);
  z.next_in = const_cast<uint8_t*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = packed.data();
  z.avail_out = static_cast<uInt>(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

Bytes Uncompress(std::span<const uint8_t> bytes, Stream stream) {
  z_stream z = {};
  QAT_CHECK(inflateInit2(&z, WindowBits(stream)) == Z_OK);
  Bytes content(kMostContent);
  z.next_in = const_cast<uint8_t*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = content.data();
  z.avail_out = static_cast<uInt>(content.size());
  inflate(&z, Z_FINISH);
  content.resize(z.total_out);
  inflateEnd(&z);
  return content;
}

}  // namespace qat::fuzz
