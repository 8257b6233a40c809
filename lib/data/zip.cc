// Local header and data of every entry; the central directory, one record an entry; [zip64 end record and locator]; the
// end record: "PK\5\6", 2 disk numbers, 2 entry counts, size and offset of the directory, a comment.
#include "data/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "base/file_kind.h"
#include "base/strings.h"

namespace qat {
namespace {

using View = std::span<const uint8_t>;

constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryRecord = 0x02014b50, kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr size_t kLocalSize = 30, kRecordSize = 46, kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56;
constexpr uint16_t kStored = 0, kDeflated = 8, kExtra64 = 1;
constexpr uint64_t kIn64 = 0xffffffff;  // a 32-bit field whose value is in the zip64 part

uint64_t Little(View bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

bool Holds(View bytes, uint64_t at, uint64_t size) { return at <= bytes.size() && size <= bytes.size() - at; }

bool Signed(View bytes, uint64_t at, size_t size, uint32_t signature) {
  return Holds(bytes, at, size) && Little(bytes, at, 4) == signature;
}

// A comment of up to 65535 bytes may follow the end record.
std::optional<size_t> FindEnd(View bytes) {
  if (bytes.size() < kEndSize) return std::nullopt;
  const size_t last = bytes.size() - kEndSize;
  const size_t first = last > 0xffff ? last - 0xffff : 0;
  for (size_t at = last + 1; at > first; --at) {
    if (Signed(bytes, at - 1, kEndSize, kEnd)) return at - 1;
  }
  return std::nullopt;
}

struct Directory {
  uint64_t count = 0;
  uint64_t offset = 0;
};

std::optional<Directory> FindDirectory(View bytes) {
  const auto end = FindEnd(bytes);
  if (!end) return std::nullopt;
  Directory directory{Little(bytes, *end + 10, 2), Little(bytes, *end + 16, 4)};
  if (*end < kLocatorSize || !Signed(bytes, *end - kLocatorSize, kLocatorSize, kLocator64)) return directory;
  const uint64_t end64 = Little(bytes, *end - kLocatorSize + 8, 8);
  if (!Signed(bytes, end64, kEnd64Size, kEnd64)) return std::nullopt;
  return Directory{Little(bytes, end64 + 32, 8), Little(bytes, end64 + 48, 8)};
}

struct Inflater {
  z_stream stream{};
  bool open = false;
  Inflater() { open = inflateInit2(&stream, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (open) inflateEnd(&stream);
  }
};

// Raw deflate data into exactly as many bytes as `out` has.
bool Inflate(View packed, Bytes& out) {
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  Inflater inflater;
  if (!inflater.open) return false;
  z_stream& stream = inflater.stream;
  size_t in_used = 0, out_used = 0;
  uint8_t none = 0;
  while (true) {
    stream.next_in = const_cast<uint8_t*>(packed.data()) + in_used;
    stream.avail_in = static_cast<uInt>(std::min(packed.size() - in_used, kMost));
    stream.next_out = out.empty() ? &none : out.data() + out_used;
    stream.avail_out = static_cast<uInt>(std::min(out.size() - out_used, kMost));
    const size_t in = stream.avail_in, space = stream.avail_out;
    const int result = inflate(&stream, Z_NO_FLUSH);
    in_used += in - stream.avail_in;
    out_used += space - stream.avail_out;
    if (result == Z_STREAM_END) return out_used == out.size();
    if (result != Z_OK || (in == stream.avail_in && space == stream.avail_out)) return false;
  }
}

uint32_t Crc(View bytes) {
  return static_cast<uint32_t>(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
}

}  // namespace

Expected<ZipFile> ZipFile::Open(const std::string& path) {
  ZipFile zip;
  zip.path_ = path;
  QAT_ASSIGN_OR_RETURN(zip.file_, MappedFile::Open(path));
  QAT_RETURN_IF_ERROR_IN(path, zip.ReadDirectory());
  return zip;
}

Status ZipFile::ReadDirectory() {
  const View bytes = file_->bytes();
  const auto directory = FindDirectory(bytes);
  if (!directory) {
    return Corrupt(StrCat("is ", DescribeKind(bytes),
                          " or cut off, expected a ZIP archive with its directory at the end"));
  }
  size_t at = directory->offset;
  for (uint64_t i = 0; i < directory->count; ++i) QAT_RETURN_IF_ERROR(ReadEntry(at));
  return {};
}

// One record of the directory; `at` moves behind it.
Status ZipFile::ReadEntry(size_t& at) {
  const View bytes = file_->bytes();
  if (!Signed(bytes, at, kRecordSize, kDirectoryRecord)) {
    return Corrupt(StrCat("offset ", at, ": no entry of the ZIP directory"));
  }
  const size_t name = Little(bytes, at + 28, 2), extra = Little(bytes, at + 30, 2),
               comment = Little(bytes, at + 32, 2);
  if (!Holds(bytes, at + kRecordSize, name + extra + comment))
    return Corrupt("is cut off in its ZIP directory");
  Entry entry;
  entry.encrypted = (bytes[at + 8] & 1) != 0;
  entry.method = static_cast<uint16_t>(Little(bytes, at + 10, 2));
  entry.crc = static_cast<uint32_t>(Little(bytes, at + 16, 4));
  entry.packed = Little(bytes, at + 20, 4);
  entry.size = Little(bytes, at + 24, 4);
  entry.offset = Little(bytes, at + 42, 4);
  View rest = bytes.subspan(at + kRecordSize + name, extra);
  while (rest.size() >= 4) {
    const size_t size = std::min<size_t>(Little(rest, 2, 2), rest.size() - 4);
    View field = rest.subspan(4, size);
    if (Little(rest, 0, 2) == kExtra64) {
      for (uint64_t* value : {&entry.size, &entry.packed, &entry.offset}) {
        if (*value != kIn64 || field.size() < 8) continue;
        *value = Little(field, 0, 8);
        field = field.subspan(8);
      }
    }
    rest = rest.subspan(4 + size);
  }
  names_.emplace_back(reinterpret_cast<const char*>(&bytes[at + kRecordSize]), name);
  entries_.push_back(entry);
  at += kRecordSize + name + extra + comment;
  return {};
}

Expected<Bytes> ZipFile::Read(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return NotFound(StrCat(path_, ": holds no '", name, "', only ", Join(names_)));
  auto unpacked = Unpack(entries_[static_cast<size_t>(found - names_.begin())]);
  if (!unpacked.ok()) return std::move(unpacked).error().Prefixed(StrCat(path_, ": '", name, "'"));
  return unpacked;
}

Expected<Bytes> ZipFile::Unpack(const Entry& entry) const {
  const View bytes = file_->bytes();
  if (entry.encrypted) return Unsupported("is encrypted");
  if (!Signed(bytes, entry.offset, kLocalSize, kLocalHeader)) return Corrupt("has no header");
  const uint64_t data =
      entry.offset + kLocalSize + Little(bytes, entry.offset + 26, 2) + Little(bytes, entry.offset + 28, 2);
  if (!Holds(bytes, data, entry.packed)) return Corrupt("is cut off");
  const View packed = bytes.subspan(data, entry.packed);
  // Deflate packs 258 bytes into two bits at best: a size beyond that is damage, and must not be allocated.
  const bool possible = entry.size / 1032 <= entry.packed;
  Bytes unpacked;
  if (entry.method == kStored) {
    unpacked.assign(packed.begin(), packed.end());
  } else if (entry.method != kDeflated) {
    return Unsupported(StrCat("has ZIP method ", entry.method, ", expected stored or deflated"));
  } else if (possible) {
    unpacked.resize(entry.size);
    if (!Inflate(packed, unpacked)) return Corrupt("is damaged");
  }
  if (unpacked.size() != entry.size || Crc(unpacked) != entry.crc)
    return Corrupt("is damaged (size or CRC-32)");
  return unpacked;
}

}  // namespace qat
