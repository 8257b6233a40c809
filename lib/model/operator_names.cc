#include "model/operator_names.h"

#include <iterator>
#include <string_view>

#include "base/strings.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

// Where schemas/tflite.fbs ends, up to ai-edge-litert 2.3.0.
constexpr int32_t kFirst = tflite::BuiltinOperator_MAX + 1;
constexpr std::string_view kNames[] = {"STABLEHLO_LOGISTIC",
                                       "STABLEHLO_ADD",
                                       "STABLEHLO_DIVIDE",
                                       "STABLEHLO_MULTIPLY",
                                       "STABLEHLO_MAXIMUM",
                                       "STABLEHLO_RESHAPE",
                                       "STABLEHLO_CLAMP",
                                       "STABLEHLO_CONCATENATE",
                                       "STABLEHLO_BROADCAST_IN_DIM",
                                       "STABLEHLO_CONVOLUTION",
                                       "STABLEHLO_SLICE",
                                       "STABLEHLO_CUSTOM_CALL",
                                       "STABLEHLO_REDUCE",
                                       "STABLEHLO_ABS",
                                       "STABLEHLO_AND",
                                       "STABLEHLO_COSINE",
                                       "STABLEHLO_EXPONENTIAL",
                                       "STABLEHLO_FLOOR",
                                       "STABLEHLO_LOG",
                                       "STABLEHLO_MINIMUM",
                                       "STABLEHLO_NEGATE",
                                       "STABLEHLO_OR",
                                       "STABLEHLO_POWER",
                                       "STABLEHLO_REMAINDER",
                                       "STABLEHLO_RSQRT",
                                       "STABLEHLO_SELECT",
                                       "STABLEHLO_SUBTRACT",
                                       "STABLEHLO_TANH",
                                       "STABLEHLO_SCATTER",
                                       "STABLEHLO_COMPARE",
                                       "STABLEHLO_CONVERT",
                                       "STABLEHLO_DYNAMIC_SLICE",
                                       "STABLEHLO_DYNAMIC_UPDATE_SLICE",
                                       "STABLEHLO_PAD",
                                       "STABLEHLO_IOTA",
                                       "STABLEHLO_DOT_GENERAL",
                                       "STABLEHLO_REDUCE_WINDOW",
                                       "STABLEHLO_SORT",
                                       "STABLEHLO_WHILE",
                                       "STABLEHLO_GATHER",
                                       "STABLEHLO_TRANSPOSE",
                                       "DILATE",
                                       "STABLEHLO_RNG_BIT_GENERATOR",
                                       "REDUCE_WINDOW",
                                       "STABLEHLO_COMPOSITE",
                                       "STABLEHLO_SHIFT_LEFT",
                                       "STABLEHLO_CBRT",
                                       "STABLEHLO_CASE"};
static_assert(kFirst == 162 && std::size(kNames) == 48, "STABLEHLO_CASE is 209");

}  // namespace

std::string BuiltinName(int32_t code) {
  std::string name = tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(code));
  if (!name.empty()) return name;
  const auto place = static_cast<size_t>(int64_t{code} - kFirst);  // of a negative one far outside
  return place < std::size(kNames) ? std::string(kNames[place]) : StrCat("builtin operator ", code);
}

}  // namespace qat
