// model_predictor.h: a .tflite model as a Predictor: bytes go through the input contract, labels come out.
#ifndef QAT_RUNTIME_MODEL_PREDICTOR_H_
#define QAT_RUNTIME_MODEL_PREDICTOR_H_

#include <memory>
#include <string>

#include "predict/predictor.h"
#include "runtime/interpreter.h"

namespace qat {

/// What most of a model's work is done in, as `type` of a conversion: "int8", "w4a8", "int16x8", "float16",
/// …; "int8 + int16" where some layers have activations of 16 bits, "int8 + float32" where some with a filter
/// compute real numbers.
std::string WorkTypeOf(const Model& model);

/// `kind` is what the report calls it: "tflite", or "graph" for a frozen graph lowered to float32 in memory.
/// The model must have inputs of float32, uint8 or int8, as its contract says, and a first output of scores
/// [1, classes] or of indices [1]. Bytes reach the input through 256-entry tables per channel: contract ->
/// real -> input scale; which contract, with `fallback`: ContractOf. Errors: kCorrupt (contract and input
/// disagree), kUnsupported.
Expected<std::unique_ptr<Predictor>> MakeModelPredictor(std::shared_ptr<const Model> model, std::string name,
                                                        std::string kind, const InterpreterOptions& options,
                                                        const Contract* fallback = nullptr);

}  // namespace qat

#endif  // QAT_RUNTIME_MODEL_PREDICTOR_H_
