#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

// "--batch-size", "-o" or, for a name without '-', null.
const CLI::Option* FindFlag(const Command& command, const std::string& name) {
  return name.size() > 1 && name[0] == '-' ? FindOption(command, name) : nullptr;
}

void AppendFlagNames(const Command& command, std::vector<std::string>& names) {
  for (const CLI::Option* option : command.app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
}

bool LooksLikeFlag(const Command& command, const std::string& argument) {
  if (argument == "--") return true;
  return FindFlag(command, WithHyphens(argument.substr(0, argument.find('=')))) != nullptr;
}

// What begins as a flag does and is the value of one.
bool IsNegativeNumber(const std::string& argument) {
  return argument.starts_with('-') && argument.size() > 1 && ParseNumber<double>(argument).has_value();
}

// "unknown flag '--bathc'; did you mean '--batch' of qat-eval bench?", or whose flag it is.
std::string UnknownFlag(const Program& program, const Command& command, const std::string& name) {
  for (const Command& other : program.commands) {
    if (FindFlag(other, name) == nullptr) continue;
    return StrCat(name, ": is a flag of '", TitleOf(program, other), "', not of '", TitleOf(program, command),
                  "'");
  }
  for (const OldSpelling& old : program.old_spellings) {
    if (old.flag == name)
      return StrCat(name, ": is a command now: ", program.name, " ", old.command, " (--help lists all)");
  }
  std::vector<std::string> own;
  AppendFlagNames(command, own);
  std::string text = UnknownName("flag", name, own);
  for (const Command& other : program.commands) {
    std::vector<std::string> names;
    AppendFlagNames(other, names);
    const std::string nearest = Nearest(name, names);
    if (!Nearest(name, own).empty() || nearest.empty()) continue;
    text += StrCat("; did you mean '", nearest, "' of '", TitleOf(program, other), "'?");
    break;
  }
  return text + " (--help lists all)";
}

struct Flag {
  const CLI::Option* option;
  std::string name;
  std::string value;
  bool has_value;
};

// The parts of "--name", "--name=value" or "-n". `option` is null for an unknown name. Errors: "--name="
// without a value.
Expected<Flag> ParseFlag(const Command& command, const std::string& argument) {
  const bool is_long = argument.starts_with("--");
  const size_t equals = is_long ? argument.find('=') : std::string::npos;
  const std::string name = is_long ? WithHyphens(argument.substr(0, equals)) : argument.substr(0, 2);
  const CLI::Option* option = FindFlag(command, name);
  if (option == nullptr) return Flag{nullptr, name, "", equals != std::string::npos};
  Flag flag{option, LongName(*option), "", false};
  if (equals != std::string::npos) {
    flag.value = argument.substr(equals + 1);
    flag.has_value = true;
  } else if (!is_long && argument.size() > 2) {
    flag.value = argument.substr(argument[2] == '=' ? 3 : 2);
    flag.has_value = true;
  }
  if (flag.has_value && flag.value.empty()) return InvalidArgument(StrCat(name, ": the value is missing"));
  if (flag.has_value && !TakesValue(*option) && !is_long) {
    return InvalidArgument(StrCat("'", argument, "': ", name, " takes no value"));
  }
  return flag;
}

bool EndsTheLine(const std::string& name) { return name == "-h" || name == "--help" || name == "--version"; }

bool IsConfigurable(const CLI::Option& option) {
  static constexpr std::string_view kNot[] = {"config", "print-config", "help", "version", "help-as"};
  const auto& names = option.get_lnames();
  return !names.empty() && std::find(std::begin(kNot), std::end(kNot), names.front()) == std::end(kNot);
}

std::string TomlValue(const CLI::Option& option, const std::string& text) {
  if (!TakesValue(option)) return text;
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789.+-eE") == std::string::npos &&
                         text.find_first_of("0123456789") != std::string::npos;
  if (is_number && text[0] != '+') return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

const CLI::Option* FindKey(const Command& command, const std::string& key) {
  const CLI::Option* option = FindFlag(command, "--" + WithHyphens(key));
  return option != nullptr && IsConfigurable(*option) ? option : nullptr;
}

Error UnknownKey(const Command& command, const std::string& key) {
  std::vector<std::string> keys;
  for (const CLI::Option* known : command.app->get_options()) {
    if (IsConfigurable(*known)) keys.push_back(known->get_lnames().front());
  }
  return InvalidArgument(UnknownName("key", key, keys));
}

// Canonical arguments for one key of a configuration file.
Status AppendConfigItem(const Program& program, const Command& command, const CLI::ConfigItem& item,
                        std::span<const std::string> canonical, std::vector<std::string>& out) {
  if (!item.parents.empty()) {
    return InvalidArgument(StrCat("section [", item.parents.front(), "], expected keys only"));
  }
  const CLI::Option* option = FindKey(command, item.name);
  if (option == nullptr) {
    const bool of_another = std::any_of(program.commands.begin(), program.commands.end(),
                                        [&](const Command& other) { return FindKey(other, item.name); });
    return of_another ? Status() : UnknownKey(command, item.name);
  }
  const std::string name = LongName(*option);
  const bool given = std::any_of(canonical.begin(), canonical.end(), [&](const std::string& argument) {
    return argument == name || argument.starts_with(name + "=");
  });
  if (given) return {};
  for (const std::string& value : item.inputs) {
    if (!value.empty()) out.push_back(StrCat(name, "=", value));
  }
  return {};
}

const Command* FindCommand(const Program& program, const std::string& name) {
  const auto at = std::find_if(program.commands.begin(), program.commands.end(),
                               [&](const Command& command) { return command.name == name; });
  return at == program.commands.end() ? nullptr : &*at;
}

// The position of the first word that is no flag in front, nor the value of one.
size_t FirstArgument(const Program& program, std::span<const std::string> words) {
  size_t i = 0;
  while (i < words.size() && words[i].size() > 1 && words[i][0] == '-') {
    const CLI::Option* option = FindFlag(program.commands.front(), WithHyphens(words[i]));
    i += option != nullptr && TakesValue(*option) ? 2 : 1;
  }
  return i;
}

// The words in today's spelling, the command first; empty: they hold no old spelling.
std::vector<std::string> TranslateOldSpelling(const Program& program, std::span<const std::string> words) {
  const auto name_of = [](const std::string& word) { return WithHyphens(word.substr(0, word.find('='))); };
  for (const OldSpelling& old : program.old_spellings) {
    const auto is_it = [&](const std::string& word) {
      return word.starts_with("--") && name_of(word) == old.flag;
    };
    if (std::none_of(words.begin(), words.end(), is_it)) continue;
    std::vector<std::string> now = {old.command};
    const bool is_kept = FindFlag(*FindCommand(program, old.command), old.flag) != nullptr;
    for (const std::string& word : words) {
      if (!is_it(word) || is_kept) {
        now.push_back(word);
      } else if (const size_t equals = word.find('='); equals != std::string::npos) {
        now.push_back(word.substr(equals + 1));
      }
    }
    return now;
  }
  return {};
}

std::vector<std::string> CommandNames(const Program& program) {
  std::vector<std::string> names;
  for (const Command& command : program.commands) names.push_back(command.name);
  return names;
}

}  // namespace

Expected<CommandLine> SplitCommand(const Program& program, std::span<const std::string> words) {
  CommandLine line{&program.commands.front(), false, {words.begin(), words.end()}};
  if (!program.HasCommands()) return line;
  if (!words.empty() && words[0] == "help" && !FileExists("help")) {
    line.words[0] = "--help";
    const Command* command = words.size() > 1 ? FindCommand(program, words[1]) : nullptr;
    return command == nullptr ? line : CommandLine{command, true, {"--help"}};
  }
  const size_t first = FirstArgument(program, words);
  if (first < words.size()) {
    if (const Command* command = FindCommand(program, words[first])) {
      line.words.erase(line.words.begin() + static_cast<ptrdiff_t>(first));
      return CommandLine{command, true, line.words};
    }
  }
  if (const auto now = TranslateOldSpelling(program, words); !now.empty()) {
    return CommandLine{FindCommand(program, now.front()),
                       true,
                       {now.begin() + 1, now.end()},
                       CommandText(program.name, now)};
  }
  if (first != 0 || words.empty() || FileExists(words[0])) return line;
  const std::vector<std::string> names = CommandNames(program);
  if (!Nearest(words[0], names).empty()) return InvalidArgument(UnknownName("command", words[0], names));
  // The name of a file that is not there is its reader's business.
  const bool may_be_a_file = words[0].empty() || words[0].find_first_of("./-_") != std::string::npos;
  if (may_be_a_file) return line;
  return InvalidArgument(
      StrCat("'", words[0], "' is no command (", Join(names), "), and no file has this name"));
}

Expected<std::vector<std::string>> CanonicalArguments(const Program& program, const Command& command,
                                                      std::span<const std::string> arguments,
                                                      std::vector<std::string>& ignored) {
  std::vector<std::string> out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      out.insert(out.end(), arguments.begin() + static_cast<ptrdiff_t>(i), arguments.end());
      return out;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      out.push_back(argument);
      continue;
    }
    QAT_ASSIGN_OR_RETURN(Flag flag, ParseFlag(command, argument));
    if (flag.option == nullptr) {
      const auto& without = command.without_effect;
      if (std::find(without.begin(), without.end(), flag.name) == without.end())
        return InvalidArgument(UnknownFlag(program, command, flag.name));
      ignored.push_back(flag.name);
      i += flag.has_value ? 0 : 1;
      continue;
    }
    if (EndsTheLine(flag.name)) return std::vector<std::string>{argument == "-h" ? "-h" : flag.name};
    const bool negative = i + 1 < arguments.size() && IsNegativeNumber(arguments[i + 1]);
    if (TakesValue(*flag.option) && !flag.has_value && (negative || !TakesSeveral(*flag.option))) {
      if (i + 1 == arguments.size() || LooksLikeFlag(command, arguments[i + 1])) {
        return InvalidArgument(
            StrCat(flag.name, ": the value is missing (", flag.option->get_type_name(), ")"));
      }
      flag.value = arguments[++i];
      flag.has_value = true;
      if (flag.value.empty()) return InvalidArgument(StrCat(flag.name, ": the value is empty"));
    }
    out.push_back(flag.has_value ? StrCat(flag.name, "=", flag.value) : flag.name);
  }
  return out;
}

std::string_view ValueIn(std::span<const std::string> canonical, std::string_view flag) {
  std::string_view value;
  for (const std::string& argument : canonical) {
    if (argument == "--") break;
    if (argument.starts_with(StrCat(flag, "="))) value = std::string_view(argument).substr(flag.size() + 1);
  }
  return value;
}

Expected<std::vector<std::string>> ConfigArguments(const Program& program, const Command& command,
                                                   const std::string& path,
                                                   std::span<const std::string> canonical) {
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::vector<std::string> out;
  try {
    std::istringstream stream(text);
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
      QAT_RETURN_IF_ERROR_IN(path, AppendConfigItem(program, command, item, canonical, out));
    }
  } catch (const std::exception& error) {
    return InvalidArgument(StrCat(path, ": ", error.what()));
  }
  return out;
}

std::string ConfigText(const Command& command) {
  std::string text;
  for (const CLI::Option* option : command.app->get_options()) {
    if (!IsConfigurable(*option)) continue;
    std::vector<std::string> values = option->results();
    if (values.empty() && !option->get_default_str().empty()) values = {option->get_default_str()};
    if (values.empty() ||
        (values.size() == 1 && (values[0].empty() || values[0] == "[]" || values[0] == "\"\""))) {
      continue;
    }
    if (!TakesSeveral(*option)) values = {values.back()};
    for (std::string& value : values) value = TomlValue(*option, value);
    const std::string joined = Join(values);
    text += StrCat(option->get_lnames().front(), " = ",
                   TakesSeveral(*option) ? StrCat("[", joined, "]") : joined, "\n");
  }
  return text;
}

namespace {

std::string ShellWord(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,@%+";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string CommandText(const std::string& program, std::span<const std::string> words) {
  std::string text = program;
  for (const std::string& word : words) text += StrCat(" ", ShellWord(word));
  return text;
}

}  // namespace qat
