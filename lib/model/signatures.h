// signatures.h: the functions that a .tflite offers by name, where it has several.
#ifndef QAT_MODEL_SIGNATURES_H_
#define QAT_MODEL_SIGNATURES_H_

#include <string>

#include "model/model.h"

namespace qat {

/// The signature that a model was read for: the one called `key`, or the first of its subgraph. Null: none
/// says how its tensors are called.
const ModelSignature* SignatureRead(const Model& model, const std::string& key = {});

/// "has 2 signatures: 'dec' is taken, 'enc' is left out"; empty: there is no other.
std::string DescribeOtherSignatures(const Model& model);

}  // namespace qat

#endif  // QAT_MODEL_SIGNATURES_H_
