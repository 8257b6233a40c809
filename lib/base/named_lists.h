// named_lists.h: lists for several things in one text: "left=125.3,123,113.9,right=0".
#ifndef QAT_BASE_NAMED_LISTS_H_
#define QAT_BASE_NAMED_LISTS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace qat {

/// Whether a text has names at all.
bool HasNames(std::string_view text);

/// {"left": "125.3,123,113.9", "right": "0"}: a name begins a list, which ends before the next one; spaces
/// after commas do not count. Nothing: a list without a name, an empty name, or a name twice.
std::optional<std::map<std::string, std::string>> ParseNamedLists(const std::string& text);

}  // namespace qat

#endif  // QAT_BASE_NAMED_LISTS_H_
