#include "train/input_tensor.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace qat {
namespace {

// table[c][byte] of every value, channels moved to the front.
template <class T>
at::Tensor Mapped(const InputContract& contract, const std::vector<std::array<T, 256>>& table,
                  std::span<const uint8_t> bytes, at::ScalarType type) {
  const int64_t count = static_cast<int64_t>(bytes.size()) / contract.ImageSize();
  QAT_CHECK(count * contract.ImageSize() == static_cast<int64_t>(bytes.size()));
  const int64_t plane = int64_t{contract.height} * contract.width;
  const int64_t channels = contract.channels;
  at::Tensor tensor = at::empty({count, channels, contract.height, contract.width}, type);
  T* to = tensor.data_ptr<T>();
  const uint8_t* from = bytes.data();
  for (int64_t n = 0; n < count; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      const std::array<T, 256>& values = table[static_cast<size_t>(c)];
      for (int64_t i = 0; i < plane; ++i) *to++ = values[from[(n * plane + i) * channels + c]];
    }
  }
  return tensor;
}

bool OneForAll(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

bool BytesPass(const InputContract& contract) {
  const float mean = contract.mean[0];
  return OneForAll(contract.mean) && OneForAll(contract.std) && mean >= 0 && mean <= 255 &&
         mean == std::floor(mean);
}

QuantizationParams InputParamsOf(const InputContract& contract) {
  if (BytesPass(contract)) return {1.0f / contract.std[0], static_cast<int32_t>(contract.mean[0])};
  double min = 0;
  double max = 0;
  for (size_t c = 0; c < contract.mean.size(); ++c) {
    min = std::min(min, (0.0 - contract.mean[c]) / contract.std[c]);
    max = std::max(max, (255.0 - contract.mean[c]) / contract.std[c]);
  }
  return ChooseQuantizationParams(min, max, kUInt8Limits);
}

}  // namespace

at::Tensor RealImages(const InputContract& contract, const RealTable& table, std::span<const uint8_t> bytes) {
  return Mapped<float>(contract, table, bytes, at::kFloat);
}

SimulatedTensor QuantizedImages(const InputContract& contract, std::span<const uint8_t> bytes) {
  const QuantizationParams params = InputParamsOf(contract);
  const RealTable real = MakeRealTable(contract);
  std::vector<std::array<double, 256>> table(real.size());
  for (size_t c = 0; c < table.size(); ++c) {
    for (size_t byte = 0; byte < 256; ++byte) {
      table[c][byte] = BytesPass(contract) ? static_cast<double>(byte)
                                           : QuantizeActivation(real[c][byte], params, kUInt8Limits);
    }
  }
  return {Mapped<double>(contract, table, bytes, at::kDouble), params};
}

}  // namespace qat
