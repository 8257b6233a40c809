#include "base/matching_names.h"

#include <optional>
#include <regex>

#include "base/join_some.h"
#include "base/strings.h"

namespace qat {

Expected<std::vector<std::string>> MatchingNames(const std::string& expression,
                                                 const std::vector<std::string>& names) {
  std::optional<std::regex> pattern;
  try {
    pattern.emplace(expression);
  } catch (const std::regex_error& error) {
    return InvalidArgument(StrCat("value '", expression, "' is no regular expression (", error.what(), ")"));
  }
  std::vector<std::string> matching;
  for (const std::string& name : names) {
    if (std::regex_match(name, *pattern)) matching.push_back(name);
  }
  if (!matching.empty()) return matching;
  return InvalidArgument(
      StrCat("no layer has a name that '", expression,
             "' describes from its beginning to its end, expected one of: ", JoinSome(names, 12)));
}

}  // namespace qat
