// command.h: a program and its commands as data: flags, help, names. What parses, prints help, writes manual
// pages and completion reads this and nothing else.
#ifndef QAT_CLI_COMMAND_H_
#define QAT_CLI_COMMAND_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "report/report.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace qat {

/// One command of a program, such as the `bench` of qat-eval. A program without commands has one whose name
/// is empty.
struct Command {
  std::string name;
  std::string description;  ///< one sentence
  std::string examples;     ///< command lines, each indented by two, with which help ends
  std::shared_ptr<CLI::App> app;
  /// The dozen flags and arguments that -h shows, in this order: "--data", or the name of an argument. --help
  /// shows all.
  std::vector<std::string> usual = {};
  /// What a field that the library names is called here, where that is not the flag of the same name:
  /// {"models", "--model"}.
  std::map<std::string, std::string> fields = {};
  /// The words that a flag takes, for completion, where its type does not list them as in "fast|reference".
  std::map<std::string, std::vector<std::string>> choices = {};
  /// Flags of other programs that are taken, with a warning, since they have no effect here: "--threads".
  std::vector<std::string> without_effect = {};
  /// --config and --print-config are the command's own business.
  bool own_config = false;
  std::function<Status(Report&)> run = {};
};

/// A flag of the time before there were commands: which command it now is. It is dropped from the command
/// line; what it took as its value stays as an argument, unless the command has a flag of that name.
struct OldSpelling {
  std::string flag;
  std::string command;
};

struct Program {
  std::string name;
  std::string description;
  std::string examples;
  std::vector<Command> commands;  ///< the first one is meant where the command line names none
  std::vector<OldSpelling> old_spellings = {};

  bool HasCommands() const { return !commands.empty() && !commands.front().name.empty(); }
};

/// "qat-eval bench", "qat-freeze".
std::string TitleOf(const Program& program, const Command& command);

/// "--batch-size"; "-h" where there is no long name; the name of an argument.
std::string LongName(const CLI::Option& option);

/// True for flags that are followed by a value, and for arguments.
bool TakesValue(const CLI::Option& option);
/// True for flags and arguments that collect several values.
bool TakesSeveral(const CLI::Option& option);

/// "--batch-size", "-o", "--batch_size" or the name of an argument; null: there is none.
const CLI::Option* FindOption(const Command& command, std::string_view name);

/// "batch_size" -> "batch-size".
std::string WithHyphens(std::string_view name);

}  // namespace qat

#endif  // QAT_CLI_COMMAND_H_
