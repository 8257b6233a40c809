// matching_names.h: names that a flag chooses by a regular expression.
#ifndef QAT_BASE_MATCHING_NAMES_H_
#define QAT_BASE_MATCHING_NAMES_H_

#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Those of `names`, in their order, that the expression (ECMAScript's) describes from beginning to end.
/// Errors: kInvalidArgument, where it is none, or none fits; messages go behind the flag.
Expected<std::vector<std::string>> MatchingNames(const std::string& expression,
                                                 const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_BASE_MATCHING_NAMES_H_
