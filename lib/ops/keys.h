// keys.h: checks of spec values that several operators share.
#ifndef QAT_OPS_KEYS_H_
#define QAT_OPS_KEYS_H_

#include <cstdint>
#include <utility>

#include "ops/op.h"

namespace qat::keys {

inline constexpr std::string_view kPositive = "a positive integer";
inline constexpr std::string_view kPositivePair = "a positive integer or a pair [height, width] of them";
inline constexpr std::string_view kPadding = "\"same\" or \"valid\"";
inline constexpr std::string_view kEpsilon = "a number in (0, 1)";
inline constexpr std::string_view kMomentum = "a number in [0, 1)";
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
/// A number, integers included.
Expected<double> ToNumber(const AttributeValue& value, std::string_view expected);
/// Of a batch normalization.
Expected<float> ToEpsilon(const AttributeValue& value);
Expected<float> ToMomentum(const AttributeValue& value);
Expected<Padding> ToPadding(const AttributeValue& value);
Expected<Activation> ToActivation(const AttributeValue& value);

/// Setters for AttributeKey::set: one member, or the two of a pair, of the operator's attributes.
template <auto kMember, auto kConvert>
Status Set(OpAttributes& attributes, const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(std::get<internal::OwnerOf<decltype(kMember)>>(attributes).*kMember, kConvert(value));
  return {};
}
template <auto kHeight, auto kWidth>
Status SetPair(OpAttributes& attributes, const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const auto pair, ToPositivePair(value));
  auto& owner = std::get<internal::OwnerOf<decltype(kHeight)>>(attributes);
  owner.*kHeight = pair.first;
  owner.*kWidth = pair.second;
  return {};
}

}  // namespace qat::keys

#endif  // QAT_OPS_KEYS_H_
