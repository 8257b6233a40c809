// \x93NUMPY, major, minor, header length (uint16, from version 2 on uint32, little endian), header, values.
// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
#include "data/npy.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

// As we write them; read in either byte order.
constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"<f4", DType::kFloat32}, {"|u1", DType::kUInt8},   {"|i1", DType::kInt8},
    {"<i2", DType::kInt16},   {"<i4", DType::kInt32},   {"<i8", DType::kInt64},
    {"<f2", DType::kFloat16}, {"<f8", DType::kFloat64}, {"|b1", DType::kBool},
};

// Unsigned elements that no DType has, and the next wider one that holds them.
constexpr std::pair<std::string_view, DType> kWidened[] = {{"u2", DType::kInt32}, {"u4", DType::kInt64}};

// How values lie in a file.
struct Stored {
  DType type = DType::kFloat32;  // of the array that is made of them
  size_t size = 0;               // of an element; less than that of `type` where it is widened
  bool big_endian = false;
  bool fortran = false;  // the first axis runs fastest
  bool utf32 = false;    // of text: four bytes a character, else one
  bool InOrder() const { return type != DType::kString && size == SizeOf(type) && !big_endian && !fortran; }
};

// The text after "'key':", blanks skipped; empty if there is no such key.
std::string_view ValueOf(std::string_view header, std::string_view key) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = StrCat(quote, key, quote);
    size_t place = header.find(quoted);
    if (place == std::string_view::npos) continue;
    place = header.find(':', place + quoted.size());
    if (place == std::string_view::npos) return {};
    place = header.find_first_not_of(' ', place + 1);
    return place == std::string_view::npos ? std::string_view() : header.substr(place);
  }
  return {};
}

// "(3, 4)", "(3,)", "()".
std::optional<Shape> ParseShape(std::string_view text) {
  if (!text.starts_with('(')) return std::nullopt;
  Shape shape;
  const char* at = text.data() + 1;
  const char* const end = text.data() + text.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == ',')) ++at;
    if (at == end) return std::nullopt;
    if (*at == ')') return shape;
    int32_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0) return std::nullopt;
    shape.push_back(size);
    at = next;
  }
}

// "U5" or "S5": text of up to so many characters.
std::optional<Stored> TextType(std::string_view descr) {
  if (descr.size() < 4 || (descr[2] != 'U' && descr[2] != 'S')) return std::nullopt;
  size_t length = 0;
  const auto [end, error] = std::from_chars(descr.data() + 3, descr.data() + descr.size(), length);
  constexpr size_t kLongest = 1 << 16;
  if (error != std::errc() || end == descr.data() + descr.size() || *end != descr[0]) return std::nullopt;
  if (length == 0 || length > kLongest) return std::nullopt;
  const bool utf32 = descr[2] == 'U';
  return Stored{DType::kString, utf32 ? 4 * length : length, descr[1] == '>', false, utf32};
}

// descr is a byte order ('<', '>', '|' or '=') and a name ("f4") in quotes.
Expected<Stored> ParseType(std::string_view descr, const std::string& source) {
  const std::string_view name = descr.size() > 4 ? descr.substr(2, 2) : std::string_view();
  const bool quoted = descr.size() > 4 && descr[4] == descr[0];
  if (const auto text = TextType(descr)) return *text;
  Stored stored;
  stored.big_endian = descr.size() > 1 && descr[1] == '>';
  for (const auto& [text, type] : kTypes) {
    if (!quoted || name != text.substr(1)) continue;
    stored.type = type;
    stored.size = SizeOf(type);
    return stored;
  }
  for (const auto& [text, type] : kWidened) {
    if (!quoted || name != text) continue;
    stored.type = type;
    stored.size = SizeOf(type) / 2;
    return stored;
  }
  const bool objects = descr.size() > 2 && descr[2] == 'O';
  return Unsupported(
      StrCat(source, ": element type ", descr.substr(0, descr.find(',')),
             objects ? " (Python objects), expected numbers or text, as of array.astype(int) or "
                       "array.astype(str)"
                     : ", expected float, bool, text, signed integers, or unsigned ones of up to 4 bytes"));
}

struct Header {
  std::string_view text;
  size_t end = 0;  // where values begin
};

std::optional<Header> FindHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const int version = bytes[6];
  if (!text.starts_with(kMagic) || version < 1 || version > 3) return std::nullopt;
  const size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) return std::nullopt;
  size_t length = 0;
  for (size_t i = start; i > 8; --i) length = length << 8 | bytes[i - 1];
  if (length > bytes.size() - start) return std::nullopt;
  return Header{text.substr(start, length), start + length};
}

// The elements in C order and little-endian.
Bytes InOrder(std::span<const uint8_t> values, const Stored& stored, const Shape& shape) {
  const size_t size = SizeOf(stored.type);
  if (stored.InOrder()) return {values.begin(), values.end()};
  Bytes out(values.size() / stored.size * size);
  std::vector<size_t> strides(shape.size());
  size_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t axis = stored.fortran ? i : shape.size() - 1 - i;
    strides[axis] = stride;
    stride *= static_cast<size_t>(shape[axis]);
  }
  Shape at(shape.size(), 0);
  size_t from = 0;  // the element at `at`
  for (size_t to = 0; to < out.size(); to += size) {
    for (size_t i = 0; i < stored.size; ++i) {
      out[to + i] = values[from * stored.size + (stored.big_endian ? stored.size - 1 - i : i)];
    }
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++at[axis] < shape[axis]) break;
      from -= strides[axis] * static_cast<size_t>(shape[axis]);
      at[axis] = 0;
    }
  }
  return out;
}

void AppendUtf8(uint32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;  // bytes that follow the first
  constexpr uint32_t kFirst[] = {0, 0xc0, 0xe0, 0xf0};
  text += static_cast<char>(kFirst[more] | code >> (6 * more));
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (code >> (6 * i) & 0x3f));
}

// One element as UTF-8; zeros at its end are padding. What is no Unicode becomes U+FFFD.
std::string TextOf(std::span<const uint8_t> element, const Stored& stored) {
  constexpr uint32_t kReplacement = 0xfffd, kMost = 0x10ffff;
  std::string text;
  if (!stored.utf32) {
    text.assign(element.begin(), element.end());
  } else {
    for (size_t at = 0; at < element.size(); at += 4) {
      uint32_t code = 0;
      for (size_t i = 0; i < 4; ++i)
        code |= uint32_t{element[at + i]} << (8 * (stored.big_endian ? 3 - i : i));
      AppendUtf8(code > kMost || (code >= 0xd800 && code < 0xe000) ? kReplacement : code, text);
    }
  }
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

NpyArray TextArray(std::span<const uint8_t> values, const Stored& stored, const Shape& shape) {
  NpyArray array{DType::kString, shape, {}, {}};
  for (size_t at = 0; at < values.size(); at += stored.size)
    array.texts.push_back(TextOf(values.subspan(at, stored.size), stored));
  return array;
}

}  // namespace

namespace {

// What a header says of the values after it.
struct Described {
  Stored stored;
  Shape shape;
  size_t begin = 0;
};

Expected<Described> Describe(std::span<const uint8_t> bytes, const std::string& source) {
  const std::optional<Header> header = FindHeader(bytes);
  if (!header) return Corrupt(StrCat(source, ": has no .npy header, expected a NumPy array file"));
  QAT_ASSIGN_OR_RETURN(Stored stored, ParseType(ValueOf(header->text, "descr"), source));
  const std::optional<Shape> shape = ParseShape(ValueOf(header->text, "shape"));
  if (!shape) return Corrupt(StrCat(source, ": the header names no shape, expected 'shape': (N, ...)"));
  stored.fortran = ValueOf(header->text, "fortran_order").starts_with("True");
  const std::span<const uint8_t> values = bytes.subspan(header->end);
  const int64_t elements = FlatSize(*shape);
  if (static_cast<int64_t>(values.size() / stored.size) != elements || values.size() % stored.size != 0) {
    return Corrupt(StrCat(source, ": holds ", values.size(), " bytes of values, expected ", elements, " x ",
                          stored.size, " for the shape ", ToString(*shape)));
  }
  return Described{stored, *shape, header->end};
}

}  // namespace

Expected<NpyArray> ParseNpy(std::span<const uint8_t> bytes, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const Described found, Describe(bytes, source));
  if (found.stored.type == DType::kString)
    return TextArray(bytes.subspan(found.begin), found.stored, found.shape);
  return NpyArray{found.stored.type, found.shape,
                  InOrder(bytes.subspan(found.begin), found.stored, found.shape)};
}

Expected<NpyArray> ReadNpy(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path));
  QAT_ASSIGN_OR_RETURN(const Described found, Describe(bytes, path));
  if (!found.stored.InOrder()) return ParseNpy(bytes, path);
  // Values that lie as they should move to the front: a large array is in memory once.
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(found.begin));
  return NpyArray{found.stored.type, found.shape, std::move(bytes)};
}

Bytes Serialize(const NpyArray& array) {
  QAT_CHECK(static_cast<int64_t>(array.values.size()) ==
            FlatSize(array.shape) * static_cast<int64_t>(SizeOf(array.type)));
  std::string_view descr;
  for (const auto& [text, type] : kTypes) {
    if (type == array.type) descr = text;
  }
  QAT_CHECK(!descr.empty());
  std::string header = StrCat("{'descr': '", descr, "', 'fortran_order': False, 'shape': (");
  for (const int32_t size : array.shape) header += StrCat(size, ",");
  header += "), }";
  constexpr size_t kPrefix = 10;
  header.append(63 - (kPrefix + header.size()) % 64, ' ');
  header += '\n';
  const std::string head = StrCat(kMagic, '\1', '\0', static_cast<char>(header.size() & 255),
                                  static_cast<char>(header.size() >> 8), header);
  Bytes bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), array.values.begin(), array.values.end());
  return bytes;
}

}  // namespace qat
