// onnx_patterns.h: operators that exporters took apart, put together again. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_PATTERNS_H_
#define QAT_IMPORT_ONNX_PATTERNS_H_

#include "onnx/onnx_model.h"

namespace qat {

/// 0.5 * x * (1 + erf(x / sqrt(2))), its factors in any order, becomes Gelu(x). TFLite has no erf by itself.
void JoinGelus(onnx::Graph& graph);

/// 1 / (1 + exp(-x)) becomes Sigmoid(x), which stays finite where exp(-x) does not.
void JoinSigmoids(onnx::Graph& graph);

/// x / max(ReduceL2(x), least), along one axis and with a `least` of at most 1e-6, becomes
/// LpNormalization(x), which TFLite has as one operator.
void JoinNorms(onnx::Graph& graph);

/// Drops nodes that no output depends on.
void DropUnread(onnx::Graph& graph);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_PATTERNS_H_
