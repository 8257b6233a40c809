// layer_outputs.h: which tensors of a model are outputs of its layers, and their bytes as real numbers: the
// same for every interpreter of the file.
#ifndef QAT_RUNTIME_LAYER_OUTPUTS_H_
#define QAT_RUNTIME_LAYER_OUTPUTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "predict/predictor.h"
#include "runtime/interpreter.h"

namespace qat {

struct LayerTensor {
  int32_t index = 0;                  ///< in the model
  int32_t node = -1;                  ///< that computes it; -1: the input
  std::string op;                     ///< "conv_2d"; "input"
  std::string name;                   ///< as the network calls it
  const ModelTensor* info = nullptr;  ///< shapes as planned; lives as long as the interpreter
};

/// The inputs, then the outputs of every node: float32, or uint8 and int8 with one scale. Of an input that
/// layers in front make of another type, only what the network itself takes.
std::vector<LayerTensor> LayerTensors(const Interpreter& interpreter);

/// Requires as many bytes as the tensor has.
LayerOutput ReadLayer(const LayerTensor& tensor, std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_RUNTIME_LAYER_OUTPUTS_H_
