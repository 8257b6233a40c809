// name_map.h: which tensors of a weights file are which of a network's, as somebody wrote it down.
#ifndef QAT_WEIGHTS_NAME_MAP_H_
#define QAT_WEIGHTS_NAME_MAP_H_

#include <map>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// One line each: `ours = theirs`; "#" begins a comment, quotes around a name are optional.
///   conv1 = features.0                        a layer and a module: filter, bias, slopes
///   conv1/batch_norm = features.1             the batch normalization of a layer and a module
///   "fc/filter" = "classifier.weight"         one tensor and another
///   logits = -                                the layer starts as if there was no file
struct NameMap {
  std::string source;
  struct Line {
    std::string theirs;
    int32_t number = 0;
  };
  std::map<std::string, Line> lines;

  /// "SOURCE:LINE".
  std::string Place(const std::string& ours) const;
  /// Null where there is no such line.
  const Line* Find(const std::string& ours) const;
};

inline constexpr std::string_view kFreshLayer = "-";

/// Errors: kInvalidArgument "SOURCE:LINE: …" for a line that is none, or a name that comes twice.
Expected<NameMap> ParseNameMap(std::string_view text, const std::string& source);

}  // namespace qat

#endif  // QAT_WEIGHTS_NAME_MAP_H_
