// input_tensor.h: raw image bytes as the tensors that a network takes, through the input contract.
#ifndef QAT_TRAIN_INPUT_TENSOR_H_
#define QAT_TRAIN_INPUT_TENSOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "contract/contract.h"
#include "ir/graph.h"
#include "train/simulated.h"

namespace qat {

/// Examples [count, H, W, C], bytes or reals, to real [count, C, H, W], float32. `table` is
/// MakeRealTable(contract).
at::Tensor RealImages(const InputContract& contract, const RealTable& table, std::span<const uint8_t> bytes);

/// Bytes [count, H, W, C] to quantized [count, C, H, W] as the deployed model takes them: bytes pass straight
/// through where one mean and std serve all channels and the mean is a whole byte; else every real value is
/// quantized to the union range of all channels.
SimulatedTensor QuantizedImages(const InputContract& contract, const Precision& activations,
                                std::span<const uint8_t> bytes);

/// Whole examples as the tensors of a network's inputs, in its order: those of rank 4 as above, others
/// [count, …] as they are.
class InputTensors {
 public:
  /// Requires  a contract of the network's inputs.
  InputTensors(const Contract& contract, const Graph& network);

  const Contract& contract() const { return contract_; }
  std::vector<at::Tensor> Real(std::span<const uint8_t> examples) const;
  std::vector<SimulatedTensor> Quantized(std::span<const uint8_t> examples,
                                         const Precision& activations) const;

 private:
  at::Tensor Shaped(size_t input, const at::Tensor& images) const;

  Contract contract_;
  std::vector<RealTable> tables_;  ///< by input
  std::vector<Shape> shapes_;
};

}  // namespace qat

#endif  // QAT_TRAIN_INPUT_TENSOR_H_
