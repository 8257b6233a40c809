#include "eval/tensor_values.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/input_file.h"
#include "base/matrix.h"
#include "base/strings.h"
#include "data/array_values.h"
#include "data/csv_table.h"
#include "data/picture_values.h"
#include "model/model_contract.h"
#include "quant/params.h"
#include "runtime/classifier_io.h"

namespace qat {
namespace {

bool IsFloat(DType type) {
  return type == DType::kFloat16 || type == DType::kFloat32 || type == DType::kFloat64;
}

// The contract that says how real numbers of this input are normalized; null: nothing does.
const InputContract* Normalization(const Model& model, size_t position, size_t values) {
  if (!model.contract() || position >= model.contract()->inputs.size()) return nullptr;
  const InputContract& contract = model.contract()->inputs[position];
  const bool applies = contract.values == ValueType::kReal && !contract.inside;
  return applies && values % static_cast<size_t>(contract.ValueCount()) == 0 ? &contract : nullptr;
}

// Values [N, H, W, C], or [N, C, H, W] where the input has the channels first.
void Normalize(const InputContract& contract, std::span<const uint8_t> values, std::span<float> reals) {
  if (!contract.channels_first) return ToReal(contract, {}, values, reals);
  const auto channels = static_cast<size_t>(contract.channels),
             count = static_cast<size_t>(contract.ValueCount());
  Bytes last(count * sizeof(float));
  std::vector<float> normalized(count);
  for (size_t first = 0; first < reals.size(); first += count) {
    TransposeElements(values.subspan(first * sizeof(float), last.size()), channels, count / channels,
                      sizeof(float), last);
    ToReal(contract, {}, last, normalized);
    for (size_t i = 0; i < count; ++i)
      reals[first + i % channels * (count / channels) + i / channels] = normalized[i];
  }
}

template <class T>
Bytes Quantized(std::span<const float> reals, QuantizationParams params) {
  constexpr QuantizedLimits kLimits = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  Bytes values(reals.size() * sizeof(T));
  for (size_t i = 0; i < reals.size(); ++i) {
    const T value = static_cast<T>(QuantizeActivation(reals[i], params, kLimits));
    std::memcpy(values.data() + i * sizeof(T), &value, sizeof(T));
  }
  return values;
}

// The contract of an input that takes bytes, which the model does not normalize by itself; nothing where
// nobody says.
std::optional<InputContract> BytesOf(const Model& model, size_t position, size_t values) {
  auto found = ContractOf(model);
  if (!found.ok() || position >= found->contract.inputs.size()) return std::nullopt;
  InputContract& contract = found->contract.inputs[position];
  const bool applies = contract.values == ValueType::kByte && !contract.inside;
  if (!applies || values % static_cast<size_t>(contract.ValueCount()) != 0) return std::nullopt;
  return std::move(contract);
}

// Bytes [N, H, W, C], or [N, C, H, W] where the input has the channels first.
Expected<Bytes> LoadBytes(const InputContract& contract, const ModelTensor& input,
                          std::span<const uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  QAT_ASSIGN_OR_RETURN(const LoadFunction load, MakeLoad(contract, input, params));
  const auto count = static_cast<size_t>(contract.ValueCount()),
             channels = static_cast<size_t>(contract.channels), size = count * SizeOf(input.type);
  Bytes last(count), values(bytes.size() * SizeOf(input.type));
  for (size_t first = 0; first < bytes.size(); first += count) {
    std::span<const uint8_t> example = bytes.subspan(first, count);
    if (contract.channels_first) {
      TransposeElements(example, channels, count / channels, 1, last);
      example = last;
    }
    load(example, std::span(values).subspan(first / count * size, size));
  }
  return values;
}

// Says so of bytes that are those of the tensor, where pictures of them would be others.
void NoteTensorBytes(const InputContract& contract, const ModelTensor& input, const Bytes& bytes,
                     const std::string& path, std::vector<std::string>& notes) {
  const auto params = ParamsOf(input, "input");
  const auto as_picture = LoadBytes(contract, input, bytes);
  if (!params.ok() || !as_picture.ok() || *as_picture == bytes) return;
  notes.push_back(StrCat(path, ": uint8, as input '", input.name,
                         "' has it, goes in as it is, real = (byte - ", params->zero_point, ") * ",
                         params->scale, "; bytes of pictures mean ", Describe(contract),
                         ": give a picture, or use qat-eval classify"));
}

// Says so of whole numbers up to 255, of which the network would compute far greater ones than any byte
// stands for. `values`: of float32.
void NoteLikeBytes(const InputContract& contract, std::span<const uint8_t> values, const std::string& path,
                   const std::string& input, std::vector<std::string>& notes) {
  float farthest = 0, largest = 0;
  for (const auto& reals : MakeRealTable(contract))
    farthest = std::max(farthest, *std::max_element(reals.begin(), reals.end()));
  for (size_t i = 0; i < values.size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, &values[i], sizeof(value));
    if (!(value >= 0 && value <= 255) || value != std::floor(value)) return;
    largest = std::max(largest, value);
  }
  if (largest <= farthest) return;
  notes.push_back(StrCat(path, ": whole numbers from 0 to 255 look like bytes, but input '", input,
                         "' takes numbers that are normalized already, by ", Describe(contract),
                         "; arrays of uint8 are normalized so"));
}

// Integers, or weights of integers behind activations that are quantized on the way.
bool ComputesIntegers(const Model& model) {
  return std::any_of(model.tensors().begin(), model.tensors().end(),
                     [](const ModelTensor& tensor) { return !tensor.scale.empty(); });
}

}  // namespace

Expected<NpyArray> ForInput(NpyArray array, const std::string& path, const Model& model, size_t position,
                            std::vector<std::string>& notes) {
  const ModelTensor& input = model.tensors()[static_cast<size_t>(model.inputs()[position])];
  const DType from = array.type;
  const bool quantized =
      (input.type == DType::kUInt8 || input.type == DType::kInt8 || input.type == DType::kInt16) &&
      input.scale.size() == 1;
  const bool to_float = input.type == DType::kFloat32 && from != DType::kUInt8 && from != DType::kString;
  const std::optional<InputContract> of_bytes =
      BytesOf(model, position, static_cast<size_t>(FlatSize(array.shape)));
  if (from == DType::kUInt8 && from != input.type && of_bytes) {
    notes.push_back(StrCat(path, ": bytes, as ", Describe(*of_bytes), ", in ", NameOf(input.type),
                           " for input '", input.name, "'"));
    QAT_ASSIGN_OR_RETURN(array.values, LoadBytes(*of_bytes, input, array.values));
    array.type = input.type;
    return array;
  }
  if (from == DType::kUInt8 && quantized && of_bytes)
    NoteTensorBytes(*of_bytes, input, array.values, path, notes);
  // No integer says nan or inf; a network of real numbers shows them in its outputs.
  const bool checked = from == DType::kFloat32 && input.type == from && ComputesIntegers(model);
  const bool as_it_is = from == input.type || (!to_float && !(quantized && IsFloat(from)));
  if (as_it_is && !checked) {
    if (of_bytes && from == DType::kFloat32) NoteLikeBytes(*of_bytes, array.values, path, input.name, notes);
    return array;
  }
  NpyArray converted{DType::kFloat32, array.shape, {}};
  QAT_ASSIGN_OR_RETURN(converted.values, FloatValues(std::move(array), path));
  if (of_bytes) NoteLikeBytes(*of_bytes, converted.values, path, input.name, notes);
  if (from == input.type) return converted;
  if (to_float) {
    notes.push_back(
        StrCat(path, ": ", NameOf(from), " values become float32, as input '", input.name, "' takes them"));
    return converted;
  }
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  std::vector<float> reals(converted.values.size() / sizeof(float));
  std::string how;
  if (const InputContract* contract = Normalization(model, position, reals.size()); contract != nullptr) {
    Normalize(*contract, converted.values, reals);
    how = "normalized by the input contract and ";
  } else {
    std::memcpy(reals.data(), converted.values.data(), converted.values.size());
  }
  notes.push_back(StrCat(path, ": real numbers are ", how, "quantized for input '", input.name, "' (",
                         NameOf(input.type), ", scale ", params.scale, ", zero point ", params.zero_point,
                         ")"));
  converted.type = input.type;
  converted.values = input.type == DType::kUInt8   ? Quantized<uint8_t>(reals, params)
                     : input.type == DType::kInt16 ? Quantized<int16_t>(reals, params)
                                                   : Quantized<int8_t>(reals, params);
  return converted;
}

Expected<NpyArray> PictureForInput(const std::string& path, const Model& model, size_t position,
                                   std::vector<std::string>& notes) {
  const ModelTensor& input = model.tensors()[static_cast<size_t>(model.inputs()[position])];
  QAT_ASSIGN_OR_RETURN_IN(model.source(), const ModelContract found, ContractOf(model));
  const InputContract& contract = found.contract.inputs.at(position);
  if (contract.channels != 1 && contract.channels != 3) {
    return Unsupported(
        StrCat(path, ": is a picture, but input '", input.name, "' takes ", contract.channels,
               " channels; expected an array (.npy), or an input of 1 (grey) or 3 (colour) channels"));
  }
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  QAT_ASSIGN_OR_RETURN(const LoadFunction load, MakeLoad(contract, input, params));
  QAT_ASSIGN_OR_RETURN(const PictureValues picture,
                       ReadPictureValues(path, {contract.height, contract.width, contract.channels,
                                                contract.fit, contract.values, contract.white}));
  NpyArray array{input.type, input.shape,
                 Bytes(static_cast<size_t>(FlatSize(input.shape)) * SizeOf(input.type))};
  load(picture.values, array.values);
  notes.push_back(StrCat(path, ": a picture, as ", Describe(contract), ", in ", NameOf(input.type),
                         " for input '", input.name, "'"));
  return array;
}

Expected<NpyArray> RowsForInput(const std::string& path, const Model& model, size_t position,
                                std::vector<std::string>& notes) {
  const ModelTensor& input = model.tensors()[static_cast<size_t>(model.inputs()[position])];
  const bool known = model.contract() && position < model.contract()->inputs.size();
  QAT_ASSIGN_OR_RETURN(CsvTable table, ReadRows(path, known ? model.contract()->inputs[position].features
                                                            : std::vector<std::string>()));
  if (static_cast<int64_t>(table.features.size()) != FlatSize(input.shape)) {
    return Corrupt(StrCat(path, ": has ", table.features.size(), " columns of numbers, expected ",
                          FlatSize(input.shape), " for input '", input.name, "' ", ToString(input.shape)));
  }
  for (const std::string& note : table.notes) notes.push_back(StrCat(path, ": ", note));
  Shape shape = input.shape;
  if (!shape.empty() && shape[0] == 1) shape.erase(shape.begin());
  shape.insert(shape.begin(), table.x.shape[0]);
  table.x.shape = std::move(shape);
  return std::move(table.x);
}

bool IsPictureFile(const std::string& path) {
  auto file = InputFile::Open(path);
  if (!file.ok()) return false;
  std::array<uint8_t, 4> head = {};
  if (const auto size = file->Read(head); !size.ok() || *size < head.size()) return false;
  const bool png = head == std::array<uint8_t, 4>{0x89, 'P', 'N', 'G'},
             jpeg = head[0] == 0xff && head[1] == 0xd8;
  return png || jpeg || (head[0] == 'B' && head[1] == 'M');
}

}  // namespace qat
