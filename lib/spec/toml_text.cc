#include "spec/toml_text.h"

#include <algorithm>

#include "base/printable.h"
#include "base/strings.h"
#include "ops/keys.h"
#include "spec/op_names.h"

namespace qat {
namespace {

TextPlace PlaceOf(const toml::source_position& at) {
  return {static_cast<int32_t>(at.line), static_cast<int32_t>(at.column)};
}

std::string HexByte(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return StrCat("0x", kDigits[byte >> 4], kDigits[byte & 15]);
}

// Where a string that begins at `at` ends, as far as TOML's quotes say: behind its last quote, or at the line
// end that it may not hold.
size_t EndOfString(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool many_lines = text.substr(at).starts_with(three);
  at += many_lines ? 3 : 1;
  for (; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (many_lines && text.substr(at).starts_with(three)) {
      at += 3;
      while (at < text.size() && text[at] == quote) ++at;  // up to two that belong to the string
      return at;
    } else if (!many_lines && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    }
  }
  return text.size();
}

TextPlace PlaceAt(std::string_view text, size_t at) {
  const std::string_view before = text.substr(0, at);
  const size_t line_end = before.rfind('\n');
  const std::string_view line = line_end == std::string_view::npos ? before : before.substr(line_end + 1);
  const auto continues = [](char c) { return (c & 0xc0) == 0x80; };
  const auto columns = std::ssize(line) - std::count_if(line.begin(), line.end(), continues);
  return {static_cast<int32_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int32_t>(columns) + 1};
}

// TOML is UTF-8, and has other letters than ASCII's in strings and comments only. The parser relies on both:
// some letters elsewhere lead it into code that it takes for unreachable.
Status CheckCharacters(std::string_view text, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (const size_t at = FindInvalidUtf8(text); at != std::string_view::npos) {
    return InvalidArgument(StrCat(source, ": byte ", at, " is ", HexByte(text[at]),
                                  ", which is not UTF-8, expected a text file in UTF-8"));
  }
  size_t at = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      at = EndOfString(text, at);
    } else if ((c & 0x80) != 0) {
      return InvalidArgument(StrCat(PlaceText(source, PlaceAt(text, at)), ": '",
                                    text.substr(at, Utf8Length(text.substr(at))),
                                    "' stands outside of a string, expected it between quotes"));
    } else {
      ++at;
    }
  }
  return {};
}

}  // namespace

TextPlace TextPlaceOf(const toml::node& node) { return PlaceOf(node.source().begin); }
TextPlace TextPlaceOf(const toml::key& key) { return PlaceOf(key.source().begin); }

Expected<TomlText> TomlText::Parse(std::string_view text, const std::string& source) {
  QAT_RETURN_IF_ERROR(CheckCharacters(text, source));
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
