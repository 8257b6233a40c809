#include "model/data_flow.h"

#include "base/strings.h"

namespace qat {

Status CheckDataFlow(std::vector<GivenValue> given, std::span<const OperatorWires> operators,
                     std::span<const int32_t> model_outputs) {
  const auto value = [&](int32_t tensor) -> GivenValue& { return given[static_cast<size_t>(tensor)]; };
  for (const OperatorWires& op : operators) {
    for (const int32_t input : op.inputs) {
      if (!op.missing && value(input) == GivenValue::kNone)
        return Corrupt(StrCat(op.label, ": input tensor ", input, " is not produced before"));
    }
    for (const int32_t output : op.outputs) {
      if (value(output) == GivenValue::kFixed)
        return Corrupt(StrCat(op.label, ": output tensor ", output, " already has a value"));
      value(output) = GivenValue::kFixed;
    }
  }
  for (const int32_t output : model_outputs) {
    if (value(output) == GivenValue::kNone)
      return Corrupt(StrCat("output tensor ", output, " is not produced"));
  }
  return {};
}

}  // namespace qat
