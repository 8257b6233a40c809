// number_pair.h: flags that take two numbers: --input-stats 0,255.
#ifndef QAT_CLI_NUMBER_PAIR_H_
#define QAT_CLI_NUMBER_PAIR_H_

#include <array>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// "0,1" or "0 1" as two finite numbers. Errors: kInvalidArgument, naming `flag` and what was `expected`.
Expected<std::array<double, 2>> ParsePair(std::string_view flag, std::string_view expected,
                                          std::string_view text);

/// The same for "MEAN,STD": the second must be positive.
Expected<std::array<double, 2>> ParseStats(std::string_view flag, std::string_view text);

}  // namespace qat

#endif  // QAT_CLI_NUMBER_PAIR_H_
