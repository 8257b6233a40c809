// class_names.h: names of classes from a text file, and labels that must stay within them.
#ifndef QAT_DATA_CLASS_NAMES_H_
#define QAT_DATA_CLASS_NAMES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Holds one class name per line, in label order, beside data whose format has no names.
inline constexpr std::string_view kClassNamesFile = "class_names.txt";

/// The lines of a text file, empty ones at its end and blanks at the end of each dropped. Errors: kNotFound,
/// kCorrupt (no line, an empty one among others, a name for the second time).
Expected<std::vector<std::string>> ReadClassNames(const std::string& path);

/// "0", "1", …
std::vector<std::string> NumberedClasses(int64_t count);

/// `per_image` labels for each image, all in [0, classes). `path` and `images_path` are for messages. Errors:
/// kCorrupt.
Status CheckLabels(const std::string& path, std::span<const int64_t> labels, const std::string& images_path,
                   int64_t images, size_t classes, int64_t per_image = 1);

}  // namespace qat

#endif  // QAT_DATA_CLASS_NAMES_H_
