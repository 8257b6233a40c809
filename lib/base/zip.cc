// Layout (PKWARE APPNOTE 6.3): a local header and the content for each file, then the directory with one record a
// file, then the end record, which says where the directory is.
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
constexpr size_t kLocalSize = 30, kDirectorySize = 46, kEndSize = 22;
constexpr uint16_t kVersion = 10;             // stored files need nothing newer
constexpr uint16_t kFirstDay = (1 << 5) | 1;  // 1980-01-01
constexpr uint16_t kEncrypted = 1;            // flag
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr size_t kLongestComment = 0xffff;

void Put(uint64_t value, int size, Bytes& bytes) {
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint32_t Get(std::span<const uint8_t> bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) value |= uint32_t{bytes[at + static_cast<size_t>(i)]} << (8 * i);
  return value;
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

Expected<ZipEntry> ReadRecord(std::span<const uint8_t> bytes, size_t& at, size_t end, size_t prefix) {
  if (end - at < kDirectorySize || Get(bytes, at, 4) != kDirectorySignature)
    return Corrupt(StrCat("ZIP archive: no directory record at byte ", at));
  if ((Get(bytes, at + 8, 2) & kEncrypted) != 0) return Unsupported("encrypted ZIP archives");
  ZipEntry entry;
  entry.method = static_cast<uint16_t>(Get(bytes, at + 10, 2));
  entry.crc = Get(bytes, at + 16, 4);
  entry.packed_size = Get(bytes, at + 20, 4);
  entry.size = Get(bytes, at + 24, 4);
  entry.header = prefix + Get(bytes, at + 42, 4);
  const size_t name = Get(bytes, at + 28, 2);
  const size_t rest = size_t{Get(bytes, at + 30, 2)} + Get(bytes, at + 32, 2);
  if (end - at - kDirectorySize < name + rest)
    return Corrupt(StrCat("ZIP archive: the directory record at byte ", at, " is cut off"));
  const auto first = bytes.begin() + static_cast<int64_t>(at + kDirectorySize);
  entry.name.assign(first, first + static_cast<int64_t>(name));
  at += kDirectorySize + name + rest;
  return entry;
}

Expected<std::span<const uint8_t>> PackedBytes(std::span<const uint8_t> bytes, const ZipEntry& entry) {
  const uint64_t header = entry.header;
  if (header > bytes.size() || bytes.size() - header < kLocalSize ||
      Get(bytes, header, 4) != kLocalSignature) {
    return Corrupt(StrCat("ZIP archive: '", entry.name, "' has no header at byte ", header));
  }
  const uint64_t first = header + kLocalSize + Get(bytes, header + 26, 2) + Get(bytes, header + 28, 2);
  if (first > bytes.size() || entry.packed_size > bytes.size() - first)
    return Corrupt(StrCat("ZIP archive: '", entry.name, "' is cut off"));
  return bytes.subspan(first, entry.packed_size);
}

// Deflate without zlib's own head, all at once: the directory says how much comes out.
Status Inflate(std::span<const uint8_t> packed, std::span<uint8_t> content) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return SystemError("zlib cannot be started");
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = content.data();
  stream.avail_out = static_cast<uInt>(content.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole ? Status() : Corrupt("its compressed content is damaged");
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
  QAT_ASSIGN_OR_RETURN(const size_t end, FindEnd(bytes));
  const uint32_t count = Get(bytes, end + 10, 2);
  const size_t size = Get(bytes, end + 12, 4);
  const size_t offset = Get(bytes, end + 16, 4);
  if (Get(bytes, end + 4, 2) != 0 || Get(bytes, end + 8, 2) != count)
    return Unsupported("ZIP archives of several volumes");
  if (count == 0xffff || size == 0xffffffff || offset == 0xffffffff) return Unsupported("ZIP64 archives");
  if (size > end || offset > end - size)
    return Corrupt(
        StrCat("ZIP archive: its directory would lie at ", offset, " + ", size, ", behind its end"));
  // Some writers count from the archive's own first byte instead of the file's.
  const size_t prefix = end - size - offset;
  std::vector<ZipEntry> entries;
  for (size_t at = end - size; entries.size() < count;) {
    QAT_ASSIGN_OR_RETURN(ZipEntry entry, ReadRecord(bytes, at, end, prefix));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Expected<Bytes> ExtractZip(std::span<const uint8_t> bytes, const ZipEntry& entry, uint64_t limit) {
  const std::string place = StrCat("ZIP archive: '", entry.name, "'");
  if (entry.method != kStored && entry.method != kDeflated)
    return Unsupported(
        StrCat(place, " is compressed by method ", entry.method, ", expected stored or deflated"));
  if (entry.size > limit || entry.packed_size > std::numeric_limits<uInt>::max())
    return Unsupported(StrCat(place, " has ", entry.size, " bytes, expected at most ", limit));
  QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> packed, PackedBytes(bytes, entry));
  Bytes content(entry.size);
  if (entry.method == kDeflated) {
    QAT_RETURN_IF_ERROR_IN(place, Inflate(packed, content));
  } else if (packed.size() == content.size()) {
    std::copy(packed.begin(), packed.end(), content.begin());
  } else {
    return Corrupt(StrCat(place, " is stored in ", packed.size(), " bytes, expected ", entry.size));
  }
  if (Checksum(content) != entry.crc) return Corrupt(StrCat(place, " differs from its checksum"));
  return content;
}

}  // namespace qat
