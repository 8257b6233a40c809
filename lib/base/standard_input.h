// standard_input.h: standard input as a file named "-". It can be read once only, so what was read is kept.
#ifndef QAT_BASE_STANDARD_INPUT_H_
#define QAT_BASE_STANDARD_INPUT_H_

#include <string_view>

#include "base/expected.h"

namespace qat {

/// What stands for standard input where a program reads one file.
inline constexpr std::string_view kStandardInput = "-";

/// A descriptor of a copy in memory of all that came, at its beginning, the caller's to close: at the first
/// call it is read to its end. A program may so look at a file's kind before it reads it; not two at a time.
/// Errors: kNotFound (a terminal, or unreadable), kInterrupted, kSystem (memory).
Expected<int> OpenStandardInput();

}  // namespace qat

#endif  // QAT_BASE_STANDARD_INPUT_H_
