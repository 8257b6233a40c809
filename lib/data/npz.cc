#include "data/npz.h"

#include <algorithm>
#include <limits>

#include "base/file_kind.h"
#include "base/strings.h"

namespace qat {

Expected<NpzFile> NpzFile::Open(const std::string& path) {
  NpzFile npz;
  npz.path_ = path;
  QAT_ASSIGN_OR_RETURN(npz.file_, ReadFile(path));
  auto entries = ListZip(npz.file_);
  if (!entries.ok() && entries.error().code == ErrorCode::kNotFound) {
    const std::string kind = DescribeKind(npz.file_);
    const bool cut = kind == "a ZIP archive" || kind == "NumPy arrays (.npz)";
    return Corrupt(cut ? StrCat(path, ": is cut off: a ZIP archive ends in its directory")
                       : StrCat(path, ": is ", kind, ", expected NumPy arrays, as np.savez writes them"));
  }
  if (!entries.ok()) return std::move(entries).error().Prefixed(path);
  npz.entries_ = *std::move(entries);
  for (const ZipEntry& entry : npz.entries_) npz.names_.push_back(entry.name);
  return npz;
}

Expected<Bytes> NpzFile::Read(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return NotFound(StrCat(path_, ": holds no '", name, "', only ", Join(names_)));
  auto unpacked = ExtractZip(file_, entries_[static_cast<size_t>(found - names_.begin())],
                             std::numeric_limits<uint64_t>::max());
  if (unpacked.ok()) return unpacked;
  const bool damaged = unpacked.error().code == ErrorCode::kCorrupt;
  return std::move(unpacked).error().Prefixed(StrCat(path_, ": '", name, "'", damaged ? ": is damaged" : ""));
}

}  // namespace qat
