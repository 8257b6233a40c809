// diagnostics.h: all errors in a text, reported together.
#ifndef QAT_SPEC_DIAGNOSTICS_H_
#define QAT_SPEC_DIAGNOSTICS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Line and column, from 1; 0: the text as a whole.
struct TextPlace {
  int32_t line = 0;
  int32_t column = 0;
  auto operator<=>(const TextPlace&) const = default;
};

/// "SOURCE:LINE:COLUMN", or "SOURCE" for the text as a whole.
std::string PlaceText(const std::string& source, TextPlace place);

class Diagnostics {
 public:
  explicit Diagnostics(std::string source) : source_(std::move(source)) {}

  void Add(TextPlace place, Error error) { errors_.push_back({place, std::move(error)}); }

  /// Ok if nothing was added; otherwise one error with a line "PLACE: message" for each, in the order of the
  /// text:
  /// kUnsupported if all of them are, kInvalidArgument otherwise.
  Status Take();

 private:
  struct Placed {
    TextPlace place;
    Error error;
  };
  std::string source_;
  std::vector<Placed> errors_;
};

}  // namespace qat

#endif  // QAT_SPEC_DIAGNOSTICS_H_
