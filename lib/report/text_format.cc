#include "report/text_format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/strings.h"

namespace qat {

std::string Grouped(int64_t value) {
  std::string text = std::to_string(value);
  const int64_t first = value < 0 ? 1 : 0;
  for (auto place = static_cast<int64_t>(text.size()) - 3; place > first; place -= 3) {
    text.insert(static_cast<size_t>(place), 1, ',');
  }
  return text;
}

std::string Fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  const std::string_view text = buffer;
  const bool zero = text.find_first_of("123456789") == std::string_view::npos;
  return std::string(zero && text.front() == '-' ? text.substr(1) : text);
}

std::string Significant(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || (size < 1e-4)) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.2e", value);
    return buffer;
  }
  const int before_point = static_cast<int>(std::floor(std::log10(size))) + 1;
  return Fixed(value, std::max(0, 3 - before_point));
}

std::string PercentText(const ModelResult& model) {
  if (!model.accuracy) return "-";
  return StrCat(Fixed(model.accuracy->top1, model.accuracy->total > 10000 ? 3 : 2), " %");
}

std::string PointsText(double points) {
  const std::string text = Fixed(points, 2);
  return StrCat(points > 0 && text != "0.00" ? "+" : "", text, " pt");
}

std::string FlipsText(const PairResult& pair) {
  if (pair.total_flips == 0) return "0";
  return StrCat(Grouped(pair.total_flips), " (", Grouped(pair.right_to_wrong), " right to wrong, ",
                Grouped(pair.wrong_to_right), " wrong to right)");
}

std::string DifferenceText(const PairResult& pair) {
  if (pair.max_abs_lsb) return StrCat(*pair.max_abs_lsb, *pair.max_abs_lsb == 1 ? " step" : " steps");
  return pair.max_abs_error ? Significant(*pair.max_abs_error) : "-";
}

std::string GateNumber(const GateResult& gate, double number) {
  if (gate.name == "min-accuracy") return StrCat(Fixed(number, 2), " %");
  if (gate.name == "max-drop") return StrCat(Fixed(number, 2), " pt");
  if (gate.name == "max-size") return StrCat(Grouped(std::llround(number)), " B");
  if (gate.name == "min-speedup") return StrCat(Fixed(number, 2), "x");
  return NumberText(number);
}

std::string RoundsText(const Report& report) {
  int64_t rounds = 0;
  for (const ModelResult& model : report.models) {
    if (!model.latency_us) continue;
    if (rounds != 0 && rounds != model.latency_us->rounds) return "all rounds";
    rounds = model.latency_us->rounds;
  }
  if (rounds == 0) return "all rounds";
  return rounds == 1 ? "1 round" : StrCat(Grouped(rounds), " rounds");
}

}  // namespace qat
