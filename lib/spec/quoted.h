// quoted.h: texts as TOML has them.
#ifndef QAT_SPEC_QUOTED_H_
#define QAT_SPEC_QUOTED_H_

#include <string>
#include <string_view>

namespace qat {

/// A basic string of TOML that is read as `text` again: quotes, backslashes and control characters are
/// written out.
std::string Quoted(std::string_view text);

}  // namespace qat

#endif  // QAT_SPEC_QUOTED_H_
