#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr size_t kColumns = 100;
constexpr size_t kTextColumn = 30;
constexpr char kCommonGroup[] = "Common";

// What CLI11 captures from an empty string or vector.
bool IsEmptyDefault(const std::string& text) { return text.empty() || text == "[]" || text == "\"\""; }

// CLI11 writes a list as "[1,5]".
std::string DefaultOf(const CLI::Option& option) {
  std::string text = option.get_default_str();
  if (IsEmptyDefault(text) || !TakesValue(option)) return "";
  if (text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  return text;
}

// Takes "(default 0: all)" or "(default: those of the data)" out of a description.
std::string TakeDefaultNote(std::string& text) {
  constexpr std::string_view kStart = "(default";
  const size_t start = text.find(kStart);
  if (start == std::string::npos) return "";
  const size_t end = text.find(')', start);
  QAT_CHECK(end != std::string::npos);
  std::string note = text.substr(start + kStart.size(), end - start - kStart.size());
  note.erase(0, note.find_first_not_of(": "));
  text.erase(start, end + 1 - start);
  const bool gap = start > 0 && text[start - 1] == ' ';
  if (gap && start < text.size() && std::string_view(" ;,.").find(text[start]) != std::string_view::npos)
    text.erase(start - 1, 1);
  while (text.ends_with(' ')) text.pop_back();
  return note;
}

// `text` in lines of at most 100 columns, each after the first indented by `indent`, which the first has used
// already.
std::string Wrapped(const std::string& text, size_t indent) {
  std::string out;
  size_t column = indent;
  for (const std::string& word : SplitText(text, ' ')) {
    if (column > indent && column + 1 + word.size() > kColumns) {
      out += StrCat("\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string RowText(const std::string& left, const std::string& text) {
  std::string line = "  " + left;
  line += line.size() + 1 < kTextColumn ? std::string(kTextColumn - line.size(), ' ') : "  ";
  const size_t first_line_loss = line.size() - kTextColumn;
  // A long flag starts its text late; count that against the first line only.
  const std::string wrapped =
      Wrapped(std::string(first_line_loss, 'x') + text, kTextColumn).substr(first_line_loss);
  return StrCat(line, wrapped, "\n");
}

std::string RowText(const HelpRow& row) {
  const std::string left = row.type.empty() ? row.names : StrCat(row.names, " ", row.type);
  return RowText(
      left, row.default_value.empty() ? row.text : StrCat(row.text, " (default ", row.default_value, ")"));
}

std::string UsualRows(const Command& command) {
  std::string text;
  for (const std::string& name : command.usual) {
    const CLI::Option* option = FindOption(command, name);
    QAT_CHECK(option != nullptr);
    text += RowText(RowOf(*option));
  }
  return text;
}

std::string AllRows(const Command& command) {
  std::string text;
  for (const HelpGroup& group : GroupsOf(command)) {
    text += StrCat("\n", group.title, ":\n");
    for (const HelpRow& row : group.rows) text += RowText(row);
  }
  return text;
}

std::string Examples(const std::string& examples) {
  return StrCat("\nexamples:\n", examples, examples.ends_with('\n') ? "" : "\n");
}

std::string CommandRows(const Program& program) {
  std::string text = "\ncommands:\n";
  for (const Command& command : program.commands) {
    const bool first = &command == &program.commands.front();
    text += RowText(command.name, command.description + (first ? " (default)" : ""));
  }
  return text;
}

std::string ProgramHead(const Program& program) {
  return StrCat("usage: ", program.name, " [COMMAND] [flags]\n", program.description, "\n",
                CommandRows(program));
}

}  // namespace

HelpRow RowOf(const CLI::Option& option) {
  HelpRow row;
  if (option.get_positional()) {
    row.names = option.get_type_name();
  } else {
    std::vector<std::string> names;
    for (const std::string& name : option.get_snames()) names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
    row.names = Join(names);
    if (TakesValue(option)) row.type = option.get_type_name();
  }
  row.text = option.get_description();
  row.default_value = TakeDefaultNote(row.text);
  if (row.default_value.empty()) row.default_value = DefaultOf(option);
  return row;
}

std::vector<HelpGroup> GroupsOf(const Command& command) {
  std::vector<HelpGroup> groups;
  const auto group_of = [&](const std::string& title) -> HelpGroup& {
    for (HelpGroup& group : groups) {
      if (group.title == title) return group;
    }
    return groups.emplace_back(HelpGroup{title, {}});
  };
  for (const bool arguments : {true, false}) {
    for (const CLI::Option* option : command.app->get_options()) {
      if (option->get_positional() != arguments) continue;
      group_of(arguments ? "Arguments" : option->get_group()).rows.push_back(RowOf(*option));
    }
  }
  std::stable_partition(groups.begin(), groups.end(),
                        [](const HelpGroup& group) { return group.title != kCommonGroup; });
  return groups;
}

std::string UsageOf(const Program& program, const Command& command) {
  std::string usage = TitleOf(program, command);
  for (const CLI::Option* option : command.app->get_options()) {
    if (option->get_positional()) usage += StrCat(" [", option->get_type_name(), "]");
  }
  return usage + " [flags]";
}

std::string ShortHelp(const Program& program, const Command& command) {
  return StrCat("usage: ", UsageOf(program, command), "\n", command.description, "\n\n", UsualRows(command),
                RowText("--help", "all flags"), Examples(command.examples));
}

std::string FullHelp(const Program& program, const Command& command) {
  return StrCat("usage: ", UsageOf(program, command), "\n", command.description, "\n", AllRows(command),
                Examples(command.examples));
}

std::string ShortHelp(const Program& program) {
  const Command& first = program.commands.front();
  return StrCat(ProgramHead(program), "\nusual flags of ", first.name, " (for others: ", program.name,
                " COMMAND -h; all of them: --help):\n", UsualRows(first), Examples(program.examples));
}

std::string FullHelp(const Program& program) {
  const Command& first = program.commands.front();
  return StrCat(ProgramHead(program), "\n", program.name,
                " COMMAND --help lists the flags of a command. These are the flags of ", first.name, ".\n",
                AllRows(first), Examples(program.examples));
}

}  // namespace qat
