// manual.h: the flags of a program in other forms than --help: a manual page, the reference page, completion
// for shells.
#ifndef QAT_CLI_MANUAL_H_
#define QAT_CLI_MANUAL_H_

#include <span>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "cli/command.h"

namespace qat {

struct ExitCodeText {
  const char* codes;  ///< "0", "130, 143"
  const char* meaning;
};
/// What the exit codes of all programs mean.
std::span<const ExitCodeText> ExitCodeTexts();

/// roff, for man(1) and mandoc(1): one page for a program with all of its commands.
std::string ManualPage(const Program& program);

/// A section of the reference page: a table of flags per command and group.
std::string ReferencePage(const Program& program);

/// `format`: "man", "markdown", "bash", "zsh", "fish". Errors: kInvalidArgument, with the nearest name.
Expected<std::string> HelpAs(const Program& program, std::string_view format);

}  // namespace qat

#endif  // QAT_CLI_MANUAL_H_
