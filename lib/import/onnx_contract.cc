#include "import/onnx_contract.h"

#include <algorithm>

#include "base/strings.h"
#include "import/per_channel.h"

namespace qat {
namespace {

InputContract RealsOf(const Shape& shape) {
  InputContract contract;
  contract.values = ValueType::kReal;
  contract.shape.assign(shape.begin() + 1, shape.end());
  contract.height = 1;
  contract.width = static_cast<int32_t>(FlatSize(Shape(shape.begin() + 1, shape.end() - 1)));
  contract.channels = shape.back();
  if (shape.size() == 4) {
    contract.height = shape[1];
    contract.width = shape[2];
    contract.shape.clear();
  }
  contract.mean.assign(static_cast<size_t>(contract.channels), 0);
  contract.std.assign(static_cast<size_t>(contract.channels), 1);
  return contract;
}

/// A range that QuantizeLinear gave an input is what its integers mean.
InputContract RealsOf(const GraphTensor& tensor) {
  InputContract contract = RealsOf(tensor.shape);
  if (!tensor.has_range) return contract;
  contract.low = std::min(tensor.range.min, 0.0f);
  contract.high = std::max(tensor.range.max, 0.0f);
  return contract;
}

}  // namespace

Expected<Contract> ContractFor(const Graph& graph, const std::vector<std::string>& names,
                               const OnnxImportOptions& options, bool bytes,
                               std::vector<std::string>& notes) {
  const Shape& first = graph.tensor(graph.inputs[0]).shape;
  const bool stated = !options.mean.empty() || !options.std.empty();
  const auto or_one = [](const std::vector<float>& values, float one) {
    return values.empty() ? std::vector<float>{one} : values;
  };
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const Shape& shape = graph.tensor(graph.inputs[i]).shape;
    if (shape.size() <= 4) continue;
    return Unsupported(StrCat("input '", names[i], "' is ", ToString(shape),
                              ", expected a batch and up to three axes; let the network take its values "
                              "flat, as [1, ",
                              FlatSize(shape), "], and reshape them itself"));
  }
  Contract contract;
  contract.inputs.clear();
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    contract.inputs.push_back(RealsOf(graph.tensor(graph.inputs[i])));
    if (graph.inputs.size() > 1) contract.inputs.back().name = names[i];
  }
  if (graph.inputs.size() > 1) {
    QAT_RETURN_IF_ERROR(
        TakeNormalizations(options.mean, options.std, options.mean_of, options.std_of, contract));
    notes.push_back(DescribeInputs(contract));
    return contract;
  }
  if (!options.mean_of.empty() || !options.std_of.empty())
    return InvalidArgument(
        "`mean` and `std`: name an input, expected numbers alone: the network has one input");
  if (bytes && stated)
    return InvalidArgument(
        StrCat("`mean` and `std`: input '", names[0],
               "' is uint8, so the network makes of bytes itself what they mean; leave them out"));
  InputContract& input = contract.inputs[0];
  QAT_ASSIGN_OR_RETURN(input.mean, PerChannel("mean", or_one(options.mean, 0), first.back()));
  QAT_ASSIGN_OR_RETURN(input.std, PerChannel("std", or_one(options.std, 1), first.back()));
  if (first.size() != 4) return contract;
  contract.inputs[0] = InputContract{first[1], first[2], first[3], input.mean, input.std};
  if (bytes) {
    notes.push_back(StrCat("input '", names[0], "' is uint8: real = byte"));
    return contract;
  }
  const GraphTensor& tensor = graph.tensor(graph.inputs[0]);
  if (!stated && tensor.has_range && tensor.range.min < tensor.range.max) {
    TakeMeaningOfBytes(tensor.range, contract.inputs[0]);
    notes.push_back(StrCat("a byte of a picture is what QuantizeLinear makes of it: ", Describe(contract),
                           " (`mean` and `std` say otherwise)"));
  } else if (!stated) {
    notes.push_back(
        "the model does not say what a byte of a picture means to its input, so real = byte is assumed "
        "(`mean` and `std` say otherwise)");
  }
  return contract;
}

}  // namespace qat
