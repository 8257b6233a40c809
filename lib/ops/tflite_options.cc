#include "ops/tflite_options.h"

#include "base/strings.h"

namespace qat {

Expected<OpAttributes> ReadNoOptions(const OptionsReader&) { return OpAttributes(); }

int32_t VersionTwoForInt8(const VersionQuery& query) { return query.input == DType::kInt8 ? 2 : 1; }

Expected<Padding> ToPadding(tflite::Padding padding) {
  if (padding == tflite::Padding_SAME) return Padding::kSame;
  if (padding == tflite::Padding_VALID) return Padding::kValid;
  return Unsupported(StrCat("padding is ", int{padding}, ", expected 0 (SAME) or 1 (VALID)"));
}

Expected<Activation> ToActivation(tflite::ActivationFunctionType activation) {
  switch (activation) {
    case tflite::ActivationFunctionType_NONE:
      return Activation::kNone;
    case tflite::ActivationFunctionType_RELU:
      return Activation::kRelu;
    case tflite::ActivationFunctionType_RELU_N1_TO_1:
      return Activation::kReluN1To1;
    case tflite::ActivationFunctionType_RELU6:
      return Activation::kRelu6;
    default:
      break;
  }
  return Unsupported(
      StrCat("fused activation is ", int{activation}, ", expected 0 to 3 (none, relu, relu_n1_to_1, relu6)"));
}

}  // namespace qat
