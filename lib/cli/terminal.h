// terminal.h: what a stream's terminal can do, and the one line of it that a progress bar redraws.
#ifndef QAT_CLI_TERMINAL_H_
#define QAT_CLI_TERMINAL_H_

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace qat {

/// A terminal that understands escape sequences: TERM is not "dumb".
bool CanRedraw(std::FILE* out);

/// CanRedraw, and the environment asks for no plain text: NO_COLOR (https://no-color.org) is unset or empty.
bool WantsColour(std::FILE* out);

/// 80 where the terminal does not say.
size_t TerminalColumns(std::FILE* out);

/// Columns that UTF-8 text takes, never fewer than a terminal gives it: a character beyond the alphabets may
/// be wide.
size_t ColumnsOf(std::string_view text);

/// The front of the text that fits, whole characters only.
std::string_view FrontOf(std::string_view text, size_t columns);

/// Draws `line`, cut to the width of the terminal, in the place of what was drawn before. The cursor rests at
/// the start of the line, and messages and results make it disappear while they are written (base/screen.h).
void DrawStatusLine(std::FILE* out, const std::string& line);

/// Takes it off the screen for good.
void EraseStatusLine();

/// The same, for a signal handler that ends the program.
void EraseStatusLineInHandler();

}  // namespace qat

#endif  // QAT_CLI_TERMINAL_H_
