#include "model/unsupported.h"

#include <algorithm>

#include "base/join_some.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr size_t kNamedNodes = 4;

std::string NodesText(const std::vector<size_t>& nodes) {
  if (nodes.empty()) return "";
  std::vector<std::string> names;
  for (const size_t node : nodes) names.push_back(StrCat(node));
  return StrCat(nodes.size() == 1 ? " (operator " : " (operators ", JoinSome(names, kNamedNodes), ")");
}

}  // namespace

std::vector<size_t>& UnsupportedList::NodesOf(std::string reason) {
  const auto item =
      std::find_if(items_.begin(), items_.end(), [&](const auto& known) { return known.first == reason; });
  if (item != items_.end()) return item->second;
  return items_.emplace_back(std::move(reason), std::vector<size_t>()).second;
}

void UnsupportedList::Add(std::string reason) { NodesOf(std::move(reason)); }
void UnsupportedList::Add(std::string reason, size_t node) { NodesOf(std::move(reason)).push_back(node); }

void UnsupportedList::Add(const UnsupportedList& others) {
  for (const auto& [reason, nodes] : others.items_) {
    std::vector<size_t>& known = NodesOf(reason);
    known.insert(known.end(), nodes.begin(), nodes.end());
  }
}

std::string UnsupportedList::Text() const {
  std::vector<std::string> texts;
  for (const auto& [reason, nodes] : items_) texts.push_back(StrCat(reason, NodesText(nodes)));
  return Join(texts, "; ");
}

}  // namespace qat
