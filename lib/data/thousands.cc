#include "data/thousands.h"

#include <cmath>

namespace qat {
namespace {

constexpr std::string_view kDigits = "0123456789", kSigns = ",.' _";

}  // namespace

bool IsInThousands(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  const size_t first = text.find_first_not_of(kDigits);
  if (first == std::string_view::npos || first < 1 || first > 3 || text[0] == '0') return false;
  const char sign = text[first];
  if (kSigns.find(sign) == std::string_view::npos) return false;
  for (text.remove_prefix(first); !text.empty(); text.remove_prefix(4)) {
    if (text[0] != sign || text.size() < 4 || text.find_first_not_of(kDigits, 1) < 4) return false;
  }
  return true;
}

std::string WithoutThousands(std::string text) {
  std::erase_if(text, [](char c) { return kSigns.find(c) != std::string_view::npos; });
  return text;
}

void ThousandsCheck::Add(std::string_view cell, double value) {
  if (decimals_) return;
  if (IsInThousands(cell)) {
    if (grouped_++ == 0) first_ = cell;
  } else if (std::abs(value) < 1000 && cell.find_first_of(".,eE") == std::string_view::npos) {
    ++small_;
  } else {
    decimals_ = true;
  }
}

}  // namespace qat
