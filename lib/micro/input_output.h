// input_output.h: what goes into the tensors of a model and what comes out of them, as numbers and as C.
#ifndef QAT_MICRO_INPUT_OUTPUT_H_
#define QAT_MICRO_INPUT_OUTPUT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "contract/contract.h"
#include "model/model.h"
#include "quant/params.h"

namespace qat {

/// One input: raw values of the contract to the values of the tensor.
struct MicroInput {
  InputContract contract;
  DType type = DType::kInt8;
  QuantizationParams params;
  std::vector<std::vector<double>>
      tables;  ///< of bytes: one, or one for each channel, 256 values of the tensor
  std::vector<float> mean,
      reciprocal;  ///< of reals: one, or one for each channel or value; empty: as they are
};

/// Errors: kUnsupported, kCorrupt.
Expected<std::vector<MicroInput>> MicroInputs(const Model& model, const Contract& contract);

/// The tensor that the C code below makes of raw values: bytes, or float32.
Bytes TensorOf(const MicroInput& input, std::span<const uint8_t> raw);

/// "int8_t", "float", …: of a tensor. Empty: there is no C type for it here.
std::string CTypeOf(DType type);

/// Values of any of these types as the inside of a C initializer.
std::string ValuesText(DType type, std::span<const uint8_t> bytes);

/// model_io.h.
std::string InputOutputSource(const Model& model, const Contract& contract,
                              const std::vector<MicroInput>& inputs);

}  // namespace qat

#endif  // QAT_MICRO_INPUT_OUTPUT_H_
