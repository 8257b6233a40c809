// onnx_ml.h: the operators of ONNX's second set, ai.onnx.ml, with which scikit-learn's models are exported,
// as operators of its first. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_ML_H_
#define QAT_IMPORT_ONNX_ML_H_

#include <string>
#include <vector>

#include "onnx/onnx_model.h"

namespace qat {

inline constexpr std::string_view kMlDomain = "ai.onnx.ml";

/// What the rewriting found out and left out.
struct MlRewrite {
  std::vector<std::string> class_names;  ///< of the scores, where the model names them in text
  std::vector<std::string> left_out;     ///< outputs that name the most likely class
};

/// Scaler, LinearRegressor, LinearClassifier, Normalizer (L1 and L2), FeatureVectorizer, ZipMap and the
/// choice of columns (ArrayFeatureExtractor) become ONNX's own operators. An output that names a class is
/// left out where another one remains: the scores say the same. Other operators stay, to be refused.
/// Source: onnx.ai/onnx/operators, ONNX Runtime 1.x where it leaves something open.
MlRewrite RewriteMl(onnx::Model& model);

/// Why an operator of ai.onnx.ml does not come in, and what to do.
std::string WayOutForMl(const std::string& op);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_ML_H_
