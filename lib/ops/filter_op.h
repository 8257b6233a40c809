// filter_op.h: what operators with a filter and a bias share. For sources of lib/ops only.
#ifndef QAT_OPS_FILTER_OP_H_
#define QAT_OPS_FILTER_OP_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "ops/op.h"
#include "ops/shape_rules.h"

namespace qat {

/// A definition that reads data, a filter and a bias that may be missing, in this order.
inline OpDefinition FilterOp(OpType type, std::string_view name, std::string_view tflite_name,
                             int32_t builtin_code) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.min_inputs = 2;
  op.max_inputs = 3;
  op.filter_input = 1;
  op.bias_input = 2;
  return op;
}

/// Where there is a bias, it has a value for each channel. Errors: kInvalidArgument.
inline Status ExpectBias(std::span<const Operand> inputs, size_t position, int32_t channels) {
  if (inputs.size() <= position || inputs[position].shape == Shape{channels}) return {};
  return InvalidArgument(StrCat("bias is ", ToString(inputs[position].shape), ", expected [", channels, "]"));
}

/// A filter and a value for each of its channels.
inline std::vector<ParameterSpec> FilterAndBias(Shape filter, int32_t fan_in, int32_t fan_out,
                                                int32_t channels) {
  return {{"filter", ParameterSpec::Role::kFilter, std::move(filter), fan_in, fan_out},
          {"bias", ParameterSpec::Role::kBias, {channels}, 0, 0}};
}

/// Of a filter [filters, kernel_h, kernel_w, I] over pictures [N, H, W, I].
template <class Attributes>
std::vector<ParameterSpec> ConvolutionParameters(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<Attributes>(attributes);
  if (input.size() != 4) return {};
  return FilterAndBias({a.filters, a.kernel_h, a.kernel_w, input[3]},
                       SaturatedProduct({a.kernel_h, a.kernel_w, input[3]}),
                       SaturatedProduct({a.kernel_h, a.kernel_w, a.filters}), a.filters);
}

}  // namespace qat

#endif  // QAT_OPS_FILTER_OP_H_
