// embedded.h: the files under lib/spec/zoo and lib/spec/presets, as strings in the library.
#ifndef QAT_SPEC_EMBEDDED_H_
#define QAT_SPEC_EMBEDDED_H_

#include <string_view>
#include <vector>

namespace qat {

struct EmbeddedFile {
  std::string_view folder;  ///< "zoo" or "presets"
  std::string_view name;    ///< file name without ".toml"
  std::string_view text;
};

/// Sorted by folder, then name.
const std::vector<EmbeddedFile>& EmbeddedFiles();

}  // namespace qat

#endif  // QAT_SPEC_EMBEDDED_H_
