// input_params.h: scale and zero point of the network's input, from the contract alone: the one place for
// training and converting.
#ifndef QAT_CONTRACT_INPUT_PARAMS_H_
#define QAT_CONTRACT_INPUT_PARAMS_H_

#include "contract/input_contract.h"
#include "quant/params.h"
#include "quant/precision.h"
#include "quant/scheme.h"

namespace qat {

/// One mean and std serve all channels and the mean is a whole byte in [0, 255]: quantized values are the raw
/// bytes (scheme int8: the bytes minus 128).
bool BytesPassThrough(const InputContract& contract);

/// The range of normalized reals that the contract has; where nobody measured it, -1 to 1, of which nothing
/// is to be told to anybody.
Range RealRangeOf(const InputContract& contract);

/// Of reals RealRangeOf, by NudgedParams in the integers of the scheme, as
/// TFLite's converter has it.
/// Of bytes (1 / std, mean) where they pass through, else the union range of all channels, by
/// ChooseQuantizationParams; scheme int8:
/// the zero point 128 lower. Requires a valid contract and a quantized scheme.
QuantizationParams InputParams(const InputContract& contract, Scheme scheme);
/// The same by the precision of activations; of int16 the zero point is 0, and the scale that of the range of
/// all channels.
QuantizationParams InputParams(const InputContract& contract, const Precision& activations);

}  // namespace qat

#endif  // QAT_CONTRACT_INPUT_PARAMS_H_
