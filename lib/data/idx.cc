#include "data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <span>

#include "base/file_kind.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr uint8_t kUnsignedByte = 0x08;
constexpr size_t kMaxDimensions = 4;

bool IsGzip(std::span<const uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

std::string Hex(uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return StrCat("0x", kDigits[byte >> 4], kDigits[byte & 15]);
}

std::string_view NameOfType(uint8_t code) {
  switch (code) {
    case 0x09:
      return " (signed byte)";
    case 0x0b:
      return " (int16)";
    case 0x0c:
      return " (int32)";
    case 0x0d:
      return " (float32)";
    case 0x0e:
      return " (float64)";
  }
  return "";
}

uint32_t BigEndian32(std::span<const uint8_t> bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
}

// The sizes in the header, which takes 4 + 4 * dimensions bytes.
Expected<Shape> ParseHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) {
    return Corrupt(StrCat("is ", DescribeKind(bytes), ", expected an IDX file (first bytes 0x00 0x00 0x08)"));
  }
  if (bytes[2] != kUnsignedByte) {
    return Corrupt(StrCat("offset 2: element type ", Hex(bytes[2]), NameOfType(bytes[2]), ", expected ",
                          Hex(kUnsignedByte), " (unsigned byte)"));
  }
  const size_t dimensions = bytes[3];
  if (dimensions == 0 || dimensions > kMaxDimensions) {
    return Corrupt(StrCat("offset 3: ", dimensions, " dimensions, expected 1 to ", kMaxDimensions));
  }
  const size_t header = 4 + 4 * dimensions;
  if (bytes.size() < header) {
    return Corrupt(StrCat("ends at byte ", bytes.size(), ", inside its header of ", header, " bytes"));
  }
  Shape shape;
  for (size_t i = 0; i < dimensions; ++i) {
    const uint32_t size = BigEndian32(bytes.subspan(4 + 4 * i));
    if (size > static_cast<uint32_t>(std::numeric_limits<int32_t>::max())) {
      return Corrupt(StrCat("offset ", 4 + 4 * i, ": size ", size, ", expected less than 2^31"));
    }
    shape.push_back(static_cast<int32_t>(size));
  }
  return shape;
}

Expected<IdxArray> ParseIdx(const Bytes& bytes) {
  QAT_ASSIGN_OR_RETURN(Shape shape, ParseHeader(bytes));
  const size_t header = 4 + 4 * shape.size();
  const auto held = static_cast<int64_t>(bytes.size() - header);
  const int64_t expected = FlatSize(shape);
  if (held < expected) {
    return Corrupt(
        StrCat("is cut off: ", held, " bytes of values, expected ", expected, " for ", ToString(shape)));
  }
  if (held > expected) {
    return Corrupt(StrCat("offset ", static_cast<int64_t>(header) + expected, ": ", held - expected,
                          " bytes follow the last value, expected none for ", ToString(shape)));
  }
  return IdxArray{std::move(shape), Bytes(bytes.begin() + static_cast<ptrdiff_t>(header), bytes.end())};
}

// zlib's state, closed on every way out.
struct Inflater {
  z_stream stream{};
  bool open = false;
  Inflater() { open = inflateInit2(&stream, MAX_WBITS + 16) == Z_OK; }
  ~Inflater() {
    if (open) inflateEnd(&stream);
  }
};

}  // namespace

Expected<Bytes> Inflated(Bytes bytes, const std::string& source, uint64_t limit) {
  if (!IsGzip(bytes)) return bytes;
  Inflater inflater;
  if (!inflater.open) return SystemError(StrCat(source, ": zlib cannot be started"));
  z_stream& stream = inflater.stream;
  Bytes out;
  size_t in_used = 0, out_used = 0;
  // Several gzip members in a row are one file, as for gunzip.
  while (in_used < bytes.size()) {
    if (out_used == out.size()) {
      const size_t next = std::max<size_t>(2 * out.size(), 4 * bytes.size() + 4096);
      out.resize(std::min<uint64_t>(next, limit < UINT64_MAX ? limit + 1 : limit));
    }
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    const size_t in_size = std::min(bytes.size() - in_used, kMost);
    const size_t out_size = std::min(out.size() - out_used, kMost);
    stream.next_in = bytes.data() + in_used;
    stream.avail_in = static_cast<uInt>(in_size);
    stream.next_out = out.data() + out_used;
    stream.avail_out = static_cast<uInt>(out_size);
    const int result = inflate(&stream, Z_NO_FLUSH);
    in_used += in_size - stream.avail_in;
    out_used += out_size - stream.avail_out;
    if (out_used > limit) {
      out.resize(limit);
      return out;
    }
    const bool ended = result == Z_STREAM_END;
    if (ended && in_used == bytes.size()) {
      out.resize(std::min<uint64_t>(out_used, limit));
      return out;
    }
    if (ended && inflateReset(&stream) == Z_OK) continue;
    if (result != Z_OK && result != Z_BUF_ERROR) {
      return Corrupt(StrCat(source, ": gzip data is damaged at byte ", in_used, " of ", bytes.size(), " (",
                            stream.msg != nullptr ? stream.msg : "unknown reason", ")"));
    }
  }
  return Corrupt(StrCat(source, ": gzip data is cut off after ", bytes.size(), " bytes, which hold ",
                        out_used, " bytes and no end"));
}

Expected<IdxArray> ReadIdx(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(Bytes stored, ReadFile(path));
  uint64_t limit = UINT64_MAX;
  if (IsGzip(stored)) {
    // The header says how much there is: what inflates beyond that is not waited for.
    QAT_ASSIGN_OR_RETURN(const Bytes head, Inflated(stored, path, 4 + 4 * kMaxDimensions));
    QAT_ASSIGN_OR_RETURN_IN(path, const Shape shape, ParseHeader(head));
    limit = 4 + 4 * shape.size() + static_cast<uint64_t>(FlatSize(shape)) + 1;
  }
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, Inflated(std::move(stored), path, limit));
  auto array = ParseIdx(bytes);
  if (!array.ok()) return std::move(array).error().Prefixed(path);
  return array;
}

Bytes SerializeIdx(const IdxArray& array) {
  QAT_CHECK(array.shape.size() <= 255 && FlatSize(array.shape) == static_cast<int64_t>(array.values.size()));
  Bytes bytes = {0, 0, kUnsignedByte, static_cast<uint8_t>(array.shape.size())};
  for (const int32_t size : array.shape) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(size >> shift));
  }
  bytes.insert(bytes.end(), array.values.begin(), array.values.end());
  return bytes;
}

}  // namespace qat
