#include "runtime/model_predictor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "model/model_contract.h"
#include "ops/integer_kernels.h"
#include "runtime/classifier_io.h"
#include "runtime/layer_outputs.h"

namespace qat {
namespace {

// A float model by how its weights are stored.
std::string FloatTypeOf(const Model& model) {
  const auto is_half = [](const ModelTensor& tensor) {
    return tensor.is_constant && tensor.file_type == DType::kFloat16;
  };
  const auto is_dynamic = [&](const ModelNode& node) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.filter_input < 0) return false;
    const auto type = [&](int32_t input) {
      return model.tensors()[static_cast<size_t>(node.inputs[static_cast<size_t>(input)])].type;
    };
    return type(definition.data_input) == DType::kFloat32 && type(definition.filter_input) == DType::kInt8;
  };
  if (std::any_of(model.nodes().begin(), model.nodes().end(), is_dynamic)) return "dynamic";
  return std::any_of(model.tensors().begin(), model.tensors().end(), is_half) ? "float16" : "float32";
}

bool IsOfValues(DType type) {
  return type == DType::kFloat32 || type == DType::kUInt8 || type == DType::kInt8 || type == DType::kInt16;
}

// What an operator with a filter reads; nothing where it has none.
std::optional<DType> FilteredType(const Model& model, const ModelNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  if (definition.filter_input < 0) return std::nullopt;
  const int32_t data = node.inputs[static_cast<size_t>(definition.data_input)];
  const DType type = model.tensors()[static_cast<size_t>(data)].type;
  return IsOfValues(type) ? std::optional(type) : std::nullopt;
}

// Whether most filters of integers that may have 4 bits have them.
bool HasFilters4(const Model& model) {
  int64_t of_4_bits = 0, others = 0;
  for (const ModelNode& node : model.nodes()) {
    const int32_t filter = DefinitionOf(node.type).filter_input;
    if (filter < 0 || !TakesFourBits(node.type) || FilteredType(model, node) == DType::kFloat32) continue;
    const int32_t tensor = node.inputs[static_cast<size_t>(filter)];
    ++(model.tensors()[static_cast<size_t>(tensor)].file_type == DType::kInt4 ? of_4_bits : others);
  }
  return of_4_bits > others;
}

// An integer model as qat-convert --type calls it; "int8 + int16" where some layers give 16 bits, as --int16
// makes them.
std::string IntegerTypeOf(const Model& model, DType type) {
  if (type == DType::kUInt8) return "uint8";
  const auto gives = [&](DType wanted) {
    return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const ModelNode& node) {
      const ModelTensor& output = model.tensors()[static_cast<size_t>(node.outputs[0])];
      const bool crosses = node.type == OpType::kQuantize || node.type == OpType::kDequantize;
      return !crosses && output.type == wanted && output.scale.size() == 1;
    });
  };
  const bool of_8_bits = gives(DType::kInt8), of_16_bits = gives(DType::kInt16);
  if (of_8_bits && of_16_bits) return "int8 + int16";
  if (of_16_bits || type == DType::kInt16) return "int16x8";
  return HasFilters4(model) ? "w4a8" : "int8";
}

std::vector<std::span<uint8_t>> InputsOf(Interpreter& interpreter) {
  std::vector<std::span<uint8_t>> inputs;
  for (size_t i = 0; i < interpreter.model().inputs().size(); ++i) inputs.push_back(interpreter.input(i));
  return inputs;
}

std::vector<std::span<const uint8_t>> OutputsOf(const Interpreter& interpreter) {
  std::vector<std::span<const uint8_t>> outputs;
  for (size_t i = 0; i < interpreter.model().outputs().size(); ++i) outputs.push_back(interpreter.output(i));
  return outputs;
}

class ModelPredictor : public Predictor {
 public:
  ModelPredictor(std::shared_ptr<const Model> model, const InterpreterOptions& options,
                 std::unique_ptr<Interpreter> interpreter, std::string name, std::string kind,
                 ClassifierIo io)
      : model_(std::move(model)),
        options_(options),
        interpreter_(std::move(interpreter)),
        name_(std::move(name)),
        kind_(std::move(kind)),
        io_(std::move(io)) {}

  const std::string& name() const override { return name_; }
  std::string kind() const override { return kind_; }
  std::string type() const override { return WorkTypeOf(interpreter_->model()); }
  const Contract& contract() const override { return io_.contract(); }

  Status ReadOutputs(const std::vector<size_t>& places, std::vector<OutputContract> outputs) override {
    QAT_ASSIGN_OR_RETURN_IN(name_, io_,
                            io_.WithOutputs(places, std::move(outputs), InputInfos(*interpreter_),
                                            OutputInfos(*interpreter_), ProbabilitiesOf(*model_)));
    return {};
  }

  Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) override {
    const auto size = static_cast<size_t>(contract().ExampleSize());
    if (count < 0 || images.size() != size * static_cast<size_t>(count)) {
      return InvalidArgument(
          StrCat(name_, ": ", images.size(), " bytes, expected ", count, " images of ", size));
    }
    Predictions predictions = io_.Empty();
    for (int64_t i = 0; i < count; ++i) {
      QAT_RETURN_IF_ERROR(Load(images.subspan(static_cast<size_t>(i) * size, size)));
      QAT_RETURN_IF_ERROR(Invoke());
      QAT_RETURN_IF_ERROR_IN(StrCat(name_, ": image ", i), io_.Append(OutputsOf(*interpreter_), predictions));
    }
    return predictions;
  }

  Status Load(std::span<const uint8_t> image) override {
    QAT_RETURN_IF_ERROR_IN(name_, io_.Load(image, InputsOf(*interpreter_)));
    return {};
  }

  Status Invoke() override {
    interpreter_->Invoke();
    return {};
  }

  // By an interpreter of its own, whose arena keeps every tensor.
  Expected<std::vector<LayerOutput>> Layers(std::span<const uint8_t> image) override {
    if (keeping_ == nullptr) {
      options_.keep_intermediates = true;
      QAT_ASSIGN_OR_RETURN(keeping_, Interpreter::Create(model_, options_));
    }
    QAT_RETURN_IF_ERROR_IN(name_, io_.Load(image, InputsOf(*keeping_)));
    keeping_->Invoke();
    std::vector<LayerOutput> outputs;
    for (const LayerTensor& tensor : LayerTensors(*keeping_)) {
      const auto bytes = keeping_->tensor(tensor.index);
      if (bytes.ok()) outputs.push_back(ReadLayer(tensor, *bytes));
    }
    return outputs;
  }

 private:
  std::shared_ptr<const Model> model_;
  InterpreterOptions options_;
  std::unique_ptr<Interpreter> interpreter_;
  std::unique_ptr<Interpreter> keeping_;  // made by the first call of Layers
  std::string name_;
  std::string kind_;
  ClassifierIo io_;
};

Expected<std::unique_ptr<Predictor>> Make(std::shared_ptr<const Model> model, std::string name,
                                          std::string kind, const InterpreterOptions& options,
                                          const Contract* fallback) {
  QAT_ASSIGN_OR_RETURN(ModelContract chosen, ContractOf(*model, fallback));
  QAT_ASSIGN_OR_RETURN(std::unique_ptr<Interpreter> interpreter, Interpreter::Create(model, options));
  QAT_ASSIGN_OR_RETURN(ClassifierIo io,
                       ClassifierIo::Create(std::move(chosen.contract), InputInfos(*interpreter),
                                            OutputInfos(*interpreter), ProbabilitiesOf(*model)));
  return std::unique_ptr<Predictor>(std::make_unique<ModelPredictor>(
      std::move(model), options, std::move(interpreter), std::move(name), std::move(kind), std::move(io)));
}

}  // namespace

// By what the operators with a filter read, behind whatever stands in front of the first; where there is
// none, by what the first operator gives. Places, as of tokens, and conditions are no values that layers
// compute with.
std::string WorkTypeOf(const Model& model) {
  const auto type_of = [&](int32_t tensor) { return model.tensors()[static_cast<size_t>(tensor)].type; };
  std::optional<DType> by_filter, by_output;
  bool of_reals = false;
  for (const ModelNode& node : model.nodes()) {
    const DType output = type_of(node.outputs[0]);
    if (!by_output && IsOfValues(output)) by_output = output;
    const std::optional<DType> data = FilteredType(model, node);
    if (!data) continue;
    of_reals |= *data == DType::kFloat32;
    if (!by_filter || *by_filter == DType::kFloat32) by_filter = data;
  }
  const DType type = by_filter ? *by_filter : by_output.value_or(type_of(model.inputs()[0]));
  if (type == DType::kFloat32) return FloatTypeOf(model);
  if (!IsOfValues(type)) return std::string(NameOf(type));
  return StrCat(IntegerTypeOf(model, type), of_reals ? " + float32" : "");
}

Expected<std::unique_ptr<Predictor>> MakeModelPredictor(std::shared_ptr<const Model> model, std::string name,
                                                        std::string kind, const InterpreterOptions& options,
                                                        const Contract* fallback) {
  const std::string source = model->source();
  auto predictor = Make(std::move(model), std::move(name), std::move(kind), options, fallback);
  if (predictor.ok() || predictor.error().message.starts_with(source)) return predictor;
  return std::move(predictor).error().Prefixed(source);
}

}  // namespace qat
