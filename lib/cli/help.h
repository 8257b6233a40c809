// help.h: -h and --help, at most 100 columns wide. The parts of a row are what manual pages and the reference
// page show, too.
#ifndef QAT_CLI_HELP_H_
#define QAT_CLI_HELP_H_

#include <string>
#include <vector>

#include "cli/command.h"

namespace qat {

/// One flag or argument as help shows it.
struct HelpRow {
  std::string names;          ///< "-o, --output"; of an argument its type
  std::string type;           ///< "FILE"; empty: a switch, or an argument
  std::string text;           ///< what it does
  std::string default_value;  ///< "500", "0: all"; empty: none
};

struct HelpGroup {
  std::string title;
  std::vector<HelpRow> rows;
};

HelpRow RowOf(const CLI::Option& option);

/// All flags and arguments by group: arguments first, those that all programs share last.
std::vector<HelpGroup> GroupsOf(const Command& command);

/// "usage: qat-eval bench [MODEL...] [flags]" without "usage: ".
std::string UsageOf(const Program& program, const Command& command);

/// -h: usage, the usual flags, examples.
std::string ShortHelp(const Program& program, const Command& command);
/// --help: all flags, one row each, with its default.
std::string FullHelp(const Program& program, const Command& command);

/// The same for a program of several commands where none was named: the list of commands, then the flags of
/// the first one.
std::string ShortHelp(const Program& program);
std::string FullHelp(const Program& program);

}  // namespace qat

#endif  // QAT_CLI_HELP_H_
