#include "fuzz/pipeline.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/printable.h"
#include "base/random.h"
#include "eval/operator_profile.h"
#include "import/import_tflite.h"
#include "inspect/print.h"
#include "inspect/readers.h"
#include "model/model_contract.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat::fuzz {
namespace {

constexpr int64_t kMostBytes = 16 << 20;
constexpr int64_t kMostProducts = 4 << 20;

bool IsSmall(const Model& model) {
  int64_t total = 0;
  for (const ModelTensor& tensor : model.tensors()) {
    int64_t size = 8;
    for (const int32_t dimension : tensor.shape) {
      size *= std::max<int64_t>(dimension, 1);
      if (size > kMostBytes) return false;
    }
    total += size;
  }
  return total <= kMostBytes;
}

bool HasReals(const Model& model) {
  return std::any_of(model.tensors().begin(), model.tensors().end(), [](const ModelTensor& tensor) {
    return tensor.type == DType::kFloat32 || tensor.type == DType::kFloat16 || tensor.type == DType::kFloat64;
  });
}

bool IsQuick(const Interpreter& interpreter) {
  int64_t products = 0;
  for (size_t node = 0; node < interpreter.model().nodes().size(); ++node) {
    products += MultiplyAccumulatesOf(interpreter, node);
    if (products > kMostProducts || products < 0) return false;
  }
  return static_cast<int64_t>(interpreter.arena_size()) <= kMostBytes;
}

// The same bytes for every kernel; whatever they are as numbers, NaN included.
void FillInputs(Interpreter& interpreter) {
  Random random(11);
  for (size_t i = 0; i < interpreter.model().inputs().size(); ++i) {
    for (uint8_t& byte : interpreter.input(i)) byte = static_cast<uint8_t>(random.Next() >> 24);
  }
}

/// Nothing where it cannot be run, or not quickly.
std::optional<Bytes> OutputsOf(const std::shared_ptr<const Model>& model, const InterpreterOptions& options) {
  const auto interpreter = Interpreter::Create(model, options);
  if (!interpreter.ok() || !IsQuick(**interpreter)) return std::nullopt;
  FillInputs(**interpreter);
  (*interpreter)->Invoke();
  Bytes outputs;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    const auto output = (*interpreter)->output(i);
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  return outputs;
}

void RunWithEveryKernel(const std::shared_ptr<const Model>& model) {
  InterpreterOptions options;
  options.kernels = KernelSet::kReference;
  const auto expected = OutputsOf(model, options);
  options.kernels = KernelSet::kFast;
  for (const Isa isa : AvailableIsas()) {
    options.isa = isa;
    const auto outputs = OutputsOf(model, options);
    // Floats are near each other, and equal only where TFLite's are.
    if (expected && outputs && !HasReals(*model)) QAT_CHECK(*outputs == *expected);
  }
}

}  // namespace

Expected<Bytes> ModelOf(Graph graph, const Precisions& precisions, WeightStorage weights) {
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = precisions;
  if (!precisions.is_real()) KeepFloat(graph, precisions.activations.type);
  QAT_RETURN_IF_ERROR(ChooseQuantization(graph, options, warnings));
  StoreWeights(weights, graph, warnings);
  QAT_CHECK(Verify(graph).ok());
  return WriteTflite(graph, {});
}

void ConvertAndRun(const Graph& graph) {
  const auto run = [&](std::string_view precisions, WeightStorage weights) {
    const auto bytes = ModelOf(graph, *PrecisionsFromName(precisions), weights);
    if (bytes.ok()) RunModel(*bytes);
  };
  for (const std::string_view integers : {"uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"})
    run(integers, WeightStorage::kFloat32);
  for (const WeightStorage weights :
       {WeightStorage::kFloat32, WeightStorage::kFloat16, WeightStorage::kInt8, WeightStorage::kInt4})
    run("float32", weights);
}

void RunModel(const Bytes& bytes) {
  const auto inspection = InspectModel(bytes, "model");
  if (inspection.ok()) {
    (void)PrintableLines(InspectionText(*inspection, true));
    (void)InspectionJson(*inspection);
  }
  const auto model = Model::FromBytes(bytes, "model");
  if (!model.ok()) return;
  if (!IsSmall(**model)) return;
  (void)ContractOf(**model);
  std::vector<std::string> notes;
  (void)ImportTflite(**model, {}, notes);
  const auto runnable = RunnableFromBytes(bytes, "model");
  if (runnable.ok()) RunWithEveryKernel(*runnable);
}

}  // namespace qat::fuzz
