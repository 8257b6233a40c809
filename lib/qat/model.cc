#include "qat/model.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "model/model.h"
#include "model/model_contract.h"
#include "quant/params.h"
#include "quant/scheme.h"
#include "runtime/interpreter.h"

namespace qat::v1 {
namespace {

// The public header cannot include DType, so it repeats its numbers.
static_assert(
    Type{} == static_cast<Type>(DType::kFloat32) && Type::kFloat16 == static_cast<Type>(DType::kFloat16) &&
    Type::kInt32 == static_cast<Type>(DType::kInt32) && Type::kUInt8 == static_cast<Type>(DType::kUInt8) &&
    Type::kInt64 == static_cast<Type>(DType::kInt64) && Type::kString == static_cast<Type>(DType::kString) &&
    Type::kBool == static_cast<Type>(DType::kBool) && Type::kInt16 == static_cast<Type>(DType::kInt16) &&
    Type::kInt8 == static_cast<Type>(DType::kInt8) && Type::kFloat64 == static_cast<Type>(DType::kFloat64));

int CodeOf(qat::ErrorCode code) {
  switch (code) {
    case qat::ErrorCode::kInvalidArgument:
      return 2;
    case qat::ErrorCode::kNotFound:
    case qat::ErrorCode::kCorrupt:
      return 3;
    case qat::ErrorCode::kUnsupported:
      return 4;
    default:
      return 6;
  }
}

Tensor Describe(const ModelTensor& tensor) {
  return {tensor.name,
          {tensor.shape.begin(), tensor.shape.end()},
          static_cast<Type>(tensor.type),
          tensor.scale,
          tensor.zero_point,
          tensor.quantized_dimension};
}

// As QUANTIZE of TFLite clamps.
constexpr QuantizedLimits kInt16Limits = {std::numeric_limits<int16_t>::min(),
                                          std::numeric_limits<int16_t>::max()};

/// Per tensor; 1 and 0 for plain integers. Nothing where there are several.
std::optional<QuantizationParams> ParamsOf(const Tensor& tensor) {
  if (tensor.scale.empty()) return QuantizationParams{1, 0};
  if (tensor.scale.size() != 1 || tensor.zero_point.size() != 1) return std::nullopt;
  return QuantizationParams{tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])};
}

template <class T>
std::vector<float> Reals(std::span<const T> values, QuantizationParams params) {
  std::vector<float> reals;
  reals.reserve(values.size());
  for (const T value : values) {
    // Whole numbers that are not quantized may be wider than what Dequantize takes.
    const bool plain = params.scale == 1 && params.zero_point == 0;
    reals.push_back(plain ? static_cast<float>(value) : Dequantize(static_cast<int32_t>(value), params));
  }
  return reals;
}

// False, and nothing done, where the count is another.
template <class T>
bool Quantize(std::span<const float> values, QuantizationParams params, QuantizedLimits limits,
              std::span<T> out) {
  if (out.size() != values.size()) return false;
  for (size_t i = 0; i < values.size(); ++i)
    out[i] = static_cast<T>(QuantizeActivation(values[i], params, limits));
  return true;
}

}  // namespace

struct Model::Impl {
  std::unique_ptr<qat::Interpreter> interpreter;
  std::shared_ptr<const qat::Model> model;
  InterpreterOptions options;
  std::vector<Tensor> inputs, outputs;
  std::vector<std::optional<Normalization>> normalizations, target_normalizations;
  std::vector<std::vector<std::string>> labels;

  static std::unique_ptr<Impl> Create(Expected<std::shared_ptr<const qat::Model>> model,
                                      const InterpreterOptions& options, Error& error) {
    error = {};
    if (!model.ok()) return Fail(model.error(), error);
    auto interpreter = qat::Interpreter::Create(*model, options);
    if (!interpreter.ok()) return Fail(std::move(interpreter).error().Prefixed((*model)->source()), error);
    auto impl = std::make_unique<Impl>();
    impl->interpreter = *std::move(interpreter);
    impl->model = *model;
    impl->options = options;
    for (size_t i = 0; i < (*model)->inputs().size(); ++i)
      impl->inputs.push_back(Describe(impl->interpreter->input_info(i)));
    for (size_t i = 0; i < (*model)->outputs().size(); ++i)
      impl->outputs.push_back(Describe(impl->interpreter->output_info(i)));
    impl->normalizations.resize(impl->inputs.size());
    impl->target_normalizations.resize(impl->outputs.size());
    impl->labels.resize(impl->outputs.size());
    if (!impl->labels.empty()) impl->labels[0] = (*model)->labels();
    if (const auto contract = ContractOf(**model); contract.ok()) impl->Take(contract->contract);
    return impl;
  }

  void Take(const Contract& contract) {
    for (size_t i = 0; i < std::min(inputs.size(), contract.inputs.size()); ++i) {
      const InputContract& input = contract.inputs[i];
      if (!input.inside) normalizations[i] = Normalization{input.mean, input.std};
    }
    for (size_t i = 0; i < std::min(outputs.size(), contract.outputs.size()); ++i) {
      const OutputContract& output = contract.outputs[i];
      if (!output.labels.empty()) labels[i] = output.labels;
      if (!output.mean.empty()) target_normalizations[i] = Normalization{output.mean, output.std};
    }
  }

  static std::unique_ptr<Impl> Fail(const qat::Error& from, Error& error) {
    error = {CodeOf(from.code), from.message};
    return nullptr;
  }

  static std::optional<InterpreterOptions> Translate(const Options& options, Error& error) {
    if (options.threads < 1) {
      error = {2, "threads is " + std::to_string(options.threads) + ", expected 1 or more"};
      return std::nullopt;
    }
    InterpreterOptions result;
    result.threads = options.threads;
    result.kernels = options.reference_kernels ? KernelSet::kReference : KernelSet::kFast;
    return result;
  }
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

std::unique_ptr<Model> Model::Load(const std::string& path, Error& error, const Options& options) {
  const auto translated = Impl::Translate(options, error);
  if (!translated) return nullptr;
  auto impl = Impl::Create(qat::Model::Load(path), *translated, error);
  return impl == nullptr ? nullptr : std::unique_ptr<Model>(new Model(std::move(impl)));
}

std::unique_ptr<Model> Model::FromBytes(std::vector<uint8_t> bytes, const std::string& name, Error& error,
                                        const Options& options) {
  const auto translated = Impl::Translate(options, error);
  if (!translated) return nullptr;
  auto impl = Impl::Create(qat::Model::FromBytes(std::move(bytes), name), *translated, error);
  return impl == nullptr ? nullptr : std::unique_ptr<Model>(new Model(std::move(impl)));
}

std::unique_ptr<Model> Model::Clone(Error& error) const {
  auto impl = Impl::Create(impl_->model, impl_->options, error);
  return impl == nullptr ? nullptr : std::unique_ptr<Model>(new Model(std::move(impl)));
}

const std::vector<Tensor>& Model::inputs() const { return impl_->inputs; }
const std::vector<Tensor>& Model::outputs() const { return impl_->outputs; }
const std::vector<std::string>& Model::labels(size_t output) const {
  QAT_CHECK(output < impl_->labels.size());
  return impl_->labels[output];
}
const std::optional<Normalization>& Model::normalization(size_t input) const {
  QAT_CHECK(input < impl_->normalizations.size());
  return impl_->normalizations[input];
}
const std::optional<Normalization>& Model::target_normalization(size_t output) const {
  QAT_CHECK(output < impl_->target_normalizations.size());
  return impl_->target_normalizations[output];
}

std::span<std::byte> Model::InputBytes(size_t position) {
  QAT_CHECK(position < impl_->inputs.size());
  return std::as_writable_bytes(impl_->interpreter->input(position));
}

std::span<const std::byte> Model::OutputBytes(size_t position) const {
  QAT_CHECK(position < impl_->outputs.size());
  return std::as_bytes(impl_->interpreter->output(position));
}

bool Model::SetReal(size_t position, std::span<const float> values) {
  QAT_CHECK(position < impl_->inputs.size());
  const Tensor& tensor = impl_->inputs[position];
  const auto params = ParamsOf(tensor);
  if (!params) return false;
  switch (tensor.type) {
    case Type::kFloat32: {
      const std::span<float> out = Input<float>(position);
      if (out.size() != values.size()) return false;
      std::copy(values.begin(), values.end(), out.begin());
      return true;
    }
    case Type::kUInt8:
      return Quantize(values, *params, kUInt8Limits, Input<uint8_t>(position));
    case Type::kInt8:
      return Quantize(values, *params, kInt8Limits, Input<int8_t>(position));
    case Type::kInt16:
      return Quantize(values, *params, kInt16Limits, Input<int16_t>(position));
    default:
      return false;
  }
}

std::vector<float> Model::Real(size_t position) const {
  QAT_CHECK(position < impl_->outputs.size());
  const Tensor& tensor = impl_->outputs[position];
  const auto params = ParamsOf(tensor);
  if (!params) return {};
  switch (tensor.type) {
    case Type::kFloat32: {
      const std::span<const float> values = Output<float>(position);
      return {values.begin(), values.end()};
    }
    case Type::kUInt8:
      return Reals(Output<uint8_t>(position), *params);
    case Type::kInt8:
      return Reals(Output<int8_t>(position), *params);
    case Type::kInt16:
      return Reals(Output<int16_t>(position), *params);
    case Type::kInt32:
      return Reals(Output<int32_t>(position), *params);
    case Type::kInt64:
      return Reals(Output<int64_t>(position), *params);
    default:
      return {};
  }
}

void Model::Run() { impl_->interpreter->Invoke(); }

}  // namespace qat::v1
