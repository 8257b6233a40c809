#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "cli/help.h"

namespace qat {
namespace {

// "fast|reference": the words that a flag takes; none where its type is a placeholder such as FILE or N.
std::vector<std::string> ChoicesOf(const Command& command, const CLI::Option& option) {
  const auto known = command.choices.find(LongName(option));
  if (known != command.choices.end()) return known->second;
  const std::string type = option.get_type_name();
  const bool placeholder = std::any_of(type.begin(), type.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return placeholder || !TakesValue(option) ? std::vector<std::string>() : SplitText(type, '|');
}

// Whether files are what its value names.
bool TakesFiles(const CLI::Option& option) {
  if (!TakesValue(option)) return false;
  const std::string type = option.get_type_name();
  static constexpr const char* kOfFiles[] = {"FILE",  "RUN",    "DIR",   "DATA",
                                             "MODEL", "PYTHON", "IMAGE", ".npy"};
  return std::any_of(std::begin(kOfFiles), std::end(kOfFiles),
                     [&](const char* word) { return type.find(word) != std::string::npos; });
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<const CLI::Option*> FlagsOf(const Command& command) {
  std::vector<const CLI::Option*> flags;
  for (const CLI::Option* option : command.app->get_options())
    if (!option->get_positional()) flags.push_back(option);
  return flags;
}

std::vector<std::string> CommandNames(const Program& program) {
  std::vector<std::string> names;
  if (!program.HasCommands()) return names;
  for (const Command& command : program.commands) names.push_back(command.name);
  return names;
}

// "_qat_eval".
std::string FunctionName(const Program& program) {
  std::string name = "_" + program.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// 'text' for a shell; `escaped` get a backslash first.
std::string Quoted(const std::string& text, std::string_view escaped = "") {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (escaped.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out + "'";
}

std::string BashCase(const Command& command) {
  std::vector<std::string> names;
  std::string values;
  for (const CLI::Option* option : FlagsOf(command)) {
    const auto own = NamesOf(*option);
    names.insert(names.end(), own.begin(), own.end());
    if (!TakesValue(*option)) continue;
    const auto choices = ChoicesOf(command, *option);
    std::vector<std::string> actions;
    if (!choices.empty()) actions.push_back(StrCat("words='", Join(choices, " "), "'"));
    if (TakesFiles(*option)) actions.push_back("files=yes");
    values += StrCat("        ", Join(own, "|"), ") ", actions.empty() ? ":" : Join(actions, "; "), " ;;\n");
  }
  return StrCat("    ", command.name.empty() ? "*" : command.name, ")\n      flags='", Join(names, " "),
                "'\n      case $previous in\n", values, "        *) value=no ;;\n      esac\n      ;;\n");
}

std::string ZshValue(const Command& command, const CLI::Option& option) {
  if (!TakesValue(option)) return "";
  const auto choices = ChoicesOf(command, option);
  const std::string type = Join(SplitText(option.get_type_name(), ':'), " ");
  if (!choices.empty() && TakesFiles(option))
    return StrCat(":", type, ":{compadd -- ", Join(choices, " "), "; _files}");
  if (!choices.empty()) return StrCat(":value:(", Join(choices, " "), ")");
  return StrCat(":", type, ":", TakesFiles(option) ? "_files" : " ");
}

std::string ZshArguments(const Command& command) {
  std::string text = "      _arguments -S";
  for (const CLI::Option* option : FlagsOf(command)) {
    for (const std::string& name : NamesOf(*option)) {
      const bool has_equals = TakesValue(*option) && name.starts_with("--");
      text += StrCat(" \\\n        ",
                     Quoted(StrCat("*", name, has_equals ? "=" : "", "[",
                                   Join(SplitText(Join(SplitText(RowOf(*option).text, '['), "("), ']'), ")"),
                                   "]", ZshValue(command, *option))));
    }
  }
  return text + " \\\n        '*:file:_files'\n";
}

std::string FishFlag(const Program& program, const Command& command, const std::string& condition,
                     const CLI::Option& option) {
  std::string line = StrCat("complete -c ", program.name);
  if (!condition.empty()) line += StrCat(" -n ", Quoted(condition));
  for (const std::string& name : option.get_snames()) line += " -s " + name;
  for (const std::string& name : option.get_lnames()) line += " -l " + name;
  if (TakesValue(option)) {
    const auto choices = ChoicesOf(command, option);
    line += TakesFiles(option) ? " -r -F" : " -x";
    if (!choices.empty()) line += StrCat(" -a ", Quoted(Join(choices, " ")));
  }
  return StrCat(line, " -d ", Quoted(RowOf(option).text, "\\"), "\n");
}

}  // namespace

std::string BashCompletion(const Program& program) {
  const std::string function = FunctionName(program);
  const std::vector<std::string> commands = CommandNames(program);
  std::string text = StrCat("# Completion of ", program.name, " for bash.\n", function, "() {\n");
  text +=
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= flags= "
      "words= files= value=\n"
      "  # Bash splits at '=': --flag=value is three words.\n"
      "  if [[ $current == '=' ]]; then current=; fi\n"
      "  if [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n";
  if (!commands.empty()) {
    text += StrCat("  command=", commands.front(), "\n  case ${COMP_WORDS[1]} in\n    ", Join(commands, "|"),
                   ") if ((COMP_CWORD > 1)); then command=${COMP_WORDS[1]}; fi ;;\n  esac\n");
  }
  text += "  case $command in\n";
  for (const Command& command : program.commands) text += BashCase(command);
  text +=
      "  esac\n  COMPREPLY=()\n  if [[ $value == no ]]; then\n    if [[ $current == -* ]]; then "
      "words=$flags; else files=yes; fi\n";
  if (!commands.empty()) {
    text += StrCat("    if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then words='", Join(commands, " "),
                   "'; fi\n");
  }
  text += StrCat(
      "  fi\n"
      "  if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\"); fi\n"
      "  if [[ -n $files ]]; then\n"
      "    compopt -o filenames 2>/dev/null || true\n"
      "    local found\n"
      "    mapfile -t found < <(compgen -f -- \"$current\")\n"
      "    COMPREPLY+=(\"${found[@]}\")\n"
      "  fi\n"
      "}\ncomplete -F ",
      function, " ", program.name, "\n");
  return text;
}

std::string ZshCompletion(const Program& program) {
  std::string text =
      StrCat("#compdef ", program.name, "\n# Completion of ", program.name, " for zsh.\nlocal command=");
  if (!program.HasCommands()) {
    return StrCat(text, ZshArguments(program.commands.front()));
  }
  text += StrCat("local command=", program.commands.front().name, "\nlocal -a commands=(\n");
  for (const Command& command : program.commands)
    text += StrCat("  ", Quoted(StrCat(command.name, ":", command.description)), "\n");
  text += StrCat(
      ")\nif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then\n  _describe command commands\n  _files\n  "
      "return\nfi\n",
      "case $words[2] in\n  ", Join(CommandNames(program), "|"),
      ") command=$words[2]; shift words; ((CURRENT--)) ;;\nesac\ncase $command in\n");
  for (const Command& command : program.commands)
    text += StrCat("    ", command.name, ")\n", ZshArguments(command), "      ;;\n");
  return text + "esac\n";
}

std::string FishCompletion(const Program& program) {
  std::string text = StrCat("# Completion of ", program.name, " for fish.\n");
  const std::string names = Join(CommandNames(program), " ");
  if (program.HasCommands()) {
    for (const Command& command : program.commands) {
      text += StrCat("complete -c ", program.name, " -n '__fish_is_first_arg' -a ", command.name, " -d ",
                     Quoted(command.description, "\\"), "\n");
    }
  }
  for (const Command& command : program.commands) {
    const bool first = &command == &program.commands.front();
    std::string condition;
    if (program.HasCommands()) condition = "__fish_seen_subcommand_from " + command.name;
    if (program.HasCommands() && first)
      condition = StrCat(condition, "; or not __fish_seen_subcommand_from ", names);
    for (const CLI::Option* option : FlagsOf(command)) text += FishFlag(program, command, condition, *option);
  }
  return text;
}

}  // namespace qat
