#include "cli/flag_table.h"

#include <CLI/CLI.hpp>
#include <string_view>
#include <type_traits>

namespace qat {
namespace {

bool EndsInDots(std::string_view type) { return type.ends_with("..."); }

template <class T>
CLI::Option* AddFlag(CLI::App& app, const FlagRow& row, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return app.add_flag(row.names, value, row.text);
  } else {
    CLI::Option* option = app.add_option(row.names, value, row.text)->type_name(row.type);
    if constexpr (std::is_same_v<T, std::vector<int32_t>>) option->delimiter(',');
    if constexpr (std::is_same_v<T, std::vector<std::string>>) option->allow_extra_args(EndsInDots(row.type));
    return option;
  }
}

}  // namespace

void AddFlags(Command& command, uint32_t bit, const char* group, std::span<const FlagRow> rows) {
  for (const FlagRow& row : rows) {
    if ((row.commands & bit) == 0) continue;
    std::visit([&](auto* value) { AddFlag(*command.app, row, *value)->group(group); }, row.target);
  }
}

}  // namespace qat
