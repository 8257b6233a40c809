#include "ops/keys.h"

#include "base/strings.h"

namespace qat::keys {
namespace {

constexpr int64_t kLargest = 1 << 20;

bool InRange(int64_t value) { return value >= 1 && value <= kLargest; }

// Where a number is only too large, the limit is said.
Error NotPositive(const AttributeValue& value, std::string_view expected) {
  const auto* integer = std::get_if<int64_t>(&value);
  const bool too_large = integer != nullptr && *integer > kLargest;
  return Mismatch(value, too_large ? StrCat(expected, ", of at most ", kLargest) : std::string(expected));
}

}  // namespace

std::string TextOf(const AttributeValue& value) {
  struct Visitor {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return StrCat(v); }
    std::string operator()(double v) const { return NumberText(v); }
    std::string operator()(const std::string& v) const { return StrCat("\"", v, "\""); }
    std::string operator()(const std::vector<int64_t>& v) const {
      std::vector<std::string> texts;
      for (int64_t element : v) texts.push_back(StrCat(element));
      return StrCat("[", Join(texts), "]");
    }
  };
  return std::visit(Visitor(), value);
}

Error Mismatch(const AttributeValue& value, std::string_view expected) {
  return InvalidArgument(StrCat("is ", TextOf(value), ", expected ", expected));
}

Expected<int32_t> ToPositive(const AttributeValue& value) {
  const auto* integer = std::get_if<int64_t>(&value);
  if (integer == nullptr || !InRange(*integer)) return NotPositive(value, kPositive);
  return static_cast<int32_t>(*integer);
}

Expected<std::pair<int32_t, int32_t>> ToPositivePair(const AttributeValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value); integer != nullptr && InRange(*integer)) {
    const auto both = static_cast<int32_t>(*integer);
    return std::pair(both, both);
  }
  const auto* pair = std::get_if<std::vector<int64_t>>(&value);
  if (pair == nullptr || pair->size() != 2 || !InRange((*pair)[0]) || !InRange((*pair)[1])) {
    return NotPositive(value, kPositivePair);
  }
  return std::pair(static_cast<int32_t>((*pair)[0]), static_cast<int32_t>((*pair)[1]));
}

Expected<bool> ToFlag(const AttributeValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  return Mismatch(value, kFlag);
}

Expected<int32_t> ToAxis(const AttributeValue& value) {
  const auto* integer = std::get_if<int64_t>(&value);
  if (integer == nullptr || *integer < -8 || *integer > 7) return Mismatch(value, kAxis);
  return static_cast<int32_t>(*integer);
}

Expected<std::vector<int32_t>> ToList(const AttributeValue& value, size_t most, int64_t low, int64_t high,
                                      std::string_view expected) {
  const auto* list = std::get_if<std::vector<int64_t>>(&value);
  if (list == nullptr || list->empty() || list->size() > most) return Mismatch(value, expected);
  std::vector<int32_t> values;
  for (const int64_t element : *list) {
    if (element < low || element > high) return Mismatch(value, expected);
    values.push_back(static_cast<int32_t>(element));
  }
  return values;
}

Expected<double> ToNumber(const AttributeValue& value, std::string_view expected) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return Mismatch(value, expected);
}

Expected<float> ToEpsilon(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const double epsilon, ToNumber(value, kEpsilon));
  if (!(epsilon > 0 && epsilon < 1)) return Mismatch(value, kEpsilon);
  return static_cast<float>(epsilon);
}

Expected<float> ToMomentum(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const double momentum, ToNumber(value, kMomentum));
  if (!(momentum >= 0 && momentum < 1)) return Mismatch(value, kMomentum);
  return static_cast<float>(momentum);
}

Expected<Padding> ToPadding(const AttributeValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  for (const Padding padding : {Padding::kSame, Padding::kValid}) {
    if (text != nullptr && *text == NameOf(padding)) return padding;
  }
  return Mismatch(value, kPadding);
}

Expected<AnyPadding> ToAnyPadding(const AttributeValue& value) {
  if (const auto padding = ToPadding(value); padding.ok()) return AnyPadding{*padding, {}};
  const auto border = ToList(value, 4, 0, kLargest, kAnyPadding);
  if (!border.ok() || border->size() != 4) return Mismatch(value, kAnyPadding);
  return AnyPadding{Padding::kValid, {(*border)[0], (*border)[1], (*border)[2], (*border)[3]}};
}

Expected<Activation> ToActivation(const AttributeValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  for (const Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kReluN1To1, Activation::kRelu6}) {
    if (text != nullptr && *text == NameOf(activation)) return activation;
  }
  return Mismatch(value, StrCat(kActivation, "; others are layers of their own"));
}

AttributeValue ValueOf(bool value) { return value; }
AttributeValue ValueOf(int32_t value) { return int64_t{value}; }
AttributeValue ValueOf(float value) { return *ParseNumber<double>(NumberText(value)); }
AttributeValue ValueOf(Padding value) { return std::string(NameOf(value)); }
AttributeValue ValueOf(Activation value) { return std::string(NameOf(value)); }
AttributeValue ValueOf(const std::vector<int32_t>& value) {
  return std::vector<int64_t>(value.begin(), value.end());
}
AttributeValue ValueOf(const AnyPadding& value) {
  const ExplicitPadding& border = value.border;
  if (border == ExplicitPadding{}) return ValueOf(value.padding);
  return std::vector<int64_t>{border.top, border.bottom, border.left, border.right};
}
AttributeValue ValueOfPair(int32_t height, int32_t width) {
  if (height == width) return int64_t{height};
  return std::vector<int64_t>{height, width};
}

}  // namespace qat::keys
