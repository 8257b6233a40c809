// arguments.h: what a command line says, made canonical before CLI11 reads it: one spelling a flag, values
// attached, a configuration file's values put in front. Unknown names are found here, where the nearest one
// can be named.
#ifndef QAT_CLI_ARGUMENTS_H_
#define QAT_CLI_ARGUMENTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace qat {

/// "--batch_size 8", "--batch-size=8" and "-b 8" become "--batch-size=8"; values and positional arguments
/// stay as they are. Stops at --help and --version, which win over whatever follows. Errors: kInvalidArgument
/// for an unknown flag (with the nearest one) and for a flag without its value.
Expected<std::vector<std::string>> CanonicalArguments(const CLI::App& app,
                                                      std::span<const std::string> arguments);

/// The value of a flag in canonical arguments, the last one if given twice; empty: not given.
std::string_view ValueIn(std::span<const std::string> canonical, std::string_view flag);

/// The keys of a configuration file (TOML, one key a flag, '-' or '_') as canonical arguments, without those
/// flags that `canonical` gives already: the command line wins. Errors: kNotFound; kInvalidArgument with the
/// file and the key, for unknown keys with the nearest one.
Expected<std::vector<std::string>> ConfigArguments(const CLI::App& app, const std::string& path,
                                                   std::span<const std::string> canonical);

/// The values of all flags as such a file.
std::string ConfigText(const CLI::App& app);

/// Usage, flags by group with value, default and meaning, examples; at most 100 columns wide.
std::string HelpText(const CLI::App& app, std::string_view examples);

}  // namespace qat

#endif  // QAT_CLI_ARGUMENTS_H_
