// op_names.h: operators under the names of other frameworks, and operators that a spec cannot have: each with
// what to write instead.
#ifndef QAT_SPEC_OP_NAMES_H_
#define QAT_SPEC_OP_NAMES_H_

#include <span>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// Why `name` is not an operator of a spec. kUnsupported where it is one that cannot be trained and run in
/// integers, with what to write instead; kInvalidArgument where it is a misspelling or another framework's
/// name, with ours.
/// Upper and lower case, '_' and '-' make no difference.
Error ExplainUnknownOp(std::string_view name);

/// Our name, one of `known`, for a key that other frameworks call `key`; empty where there is none.
std::string_view UsualKey(std::string_view key, std::span<const std::string> known);

}  // namespace qat

#endif  // QAT_SPEC_OP_NAMES_H_
