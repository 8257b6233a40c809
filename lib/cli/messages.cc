#include "cli/messages.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";

// The flag that stands for a field; the field where the program has none.
std::string FlagOf(const Program& program, const Command& command, const std::string& field) {
  const auto known = command.fields.find(field);
  if (known != command.fields.end()) return known->second;
  const std::string flag = "--" + WithHyphens(field);
  if (FindOption(command, flag) != nullptr) return flag;
  const CLI::Option* argument = FindOption(command, field);
  if (argument != nullptr && argument->get_positional()) return argument->get_type_name();
  const bool of_another =
      std::any_of(program.commands.begin(), program.commands.end(),
                  [&](const Command& other) { return FindOption(other, flag) != nullptr; });
  return of_another ? flag : field;
}

}  // namespace

std::string NameFlags(const Program& program, const Command& command, std::string_view message) {
  std::string out;
  while (!message.empty()) {
    const size_t open = message.find('`');
    out += message.substr(0, open);
    if (open == std::string_view::npos) break;
    message.remove_prefix(open);
    const size_t close = message.find('`', 1);
    const std::string_view field =
        close == std::string_view::npos ? std::string_view() : message.substr(1, close - 1);
    if (field.empty() || field.find_first_not_of(kLetters) != std::string_view::npos) {
      out += '`';
      message.remove_prefix(1);
      continue;
    }
    const std::string flag = FlagOf(program, command, std::string(field));
    message.remove_prefix(close + 1);
    constexpr std::string_view kHint = " (";
    const size_t end = message.find(')');
    const bool is_hint = out.ends_with(kHint) && message.starts_with(' ') && end != std::string_view::npos;
    if (is_hint && flag == field) {
      // A way out that this program has not got.
      out.resize(out.size() - kHint.size());
      message.remove_prefix(end + 1);
      continue;
    }
    out += flag;
  }
  return out;
}

std::string WithoutDoubledPhrases(std::string message) {
  constexpr std::string_view kEnd = ": ";
  for (size_t start = 0; start < message.size();) {
    bool doubled = false;
    // A phrase may hold the separator itself: "--data: a.npz: --data: a.npz: is cut".
    for (size_t end = message.find(kEnd, start); end != std::string::npos;
         end = message.find(kEnd, end + 1)) {
      const std::string phrase = message.substr(start, end + kEnd.size() - start);
      if (message.compare(start + phrase.size(), phrase.size(), phrase) != 0) continue;
      message.erase(start, phrase.size());
      doubled = true;
      break;
    }
    if (doubled) continue;
    const size_t next = message.find(kEnd, start);
    start = next == std::string::npos ? message.size() : next + kEnd.size();
  }
  return message;
}

void NameFlags(const Program& program, const Command& command, Report& report) {
  const auto name = [&](std::string& text) {
    text = WithoutDoubledPhrases(NameFlags(program, command, text));
  };
  name(report.error);
  std::vector<std::string> warnings;
  for (std::string& warning : report.warnings) {
    name(warning);
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(warning);
  }
  report.warnings = std::move(warnings);
  for (std::string& note : report.data_notes) name(note);
  for (GateResult& gate : report.gates) name(gate.note);
  for (TraceLink& link : report.trace) name(link.note);
}

}  // namespace qat
