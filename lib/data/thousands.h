// thousands.h: numbers that are written with signs for thousands, which a decimal sign is taken for.
#ifndef QAT_DATA_THOUSANDS_H_
#define QAT_DATA_THOUSANDS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace qat {

/// "1,234", "-12.345", "1'234'567": digits in threes behind the first one to three. A 0 in front of a sign
/// begins a decimal.
bool IsInThousands(std::string_view text);

/// "1234567" of "1'234'567". Requires  IsInThousands.
std::string WithoutThousands(std::string text);

/// Whether the numbers of a column have signs for thousands: 950 beside 2.932 has no decimals.
class ThousandsCheck {
 public:
  /// A cell, and the number that it was read as.
  void Add(std::string_view cell, double value);
  /// Three cells of this kind are no chance: as decimals, one in a thousand would have no sign.
  bool found() const { return !decimals_ && grouped_ >= 3 && small_ >= 1; }
  /// The first cell of this kind. Requires  found().
  const std::string& first() const { return first_; }

 private:
  int64_t grouped_ = 0, small_ = 0;
  bool decimals_ = false;
  std::string first_;
};

}  // namespace qat

#endif  // QAT_DATA_THOUSANDS_H_
