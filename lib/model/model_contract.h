// model_contract.h: what a byte means to a model: by its own contract, by TFLite's standard description, or
// by what its quantized input implies.
#ifndef QAT_MODEL_MODEL_CONTRACT_H_
#define QAT_MODEL_MODEL_CONTRACT_H_

#include "contract/contract.h"
#include "model/model.h"
#include "quant/params.h"

namespace qat {

enum class ContractSource {
  kEmbedded,        ///< our own metadata entry
  kDescription,     ///< normalization in the standard metadata
  kFallback,        ///< the caller's
  kQuantizedInput,  ///< nothing says; bytes are what a uint8 or int8 input is made for
  kReals,           ///< nothing says, and the input is no picture: its values are real numbers as they are
};

struct ModelContract {
  Contract contract;
  ContractSource source = ContractSource::kEmbedded;
};

/// The first that the model has, in the order of ContractSource. A quantized input takes bytes as they are
/// (int8: minus 128) if nothing says otherwise, and where the standard normalization comes within one step of
/// that: it states in rounded numbers what scale and zero point state exactly. Labels are the contract's,
/// else those of the label file.
/// An input of another rank takes real numbers: [1, T, C] a series, [1, F] features; so does, among several
/// inputs, a float one of which nothing is said. Several inputs are called after their tensors, by
/// InputNames.
/// Errors: kUnsupported (an input other than [1, …] of two to four axes), kCorrupt (contract and input
/// disagree; a single float input for which nothing says what a byte means).
Expected<ModelContract> ContractOf(const Model& model, const Contract* fallback = nullptr);

/// What people call its inputs: as the contract of several says, else the names of their tensors without
/// "serving_default_" in front and ":0" behind, made unique.
std::vector<std::string> InputNames(const Model& model);

/// The same of its outputs.
std::vector<std::string> OutputNames(const Model& model);

/// A contract for the model's input with one mean and std for all channels, in byte units, and the labels of
/// its label file: what a user states for a model that does not. Errors: kUnsupported.
Expected<Contract> ContractFromStats(const Model& model, float mean, float std);

/// The same for real numbers that go in as they are. Errors: kUnsupported.
Expected<Contract> ContractOfRealNumbers(const Model& model);

/// Scale and zero point of an input or output (`what`); {} for types that are not quantized, {1, 0} for uint8
/// without a scale, whose values are plain bytes. Errors: kCorrupt (none).
Expected<QuantizationParams> ParamsOf(const ModelTensor& tensor, const char* what);

/// True where the first output is probabilities already: it comes from a softmax or a logistic function,
/// perhaps reshaped or quantized again.
bool EndsInProbabilities(const Model& model, size_t output = 0);
/// The same of each output.
std::vector<bool> ProbabilitiesOf(const Model& model);

}  // namespace qat

#endif  // QAT_MODEL_MODEL_CONTRACT_H_
