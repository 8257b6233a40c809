#include "tflite/describe_model.h"

#include <algorithm>

namespace qat {
namespace {

ColorSpace ColorsOf(const InputContract& contract) {
  if (contract.channels == 1) return ColorSpace::kGrayscale;
  return contract.channels == 3 ? ColorSpace::kRgb : ColorSpace::kUnknown;
}

bool AllEqual(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

// Of real values; integers have the range of their type.
void DescribeRange(DType type, TensorDescription& tensor) {
  if (type != DType::kFloat32) return;
  for (size_t c = 0; c < tensor.mean.size(); ++c) {
    tensor.min.push_back((0 - tensor.mean[c]) / tensor.std[c]);
    tensor.max.push_back((255 - tensor.mean[c]) / tensor.std[c]);
  }
}

// Of real numbers; `inside` the model takes them as they are. A range that nobody measured is not told.
void DescribeReals(const InputContract& contract, DType type, TensorDescription& tensor) {
  const bool as_they_are = contract.inside || (AllEqual(tensor.mean) && AllEqual(tensor.std) &&
                                               tensor.mean[0] == 0 && tensor.std[0] == 1);
  if (type == DType::kFloat32 && contract.low < contract.high) {
    for (size_t c = 0; c < tensor.mean.size(); ++c) {
      const auto value = [&](float real) {
        return contract.inside ? real * tensor.std[c] + tensor.mean[c] : real;
      };
      tensor.min.push_back(value(contract.low));
      tensor.max.push_back(value(contract.high));
    }
  }
  if (!as_they_are) return;
  tensor.mean.clear();
  tensor.std.clear();
}

TensorDescription DescribeInput(const InputContract& contract, DType type) {
  TensorDescription tensor;
  const bool picture = contract.values == ValueType::kByte || (contract.height > 1 && contract.width > 1);
  if (picture) tensor.colors = ColorsOf(contract);
  tensor.mean = contract.mean;
  tensor.std = contract.std;
  if (AllEqual(tensor.mean) && AllEqual(tensor.std)) {
    tensor.mean.resize(1);
    tensor.std.resize(1);
  }
  if (contract.values == ValueType::kReal) {
    DescribeReals(contract, type, tensor);
  } else {
    DescribeRange(type, tensor);
  }
  return tensor;
}

LabelUse LabelsFor(const GraphTensor& output, size_t labels) {
  if (labels == 0) return LabelUse::kNone;
  if (output.type == DType::kInt32 || output.type == DType::kInt64) return LabelUse::kValue;
  const bool one_a_class = !output.shape.empty() && static_cast<size_t>(output.shape.back()) == labels;
  return one_a_class ? LabelUse::kAxis : LabelUse::kNone;
}

TensorDescription DescribeOutput(const GraphTensor& output, size_t labels) {
  TensorDescription tensor;
  tensor.labels = LabelsFor(output, labels);
  if (tensor.labels != LabelUse::kNone) tensor.label_file = kLabelFileName;
  return tensor;
}

}  // namespace

ModelDescription DescribeModel(const Graph& graph) {
  ModelDescription description;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    description.inputs.push_back(
        DescribeInput(graph.contract.inputs.at(i), graph.tensor(graph.inputs[i]).type));
    if (graph.inputs.size() > 1) description.inputs.back().name = graph.contract.inputs[i].name;
  }
  const auto& outputs = graph.contract.outputs;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    // Names of numbers are none of classes; the file of labels is that of the first output.
    const bool numbers = !outputs.empty() && IsOfNumbers(outputs.front().task);
    const bool has_file = !numbers && (i == 0 || outputs.size() < 2);
    description.outputs.push_back(
        DescribeOutput(graph.tensor(graph.outputs[i]), has_file ? graph.contract.labels().size() : 0));
    if (outputs.size() > 1) description.outputs.back().name = outputs[i].name;
  }
  return description;
}

}  // namespace qat
