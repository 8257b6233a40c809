#include "model/model_contract.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/strings.h"
#include "contract/input_params.h"
#include "contract/model_description.h"

namespace qat {
namespace {

constexpr int32_t kInt8Offset = 128;  // the smallest byte is the smallest int8

bool IsByte(DType type) { return type == DType::kUInt8 || type == DType::kInt8; }

// int16 with a scale: without one it holds integers.
bool IsQuantized(const ModelTensor& tensor) {
  return IsByte(tensor.type) || (tensor.type == DType::kInt16 && !tensor.scale.empty());
}

QuantizedLimits LimitsOf(DType type) {
  if (type == DType::kInt16)
    return {std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max()};
  return type == DType::kInt8 ? kInt8Limits : kUInt8Limits;
}

Contract ContractFor(const ModelTensor& input, std::vector<float> mean, std::vector<float> std_values,
                     const Model& model) {
  InputContract contract{input.shape[1], input.shape[2], input.shape[3], std::move(mean),
                         std::move(std_values)};
  const auto channels = static_cast<size_t>(std::max(contract.channels, 0));
  if (contract.mean.size() == 1) contract.mean.resize(channels, contract.mean[0]);
  if (contract.std.size() == 1) contract.std.resize(channels, contract.std[0]);
  return {std::move(contract), model.labels()};
}

// real = scale * (quantized - zero_point), where the quantized value is the byte (int8: less 128).
Contract ContractOfQuantizedInput(const Model& model, const ModelTensor& input, QuantizationParams params) {
  const int32_t offset = input.type == DType::kInt8 ? kInt8Offset : 0;
  return ContractFor(input, {static_cast<float>(params.zero_point + offset)}, {1 / params.scale}, model);
}

// Both map bytes linearly, so the ends tell.
bool WithinOneStep(const InputContract& a, const InputContract& b, float step) {
  const RealTable real_a = MakeRealTable(a), real_b = MakeRealTable(b);
  for (size_t c = 0; c < real_a.size(); ++c) {
    for (const size_t byte : {size_t{0}, size_t{255}}) {
      if (std::abs(real_a[c][byte] - real_b[c][byte]) > step) return false;
    }
  }
  return true;
}

std::optional<Contract> ContractOfDescription(const Model& model, const ModelTensor& input,
                                              size_t position = 0) {
  if (!model.description() || position >= model.description()->inputs.size()) return {};
  return ContractOf(model.description()->inputs[position], input.shape, model.labels());
}

// A normalization that gives exactly the parameters of the input was not rounded.
bool IsExact(const InputContract& described, const ModelTensor& input, QuantizationParams params) {
  return InputParams(described, input.type == DType::kInt8 ? Scheme::kInt8 : Scheme::kUInt8) == params;
}

Expected<ModelContract> Choose(const Model& model, const Contract* fallback, const ModelTensor& input) {
  if (model.contract()) return ModelContract{*model.contract(), ContractSource::kEmbedded};
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  std::optional<Contract> implied;
  if (IsByte(input.type)) implied = ContractOfQuantizedInput(model, input, params);
  if (auto described = ContractOfDescription(model, input)) {
    QAT_RETURN_IF_ERROR(Validate(*described));
    const bool rounded = implied && !IsExact(described->input(), input, params);
    if (rounded && WithinOneStep(described->input(), implied->input(), params.scale))
      described = std::move(implied);
    return ModelContract{*std::move(described), ContractSource::kDescription};
  }
  if (fallback != nullptr) return ModelContract{*fallback, ContractSource::kFallback};
  if (implied) return ModelContract{*std::move(implied), ContractSource::kQuantizedInput};
  return Corrupt(StrCat("has no input contract (metadata '", kContractMetadataName, "' or '",
                        kDescriptionMetadataName, "'), so what a byte means to its ", NameOf(input.type),
                        " input '", input.name, "' is not known"));
}

// [1, 3, S, S], as PyTorch has it. Three rows of as many channels as columns would be no image.
bool HasChannelsFirst(const Shape& shape) {
  constexpr int32_t kColours = 3, kLeastSide = 8;
  return shape[1] == kColours && shape[2] == shape[3] && shape[2] >= kLeastSide;
}

Expected<const ModelTensor*> OnlyInput(const Model& model) {
  if (model.inputs().size() == 1) return &model.tensors()[static_cast<size_t>(model.inputs()[0])];
  return Unsupported(StrCat("has ", model.inputs().size(), " inputs, expected 1"));
}

// Of shapes that begin with a fixed number of examples; else empty.
std::string WayOutOfBatch(const Shape& shape) {
  if (shape.size() < 2 || shape.size() > 4 || shape[0] < 2) return "";
  return StrCat(", a fixed batch of ", shape[0],
                ", expected one example at a time: export the network with a batch of 1, or with one that is "
                "open (None); qat-eval run takes it as it is");
}

// [1, H, W, C], [1, T, C] or [1, F] of real numbers, as they are.
Expected<InputContract> RealsAsTheyAre(const ModelTensor& input) {
  const Shape& shape = input.shape;
  if (const std::string batch = WayOutOfBatch(shape); !batch.empty())
    return Unsupported(StrCat("input '", input.name, "' is ", ToString(shape), batch));
  if (shape.size() < 2 || shape.size() > 4 || shape[0] != 1) {
    return Unsupported(StrCat(
        "input '", input.name, "' is ", ToString(shape),
        ", expected [1, values], [1, steps, channels] or [1, H, W, C]: qat-eval run takes tensors of any "
        "shape"));
  }
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  InputContract contract{1, 1, shape.back(), {}, {}};
  if (shape.size() > 2) contract.width = shape[shape.size() - 2];
  if (shape.size() > 3) contract.height = shape[1];
  contract.values = ValueType::kReal;
  if (shape.size() < 4) contract.shape.assign(shape.begin() + 1, shape.end());
  contract.mean.assign(static_cast<size_t>(std::max(contract.channels, 0)), 0);
  contract.std.assign(contract.mean.size(), 1);
  if (!IsQuantized(input)) return contract;
  const Range range = RepresentableRange(params, LimitsOf(input.type));
  contract.low = std::min(range.min, 0.0f);
  contract.high = std::max(range.max, 0.0f);
  return contract;
}

Expected<ModelContract> ContractOfReals(const Model& model, const ModelTensor& input) {
  QAT_ASSIGN_OR_RETURN(InputContract contract, RealsAsTheyAre(input));
  return ModelContract{Contract(std::move(contract), model.labels()), ContractSource::kReals};
}

Status ExpectInput(const ModelTensor& input, const InputContract& contract) {
  if (input.shape == contract.NetworkShape() || input.shape == contract.DataShape()) return {};
  return Corrupt(StrCat("input '", input.name, "' is ", ToString(input.shape), ", the input contract says ",
                        ToString(contract.NetworkShape())));
}

const ModelTensor& InputTensor(const Model& model, size_t position) {
  return model.tensors()[static_cast<size_t>(model.inputs()[position])];
}

Status ExpectInputs(const Model& model, const Contract& contract) {
  if (contract.inputs.size() != model.inputs().size()) {
    return Corrupt(StrCat("has ", model.inputs().size(), model.inputs().size() == 1 ? " input" : " inputs",
                          ", the input contract says ", contract.inputs.size()));
  }
  for (size_t i = 0; i < contract.inputs.size(); ++i)
    QAT_RETURN_IF_ERROR(ExpectInput(InputTensor(model, i), contract.inputs[i]));
  return {};
}

// One input out of several: the standard metadata, else what its quantization implies, else reals.
Expected<InputContract> InputOfSeveral(const Model& model, size_t position, ContractSource& source) {
  const ModelTensor& input = InputTensor(model, position);
  const bool image = input.shape.size() == 4 && input.shape[0] == 1;
  if (image) {
    if (auto described = ContractOfDescription(model, input, position)) return described->input();
    if (IsByte(input.type)) {
      QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
      if (source != ContractSource::kReals) source = ContractSource::kQuantizedInput;
      return ContractOfQuantizedInput(model, input, params).input();
    }
  }
  source = ContractSource::kReals;
  return RealsAsTheyAre(input);
}

Expected<ModelContract> ContractOfSeveral(const Model& model, const Contract* fallback) {
  if (model.contract()) return ModelContract{*model.contract(), ContractSource::kEmbedded};
  if (fallback != nullptr && ExpectInputs(model, *fallback).ok())
    return ModelContract{*fallback, ContractSource::kFallback};
  ModelContract chosen;
  chosen.source = ContractSource::kDescription;
  chosen.contract.inputs.clear();
  const std::vector<std::string> names = InputNames(model);
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    QAT_ASSIGN_OR_RETURN(InputContract input, InputOfSeveral(model, i, chosen.source));
    input.name = names[i];
    chosen.contract.inputs.push_back(std::move(input));
  }
  chosen.contract.set_labels(model.labels());
  return chosen;
}

Expected<const ModelTensor*> ImageInput(const Model& model) {
  QAT_ASSIGN_OR_RETURN(const ModelTensor* only, OnlyInput(model));
  const ModelTensor& input = *only;
  const bool image = input.shape.size() == 4 && input.shape[0] == 1;
  if (image && (model.contract() || !HasChannelsFirst(input.shape))) return &input;
  if (image) {
    return Unsupported(StrCat(
        "input '", input.name, "' is ", ToString(input.shape),
        ", which has the channels first, expected [1, H, W, C]: run it on tensors with qat-eval run, as of "
        "x.transpose(0, 3, 1, 2), or convert the network with the channels last"));
  }
  if (const std::string batch = WayOutOfBatch(input.shape); !batch.empty())
    return Unsupported(StrCat("input '", input.name, "' is ", ToString(input.shape), batch));
  return Unsupported(StrCat("input '", input.name, "' is ", ToString(input.shape),
                            ", expected [1, H, W, C] for images: qat-eval run takes tensors of any shape"));
}

}  // namespace

namespace {

/// Names of tensors as people know them, each once.
std::vector<std::string> KnownNames(const Model& model, const std::vector<int32_t>& tensors,
                                    std::string_view otherwise) {
  constexpr std::string_view kPrefix = "serving_default_";
  std::vector<std::string> names;
  for (const int32_t tensor : tensors) {
    std::string name = model.tensors()[static_cast<size_t>(tensor)].name;
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
    if (name.ends_with(":0")) name.resize(name.size() - 2);
    if (name.empty()) name = otherwise;
    const std::string plain = name;
    for (int k = 1; std::find(names.begin(), names.end(), name) != names.end(); ++k)
      name = StrCat(plain, "_", k);
    names.push_back(std::move(name));
  }
  return names;
}

/// Those that a contract states of several inputs or outputs; empty where one has none.
template <class Border>
std::vector<std::string> StatedNames(const std::vector<Border>& stated, size_t count) {
  std::vector<std::string> names;
  if (count < 2 || stated.size() != count) return names;
  for (const Border& border : stated) names.push_back(border.name);
  if (std::find(names.begin(), names.end(), "") != names.end()) names.clear();
  return names;
}

}  // namespace

std::vector<std::string> InputNames(const Model& model) {
  std::vector<std::string> stated;
  if (model.contract()) stated = StatedNames(model.contract()->inputs, model.inputs().size());
  return stated.empty() ? KnownNames(model, model.inputs(), "input") : stated;
}

std::vector<std::string> OutputNames(const Model& model) {
  std::vector<std::string> stated;
  if (model.contract()) stated = StatedNames(model.contract()->outputs, model.outputs().size());
  return stated.empty() ? KnownNames(model, model.outputs(), "output") : stated;
}

Expected<ModelContract> ContractOf(const Model& model, const Contract* fallback) {
  if (model.inputs().size() > 1) {
    QAT_ASSIGN_OR_RETURN(ModelContract several, ContractOfSeveral(model, fallback));
    QAT_RETURN_IF_ERROR(Validate(several.contract));
    QAT_RETURN_IF_ERROR(ExpectInputs(model, several.contract));
    return several;
  }
  QAT_ASSIGN_OR_RETURN(const ModelTensor* input, OnlyInput(model));
  if (!model.contract() && input->shape.size() != 4 &&
      !(fallback != nullptr && fallback->input().values == ValueType::kReal))
    return ContractOfReals(model, *input);
  if (!model.contract() && input->shape.size() == 4) QAT_RETURN_IF_ERROR(ImageInput(model));
  QAT_ASSIGN_OR_RETURN(ModelContract chosen, Choose(model, fallback, *input));
  QAT_RETURN_IF_ERROR(Validate(chosen.contract));
  QAT_RETURN_IF_ERROR(ExpectInputs(model, chosen.contract));
  return chosen;
}

Expected<Contract> ContractFromStats(const Model& model, float mean, float std) {
  QAT_ASSIGN_OR_RETURN(const ModelTensor* input, ImageInput(model));
  return ContractFor(*input, {mean}, {std}, model);
}

Expected<Contract> ContractOfRealNumbers(const Model& model) {
  QAT_ASSIGN_OR_RETURN(const ModelTensor* input, OnlyInput(model));
  QAT_ASSIGN_OR_RETURN(InputContract contract, RealsAsTheyAre(*input));
  return Contract(std::move(contract), model.labels());
}

// The interpreter has checked scales where an operator uses them; the tensors at both ends may have none.
Expected<QuantizationParams> ParamsOf(const ModelTensor& tensor, const char* what) {
  if (!IsQuantized(tensor)) return QuantizationParams{};
  if (tensor.type == DType::kUInt8 && tensor.scale.empty()) return QuantizationParams{1, 0};
  if (tensor.scale.size() == 1 && tensor.scale[0] > 0 && tensor.zero_point[0] >= -128 &&
      tensor.zero_point[0] <= 255) {
    return QuantizationParams{tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])};
  }
  return Corrupt(StrCat(what, " '", tensor.name, "' of type ", NameOf(tensor.type), " has no scale"));
}

bool EndsInProbabilities(const Model& model, size_t output) {
  int32_t tensor = model.outputs()[output];
  for (auto node = model.nodes().rbegin(); node != model.nodes().rend(); ++node) {
    if (node->outputs[0] != tensor) continue;
    if (node->type == OpType::kSoftmax || node->type == OpType::kLogistic) return true;
    const bool keeps_values = node->type == OpType::kReshape || node->type == OpType::kSqueeze ||
                              node->type == OpType::kQuantize || node->type == OpType::kDequantize;
    if (!keeps_values) return false;
    tensor = node->inputs[0];
  }
  return false;
}

std::vector<bool> ProbabilitiesOf(const Model& model) {
  std::vector<bool> all;
  for (size_t i = 0; i < model.outputs().size(); ++i) all.push_back(EndsInProbabilities(model, i));
  return all;
}

}  // namespace qat
