// strings.h: the few text helpers that messages need.
#ifndef QAT_BASE_STRINGS_H_
#define QAT_BASE_STRINGS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace qat {

/// Shortest text that reads back as the same value ("0.1", "1e-05", "7").
std::string NumberText(double value);
std::string NumberText(float value);

namespace internal {
inline void Append(std::string& out, std::string_view piece) { out += piece; }
inline void Append(std::string& out, char piece) { out += piece; }
template <class T>
requires std::is_arithmetic_v<T>
void Append(std::string& out, T piece) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    out += NumberText(piece);
  } else {
    out += std::to_string(piece);
  }
}
}  // namespace internal

/// Joins texts and numbers: StrCat("scale[", 3, "] is ", 0.5f).
template <class... Pieces>
std::string StrCat(const Pieces&... pieces) {
  std::string out;
  (internal::Append(out, pieces), ...);
  return out;
}

/// "a, b, c".
std::string Join(std::span<const std::string> pieces, std::string_view separator = ", ");

/// With small letters for capital ones; ASCII.
std::string LowerCase(std::string_view text);

/// The number that the whole of `text` is, as std::from_chars reads it: nothing around it, no plus sign.
/// Nothing where it is none, or T cannot hold it. For int, int64_t, size_t, float and double; of the last two
/// also "inf" and "nan".
template <class T>
std::optional<T> ParseNumber(std::string_view text);

/// Splits at every `separator`; an empty text gives one empty piece.
std::vector<std::string> SplitText(std::string_view text, char separator);

/// The candidate with the smallest edit distance to `word`; empty if none is near enough to be a typing
/// mistake (distance at most a third of the longer word, at least 2) or an abbreviation (three letters or
/// more). Letters of either case, '-' and '_' count as equal.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

/// "unknown key 'filterz'; did you mean 'filters'?": the second half only where Nearest finds something.
std::string UnknownName(std::string_view what, std::string_view word,
                        std::span<const std::string> candidates);

}  // namespace qat

#endif  // QAT_BASE_STRINGS_H_
