// printable.h: text of unknown origin (class names, names of tensors and layers, paths, metadata) in a form
// that no terminal, log, page or editor obeys.
#ifndef QAT_BASE_PRINTABLE_H_
#define QAT_BASE_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace qat {

/// Bytes of the UTF-8 sequence at the front of `text`; 0 where there is none that is valid (overlong forms,
/// surrogates and what is beyond U+10FFFF are not). Requires  text not empty.
size_t Utf8Length(std::string_view text);

/// Where the first byte is that is not UTF-8; npos: all of it is.
size_t FindInvalidUtf8(std::string_view text);

/// `text` with everything written out that would be obeyed instead of shown: control characters (C0, DEL, C1)
/// and line separators as "\n", "\t", "\x1b", "\u009b"; marks that change the direction of writing as
/// "\u202e"; bytes that are no UTF-8 as "\xff". Everything else stays as it is.
std::string Printable(std::string_view text);

/// The same of text that has several lines: line breaks ("\n") stay.
std::string PrintableLines(std::string_view text);

/// The same of a message, of which one or more lines may be a list: line breaks stay where the next line is
/// indented by two spaces. Others come from names and paths, and are written out.
std::string PrintableMessage(std::string_view text);

/// A JSON document with those characters inside its texts as "\u009b": a terminal that shows it obeys none of
/// them, and its meaning stays the same. Requires  valid UTF-8 whose line breaks stand between the texts.
std::string PrintableJson(std::string_view json);

}  // namespace qat

#endif  // QAT_BASE_PRINTABLE_H_
