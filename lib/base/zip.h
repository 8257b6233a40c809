// zip.h: ZIP archives in memory: the label file appended to a .tflite, the arrays of an .npz.
#ifndef QAT_BASE_ZIP_H_
#define QAT_BASE_ZIP_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

struct ZipFile {
  std::string name;
  Bytes content;
};

/// Appends an archive of `files`, stored uncompressed, to `bytes`, which stay in front of it as they are.
/// Offsets count from the first byte of `bytes`, so that unzip opens the whole as it is. Same files, same
/// bytes: every date is 1980-01-01. Requires names and contents under 64 KiB and 4 GiB.
void AppendZip(std::span<const ZipFile> files, Bytes& bytes);

/// One line of an archive's directory.
struct ZipEntry {
  std::string name;
  uint16_t method = 0;  ///< 0: stored, 8: deflated
  uint32_t crc = 0;
  uint64_t packed_size = 0;
  uint64_t size = 0;
  uint64_t header = 0;  ///< where its local header begins, from the first of the bytes read
  bool encrypted = false;
};

/// The directory of the archive that ends where `bytes` end; other bytes may lie in front of it.
/// 64-bit sizes included. Errors: kNotFound (no archive ends here), kCorrupt, kUnsupported (several volumes).
/// Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3.
Expected<std::vector<ZipEntry>> ListZip(std::span<const uint8_t> bytes);

/// The content of one entry, its checksum verified. Errors: kCorrupt, kUnsupported (a method other than
/// stored and deflated, encryption, more than `limit` bytes).
Expected<Bytes> ExtractZip(std::span<const uint8_t> bytes, const ZipEntry& entry, uint64_t limit);

}  // namespace qat

#endif  // QAT_BASE_ZIP_H_
