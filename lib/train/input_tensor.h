// input_tensor.h: raw image bytes as the tensors that a network takes, through the input contract.
#ifndef QAT_TRAIN_INPUT_TENSOR_H_
#define QAT_TRAIN_INPUT_TENSOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "contract/contract.h"
#include "train/simulated.h"

namespace qat {

/// Examples [count, H, W, C], bytes or reals, to real [count, C, H, W], float32. `table` is MakeRealTable(contract).
at::Tensor RealImages(const InputContract& contract, const RealTable& table, std::span<const uint8_t> bytes);

/// Bytes [count, H, W, C] to quantized [count, C, H, W] as the deployed model takes them: bytes pass straight
/// through where one mean and std serve all channels and the mean is a whole byte; else every real value is
/// quantized to the union range of all channels.
SimulatedTensor QuantizedImages(const InputContract& contract, Scheme scheme, std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_TRAIN_INPUT_TENSOR_H_
