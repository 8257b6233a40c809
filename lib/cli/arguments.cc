#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

std::string WithHyphens(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

// CLI11 has two meanings of "no maximum"; both are far above what anybody types.
bool TakesSeveral(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool TakesValue(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

// "--batch-size", "-o" or, for a name without '-', null.
const CLI::Option* FindFlag(const CLI::App& app, const std::string& name) {
  return name.size() > 1 && name[0] == '-' ? app.get_option_no_throw(name) : nullptr;
}

std::string LongName(const CLI::Option& option) {
  return option.get_lnames().empty() ? "-" + option.get_snames().front() : "--" + option.get_lnames().front();
}

std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

bool LooksLikeFlag(const CLI::App& app, const std::string& argument) {
  if (argument == "--") return true;
  return FindFlag(app, WithHyphens(argument.substr(0, argument.find('=')))) != nullptr;
}

struct Flag {
  const CLI::Option* option;
  std::string name;
  std::string value;
  bool has_value;
};

// The parts of "--name", "--name=value" or "-n". Errors: unknown name, "--name=" without a value.
Expected<Flag> ParseFlag(const CLI::App& app, const std::string& argument) {
  const bool is_long = argument.starts_with("--");
  const size_t equals = is_long ? argument.find('=') : std::string::npos;
  const std::string name = is_long ? WithHyphens(argument.substr(0, equals)) : argument.substr(0, 2);
  const CLI::Option* option = FindFlag(app, name);
  if (option == nullptr) {
    return InvalidArgument(StrCat(UnknownName("flag", name, FlagNames(app)), " (--help lists all)"));
  }
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

// What CLI11 captures from an empty string or vector.
bool IsEmptyDefault(const std::string& text) { return text.empty() || text == "[]" || text == "\"\""; }

std::string DefaultNote(const CLI::Option& option) {
  const std::string text = option.get_default_str();
  const bool explained = option.get_description().find("(default") != std::string::npos;
  if (IsEmptyDefault(text) || text == "0" || explained || !TakesValue(option)) return "";
  return StrCat(" (default ", text, ")");
}

// "  -o, --output FILE".
std::string FlagColumn(const CLI::Option& option) {
  std::string text = "  ";
  if (option.get_positional()) return text + option.get_type_name();
  for (const std::string& name : option.get_snames()) text += StrCat("-", name, ", ");
  bool first = true;
  for (const std::string& name : option.get_lnames()) {
    text += StrCat(first ? "--" : ", --", name);
    first = false;
  }
  if (TakesValue(option)) text += StrCat(" ", option.get_type_name());
  return text;
}

// `text` in lines of at most 100 columns, each after the first indented by `indent`, which the first has used
// already.
std::string Wrapped(const std::string& text, size_t indent) {
  constexpr size_t kColumns = 100;
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

std::string OptionHelp(const CLI::Option& option) {
  constexpr size_t kTextColumn = 30;
  std::string line = FlagColumn(option);
  line += line.size() + 1 < kTextColumn ? std::string(kTextColumn - line.size(), ' ') : "  ";
  const size_t first_line_loss = line.size() - kTextColumn;
  const std::string text = option.get_description() + DefaultNote(option);
  // A long flag starts its text late; count that against the first line only.
  std::string wrapped =
      Wrapped(std::string(first_line_loss, 'x') + text, kTextColumn).substr(first_line_loss);
  return StrCat(line, wrapped, "\n");
}

// A blank line, the name of the group, its flags; nothing for a group whose flags are not shown.
std::string GroupHelp(const CLI::App& app, const std::string& group) {
  const auto options = app.get_options(
      [&](const CLI::Option* option) { return option->get_group() == group && !group.empty(); });
  if (options.empty()) return "";
  std::string text = StrCat("\n", group, ":\n");
  for (const CLI::Option* option : options) text += OptionHelp(*option);
  return text;
}

std::string WithoutBlankLines(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '\n' || !out.ends_with('\n')) out += c;
  }
  return out;
}

std::string UsageLine(const CLI::App& app) {
  std::string usage = StrCat("usage: ", app.get_name());
  std::string positionals, required;
  bool any_optional = false;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      positionals += StrCat(" ", option->get_required() ? "" : "[", option->get_type_name(),
                            option->get_required() ? "" : "]");
    } else if (option->get_required()) {
      const bool has_short = !option->get_snames().empty();
      required += StrCat(" ", has_short ? "-" + option->get_snames().front() : LongName(*option), " ",
                         option->get_type_name());
    } else {
      any_optional = true;
    }
  }
  return StrCat(usage, positionals, any_optional ? " [flags]" : "", required, "\n");
}

bool IsConfigurable(const CLI::Option& option) {
  static constexpr std::string_view kNot[] = {"config", "print-config", "help", "version"};
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

// Canonical arguments for one key of a configuration file.
Status AppendConfigItem(const CLI::App& app, const CLI::ConfigItem& item,
                        std::span<const std::string> canonical, std::vector<std::string>& out) {
  if (!item.parents.empty()) {
    return InvalidArgument(StrCat("section [", item.parents.front(), "], expected keys only"));
  }
  const CLI::Option* option = FindFlag(app, "--" + WithHyphens(item.name));
  if (option == nullptr || !IsConfigurable(*option)) {
    std::vector<std::string> keys;
    for (const CLI::Option* known : app.get_options()) {
      if (IsConfigurable(*known)) keys.push_back(known->get_lnames().front());
    }
    return InvalidArgument(UnknownName("key", item.name, keys));
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

}  // namespace

Expected<std::vector<std::string>> CanonicalArguments(const CLI::App& app,
                                                      std::span<const std::string> arguments) {
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
    QAT_ASSIGN_OR_RETURN(Flag flag, ParseFlag(app, argument));
    if (flag.name == "--help" || flag.name == "--version") return std::vector<std::string>{flag.name};
    if (TakesValue(*flag.option) && !flag.has_value && !TakesSeveral(*flag.option)) {
      if (i + 1 == arguments.size() || LooksLikeFlag(app, arguments[i + 1])) {
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

Expected<std::vector<std::string>> ConfigArguments(const CLI::App& app, const std::string& path,
                                                   std::span<const std::string> canonical) {
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::vector<std::string> out;
  try {
    std::istringstream stream(text);
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(stream)) {
      QAT_RETURN_IF_ERROR_IN(path, AppendConfigItem(app, item, canonical, out));
    }
  } catch (const std::exception& error) {
    return InvalidArgument(StrCat(path, ": ", error.what()));
  }
  return out;
}

std::string ConfigText(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
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

std::string HelpText(const CLI::App& app, std::string_view examples) {
  std::string text = StrCat(UsageLine(app), app.get_description(), "\n");
  std::vector<std::string> groups = app.get_groups();
  // The flags that all tools share come last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "Common"; });
  for (const std::string& group : groups) text += GroupHelp(app, group);
  text += StrCat("\nexamples:\n", examples, examples.ends_with('\n') ? "" : "\n");
  constexpr ptrdiff_t kScreenLines = 45;
  return std::count(text.begin(), text.end(), '\n') <= kScreenLines ? text : WithoutBlankLines(text);
}

}  // namespace qat
