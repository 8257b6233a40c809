// keys.h: checks of spec values that several operators share.
#ifndef QAT_OPS_KEYS_H_
#define QAT_OPS_KEYS_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ops/op.h"

namespace qat::keys {

inline constexpr std::string_view kPositive = "a positive integer";
inline constexpr std::string_view kPositivePair = "a positive integer or a pair [height, width] of them";
inline constexpr std::string_view kPadding = "\"same\" or \"valid\"";
inline constexpr std::string_view kFlag = "true or false";
inline constexpr std::string_view kAxis = "a whole number; negative: from the last axis";
inline constexpr std::string_view kEpsilon = "a number in (0, 1)";
inline constexpr std::string_view kMomentum = "a number in [0, 1)";
inline constexpr std::string_view kAnyPadding = "\"same\", \"valid\" or [top, bottom, left, right]";
inline constexpr std::string_view kActivation = "\"none\", \"relu\", \"relu6\" or \"relu_n1_to_1\"";

namespace internal {
template <class T>
struct MemberOwner;
template <class Owner, class Value>
struct MemberOwner<Value Owner::*> {
  using type = Owner;
};
template <class Member>
using OwnerOf = typename MemberOwner<Member>::type;
}  // namespace internal

/// The value as written in a spec: for messages.
std::string TextOf(const AttributeValue& value);

/// "is VALUE, expected EXPECTED".
Error Mismatch(const AttributeValue& value, std::string_view expected);

/// An integer in [1, 2^20].
Expected<int32_t> ToPositive(const AttributeValue& value);
/// One such integer for both, or [height, width].
Expected<std::pair<int32_t, int32_t>> ToPositivePair(const AttributeValue& value);
/// true or false.
Expected<bool> ToFlag(const AttributeValue& value);
/// An integer in [-8, 7].
Expected<int32_t> ToAxis(const AttributeValue& value);
/// One to `most` integers in [low, high].
Expected<std::vector<int32_t>> ToList(const AttributeValue& value, size_t most, int64_t low, int64_t high,
                                      std::string_view expected);
/// A number, integers included.
Expected<double> ToNumber(const AttributeValue& value, std::string_view expected);
/// Of a batch normalization.
Expected<float> ToEpsilon(const AttributeValue& value);
Expected<float> ToMomentum(const AttributeValue& value);
Expected<Padding> ToPadding(const AttributeValue& value);
Expected<Activation> ToActivation(const AttributeValue& value);

/// The value as a spec has it: enumerators by name, of a float the shortest number that reads back as the
/// same.
AttributeValue ValueOf(bool value);
AttributeValue ValueOf(int32_t value);
AttributeValue ValueOf(float value);
AttributeValue ValueOf(Padding value);
AttributeValue ValueOf(Activation value);
AttributeValue ValueOf(const std::vector<int32_t>& value);
/// One integer where both are equal, else [height, width].
AttributeValue ValueOfPair(int32_t height, int32_t width);

/// A padding, or four numbers in [0, 2^20] with the padding valid.
struct AnyPadding {
  Padding padding = Padding::kValid;
  ExplicitPadding border;
};
Expected<AnyPadding> ToAnyPadding(const AttributeValue& value);
AttributeValue ValueOf(const AnyPadding& value);

template <auto kMember, auto kConvert>
Status SetMember(OpAttributes& attributes, const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(std::get<internal::OwnerOf<decltype(kMember)>>(attributes).*kMember, kConvert(value));
  return {};
}
template <auto kMember>
std::optional<AttributeValue> GetMember(const OpAttributes& attributes) {
  return ValueOf(std::get<internal::OwnerOf<decltype(kMember)>>(attributes).*kMember);
}
template <auto kHeight, auto kWidth>
Status SetPair(OpAttributes& attributes, const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const auto pair, ToPositivePair(value));
  auto& owner = std::get<internal::OwnerOf<decltype(kHeight)>>(attributes);
  owner.*kHeight = pair.first;
  owner.*kWidth = pair.second;
  return {};
}
template <auto kHeight, auto kWidth>
std::optional<AttributeValue> GetPair(const OpAttributes& attributes) {
  const auto& owner = std::get<internal::OwnerOf<decltype(kHeight)>>(attributes);
  return ValueOfPair(owner.*kHeight, owner.*kWidth);
}
template <auto kPaddingMember, auto kBorderMember>
Status SetPadding(OpAttributes& attributes, const AttributeValue& value) {
  auto& owner = std::get<internal::OwnerOf<decltype(kPaddingMember)>>(attributes);
  QAT_ASSIGN_OR_RETURN(const AnyPadding padding, ToAnyPadding(value));
  owner.*kPaddingMember = padding.padding;
  owner.*kBorderMember = padding.border;
  return {};
}
template <auto kPaddingMember, auto kBorderMember>
std::optional<AttributeValue> GetPadding(const OpAttributes& attributes) {
  const auto& owner = std::get<internal::OwnerOf<decltype(kPaddingMember)>>(attributes);
  return ValueOf(AnyPadding{owner.*kPaddingMember, owner.*kBorderMember});
}

/// AttributeKey::access of one member of the operator's attributes, of the two of a pair, and of a padding
/// with its border.
template <auto kMember, auto kConvert>
inline constexpr KeyAccess Member{SetMember<kMember, kConvert>, GetMember<kMember>};
template <auto kHeight, auto kWidth>
inline constexpr KeyAccess MemberPair{SetPair<kHeight, kWidth>, GetPair<kHeight, kWidth>};
template <auto kPaddingMember, auto kBorderMember>
inline constexpr KeyAccess PaddingMembers{SetPadding<kPaddingMember, kBorderMember>,
                                          GetPadding<kPaddingMember, kBorderMember>};

}  // namespace qat::keys

#endif  // QAT_OPS_KEYS_H_
