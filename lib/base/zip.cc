// Layout (PKWARE APPNOTE 6.3): a local header and the content for each file, then the directory with one
// record a file, [the end record and its locator of 64 bits,] then the end record, which says where the
// directory is.
#include "base/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint32_t kDirectorySignature = 0x02014b50;
constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kLocator64Signature = 0x07064b50;
constexpr size_t kLocalSize = 30, kDirectorySize = 46, kEndSize = 22, kEnd64Size = 56, kLocator64Size = 20;
constexpr uint16_t kExtra64 = 1;              // tag of the sizes of 64 bits
constexpr uint64_t kIn64 = 0xffffffff;        // stands for a value that is there
constexpr uint16_t kVersion = 10;             // stored files need nothing newer
constexpr uint16_t kFirstDay = (1 << 5) | 1;  // 1980-01-01
constexpr uint16_t kEncrypted = 1;            // flag
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr size_t kLongestComment = 0xffff;

void Put(uint64_t value, int size, Bytes& bytes) {
  for (int i = 0; i < size; ++i, value >>= 8) bytes.push_back(static_cast<uint8_t>(value));
}

uint64_t Get(std::span<const uint8_t> bytes, size_t at, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

bool Holds(std::span<const uint8_t> bytes, uint64_t at, uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at;
}

bool IsSigned(std::span<const uint8_t> bytes, uint64_t at, size_t size, uint32_t signature) {
  return Holds(bytes, at, size) && Get(bytes, at, 4) == signature;
}

uint32_t Checksum(std::span<const uint8_t> content) {
  return static_cast<uint32_t>(crc32_z(0, content.data(), content.size()));
}

// The fields that local header and directory record share, from the version needed to the length of the name.
void PutCommonFields(const ZipFile& file, Bytes& bytes) {
  Put(kVersion, 2, bytes);
  Put(0, 2, bytes);  // flags
  Put(kStored, 2, bytes);
  Put(0, 2, bytes);  // midnight
  Put(kFirstDay, 2, bytes);
  Put(Checksum(file.content), 4, bytes);
  Put(file.content.size(), 4, bytes);
  Put(file.content.size(), 4, bytes);
  Put(file.name.size(), 2, bytes);
  Put(0, 2, bytes);  // extra field
}

void PutDirectoryRecord(const ZipFile& file, size_t header, Bytes& bytes) {
  Put(kDirectorySignature, 4, bytes);
  Put(kVersion, 2, bytes);  // made by: MS-DOS, which has no permissions to give
  PutCommonFields(file, bytes);
  Put(0, 2 + 2 + 2 + 4, bytes);  // comment, volume, attributes
  Put(header, 4, bytes);
  bytes.insert(bytes.end(), file.name.begin(), file.name.end());
}

// A comment may follow the end record, and its length says whether it is one.
Expected<size_t> FindEnd(std::span<const uint8_t> bytes) {
  const size_t furthest = std::min(bytes.size(), kEndSize + kLongestComment);
  for (size_t back = kEndSize; back <= furthest; ++back) {
    const size_t at = bytes.size() - back;
    if (Get(bytes, at, 4) == kEndSignature && Get(bytes, at + 20, 2) == back - kEndSize) return at;
  }
  return NotFound("no ZIP archive ends here");
}

struct Directory {
  uint64_t count = 0, size = 0, offset = 0;
  uint64_t end = 0;  // of the directory, in the bytes
};

Expected<Directory> FindDirectory(std::span<const uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(const size_t end, FindEnd(bytes));
  if (end >= kLocator64Size && IsSigned(bytes, end - kLocator64Size, kLocator64Size, kLocator64Signature)) {
    const uint64_t at = Get(bytes, end - kLocator64Size + 8, 8);
    if (!IsSigned(bytes, at, kEnd64Size, kEnd64Signature))
      return Corrupt(StrCat("ZIP archive: no end record of 64 bits at byte ", at));
    return Directory{Get(bytes, at + 32, 8), Get(bytes, at + 40, 8), Get(bytes, at + 48, 8), at};
  }
  const uint64_t count = Get(bytes, end + 10, 2);
  if (Get(bytes, end + 4, 2) != 0 || Get(bytes, end + 8, 2) != count)
    return Unsupported("ZIP archives of several volumes");
  return Directory{count, Get(bytes, end + 12, 4), Get(bytes, end + 16, 4), end};
}

// Values of 32 bits that say kIn64 stand in the extra field, in this order.
void Read64(std::span<const uint8_t> extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    const size_t size = std::min<size_t>(Get(extra, 2, 2), extra.size() - 4);
    std::span<const uint8_t> field = extra.subspan(4, size);
    const bool is_64 = Get(extra, 0, 2) == kExtra64;
    for (uint64_t* value : {&entry.size, &entry.packed_size, &entry.header}) {
      if (!is_64 || *value != kIn64 || field.size() < 8) continue;
      *value = Get(field, 0, 8);
      field = field.subspan(8);
    }
    extra = extra.subspan(4 + size);
  }
}

Expected<ZipEntry> ReadRecord(std::span<const uint8_t> bytes, size_t& at, size_t end, uint64_t prefix) {
  if (end - at < kDirectorySize || Get(bytes, at, 4) != kDirectorySignature)
    return Corrupt(StrCat("ZIP archive: no directory record at byte ", at));
  ZipEntry entry;
  entry.encrypted = (Get(bytes, at + 8, 2) & kEncrypted) != 0;
  entry.method = static_cast<uint16_t>(Get(bytes, at + 10, 2));
  entry.crc = static_cast<uint32_t>(Get(bytes, at + 16, 4));
  entry.packed_size = Get(bytes, at + 20, 4);
  entry.size = Get(bytes, at + 24, 4);
  entry.header = Get(bytes, at + 42, 4);
  const size_t name = Get(bytes, at + 28, 2), extra = Get(bytes, at + 30, 2);
  const size_t rest = extra + Get(bytes, at + 32, 2);
  if (end - at - kDirectorySize < name + rest)
    return Corrupt(StrCat("ZIP archive: the directory record at byte ", at, " is cut off"));
  const auto first = bytes.begin() + static_cast<int64_t>(at + kDirectorySize);
  entry.name.assign(first, first + static_cast<int64_t>(name));
  Read64(bytes.subspan(at + kDirectorySize + name, extra), entry);
  entry.header += prefix;
  at += kDirectorySize + name + rest;
  return entry;
}

Expected<std::span<const uint8_t>> PackedBytes(std::span<const uint8_t> bytes, const ZipEntry& entry) {
  const uint64_t header = entry.header;
  if (!IsSigned(bytes, header, kLocalSize, kLocalSignature))
    return Corrupt(StrCat("ZIP archive: '", entry.name, "' has no header at byte ", header));
  const uint64_t first = header + kLocalSize + Get(bytes, header + 26, 2) + Get(bytes, header + 28, 2);
  if (!Holds(bytes, first, entry.packed_size))
    return Corrupt(StrCat("ZIP archive: '", entry.name, "' is cut off"));
  return bytes.subspan(first, entry.packed_size);
}

struct Inflater {
  z_stream stream{};
  bool open = false;
  Inflater() { open = inflateInit2(&stream, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (open) inflateEnd(&stream);
  }
};

// Deflate without zlib's own head, into exactly as many bytes as `content` has. zlib counts in 32 bits.
bool Inflate(std::span<const uint8_t> packed, std::span<uint8_t> content) {
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  Inflater inflater;
  z_stream& stream = inflater.stream;
  size_t read = 0, written = 0;
  uint8_t none = 0;
  while (inflater.open) {
    stream.next_in = const_cast<Bytef*>(packed.data()) + read;
    stream.avail_in = static_cast<uInt>(std::min(packed.size() - read, kMost));
    stream.next_out = content.empty() ? &none : content.data() + written;
    stream.avail_out = static_cast<uInt>(std::min(content.size() - written, kMost));
    const size_t in = stream.avail_in, space = stream.avail_out;
    const int result = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    written += space - stream.avail_out;
    if (result == Z_STREAM_END) return written == content.size();
    if (result != Z_OK || (in == stream.avail_in && space == stream.avail_out)) return false;
  }
  return false;
}

}  // namespace

void AppendZip(std::span<const ZipFile> files, Bytes& bytes) {
  std::vector<size_t> headers;
  for (const ZipFile& file : files) {
    QAT_CHECK(file.name.size() <= std::numeric_limits<uint16_t>::max());
    headers.push_back(bytes.size());
    Put(kLocalSignature, 4, bytes);
    PutCommonFields(file, bytes);
    bytes.insert(bytes.end(), file.name.begin(), file.name.end());
    bytes.insert(bytes.end(), file.content.begin(), file.content.end());
  }
  const size_t directory = bytes.size();
  for (size_t i = 0; i < files.size(); ++i) PutDirectoryRecord(files[i], headers[i], bytes);
  const size_t end = bytes.size();
  QAT_CHECK(end <= std::numeric_limits<uint32_t>::max());
  Put(kEndSignature, 4, bytes);
  Put(0, 2 + 2, bytes);  // volumes
  Put(files.size(), 2, bytes);
  Put(files.size(), 2, bytes);
  Put(end - directory, 4, bytes);
  Put(directory, 4, bytes);
  Put(0, 2, bytes);  // comment
}

Expected<std::vector<ZipEntry>> ListZip(std::span<const uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(bytes));
  const auto& [count, size, offset, end] = directory;
  if (size > end || offset > end - size)
    return Corrupt(StrCat("ZIP archive: its directory would lie at ", offset, " + ", size, ", past its end"));
  // Some writers count from the archive's own first byte instead of the file's.
  const uint64_t prefix = end - size - offset;
  std::vector<ZipEntry> entries;
  for (size_t at = end - size; entries.size() < count;) {
    QAT_ASSIGN_OR_RETURN(ZipEntry entry, ReadRecord(bytes, at, end, prefix));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Expected<Bytes> ExtractZip(std::span<const uint8_t> bytes, const ZipEntry& entry, uint64_t limit) {
  const std::string place = StrCat("ZIP archive: '", entry.name, "'");
  if (entry.encrypted) return Unsupported(StrCat(place, " is encrypted"));
  if (entry.method != kStored && entry.method != kDeflated)
    return Unsupported(
        StrCat(place, " is compressed by method ", entry.method, ", expected stored or deflated"));
  if (entry.size > limit)
    return Unsupported(StrCat(place, " has ", entry.size, " bytes, expected at most ", limit));
  QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> packed, PackedBytes(bytes, entry));
  if (entry.method == kStored && packed.size() != entry.size)
    return Corrupt(StrCat(place, " is stored in ", packed.size(), " bytes, expected ", entry.size));
  // Deflate packs 258 bytes into two bits at best: a size beyond that is damage, and must not be allocated.
  if (entry.size / 1032 > packed.size())
    return Corrupt(StrCat(place, " cannot hold ", entry.size, " bytes in ", packed.size()));
  Bytes content(entry.size);
  if (entry.method == kStored) {
    std::copy(packed.begin(), packed.end(), content.begin());
  } else if (!Inflate(packed, content)) {
    return Corrupt(StrCat(place, ": its compressed content is damaged"));
  }
  if (Checksum(content) != entry.crc) return Corrupt(StrCat(place, " differs from its checksum"));
  return content;
}

}  // namespace qat
