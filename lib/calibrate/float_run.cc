#include "calibrate/float_run.h"

#include <algorithm>
#include <string_view>

#include "base/strings.h"
#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

constexpr int64_t kBatch = 64;  // images read at once

std::span<const float> AsFloats(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

Expected<std::unique_ptr<Interpreter>> FloatInterpreter(const Graph& graph) {
  Graph real = graph;
  const bool quantized =
      std::any_of(graph.tensors.begin(), graph.tensors.end(),
                  [](const GraphTensor& tensor) { return tensor.quantization.has_value(); });
  if (!quantized) QAT_RETURN_IF_ERROR(LowerToReal(real));
  QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(real, {}));
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), graph.name));
  InterpreterOptions options;
  options.keep_intermediates = true;
  return Interpreter::Create(std::move(model), options);
}

}  // namespace

Expected<FloatRun> FloatRun::Create(const Graph& graph) {
  QAT_ASSIGN_OR_RETURN(auto interpreter, FloatInterpreter(graph));
  return FloatRun(graph, std::move(interpreter));
}

FloatRun::FloatRun(const Graph& graph, std::unique_ptr<Interpreter> interpreter)
    : graph_(&graph), interpreter_(std::move(interpreter)) {
  std::map<std::string_view, int32_t> by_name;
  const Model& model = interpreter_->model();
  for (size_t i = 0; i < model.tensors().size(); ++i)
    by_name[model.tensors()[i].name] = static_cast<int32_t>(i);
  for (const int32_t input : graph.inputs) carrier_[input] = by_name.at(graph.tensor(input).name);
  for (const GraphNode& node : graph.nodes) {
    for (const int32_t output : node.outputs) {
      // A quantize node is not in the model: it has the values of its input.
      const auto found = by_name.find(graph.tensor(output).name);
      carrier_[output] = found != by_name.end() ? found->second : carrier_.at(node.inputs[0]);
    }
  }
}

void FloatRun::Repeat(const FloatRun& other) {
  for (size_t i = 0; i < graph_->inputs.size(); ++i) {
    const std::span<const uint8_t> from = other.interpreter_->input(i);
    std::ranges::copy(from, interpreter_->input(i).begin());
  }
  interpreter_->Invoke();
}

std::span<const float> FloatRun::Values(int32_t tensor) const {
  const auto bytes = interpreter_->tensor(carrier_.at(tensor));
  QAT_CHECK(bytes.ok());
  return AsFloats(*bytes);
}

std::span<const float> FloatRun::Input(size_t position) const {
  return AsFloats(interpreter_->input(position));
}

Status FloatRun::ForEach(const Dataset& dataset, const ChosenExamples& chosen, const WorkHooks& hooks,
                         const std::function<Status(int64_t)>& after) {
  std::vector<RealTable> tables;
  for (const InputContract& input : graph_->contract.inputs) tables.push_back(MakeRealTable(input));
  const auto image_size = static_cast<size_t>(dataset.ImageSize());
  Bytes copy;
  const auto load = [&](size_t index, std::span<const uint8_t> values) {
    const std::span<uint8_t> input = interpreter_->input(index);
    const std::span<float> reals(reinterpret_cast<float*>(input.data()), input.size() / sizeof(float));
    ToReal(graph_->contract.inputs[index], tables[index], values, reals);
  };
  const auto run = [&](int64_t first, int64_t count, std::span<const uint8_t> images) -> Status {
    for (int64_t i = 0; i < count; ++i) {
      if (chosen && !chosen(first + i)) continue;
      const auto example = images.subspan(static_cast<size_t>(i) * image_size, image_size);
      for (size_t k = 0; k < tables.size(); ++k) load(k, InputOf(graph_->contract, k, example, copy));
      interpreter_->Invoke();
      QAT_RETURN_IF_ERROR_IN(StrCat("image ", first + i), after(first + i));
      hooks.Progress(std::string(kRunOfExamples), first + i + 1, dataset.size());
      QAT_RETURN_IF_ERROR(hooks.Poll());
    }
    return {};
  };
  return ForEachBatch(dataset, kBatch, run);
}

}  // namespace qat
