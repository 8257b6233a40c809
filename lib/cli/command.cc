#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/strings.h"

namespace qat {

std::string TitleOf(const Program& program, const Command& command) {
  return command.name.empty() ? program.name : StrCat(program.name, " ", command.name);
}

std::string LongName(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name();
  return option.get_lnames().empty() ? "-" + option.get_snames().front() : "--" + option.get_lnames().front();
}

// CLI11 has two meanings of "no maximum"; both are far above what anybody types.
bool TakesSeveral(const CLI::Option& option) { return option.get_items_expected_max() > 1; }
bool TakesValue(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

const CLI::Option* FindOption(const Command& command, std::string_view name) {
  return command.app->get_option_no_throw(name.starts_with("--") ? WithHyphens(name) : std::string(name));
}

std::string WithHyphens(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

}  // namespace qat
