#include "fuzz/mutate.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <set>

#include "base/strings.h"

namespace qat::fuzz {
namespace {

constexpr int64_t kIntegers[] = {
    0,       1,          -1,          2,          3,          7,          8,         16,       127,
    128,     -128,       -129,        255,        256,        32767,      32768,     65535,    65536,
    1 << 20, 2147483647, -2147483648, 2147483648, 4294967295, 4294967296, INT64_MAX, INT64_MIN};
constexpr double kReals[] = {0.0,
                             -0.0,
                             1.0,
                             -1.0,
                             0.5,
                             255.0,
                             1e-45,
                             -1e-45,
                             1.17e-38,
                             1e-10,
                             1e10,
                             3.4028235e38,
                             -3.4028235e38,
                             1e39,
                             1e300,
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
constexpr std::string_view kTextPieces[] = {"0",
                                            "-1",
                                            "1e999",
                                            "nan",
                                            "inf",
                                            "-0.0",
                                            "99999999999999999999",
                                            "2147483648",
                                            "0x10",
                                            "\"",
                                            "'",
                                            "[",
                                            "]",
                                            "{",
                                            "}",
                                            "=",
                                            ",",
                                            ".",
                                            "#",
                                            "\\",
                                            "\\u0000",
                                            "\n",
                                            "\r\n",
                                            "\t",
                                            "true",
                                            "null",
                                            "\xff",
                                            "\xe2\x80\xae",
                                            "\xef\xbb\xbf",
                                            "[[",
                                            "\"\"\"",
                                            "\x1b[2J",
                                            " ",
                                            ";"};
constexpr size_t kMostInserted = 64;

template <class T, size_t kCount>
const T& Pick(Random& random, const T (&values)[kCount]) {
  return values[random.Below(kCount)];
}

struct Piece {
  size_t begin, size;
};

// At least one byte of bytes that are there.
Piece PieceOf(size_t size, Random& random) {
  const size_t begin = Place(random, size);
  const size_t most = std::min(size - begin, random.Below(4) == 0 ? size : kMostInserted);
  return {begin, 1 + Place(random, most)};
}

void Insert(std::span<const uint8_t> from, Random& random, Bytes& bytes) {
  if (from.empty()) return;
  const Piece piece = PieceOf(from.size(), random);
  const Bytes copy(from.begin() + static_cast<std::ptrdiff_t>(piece.begin),
                   from.begin() + static_cast<std::ptrdiff_t>(piece.begin + piece.size));
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(Place(random, bytes.size() + 1)), copy.begin(),
               copy.end());
}

void Overwrite(std::span<const uint8_t> from, Random& random, Bytes& bytes) {
  if (from.empty() || bytes.empty()) return;
  const Piece piece = PieceOf(from.size(), random);
  const Bytes copy(from.begin() + static_cast<std::ptrdiff_t>(piece.begin),
                   from.begin() + static_cast<std::ptrdiff_t>(piece.begin + piece.size));
  const size_t place = Place(random, bytes.size());
  std::copy_n(copy.begin(), std::min(copy.size(), bytes.size() - place),
              bytes.begin() + static_cast<std::ptrdiff_t>(place));
}

void Remove(Random& random, Bytes& bytes) {
  const Piece piece = PieceOf(bytes.size(), random);
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(piece.begin);
  bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(piece.size));
}

// Begin and size of every run of letters, digits and what numbers are written with.
std::vector<Piece> WordsOf(std::string_view text) {
  std::vector<Piece> words;
  bool inside = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool part = std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-' || c == '+';
    if (part && !inside) words.push_back({i, 0});
    if (part) ++words.back().size;
    inside = part;
  }
  return words;
}

std::string NewNumber(Random& random, const std::string& old) {
  const double number = ParseNumber<double>(old).value_or(1);
  if (random.Below(3) == 0) return StrCat(InterestingReal(random, number));
  const bool whole = std::abs(number) < 1e15;
  return std::to_string(InterestingInteger(random, whole ? static_cast<int64_t>(number) : 0));
}

void ReplaceWord(std::span<const std::string> words, Random& random, std::string& text) {
  const std::vector<Piece> found = WordsOf(text);
  if (found.empty()) return;
  const Piece piece = found[Place(random, found.size())];
  const std::string old = text.substr(piece.begin, piece.size);
  std::string replacement;
  if (std::isdigit(static_cast<unsigned char>(old[0])) != 0 && random.Below(4) != 0) {
    replacement = NewNumber(random, old);
  } else if (!words.empty() && random.Below(3) != 0) {
    replacement = words[Place(random, words.size())];
  } else if (random.Below(2) == 0) {
    const Piece other = found[Place(random, found.size())];
    replacement = text.substr(other.begin, other.size);
  } else {
    replacement = Pick(random, kTextPieces);
  }
  text.replace(piece.begin, piece.size, replacement);
}

void MutateLines(Random& random, std::string& text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end = 0; begin < text.size(); begin = end) {
    end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    lines.push_back(text.substr(begin, end - begin));
  }
  if (lines.empty()) return;
  const size_t first = Place(random, lines.size()), second = Place(random, lines.size());
  switch (random.Below(4)) {
    case 0:
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(second), std::string(lines[first]));
      break;
    case 1:
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(first));
      break;
    case 2:
      std::swap(lines[first], lines[second]);
      break;
    default:
      lines[first] = lines[second];
      break;
  }
  text.clear();
  for (const std::string& line : lines) text += line;
}

}  // namespace

size_t Place(Random& random, size_t bound) {
  return bound == 0 ? 0 : random.Below(static_cast<uint32_t>(std::min<size_t>(bound, UINT32_MAX)));
}

int64_t InterestingInteger(Random& random, int64_t old) {
  switch (random.Below(4)) {
    case 0:
      return static_cast<int64_t>(static_cast<uint64_t>(old) +
                                  static_cast<uint64_t>(int64_t{random.Between(-4, 4)}));
    case 1:
      return static_cast<int64_t>(uint64_t{random.Next()} << 32 | random.Next()) >> random.Below(64);
    default:
      return Pick(random, kIntegers);
  }
}

double InterestingReal(Random& random, double old) {
  switch (random.Below(4)) {
    case 0:
      return old * (2 * static_cast<double>(random.Uniform()));
    case 1:
      return std::ldexp(1.0, random.Between(-160, 160));
    default:
      return Pick(random, kReals);
  }
}

void MutateNumberInPlace(Random& random, std::span<uint8_t> bytes) {
  const size_t size = size_t{1} << random.Below(4);
  if (bytes.size() < size) return;
  const size_t place = Place(random, bytes.size() - size + 1);
  const bool big = random.Below(2) == 0;
  uint64_t old = 0;
  for (size_t i = 0; i < size; ++i) old |= uint64_t{bytes[place + (big ? size - 1 - i : i)]} << (8 * i);
  const auto value = static_cast<uint64_t>(InterestingInteger(random, static_cast<int64_t>(old)));
  for (size_t i = 0; i < size; ++i)
    bytes[place + (big ? size - 1 - i : i)] = static_cast<uint8_t>(value >> (8 * i));
}

void MutateBytes(std::span<const uint8_t> other, Random& random, Bytes& bytes) {
  if (bytes.empty()) return Insert(other, random, bytes);
  switch (random.Below(8)) {
    case 0:
      bytes[Place(random, bytes.size())] ^= static_cast<uint8_t>(1u << random.Below(8));
      break;
    case 1:
      bytes[Place(random, bytes.size())] = static_cast<uint8_t>(random.Next());
      break;
    case 2:
      MutateNumberInPlace(random, bytes);
      break;
    case 3:
      Remove(random, bytes);
      break;
    case 4:
      Insert(bytes, random, bytes);
      break;
    case 5:
      Overwrite(bytes, random, bytes);
      break;
    case 6:
      random.Below(2) == 0 ? Insert(other, random, bytes) : Overwrite(other, random, bytes);
      break;
    default:
      bytes.resize(Place(random, bytes.size()));
      break;
  }
}

void MutateText(std::span<const std::string> words, Random& random, std::string& text) {
  switch (random.Below(8)) {
    case 0:
      text.insert(Place(random, text.size() + 1), Pick(random, kTextPieces));
      break;
    case 1:
    case 2:
      MutateLines(random, text);
      break;
    case 3:
      if (!text.empty()) text.erase(Place(random, text.size()), 1 + random.Below(8));
      break;
    default:
      ReplaceWord(words, random, text);
      break;
  }
}

std::vector<std::string> WordsIn(std::span<const Bytes> texts) {
  std::set<std::string> words;
  for (const Bytes& bytes : texts) {
    const std::string text = TextOf(bytes);
    for (const Piece& piece : WordsOf(text)) words.insert(text.substr(piece.begin, piece.size));
  }
  return {words.begin(), words.end()};
}

void MutateTextBytes(std::span<const std::string> words, Random& random, Bytes& bytes) {
  std::string text = TextOf(bytes);
  for (uint32_t changes = 1 + random.Below(3); changes > 0; --changes) MutateText(words, random, text);
  bytes = BytesOf(text);
}

std::string TextOf(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }
Bytes BytesOf(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace qat::fuzz
