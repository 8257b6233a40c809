#include "cli/manual.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/strings.h"
#include "base/version.h"
#include "cli/completion.h"
#include "cli/help.h"

namespace qat {
namespace {

constexpr ExitCodeText kExitCodeTexts[] = {
    {"0", "done, and every gate passed"},
    {"1", "ran to the end, but a gate failed or a trace found a difference; the report was written"},
    {"2", "wrong usage or configuration"},
    {"3", "an input cannot be read, is malformed, or contradicts its contract"},
    {"4", "unsupported; all items are listed"},
    {"5", "numerical failure: NaN, divergence, or unsettled ranges under --strict"},
    {"6", "the system: disk or memory"},
    {"70", "a bug in these programs"},
    {"130, 143", "interrupted by SIGINT or SIGTERM; a training run has saved a checkpoint and named it"},
};

// The code point that begins at `at`, which moves past it. Texts of help are valid UTF-8.
uint32_t NextCodePoint(std::string_view text, size_t& at) {
  const auto byte = static_cast<uint8_t>(text[at++]);
  if (byte < 0x80) return byte;
  const int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
  uint32_t code = byte & (0x3f >> more);
  for (int i = 0; i < more && at < text.size(); ++i)
    code = code << 6 | (static_cast<uint8_t>(text[at++]) & 0x3f);
  return code;
}

// Text as roff takes it literally: hyphens that can be copied, no line that looks like a request.
std::string Roff(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool at_start = out.empty() || out.ends_with('\n');
    const uint32_t code = NextCodePoint(text, at);
    if (at_start && (code == '.' || code == '\'')) out += "\\&";
    if (code == '\\') {
      out += "\\e";
    } else if (code == '-') {
      out += "\\-";
    } else if (code < 0x80) {
      out += static_cast<char>(code);
    } else {
      char escape[16];
      std::snprintf(escape, sizeof(escape), "\\[u%04X]", code);
      out += escape;
    }
  }
  return out;
}

std::string RoffRow(const HelpRow& row) {
  std::string names;
  for (const std::string& name : SplitText(row.names, ' ')) {
    const bool comma = name.ends_with(',');
    const std::string word = comma ? name.substr(0, name.size() - 1) : name;
    names += StrCat(names.empty() ? "" : " ",
                    word[0] == '-' ? StrCat("\\fB", Roff(word), "\\fR") : Roff(word), comma ? "," : "");
  }
  if (!row.type.empty()) names += StrCat(" \\fI", Roff(row.type), "\\fR");
  std::string text = Roff(row.text);
  if (!row.default_value.empty()) text += StrCat(" (default ", Roff(row.default_value), ")");
  return StrCat(".TP\n", names, "\n", text, "\n");
}

std::string RoffGroups(const Command& command) {
  std::string text;
  for (const HelpGroup& group : GroupsOf(command)) {
    text += StrCat(".PP\n", Roff(group.title), ":\n");
    for (const HelpRow& row : group.rows) text += RoffRow(row);
  }
  return text;
}

std::string RoffExamples(const std::string& examples) { return StrCat(".nf\n", Roff(examples), ".fi\n"); }

std::string RoffCommands(const Program& program) {
  if (!program.HasCommands()) return StrCat(".SH OPTIONS\n", RoffGroups(program.commands.front()));
  std::string text = ".SH COMMANDS\n";
  for (const Command& command : program.commands) {
    text += StrCat(".SS ", Roff(UsageOf(program, command)), "\n", Roff(command.description),
                   &command == &program.commands.front() ? " This is the default command." : "", "\n",
                   RoffGroups(command), RoffExamples(command.examples));
  }
  return text;
}

std::string UpperCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string RoffSynopsis(const Program& program) {
  if (!program.HasCommands()) return StrCat(Roff(UsageOf(program, program.commands.front())), "\n");
  std::string text;
  for (const Command& command : program.commands)
    text += StrCat(text.empty() ? "" : ".br\n", Roff(UsageOf(program, command)), "\n");
  return text;
}

std::string SeeAlso(const Program& program) {
  std::vector<std::string> others;
  for (const char* name : {"qat-convert", "qat-eval", "qat-freeze", "qat-train"})
    if (program.name != name) others.push_back(StrCat("\\fB", Roff(name), "\\fR(1)"));
  return Join(others) + "\n";
}

std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string ReferenceRow(const HelpRow& row) {
  const std::string flag = row.type.empty() ? row.names : StrCat(row.names, " ", row.type);
  return StrCat("| `", Cell(flag), "` | ", Cell(row.text), " | ", Cell(row.default_value), " |\n");
}

}  // namespace

std::span<const ExitCodeText> ExitCodeTexts() { return kExitCodeTexts; }

std::string ManualPage(const Program& program) {
  std::string text =
      StrCat(".TH ", UpperCase(program.name), " 1 \"\" \"qat ", Version(), "\" \"User Commands\"\n");
  text += StrCat(".SH NAME\n", Roff(program.name), " \\- ", Roff(program.description), "\n.SH SYNOPSIS\n",
                 RoffSynopsis(program), ".SH DESCRIPTION\n", Roff(program.description),
                 "\n.PP\nIn the name of a flag, \\- and _ are the same. Results go to standard output, "
                 "messages and progress to "
                 "standard error.\n");
  text += RoffCommands(program) + ".SH EXIT STATUS\n";
  for (const ExitCodeText& code : kExitCodeTexts)
    text += StrCat(".TP\n", code.codes, "\n", Roff(code.meaning), "\n");
  return StrCat(text, ".SH EXAMPLES\n", RoffExamples(program.examples), ".SH SEE ALSO\n", SeeAlso(program));
}

std::string ReferencePage(const Program& program) {
  std::string text;
  for (const Command& command : program.commands) {
    const bool first = &command == &program.commands.front();
    text += StrCat(first ? "" : "\n", program.HasCommands() ? "### " : "## ", TitleOf(program, command),
                   "\n\n", command.description,
                   first && program.HasCommands() ? " This is the default command." : "", "\n\n```text\n",
                   UsageOf(program, command), "\n```\n\n| flag | meaning | default |\n| --- | --- | --- |\n");
    for (const HelpGroup& group : GroupsOf(command)) {
      text += StrCat("| **", Cell(group.title), "** | | |\n");
      for (const HelpRow& row : group.rows) text += ReferenceRow(row);
    }
  }
  return program.HasCommands() ? StrCat("## ", program.name, "\n\n", program.description, "\n\n", text)
                               : text;
}

Expected<std::string> HelpAs(const Program& program, std::string_view format) {
  if (format == "man") return ManualPage(program);
  if (format == "markdown") return ReferencePage(program);
  if (format == "bash") return BashCompletion(program);
  if (format == "zsh") return ZshCompletion(program);
  if (format == "fish") return FishCompletion(program);
  const std::vector<std::string> known = {"man", "markdown", "bash", "zsh", "fish"};
  return InvalidArgument(StrCat(UnknownName("format", format, known), " (expected ", Join(known), ")"));
}

}  // namespace qat
