#include "spec/toml_text.h"

#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "spec/op_names.h"

namespace qat {
namespace {

TextPlace PlaceOf(const toml::source_position& at) {
  return {static_cast<int32_t>(at.line), static_cast<int32_t>(at.column)};
}

}  // namespace

TextPlace TextPlaceOf(const toml::node& node) { return PlaceOf(node.source().begin); }
TextPlace TextPlaceOf(const toml::key& key) { return PlaceOf(key.source().begin); }

Expected<TomlText> TomlText::Parse(std::string_view text, const std::string& source) {
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const toml::parse_error& error = result.error();
    return InvalidArgument(
        StrCat(PlaceText(source, PlaceOf(error.source().begin)), ": ", error.description()));
  }
  TomlText parsed;
  parsed.root_ = std::move(result).table();
  parsed.source_ = source;
  return parsed;
}

std::string TomlText::Place(const toml::node& node) const { return PlaceText(source_, TextPlaceOf(node)); }
std::string TomlText::Place(const toml::key& key) const { return PlaceText(source_, TextPlaceOf(key)); }

Expected<AttributeValue> ToAttributeValue(const toml::node& node) {
  if (const auto* boolean = node.as_boolean()) return AttributeValue(boolean->get());
  if (const auto* integer = node.as_integer()) return AttributeValue(integer->get());
  if (const auto* real = node.as_floating_point()) return AttributeValue(real->get());
  if (const auto* text = node.as_string()) return AttributeValue(text->get());
  if (const auto* list = node.as_array()) {
    std::vector<int64_t> values;
    for (const toml::node& element : *list) {
      const auto* integer = element.as_integer();
      if (integer == nullptr) return InvalidArgument("is a list of other things, expected integers");
      values.push_back(integer->get());
    }
    return AttributeValue(std::move(values));
  }
  return InvalidArgument("is a table or a date, expected a number, a text or a list of integers");
}

std::string MismatchText(const toml::node& node, std::string_view expected) {
  const auto value = ToAttributeValue(node);
  const std::string is = value.ok()        ? StrCat("is ", keys::TextOf(*value))
                         : node.is_array() ? "is a list"
                         : node.is_table() ? "is a table"
                                           : "is a date or a time";
  return StrCat(is, ", expected ", expected);
}

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
