#include "eval/operator_profile.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/strings.h"
#include "runtime/least_time.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

// Microseconds below which a time is mostly that of the clock, as for a reshape in place.
constexpr double kMeasurable = 0.05;

// The time of the clock itself, subtracted from every time.
double ClockNanoseconds() {
  return LeastNanoseconds([] {
           for (int i = 0; i < 1000; ++i) Clock::now();
         }) /
         1000;
}

std::string ReasonOf(std::string_view kernel, const Interpreter& interpreter) {
  if (kernel == "fused") return "runs as part of another operator, whose time includes it";
  if (kernel == "folded") return "reads constants or shapes only: a constant since the start";
  if (kernel == "reference")
    return "the loops that define the arithmetic: asked for, or nothing faster for these types and shapes";
  if (kernel == "portable") return "C++ for any machine: nothing faster for these types and shapes";
  return interpreter.isa_was_named() ? "the instruction set that was asked for"
                                     : "the best instruction set of this machine";
}

int64_t BytesOf(const Interpreter& interpreter, const ModelNode& node) {
  int64_t bytes = 0;
  const auto add = [&](int32_t index) {
    const ModelTensor& tensor = interpreter.tensor_info(index);
    bytes += FlatSize(tensor.shape) * static_cast<int64_t>(SizeOf(tensor.type));
  };
  std::for_each(node.inputs.begin(), node.inputs.end(), add);
  std::for_each(node.outputs.begin(), node.outputs.end(), add);
  return bytes;
}

OperatorTime Describe(const Interpreter& interpreter, size_t index, const std::string& kernel_name) {
  const ModelNode& node = interpreter.model().nodes()[index];
  OperatorTime op;
  op.index = static_cast<int64_t>(index);
  op.name = DefinitionOf(node.type).name;
  op.shape = ToString(interpreter.tensor_info(node.outputs[0]).shape);
  op.kernel = kernel_name.substr(kernel_name.find('/') + 1);
  op.reason = ReasonOf(op.kernel, interpreter);
  op.macs = MultiplyAccumulatesOf(interpreter, index);
  op.bytes = BytesOf(interpreter, node);
  return op;
}

double MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

int64_t MultiplyAccumulatesOf(const Interpreter& interpreter, size_t node) {
  const ModelNode& model_node = interpreter.model().nodes()[node];
  const OpDefinition& definition = DefinitionOf(model_node.type);
  if (definition.multiply_accumulates == nullptr) return 0;
  std::vector<Operand> operands;
  for (int32_t index : model_node.inputs) {
    const ModelTensor& tensor = interpreter.tensor_info(index);
    operands.push_back({tensor.shape, tensor.type, tensor.constant});
  }
  return definition.multiply_accumulates(operands, interpreter.tensor_info(model_node.outputs[0]).shape);
}

std::vector<OperatorTime> ProfileOperators(Interpreter& interpreter, int32_t rounds,
                                           const MachinePeaks& peaks) {
  QAT_CHECK(rounds > 0);
  const size_t nodes = interpreter.model().nodes().size();
  std::vector<std::vector<double>> times(nodes);
  for (int32_t round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < nodes; ++i) {
      const Clock::time_point start = Clock::now();
      interpreter.InvokeNode(i);
      times[i].push_back(NanosecondsSince(start));
    }
  }
  std::vector<OperatorTime> operators;
  const std::vector<std::string> kernels = interpreter.KernelNames();
  const double clock = ClockNanoseconds();
  double sum = 0;
  for (size_t i = 0; i < nodes; ++i) {
    OperatorTime op = Describe(interpreter, i, kernels[i]);
    const bool runs = op.kernel != "folded" && op.kernel != "fused";
    op.time_us = runs ? std::max(MedianOf(std::move(times[i])) - clock, 0.0) / 1000 : 0;
    sum += op.time_us;
    operators.push_back(std::move(op));
  }
  for (OperatorTime& op : operators) {
    op.share = sum > 0 ? op.time_us / sum : 0;
    const auto& node = interpreter.model().nodes()[static_cast<size_t>(op.index)];
    const bool real = interpreter.tensor_info(node.outputs[0]).type == DType::kFloat32;
    const double best = peaks.Roofline(op.macs, op.bytes, real);
    const double reached =
        static_cast<double>(op.macs > 0 ? op.macs : op.bytes) / std::max(1000 * op.time_us, 1e-3);
    if (best > 0 && op.time_us > kMeasurable) op.roofline = reached / best;
  }
  return operators;
}

}  // namespace qat
