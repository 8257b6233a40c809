// flag_table.h: flags as rows of a table.
#ifndef QAT_CLI_FLAG_TABLE_H_
#define QAT_CLI_FLAG_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace qat {

/// Where the value of a flag goes. What it holds when the flag is added is the default. A bool is a switch
/// without value; a vector of texts collects the flag given again, one of numbers is split at commas.
using FlagTarget = std::variant<bool*, std::string*, int32_t*, int64_t*, uint64_t*, float*, double*,
                                std::optional<int32_t>*, std::optional<int64_t>*, std::optional<double>*,
                                std::vector<std::string>*, std::vector<int32_t>*>;

struct FlagRow {
  const char* names;  ///< "-o,--output"; an argument has no hyphens
  FlagTarget target;
  /// What the value is: FILE, N, X (a number), "fast|reference" where only these are taken; FILE... takes
  /// several words.
  const char* type;
  /// One sentence with the unit. The default is appended by itself, unless the text holds "(default …)".
  const char* text;
  uint32_t commands = ~uint32_t{0};  ///< bits of the commands that have it
};

/// Adds the rows whose `commands` hold `command` to its flags, under the heading `group`.
void AddFlags(Command& command, uint32_t bit, const char* group, std::span<const FlagRow> rows);

}  // namespace qat

#endif  // QAT_CLI_FLAG_TABLE_H_
