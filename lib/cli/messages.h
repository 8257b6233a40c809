// messages.h: sentences of the library as a user of a program reads them. The library knows fields, in
// backquotes, such as `max_drop`; here they become flags.
#ifndef QAT_CLI_MESSAGES_H_
#define QAT_CLI_MESSAGES_H_

#include <string>
#include <string_view>

#include "cli/command.h"
#include "report/report.h"

namespace qat {

/// `max_drop` -> --max-drop, by Command::fields, else by the flag, else by the argument of the same name (as
/// its type is written: FILE). A name that the command does not know is a flag of another command of the
/// program (--batch), or stands as a plain word. A hint " (`field` does this)" is left out where the program
/// has no such flag.
std::string NameFlags(const Program& program, const Command& command, std::string_view message);

/// "a: a: b" -> "a: b": each level of a call chain adds a phrase in front, and two may add the same.
std::string WithoutDoubledPhrases(std::string message);

/// All sentences of a report: error, warnings (each once), notes of gates and of the way back.
void NameFlags(const Program& program, const Command& command, Report& report);

}  // namespace qat

#endif  // QAT_CLI_MESSAGES_H_
