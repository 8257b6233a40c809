#include "base/printable.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace qat {
namespace {

uint32_t ByteAt(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// Of a valid sequence of `length` bytes.
uint32_t CodePoint(std::string_view text, size_t length) {
  if (length == 1) return ByteAt(text, 0);
  uint32_t value = ByteAt(text, 0) & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) value = value << 6 | (ByteAt(text, i) & 0x3f);
  return value;
}

// With the two code points that are no characters, which XML cannot hold.
bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfffe || c == 0xffff;
}

// Unicode's explicit marks of direction (UAX #9): ALM, LRM, RLM, embeddings, overrides, isolates.
bool IsDirection(uint32_t c) {
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string Escaped(const char* format, uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), format, static_cast<unsigned>(value));
  return text;
}

std::string Escape(uint32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  return Escaped(c < 0x80 ? "\\x%02x" : "\\u%04x", c);
}

std::string Shown(std::string_view text, bool keeps_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const uint32_t c = length == 0 ? 0 : CodePoint(text, length);
    if (length == 0) {
      out += Escaped("\\x%02x", ByteAt(text, 0));
    } else if ((IsControl(c) && !(keeps_lines && c == '\n')) || IsDirection(c)) {
      out += Escape(c);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  const uint32_t first = ByteAt(text, 0);
  if (first < 0x80) return 1;
  const size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((ByteAt(text, i) & 0xc0) != 0x80) return 0;
  }
  const uint32_t c = CodePoint(text, length);
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  return overlong || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : length;
}

size_t FindInvalidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string Printable(std::string_view text) { return Shown(text, false); }
std::string PrintableJson(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const size_t length = std::max<size_t>(Utf8Length(json), 1);
    const uint32_t c = CodePoint(json, length);
    const bool obeyed = (IsControl(c) && c != '\n' && c != '\t' && c != '\r') || IsDirection(c);
    out += obeyed ? Escaped("\\u%04x", c) : std::string(json.substr(0, length));
    json.remove_prefix(length);
  }
  return out;
}

std::string PrintableLines(std::string_view text) { return Shown(text, true); }

std::string PrintableMessage(std::string_view text) {
  constexpr std::string_view kItem = "\n  ";
  std::string out;
  for (size_t end; (end = text.find(kItem)) != std::string_view::npos;
       text.remove_prefix(end + kItem.size())) {
    out += Shown(text.substr(0, end), false);
    out += kItem;
  }
  return out + Shown(text, false);
}

}  // namespace qat
