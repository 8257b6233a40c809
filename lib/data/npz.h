// npz.h: the arrays of an .npz, a ZIP archive as numpy.savez writes it.
#ifndef QAT_DATA_NPZ_H_
#define QAT_DATA_NPZ_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "base/zip.h"

namespace qat {

class NpzFile {
 public:
  /// Reads the directory at the end of the file. Errors: kNotFound, kCorrupt, kUnsupported: "PATH: …".
  static Expected<NpzFile> Open(const std::string& path);

  /// In the order of the archive.
  const std::vector<std::string>& names() const { return names_; }

  /// The unpacked bytes, their CRC-32 checked. Errors: kNotFound, kCorrupt, kUnsupported: "PATH: 'NAME': …".
  Expected<Bytes> Read(std::string_view name) const;

 private:
  std::string path_;
  Bytes file_;
  std::vector<std::string> names_;
  std::vector<ZipEntry> entries_;
};

}  // namespace qat

#endif  // QAT_DATA_NPZ_H_
