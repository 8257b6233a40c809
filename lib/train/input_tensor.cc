#include "train/input_tensor.h"

#include <ATen/ops/empty.h>

#include <array>

#include "base/check.h"
#include "contract/input_params.h"
#include "train/layout.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

// table[c][byte] of every value, as [N, C, H, W] in the given layout.
template <class T>
at::Tensor Mapped(const InputContract& contract, const std::vector<std::array<T, 256>>& table,
                  std::span<const uint8_t> bytes, at::ScalarType type, at::MemoryFormat layout) {
  const int64_t count = static_cast<int64_t>(bytes.size()) / contract.ImageSize();
  QAT_CHECK(count * contract.ImageSize() == static_cast<int64_t>(bytes.size()));
  const int64_t plane = int64_t{contract.height} * contract.width;
  const int64_t channels = contract.channels;
  at::Tensor tensor = at::empty({count, channels, contract.height, contract.width},
                                at::TensorOptions(type).memory_format(layout));
  T* to = tensor.data_ptr<T>();
  const uint8_t* from = bytes.data();
  if (layout == at::MemoryFormat::ChannelsLast) {
    for (int64_t i = 0; i < count * plane; ++i) {
      for (int64_t c = 0; c < channels; ++c) *to++ = table[static_cast<size_t>(c)][*from++];
    }
    return tensor;
  }
  for (int64_t n = 0; n < count; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      const std::array<T, 256>& values = table[static_cast<size_t>(c)];
      for (int64_t i = 0; i < plane; ++i) *to++ = values[from[(n * plane + i) * channels + c]];
    }
  }
  return tensor;
}

// Real numbers, normalized, as [N, C, H, W] in the given layout.
at::Tensor FromReals(const InputContract& contract, std::span<const uint8_t> bytes, at::MemoryFormat layout) {
  const int64_t count = static_cast<int64_t>(bytes.size()) / contract.ImageSize();
  QAT_CHECK(count * contract.ImageSize() == static_cast<int64_t>(bytes.size()));
  at::Tensor tensor = at::empty({count, contract.height, contract.width, contract.channels}, at::kFloat);
  ToReal(contract, {}, bytes, {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())});
  return tensor.permute({0, 3, 1, 2}).contiguous(layout);
}

}  // namespace

at::Tensor RealImages(const InputContract& contract, const RealTable& table, std::span<const uint8_t> bytes) {
  if (contract.values == ValueType::kReal) return FromReals(contract, bytes, LayoutOf(contract.channels));
  return Mapped<float>(contract, table, bytes, at::kFloat, LayoutOf(contract.channels));
}

SimulatedTensor QuantizedImages(const InputContract& contract, const Precision& activations,
                                std::span<const uint8_t> bytes) {
  const QuantizationParams params = InputParams(contract, activations);
  const QuantizedLimits limits = LimitsOf(activations);
  if (contract.values == ValueType::kReal) {
    at::Tensor tensor = FromReals(contract, bytes, at::MemoryFormat::Contiguous).to(at::kDouble);
    double* values = tensor.data_ptr<double>();
    for (int64_t i = 0; i < tensor.numel(); ++i)
      values[i] = QuantizeActivation(static_cast<float>(values[i]), params, limits);
    return {tensor, params};
  }
  const bool pass = BytesPassThrough(contract);
  const RealTable real = MakeRealTable(contract);
  std::vector<std::array<double, 256>> table(real.size());
  for (size_t c = 0; c < table.size(); ++c) {
    for (int32_t byte = 0; byte < 256; ++byte) {
      const auto i = static_cast<size_t>(byte);
      table[c][i] = pass ? byte + limits.quant_min : QuantizeActivation(real[c][i], params, limits);
    }
  }
  return {Mapped<double>(contract, table, bytes, at::kDouble, at::MemoryFormat::Contiguous), params};
}

InputTensors::InputTensors(const Contract& contract, const Graph& network) : contract_(contract) {
  QAT_CHECK(contract.inputs.size() == network.inputs.size());
  for (size_t i = 0; i < contract.inputs.size(); ++i) {
    tables_.push_back(MakeRealTable(contract.inputs[i]));
    shapes_.push_back(network.tensor(network.inputs[i]).shape);
  }
}

// The order of values in memory is that of the data, whatever the rank.
at::Tensor InputTensors::Shaped(size_t input, const at::Tensor& images) const {
  const Shape& shape = shapes_[input];
  if (shape == contract_.inputs[input].NetworkShape()) return images;
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  sizes[0] = images.size(0);
  const at::Tensor rows = functional::ToNhwc(images).contiguous().view(sizes);
  return functional::FromNhwc(rows);
}

std::vector<at::Tensor> InputTensors::Real(std::span<const uint8_t> examples) const {
  std::vector<at::Tensor> tensors;
  Bytes copy;
  for (size_t i = 0; i < shapes_.size(); ++i)
    tensors.push_back(
        Shaped(i, RealImages(contract_.inputs[i], tables_[i], InputOf(contract_, i, examples, copy))));
  return tensors;
}

std::vector<SimulatedTensor> InputTensors::Quantized(std::span<const uint8_t> examples,
                                                     const Precision& activations) const {
  std::vector<SimulatedTensor> tensors;
  Bytes copy;
  for (size_t i = 0; i < shapes_.size(); ++i) {
    tensors.push_back(
        QuantizedImages(contract_.inputs[i], activations, InputOf(contract_, i, examples, copy)));
    tensors.back().values = Shaped(i, tensors.back().values);
  }
  return tensors;
}

}  // namespace qat
