#include "base/named_lists.h"

#include "base/strings.h"

namespace qat {

bool HasNames(std::string_view text) { return text.find('=') != std::string_view::npos; }

std::optional<std::map<std::string, std::string>> ParseNamedLists(const std::string& text) {
  std::map<std::string, std::string> lists;
  std::string name;
  for (std::string piece : SplitText(text, ',')) {
    piece.erase(0, piece.find_first_not_of(' '));
    const size_t equals = piece.find('=');
    if (equals == std::string::npos) {
      if (name.empty()) return std::nullopt;
      lists[name] += StrCat(",", piece);
      continue;
    }
    name = piece.substr(0, equals);
    if (name.empty() || !lists.emplace(name, piece.substr(equals + 1)).second) return std::nullopt;
  }
  return lists;
}

}  // namespace qat
