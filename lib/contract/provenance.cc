#include "contract/provenance.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kHashSuffix = "_sha256";

/// On one line.
std::string Escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '\n') text += '\\';
    text += c == '\n' ? 'n' : c;
  }
  return text;
}

std::string Unescaped(const std::string& text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    const char c = escape ? text[++i] : text[i];
    value += escape && c == 'n' ? '\n' : c;
  }
  return value;
}

}  // namespace

std::string ProvenanceText(const std::map<std::string, std::string>& provenance) {
  std::map<std::string, std::string> lines;
  for (const auto& [key, value] : provenance) {
    // The description names the program; which examples were held out, and the task, follow from the
    // checkpoint's hash.
    if (key == "tool_version" || key == "holdout_sha256" || key == kTaskKey) continue;
    const bool is_hash = key.ends_with(kHashSuffix);
    lines[is_hash ? key.substr(0, key.size() - kHashSuffix.size()) : key] =
        is_hash ? value.substr(0, kShortHash) : value;
  }
  std::string text;
  for (const auto& [key, value] : lines) text += StrCat(key, "=", Escaped(value), "\n");
  return text;
}

std::map<std::string, std::string> ParseProvenance(std::string_view text) {
  std::map<std::string, std::string> provenance;
  for (const std::string& line : SplitText(std::string(text), '\n')) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string key = line.substr(0, equals);
    if (key.ends_with(kHashSuffix)) key.resize(key.size() - kHashSuffix.size());
    provenance[key] = Unescaped(line.substr(equals + 1));
  }
  return provenance;
}

bool IsCalibrated(const std::map<std::string, std::string>& provenance) {
  constexpr std::string_view kKey = kCalibrationKey;
  return provenance.contains(std::string(kKey.substr(0, kKey.size() - kHashSuffix.size())));
}

bool SameHash(std::string_view a, std::string_view b) {
  const size_t digits = std::min(a.size(), b.size());
  return digits >= kShortHash && a.substr(0, digits) == b.substr(0, digits);
}

}  // namespace qat
