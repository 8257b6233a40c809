// model_parts.h: which parts of a model come in, and what they are to a graph of real numbers.
#ifndef QAT_IMPORT_MODEL_PARTS_H_
#define QAT_IMPORT_MODEL_PARTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"
#include "model/model.h"

namespace qat {

/// Errors: kUnsupported, one list of everything that cannot come in, with its place and a way out. `stays`:
/// by node, whether it is computed while the network runs; empty: not known yet, so only what no kernel knows
/// is listed, and filters that are computed.
Status CheckImportable(const Model& model, const std::vector<bool>& stays);

/// The shapes of the inputs with a batch of 1 where it is open; empty: as the model has them.
std::vector<Shape> ShapesWithBatchOne(const Model& model);

/// True for an input of bytes without a scale that every reader takes as the number that it is.
bool IsRawNumber(const Model& model, int32_t tensor);

/// The input that the output of `node` equals in real numbers (quantize, dequantize, a cast of real numbers);
/// -1: another operator, or a change of scale, which stays. `tensors`: shapes and constants as prepared.
int32_t SameAs(const Model& model, std::span<const ModelTensor> tensors, const ModelNode& node);

/// Takes out what says how real numbers are quantized while the model runs.
void SetRealAttributes(OpAttributes& attributes);

/// How an app asks for the model's inputs and outputs: by the signature that is called `key`, else by the
/// first of its subgraph. Empty: none names all of them, each by a name of its own.
GraphSignature SignatureOf(const Model& model, const std::string& key = {});

}  // namespace qat

#endif  // QAT_IMPORT_MODEL_PARTS_H_
