#include "weights/name_map.h"

#include "base/printable.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes a name off the front, in quotes or up to one of `ends`; false: a quote stays open.
bool TakeName(std::string_view& text, std::string_view ends, std::string& name) {
  text = Trimmed(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const size_t close = text.find(text.front(), 1);
    if (close == std::string_view::npos) return false;
    name = text.substr(1, close - 1);
    text = Trimmed(text.substr(close + 1));
    return true;
  }
  const size_t end = std::min(text.find_first_of(ends), text.size());
  name = Trimmed(text.substr(0, end));
  text.remove_prefix(end);
  return true;
}

bool ParseLine(std::string_view line, std::string& ours, std::string& theirs) {
  if (!TakeName(line, "=", ours) || ours.empty() || !line.starts_with('=')) return false;
  line.remove_prefix(1);
  if (!TakeName(line, "#", theirs)) return false;
  if (theirs.empty()) theirs = kFreshLayer;
  return line.empty() || line.starts_with('#');
}

}  // namespace

std::string NameMap::Place(const std::string& ours) const {
  const Line* const line = Find(ours);
  return line == nullptr ? source : StrCat(source, ":", line->number);
}

const NameMap::Line* NameMap::Find(const std::string& ours) const {
  const auto found = lines.find(ours);
  return found == lines.end() ? nullptr : &found->second;
}

Expected<NameMap> ParseNameMap(std::string_view text, const std::string& source) {
  NameMap map;
  map.source = source;
  int32_t number = 0;
  for (const std::string& line : SplitText(text, '\n')) {
    ++number;
    const std::string_view content = Trimmed(line);
    if (content.empty() || content.starts_with('#')) continue;
    std::string ours, theirs;
    const std::string place = StrCat(source, ":", number);
    if (!ParseLine(content, ours, theirs)) {
      return InvalidArgument(
          StrCat(place, ": is '", Printable(content.substr(0, 80)), "', expected 'our name = their name'"));
    }
    if (!map.lines.emplace(ours, NameMap::Line{theirs, number}).second) {
      return InvalidArgument(StrCat(place, ": '", Printable(ours), "' is named a second time, first in line ",
                                    map.lines[ours].number));
    }
  }
  return map;
}

}  // namespace qat
