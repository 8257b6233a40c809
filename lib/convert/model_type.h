// model_type.h: the type of a model: its integers, or how it stores the weights of a network of real numbers.
#ifndef QAT_CONVERT_MODEL_TYPE_H_
#define QAT_CONVERT_MODEL_TYPE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "passes/passes.h"
#include "quant/precision.h"
#include "quant/scheme.h"

namespace qat {

/// The values of activations, those of filters, and how a real network stores its weights.
struct ModelType {
  Precisions precisions = PrecisionsOf(Scheme::kUInt8);
  WeightStorage weights = WeightStorage::kFloat32;

  bool is_real() const { return precisions.activations.type == DType::kFloat32; }
};

/// "uint8", "int8", "int8-per-tensor", "int16x8", "w4a8", "float32", "float16", "dynamic", "dynamic4".
std::string_view NameOf(const ModelType& type);
std::optional<ModelType> ModelTypeFromName(std::string_view name);
std::vector<std::string> ModelTypeNames();

}  // namespace qat

#endif  // QAT_CONVERT_MODEL_TYPE_H_
