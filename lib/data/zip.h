// zip.h: the entries of a ZIP archive, as numpy.savez writes it (.npz).
#ifndef QAT_DATA_ZIP_H_
#define QAT_DATA_ZIP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

/// Entries that are stored or deflated, 64-bit sizes included; one volume, nothing encrypted. zlib does the work.
/// Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3.
class ZipFile {
 public:
  /// Reads the directory at the end of the file. Errors: kNotFound, kCorrupt, kUnsupported: "PATH: …".
  static Expected<ZipFile> Open(const std::string& path);

  /// In the order of the archive.
  const std::vector<std::string>& names() const { return names_; }

  /// The unpacked bytes, their CRC-32 checked. Errors: kNotFound, kCorrupt, kUnsupported: "PATH: 'NAME': …".
  Expected<Bytes> Read(std::string_view name) const;

 private:
  struct Entry {
    uint64_t offset = 0;  // of the local header
    uint64_t packed = 0;
    uint64_t size = 0;
    uint32_t crc = 0;
    uint16_t method = 0;
    bool encrypted = false;
  };
  Status ReadDirectory();
  Status ReadEntry(size_t& at);
  Expected<Bytes> Unpack(const Entry& entry) const;

  std::string path_;
  std::shared_ptr<const MappedFile> file_;
  std::vector<std::string> names_;
  std::vector<Entry> entries_;
};

}  // namespace qat

#endif  // QAT_DATA_ZIP_H_
