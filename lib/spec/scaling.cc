#include "spec/scaling.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

// Where a value of one line starts and how long its text is.
std::pair<size_t, size_t> PlaceOf(const std::string& text, const toml::node& value) {
  size_t at = 0;
  for (uint32_t line = 1; line < value.source().begin.line; ++line) at = text.find('\n', at) + 1;
  at += value.source().begin.column - 1;
  const size_t end = text.find_first_of(" \t\r\n#", at);
  return {at, (end == std::string::npos ? text.size() : end) - at};
}

Status Replace(std::string& text, const std::string& source, std::string_view key, const std::string& value) {
  QAT_ASSIGN_OR_RETURN(const TomlText parsed, TomlText::Parse(text, source));
  const toml::node* node = parsed.root().get(key);
  if (node == nullptr || !node->is_number()) {
    return InvalidArgument(StrCat(source, ": has no number '", key, "' that `", key, "` could change"));
  }
  const auto [at, length] = PlaceOf(text, *node);
  text.replace(at, length, value);
  return {};
}

}  // namespace

Expected<std::string> WithScaling(std::string text, const std::string& source, const ScalingFlags& flags) {
  if (flags.width != 0) QAT_RETURN_IF_ERROR(Replace(text, source, "width", NumberText(flags.width)));
  if (flags.resolution != 0)
    QAT_RETURN_IF_ERROR(Replace(text, source, "resolution", StrCat(flags.resolution)));
  if (flags.classes != 0) QAT_RETURN_IF_ERROR(Replace(text, source, "classes", StrCat(flags.classes)));
  return text;
}

int32_t* FiltersOf(OpAttributes& attributes) {
  return std::visit(
      [](auto& a) -> int32_t* {
        if constexpr (requires { a.filters; }) return &a.filters;
        return nullptr;
      },
      attributes);
}

int32_t TimesOf(std::string_view text) {
  int32_t times = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, times);
  const bool good = error == std::errc() && end - stop == 1 && *stop == 'x' && times >= 1 && times <= 4096;
  return good ? times : 0;
}

bool HasStride(const OpAttributes& attributes) {
  return std::visit(
      [](const auto& a) {
        return requires { a.stride_h; };
      },
      attributes);
}

void SetStrideToOne(OpAttributes& attributes) {
  std::visit(
      [](auto& a) {
        if constexpr (requires { a.stride_h; }) a.stride_h = a.stride_w = 1;
      },
      attributes);
}

int32_t ScaledFilters(int32_t filters, double width, int32_t divisor) {
  const double wanted = filters * width;
  auto scaled = std::max<int64_t>(divisor, static_cast<int64_t>(wanted + divisor / 2.0) / divisor * divisor);
  if (static_cast<double>(scaled) < 0.9 * wanted) scaled += divisor;
  return static_cast<int32_t>(std::min<int64_t>(scaled, 1 << 20));
}

}  // namespace qat
