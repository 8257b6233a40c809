#include "spec/refusals.h"

#include <algorithm>

#include "base/strings.h"
#include "spec/op_names.h"

namespace qat {

bool Refusals::Refuse(TextPlace place, Error error) {
  error.message = StrCat(context_, error.message);
  errors_.Add(place, std::move(error));
  return false;
}

bool Refusals::Mismatch(const toml::node& node, std::string_view name, std::string_view expected) {
  return Refuse(node, StrCat("'", name, "' ", MismatchText(node, expected)));
}

bool Refusals::Missing(const toml::table& block, std::string_view name, std::string_view expected) {
  if (const toml::node* node = block.get(name)) return Mismatch(*node, name, expected);
  return Refuse(block, StrCat("key '", name, "' is missing, expected ", expected));
}

bool Refusals::RejectUnknown(const toml::table& table, const std::vector<std::string>& known) {
  bool good = true;
  for (const auto& [key, value] : table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string_view usual = UsualKey(name, known);
    const std::string what = usual.empty() ? UnknownName("key", name, known)
                                           : StrCat("unknown key '", name, "'; did you mean '", usual, "'?");
    good = Refuse(key, StrCat(what, " (expected one of ", Join(known), ")"));
  }
  return good;
}

}  // namespace qat
