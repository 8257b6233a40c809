#include "debug/reproducer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/strings.h"
#include "data/npy.h"
#include "data/sample.h"
#include "debug/diagnosis.h"
#include "eval/look_inside.h"
#include "eval/lowered_graph.h"
#include "ir/constants.h"
#include "runtime/classifier_io.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

/// The node alone. What it reads of others are inputs.
Graph OnlyNode(const Graph& graph, const GraphNode& node) {
  Graph cut = graph;
  cut.name = node.name;
  cut.nodes = {node};
  cut.outputs = node.outputs;
  cut.inputs.clear();
  for (const int32_t input : node.inputs) {
    const bool known = std::find(cut.inputs.begin(), cut.inputs.end(), input) != cut.inputs.end();
    if (input >= 0 && !graph.tensor(input).is_constant() && !known) cut.inputs.push_back(input);
  }
  cut.provenance.clear();
  cut.contract = {};
  cut.contract.inputs.clear();
  for (const int32_t input : cut.inputs) {
    InputContract contract;
    const Shape& shape = graph.tensor(input).shape;
    contract.height = shape.size() > 2 ? shape[1] : 1;
    contract.width = shape.size() > 3 ? shape[2] : 1;
    contract.channels = shape.empty() ? 1 : shape.back();
    contract.values = ValueType::kReal;
    contract.mean.assign(static_cast<size_t>(contract.channels), 0.0f);
    contract.std.assign(static_cast<size_t>(contract.channels), 1.0f);
    contract.shape = Shape(shape.begin() + (shape.empty() ? 0 : 1), shape.end());
    contract.name = graph.tensor(input).name;
    cut.contract.inputs.push_back(std::move(contract));
  }
  RemoveUnusedTensors(cut);
  return cut;
}

/// One example through a model whose every tensor stays readable.
class Runner {
 public:
  static Expected<Runner> Create(std::shared_ptr<const Model> model, const Contract& contract) {
    Runner runner;
    InterpreterOptions options;
    options.kernels = KernelSet::kReference;
    options.keep_intermediates = true;
    QAT_ASSIGN_OR_RETURN(runner.interpreter_, Interpreter::Create(std::move(model), options));
    QAT_ASSIGN_OR_RETURN(ClassifierIo io,
                         ClassifierIo::Create(contract, InputInfos(*runner.interpreter_),
                                              OutputInfos(*runner.interpreter_), std::vector<bool>(1)));
    runner.io_.emplace(std::move(io));
    return runner;
  }

  Status Run(std::span<const uint8_t> example) {
    std::vector<std::span<uint8_t>> inputs;
    for (size_t i = 0; i < interpreter_->model().inputs().size(); ++i)
      inputs.push_back(interpreter_->input(i));
    QAT_RETURN_IF_ERROR(io_->Load(example, inputs));
    interpreter_->Invoke();
    return {};
  }

  Expected<NpyArray> Tensor(const std::string& name) const {
    const auto& tensors = interpreter_->model().tensors();
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].name != name) continue;
      QAT_ASSIGN_OR_RETURN(const auto bytes, interpreter_->tensor(static_cast<int32_t>(i)));
      return NpyArray{tensors[i].type, tensors[i].shape, Bytes(bytes.begin(), bytes.end())};
    }
    return Internal(StrCat("no tensor '", name, "' to keep"));
  }

 private:
  std::unique_ptr<Interpreter> interpreter_;
  std::optional<ClassifierIo> io_;
};

/// Sum of the squares of what the integers are beside the reals.
double Distance(const NpyArray& reals, const NpyArray& integers, QuantizationParams params) {
  double sum = 0;
  for (size_t i = 0; i < integers.values.size(); ++i) {
    float real = 0;
    std::memcpy(&real, reals.values.data() + i * sizeof(float), sizeof(float));
    const int32_t integer =
        integers.type == DType::kInt8 ? static_cast<int8_t>(integers.values[i]) : integers.values[i];
    const double apart = double{real} - Dequantize(integer, params);
    sum += apart * apart;
  }
  return sum;
}

}  // namespace

Expected<std::vector<ReproducerFile>> CutOut(const Converted& converted, const DebugLayer& layer,
                                             const Dataset& dataset) {
  if (layer.node < 0)
    return InvalidArgument(
        StrCat("'", layer.name, "' is an input, expected a layer that computes something"));
  const GraphNode& node = converted.quantized.nodes[static_cast<size_t>(layer.node)];
  const Graph cut = OnlyNode(converted.quantized, node);
  QAT_ASSIGN_OR_RETURN(const Bytes model, WriteTflite(cut, {}));

  QAT_ASSIGN_OR_RETURN(const auto isolated, Isolate(converted, layer));
  QAT_ASSIGN_OR_RETURN(Bytes whole, WriteTflite(converted.quantized, {}));
  QAT_ASSIGN_OR_RETURN(auto quantized_model, RunnableFromBytes(std::move(whole), "quantized"));
  QAT_ASSIGN_OR_RETURN(Runner quantized,
                       Runner::Create(std::move(quantized_model), converted.quantized.contract));
  QAT_ASSIGN_OR_RETURN(auto float_model, LowerToModel(converted.real, "float"));
  QAT_ASSIGN_OR_RETURN(Runner real, Runner::Create(std::move(float_model), converted.real.contract));
  const GraphTensor& output = converted.quantized.tensor(node.outputs[0]);

  const int64_t few = std::min<int64_t>(kLayerImages, dataset.size());
  const auto size = static_cast<size_t>(dataset.ImageSize());
  Bytes examples(static_cast<size_t>(few) * size);
  QAT_RETURN_IF_ERROR(dataset.Read(FirstOf(few), examples));
  int64_t worst = 0;
  double largest = -1;
  for (int64_t i = 0; i < few; ++i) {
    const auto example = std::span(examples).subspan(static_cast<size_t>(i) * size, size);
    QAT_RETURN_IF_ERROR(quantized.Run(example));
    QAT_RETURN_IF_ERROR(real.Run(example));
    QAT_ASSIGN_OR_RETURN(const NpyArray a, real.Tensor(isolated.before));
    QAT_ASSIGN_OR_RETURN(const NpyArray b, quantized.Tensor(output.name));
    const double apart = Distance(a, b, output.quantization->params());
    if (apart > largest) largest = apart, worst = i;
  }
  const auto example = std::span(examples).subspan(static_cast<size_t>(worst) * size, size);
  QAT_RETURN_IF_ERROR(quantized.Run(example));
  QAT_RETURN_IF_ERROR(real.Run(example));
  std::vector<ReproducerFile> files = {{"layer.tflite", model}};
  for (size_t i = 0; i < cut.inputs.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(const NpyArray input, quantized.Tensor(cut.tensor(cut.inputs[i]).name));
    files.push_back({i == 0 ? "input.npy" : StrCat("input.", i, ".npy"), Serialize(input)});
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(const NpyArray given,
                         quantized.Tensor(converted.quantized.tensor(node.outputs[i]).name));
    files.push_back({i == 0 ? "output.npy" : StrCat("output.", i, ".npy"), Serialize(given)});
  }
  QAT_ASSIGN_OR_RETURN(const NpyArray expected, real.Tensor(isolated.before));
  files.push_back({"expected.npy", Serialize(expected)});
  return files;
}

}  // namespace qat
