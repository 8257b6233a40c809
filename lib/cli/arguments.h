// arguments.h: what a command line says, made canonical before CLI11 reads it: which command, one spelling
// per flag, values attached, the values of a configuration file put in front. Unknown names are found here,
// where the nearest one can be named.
#ifndef QAT_CLI_ARGUMENTS_H_
#define QAT_CLI_ARGUMENTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "cli/command.h"

namespace qat {

/// Which command the words of a command line are for.
struct CommandLine {
  const Command* command = nullptr;
  bool named = false;              ///< false: it was not named, so it is the program's first one
  std::vector<std::string> words;  ///< without the name of the command
  /// The command line in today's spelling, where it was an old one; else empty.
  std::string now_spelled = {};
};

/// The command is the first word, flags that all commands share may stand before it. Old spellings are
/// translated; "help" and "help bench" are --help.
/// Errors: kInvalidArgument, where the first argument is neither a command nor a file, but close to the name
/// of a command.
Expected<CommandLine> SplitCommand(const Program& program, std::span<const std::string> words);

/// "--batch_size 8", "--batch-size=8" and "-b 8" become "--batch-size=8"; values and positional arguments
/// stay as they are. Stops at -h, --help and --version, which win over whatever follows. Flags without effect
/// are left out, their names put into `ignored`.
/// Errors: kInvalidArgument for an unknown flag (with the nearest one, or the command that has it) and for a
/// flag without its value.
Expected<std::vector<std::string>> CanonicalArguments(const Program& program, const Command& command,
                                                      std::span<const std::string> arguments,
                                                      std::vector<std::string>& ignored);

/// The value of a flag in canonical arguments, the last one if given twice; empty: not given.
std::string_view ValueIn(std::span<const std::string> canonical, std::string_view flag);

/// The keys of a configuration file (TOML, one key per flag, '-' or '_') as canonical arguments, without
/// those flags that `canonical` gives already: the command line wins. Keys that only other commands of the
/// program know are skipped.
/// Errors: kNotFound; kInvalidArgument with the file and the key, for unknown keys with the nearest one.
Expected<std::vector<std::string>> ConfigArguments(const Program& program, const Command& command,
                                                   const std::string& path,
                                                   std::span<const std::string> canonical);

/// The values of all flags as such a file.
std::string ConfigText(const Command& command);

/// A command line as a shell would take it again: what is no plain word stands in single quotes.
std::string CommandText(const std::string& program, std::span<const std::string> words);

}  // namespace qat

#endif  // QAT_CLI_ARGUMENTS_H_
