#include "cli/number_pair.h"

#include <charconv>
#include <cmath>

#include "base/strings.h"

namespace qat {

Expected<std::array<double, 2>> ParsePair(std::string_view flag, std::string_view expected,
                                          std::string_view text) {
  std::array<double, 2> pair = {};
  const char* at = text.data();
  const char* end = text.data() + text.size();
  bool good = true;
  for (double& number : pair) {
    while (at != end && (*at == ' ' || (*at == ',' && at != text.data()))) ++at;
    const auto [next, error] = std::from_chars(at, end, number);
    good = good && error == std::errc() && std::isfinite(number);
    at = next;
  }
  if (good && at == end) return pair;
  return InvalidArgument(StrCat(flag, ": value '", text, "', expected ", expected));
}

Expected<std::array<double, 2>> ParseStats(std::string_view flag, std::string_view text) {
  QAT_ASSIGN_OR_RETURN(const auto pair, ParsePair(flag, "MEAN,STD as in 0,255", text));
  if (pair[1] > 0) return pair;
  return InvalidArgument(StrCat(flag, ": std is ", pair[1], ", expected more than 0"));
}

}  // namespace qat
