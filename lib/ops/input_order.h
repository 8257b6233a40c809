// input_order.h: where a graph node holds its data inputs, parameters and index operands: TFLite's order,
// which differs for a few operators (transpose_conv reads its picture third, split second).
#ifndef QAT_OPS_INPUT_ORDER_H_
#define QAT_OPS_INPUT_ORDER_H_

#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ops/op.h"

namespace qat {

/// Puts data inputs at OpDefinition::data_input and after it, the filter and the bias at their places, and
/// everything else (slopes, then index operands) into the remaining places, in order. T is the type that
/// represents an input.
template <class T>
std::vector<T> OrderInputs(const OpDefinition& op, const std::vector<T>& data,
                           const std::vector<std::pair<ParameterSpec::Role, T>>& parameters,
                           const std::vector<T>& indices) {
  std::vector<std::optional<T>> places(data.size() + parameters.size() + indices.size());
  const auto place = [&](int32_t position, const T& value) {
    QAT_CHECK(position >= 0 && static_cast<size_t>(position) < places.size());
    places[static_cast<size_t>(position)] = value;
  };
  std::vector<T> rest;
  for (size_t i = 0; i < data.size(); ++i) place(op.data_input + static_cast<int32_t>(i), data[i]);
  for (const auto& [role, value] : parameters) {
    if (role == ParameterSpec::Role::kFilter && op.filter_input >= 0) {
      place(op.filter_input, value);
    } else if (role == ParameterSpec::Role::kBias && op.bias_input >= 0) {
      place(op.bias_input, value);
    } else {
      rest.push_back(value);
    }
  }
  rest.insert(rest.end(), indices.begin(), indices.end());
  std::vector<T> ordered;
  size_t next = 0;
  for (const std::optional<T>& each : places) ordered.push_back(each ? *each : rest.at(next++));
  return ordered;
}

}  // namespace qat

#endif  // QAT_OPS_INPUT_ORDER_H_
