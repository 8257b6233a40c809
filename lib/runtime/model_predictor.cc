#include "runtime/model_predictor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "base/strings.h"
#include "quant/params.h"
#include "runtime/model_contract.h"

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

using LoadFunction = std::function<void(std::span<const uint8_t>, std::span<uint8_t>)>;
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

// The table is worked out once; a uint8 input whose scale undoes the contract gets every byte as it is.
Expected<LoadFunction> MakeLoad(const InputContract& contract, const ModelTensor& input,
                                QuantizationParams params) {
  const RealTable real = MakeRealTable(contract);
  switch (input.type) {
    case DType::kFloat32:
      return LoadFunction(InputWriter<float>(real));
    case DType::kUInt8:
      return LoadFunction(InputWriter<uint8_t>(QuantizedTable<uint8_t>(real, params)));
    case DType::kInt8:
      return LoadFunction(InputWriter<int8_t>(QuantizedTable<int8_t>(real, params)));
    default:
      return Unsupported(
          StrCat("input '", input.name, "' is ", NameOf(input.type), ", expected float32, uint8 or int8"));
  }
}

Expected<ScoreReader> ChooseScore(const ModelTensor& output) {
  const int64_t values = FlatSize(output.shape);
  switch (output.type) {
    case DType::kFloat32:
    case DType::kUInt8:
    case DType::kInt8:
      if (values < 1 || output.shape.empty() || output.shape.back() != values) break;
      if (output.type == DType::kFloat32) return ScoreReader{FloatScore};
      return ScoreReader{output.type == DType::kUInt8 ? QuantizedScore<uint8_t> : QuantizedScore<int8_t>};
    case DType::kInt32:
    case DType::kInt64:
      if (values == 1) return ScoreReader{};
      break;
    default:
      break;
  }
  return Unsupported(StrCat("output '", output.name, "' is ", NameOf(output.type), " ",
                            ToString(output.shape), ", expected scores [1, classes] or one index"));
}

// The type that most of the work is done in: that of the first operator's input.
std::string TypeOf(const Model& model) {
  const int32_t tensor = model.nodes().empty() ? model.inputs()[0] : model.nodes()[0].inputs[0];
  return std::string(NameOf(model.tensors()[static_cast<size_t>(tensor)].type));
}

class ModelPredictor : public Predictor {
 public:
  ModelPredictor(std::unique_ptr<Interpreter> interpreter, std::string name, std::string kind,
                 InputContract contract)
      : interpreter_(std::move(interpreter)),
        name_(std::move(name)),
        kind_(std::move(kind)),
        contract_(std::move(contract)) {}

  Status Prepare(QuantizationParams input_params) {
    QAT_ASSIGN_OR_RETURN(load_, MakeLoad(contract_, interpreter_->input_info(0), input_params));
    const ModelTensor& output = interpreter_->output_info(0);
    QAT_ASSIGN_OR_RETURN(score_, ChooseScore(output));
    if (score_.read == nullptr) return {};
    QAT_ASSIGN_OR_RETURN(output_params_, ParamsOf(output, "output"));
    classes_ = static_cast<int32_t>(FlatSize(output.shape));
    return {};
  }

  const std::string& name() const override { return name_; }
  std::string kind() const override { return kind_; }
  std::string type() const override { return TypeOf(interpreter_->model()); }
  const InputContract& contract() const override { return contract_; }

  Expected<Predictions> Predict(std::span<const uint8_t> images, int64_t count) override {
    const auto size = static_cast<size_t>(contract_.ImageSize());
    if (count < 0 || images.size() != size * static_cast<size_t>(count)) {
      return InvalidArgument(
          StrCat(name_, ": ", images.size(), " bytes, expected ", count, " images of ", size));
    }
    Predictions predictions;
    predictions.classes = classes_;
    predictions.step = output_params_.scale;
    for (int64_t i = 0; i < count; ++i) {
      QAT_RETURN_IF_ERROR(Load(images.subspan(static_cast<size_t>(i) * size, size)));
      QAT_RETURN_IF_ERROR(Invoke());
      QAT_RETURN_IF_ERROR_IN(StrCat(name_, ": image ", i), Read(predictions));
    }
    return predictions;
  }

  Status Load(std::span<const uint8_t> image) override {
    if (image.size() != static_cast<size_t>(contract_.ImageSize())) {
      return InvalidArgument(
          StrCat(name_, ": image of ", image.size(), " bytes, expected ", contract_.ImageSize()));
    }
    load_(image, interpreter_->input(0));
    return {};
  }

  Status Invoke() override {
    interpreter_->Invoke();
    return {};
  }

 private:
  Status Read(Predictions& predictions) const {
    const std::span<const uint8_t> output = interpreter_->output(0);
    if (score_.read == nullptr) {
      const bool wide = interpreter_->output_info(0).type == DType::kInt64;
      predictions.labels.push_back(wide ? static_cast<int32_t>(ElementAt<int64_t>(output, 0))
                                        : ElementAt<int32_t>(output, 0));
      return {};
    }
    const size_t first = predictions.scores.size();
    for (size_t c = 0; c < static_cast<size_t>(classes_); ++c) {
      const float score = score_.read(output, c, output_params_);
      if (std::isnan(score)) return Numerical(StrCat("output ", c, " is not a number"));
      predictions.scores.push_back(score);
    }
    predictions.labels.push_back(ArgMaxOf(std::span(predictions.scores).subspan(first)));
    return {};
  }

  std::unique_ptr<Interpreter> interpreter_;
  std::string name_;
  std::string kind_;
  InputContract contract_;
  LoadFunction load_;
  ScoreReader score_;
  QuantizationParams output_params_;
  int32_t classes_ = 0;
};

Expected<std::unique_ptr<Predictor>> Make(std::shared_ptr<const Model> model, std::string name,
                                          std::string kind, const InterpreterOptions& options,
                                          const InputContract* fallback) {
  QAT_ASSIGN_OR_RETURN(ModelContract chosen, ContractOf(*model, fallback));
  const ModelTensor& input = model->tensors()[static_cast<size_t>(model->inputs()[0])];
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsOf(input, "input"));
  QAT_ASSIGN_OR_RETURN(std::unique_ptr<Interpreter> interpreter, Interpreter::Create(model, options));
  auto predictor = std::make_unique<ModelPredictor>(std::move(interpreter), std::move(name), std::move(kind),
                                                    std::move(chosen.contract));
  QAT_RETURN_IF_ERROR(predictor->Prepare(params));
  return std::unique_ptr<Predictor>(std::move(predictor));
}

}  // namespace

Expected<std::unique_ptr<Predictor>> MakeModelPredictor(std::shared_ptr<const Model> model, std::string name,
                                                        std::string kind, const InterpreterOptions& options,
                                                        const InputContract* fallback) {
  const std::string source = model->source();
  auto predictor = Make(std::move(model), std::move(name), std::move(kind), options, fallback);
  if (predictor.ok() || predictor.error().message.starts_with(source)) return predictor;
  return std::move(predictor).error().Prefixed(source);
}

}  // namespace qat
