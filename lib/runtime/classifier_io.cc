#include "runtime/classifier_io.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/matrix.h"
#include "base/strings.h"
#include "model/model_contract.h"
#include "predict/predictor.h"
#include "quant/params.h"
#include "runtime/interpreter.h"

namespace qat {
namespace {

/// Bytes of one image into the input tensor, one element of type T for each.
template <class T>
class InputWriter {
 public:
  using Table = std::vector<std::array<T, 256>>;
  explicit InputWriter(Table table) : table_(std::move(table)) {}
  void operator()(std::span<const uint8_t> image, std::span<uint8_t> input) const {
    T* values = reinterpret_cast<T*>(input.data());
    const size_t channels = table_.size();
    for (size_t pixel = 0; pixel < image.size(); pixel += channels) {
      for (size_t c = 0; c < channels; ++c) values[pixel + c] = table_[c][image[pixel + c]];
    }
  }

 private:
  Table table_;
};

/// Real numbers of one example, normalized by the contract, into the input tensor.
template <class T>
class RealWriter {
 public:
  RealWriter(const InputContract& contract, QuantizationParams params)
      : contract_(contract), params_(params), real_(static_cast<size_t>(contract.ValueCount())) {}
  void operator()(std::span<const uint8_t> example, std::span<uint8_t> input) {
    if constexpr (std::is_same_v<T, float>) {
      ToReal(contract_, {}, example, {reinterpret_cast<float*>(input.data()), real_.size()});
    } else {
      constexpr QuantizedLimits kLimits = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
      ToReal(contract_, {}, example, real_);
      T* values = reinterpret_cast<T*>(input.data());
      for (size_t i = 0; i < real_.size(); ++i)
        values[i] = static_cast<T>(QuantizeActivation(real_[i], params_, kLimits));
    }
  }

 private:
  InputContract contract_;
  QuantizationParams params_;
  std::vector<float> real_;
};

/// Reads one real score out of the output tensor; null where the output holds indices.
struct ScoreReader {
  float (*read)(std::span<const uint8_t> bytes, size_t index, QuantizationParams params) = nullptr;
};

template <class T>
typename InputWriter<T>::Table QuantizedTable(const RealTable& real, QuantizationParams params) {
  constexpr QuantizedLimits kLimits = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  typename InputWriter<T>::Table table(real.size());
  for (size_t c = 0; c < real.size(); ++c) {
    for (size_t byte = 0; byte < 256; ++byte) {
      table[c][byte] = static_cast<T>(QuantizeActivation(real[c][byte], params, kLimits));
    }
  }
  return table;
}

template <class T>
T ElementAt(std::span<const uint8_t> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

float FloatScore(std::span<const uint8_t> bytes, size_t index, QuantizationParams) {
  return ElementAt<float>(bytes, index);
}

template <class T>
float QuantizedScore(std::span<const uint8_t> bytes, size_t index, QuantizationParams params) {
  return Dequantize(ElementAt<T>(bytes, index), params);
}

/// The same for an input that takes the channels first.
LoadFunction ChannelsFirst(LoadFunction load, const InputContract& contract, size_t input_bytes) {
  const auto channels = static_cast<size_t>(contract.channels),
             values = static_cast<size_t>(contract.ValueCount());
  return [load = std::move(load), channels, places = values / channels, size = input_bytes / values,
          last = std::vector<uint8_t>(input_bytes)](std::span<const uint8_t> example,
                                                    std::span<uint8_t> input) mutable {
    load(example, last);
    TransposeElements(last, places, channels, size, input);
  };
}

// One answer per image, or one per pixel: [1, height, width], followed by the classes if there are scores;
// real numbers in any shape.
bool HoldsAnswers(const Shape& shape, bool scores, bool numbers) {
  if (numbers) return !shape.empty();
  if (scores && shape.empty()) return false;
  const int64_t answers = scores ? FlatSize(shape) / std::max(shape.back(), 1) : FlatSize(shape);
  return answers == 1 || (shape.size() == (scores ? 4u : 3u) && shape[0] == 1);
}

// `shape`: the output's with the classes last.
Expected<ScoreReader> ChooseScore(const ModelTensor& output, const Shape& shape, bool numbers) {
  const int64_t values = FlatSize(shape);
  switch (output.type) {
    case DType::kFloat32:
    case DType::kUInt8:
    case DType::kInt8:
    case DType::kInt16:
      if (values < 1 || !HoldsAnswers(shape, /*scores=*/true, numbers)) break;
      if (output.type == DType::kFloat32) return ScoreReader{FloatScore};
      if (output.type == DType::kInt16) return ScoreReader{QuantizedScore<int16_t>};
      return ScoreReader{output.type == DType::kUInt8 ? QuantizedScore<uint8_t> : QuantizedScore<int8_t>};
    case DType::kInt32:
    case DType::kInt64:
      if (HoldsAnswers(shape, /*scores=*/false, /*numbers=*/false)) return ScoreReader{};
      break;
    default:
      break;
  }
  return Unsupported(
      StrCat("output '", output.name, "' is ", NameOf(output.type), " ", ToString(output.shape),
             ", expected scores [1, classes] or [1, height, width, classes], or indices of classes"));
}

bool HasNumbers(const Contract& contract, size_t output) {
  return output < contract.outputs.size() && IsOfNumbers(contract.outputs[output].task);
}

bool HasChannelsFirst(const Contract& contract, size_t output) {
  return output < contract.outputs.size() && contract.outputs[output].channels_first;
}

}  // namespace

// The table is worked out once; a uint8 input whose scale undoes the contract gets every byte as it is.
Expected<LoadFunction> MakeLoad(const InputContract& contract, const ModelTensor& input,
                                QuantizationParams params) {
  if (contract.values == ValueType::kReal) {
    if (input.type == DType::kFloat32) return LoadFunction(RealWriter<float>(contract, params));
    if (input.type == DType::kUInt8) return LoadFunction(RealWriter<uint8_t>(contract, params));
    if (input.type == DType::kInt8) return LoadFunction(RealWriter<int8_t>(contract, params));
    if (input.type == DType::kInt16) return LoadFunction(RealWriter<int16_t>(contract, params));
  }
  const RealTable real = MakeRealTable(contract);
  switch (input.type) {
    case DType::kFloat32:
      return LoadFunction(InputWriter<float>(real));
    case DType::kUInt8:
      // Without a scale a value of the input is a byte of the image, whatever that means in reals.
      if (input.scale.empty()) {
        return LoadFunction([](std::span<const uint8_t> image, std::span<uint8_t> to) {
          std::copy(image.begin(), image.end(), to.begin());
        });
      }
      return LoadFunction(InputWriter<uint8_t>(QuantizedTable<uint8_t>(real, params)));
    case DType::kInt8:
      return LoadFunction(InputWriter<int8_t>(QuantizedTable<int8_t>(real, params)));
    case DType::kInt16:
      if (!input.scale.empty())
        return LoadFunction(InputWriter<int16_t>(QuantizedTable<int16_t>(real, params)));
      [[fallthrough]];
    default:
      return Unsupported(StrCat("input '", input.name, "' is ", NameOf(input.type),
                                ", expected float32, uint8, int8, or int16 with a scale"));
  }
}

std::vector<const ModelTensor*> OutputInfos(const Interpreter& interpreter) {
  std::vector<const ModelTensor*> infos;
  for (size_t i = 0; i < interpreter.model().outputs().size(); ++i)
    infos.push_back(&interpreter.output_info(i));
  return infos;
}

Expected<ClassifierIo> ClassifierIo::Create(Contract contract, std::span<const ModelTensor* const> inputs,
                                            std::span<const ModelTensor* const> outputs,
                                            const std::vector<bool>& probabilities) {
  ClassifierIo io;
  io.contract_ = std::move(contract);
  QAT_CHECK(inputs.size() == io.contract_.inputs.size() && !outputs.empty());
  for (size_t i = 0; i < inputs.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(*inputs[i], "input"));
    QAT_ASSIGN_OR_RETURN(LoadFunction load, MakeLoad(io.contract_.inputs[i], *inputs[i], params));
    if (io.contract_.inputs[i].channels_first)
      load = ChannelsFirst(std::move(load), io.contract_.inputs[i],
                           static_cast<size_t>(FlatSize(inputs[i]->shape)) * SizeOf(inputs[i]->type));
    io.load_.push_back(std::move(load));
  }
  const size_t count = std::max<size_t>(io.contract_.outputs.size(), 1);
  if (count > 1 && count != outputs.size())
    return Corrupt(StrCat("has ", outputs.size(), " outputs, expected the ", count, " of its contract"));
  for (size_t i = 0; i < count; ++i) {
    Expected<Output> output = MakeOutput(*outputs[i], HasNumbers(io.contract_, i), probabilities[i],
                                         HasChannelsFirst(io.contract_, i));
    if (!output.ok() && (count > 1 || outputs.size() == 1)) return std::move(output).error();
    if (!output.ok()) io.readable_ = output.error();  // another one may be what is asked for
    io.outputs_.push_back(output.ok() ? *output : Output());
    io.places_.push_back(i);
  }
  return io;
}

Expected<ClassifierIo> ClassifierIo::WithOutputs(const std::vector<size_t>& places,
                                                 std::vector<OutputContract> contracts,
                                                 std::span<const ModelTensor* const> inputs,
                                                 std::span<const ModelTensor* const> outputs,
                                                 const std::vector<bool>& probabilities) const {
  std::vector<const ModelTensor*> read;
  std::vector<bool> probable;
  for (const size_t place : places) {
    if (place >= outputs.size())
      return Corrupt(
          StrCat("has ", outputs.size(), " outputs, expected at least ", place + 1, ", as the first model"));
    read.push_back(outputs[place]);
    probable.push_back(probabilities[place]);
  }
  Contract contract = contract_;
  contract.outputs = std::move(contracts);
  QAT_ASSIGN_OR_RETURN(ClassifierIo io, Create(std::move(contract), inputs, read, probable));
  io.places_ = places;
  return io;
}

Expected<ClassifierIo::Output> ClassifierIo::MakeOutput(const ModelTensor& tensor, bool numbers,
                                                        bool probabilities, bool channels_first) {
  Shape shape = tensor.shape;
  channels_first = channels_first && shape.size() > 2;
  if (channels_first) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  QAT_ASSIGN_OR_RETURN(const ScoreReader reader, ChooseScore(tensor, shape, numbers));
  Output output;
  output.read = reader.read;
  output.wide_index = tensor.type == DType::kInt64;
  output.probabilities = probabilities;
  if (output.read == nullptr) return output;
  QAT_ASSIGN_OR_RETURN(output.params, ParamsOf(tensor, "output"));
  output.classes = shape.back();
  output.values = static_cast<size_t>(FlatSize(shape));
  output.channels_first = channels_first;
  return output;
}

Status ClassifierIo::Load(std::span<const uint8_t> example,
                          std::span<const std::span<uint8_t>> inputs) const {
  if (example.size() != static_cast<size_t>(contract_.ExampleSize())) {
    return InvalidArgument(StrCat("image of ", example.size(), " bytes, expected ", contract_.ExampleSize()));
  }
  QAT_CHECK(inputs.size() == load_.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto size = static_cast<size_t>(contract_.inputs[i].ImageSize());
    load_[i](example.first(size), inputs[i]);
    example = example.subspan(size);
  }
  return {};
}

Predictions ClassifierIo::Empty() const {
  Predictions predictions = outputs_[0].Empty();
  for (size_t i = 1; i < outputs_.size(); ++i) predictions.others.push_back(outputs_[i].Empty());
  return predictions;
}

Status ClassifierIo::Append(std::span<const std::span<const uint8_t>> outputs,
                            Predictions& predictions) const {
  QAT_RETURN_IF_ERROR(readable_);
  for (size_t i = 0; i < outputs_.size(); ++i)
    QAT_RETURN_IF_ERROR(
        outputs_[i].Append(outputs[places_[i]], i == 0 ? predictions : predictions.others[i - 1]));
  return {};
}

Predictions ClassifierIo::Output::Empty() const {
  Predictions predictions;
  predictions.classes = classes;
  predictions.step = params.scale;
  predictions.probabilities = probabilities;
  return predictions;
}

Status ClassifierIo::Output::Append(std::span<const uint8_t> output, Predictions& predictions) const {
  if (read == nullptr) {
    for (size_t i = 0; i < output.size() / (wide_index ? sizeof(int64_t) : sizeof(int32_t)); ++i) {
      predictions.labels.push_back(wide_index ? static_cast<int32_t>(ElementAt<int64_t>(output, i))
                                              : ElementAt<int32_t>(output, i));
    }
    return {};
  }
  const size_t first = predictions.scores.size();
  const auto channels = static_cast<size_t>(classes), places = values / channels;
  for (size_t i = 0; i < values; ++i) {
    const float score = read(output, channels_first ? i % channels * places + i / channels : i, params);
    if (std::isnan(score)) return Numerical(StrCat("output ", i, " is not a number"));
    predictions.scores.push_back(score);
  }
  for (size_t place = 0; place < values; place += channels) {
    predictions.labels.push_back(ArgMaxOf(std::span(predictions.scores).subspan(first + place, channels)));
  }
  return {};
}

}  // namespace qat
