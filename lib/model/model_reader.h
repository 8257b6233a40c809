// model_reader.h: the tables of a .tflite file as ModelTensor and ModelNode, every reference between them
// checked.
#ifndef QAT_MODEL_MODEL_READER_H_
#define QAT_MODEL_MODEL_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/expected.h"
#include "model/model.h"
#include "model/unsupported.h"

namespace qat {

/// What a file holds. Constants point into the bytes read, or into `aligned` where the file has them
/// misaligned.
struct ModelContents {
  std::vector<ModelTensor> tensors;
  std::vector<ModelNode> nodes;
  std::vector<size_t> places;  ///< of the nodes, among the operators of the file
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::optional<Contract> contract;
  std::optional<ModelDescription> description;
  std::vector<std::string> labels;
  std::map<std::string, std::string> provenance;
  std::string made_by;
  std::vector<ModelMetadata> metadata;
  std::vector<ModelSubgraph> further_subgraphs;
  std::vector<ModelSignature> signatures;
  size_t subgraph = 0;  ///< that the tensors are of
  std::vector<std::unique_ptr<uint8_t[]>> aligned;
  std::vector<ModelOperator> operators;  ///< all of the file
  UnsupportedList unsupported;  ///< operators and tensors that are not known; empty: the model is whole
};

/// Reads a file whose bytes 4..7 are already known to be TFL3. Requires bytes aligned to 16.
/// `known` as that of Model::Load, `signature` as that of FromBytes. Errors: kCorrupt; kUnsupported (its
/// size); kInvalidArgument (no such signature).
Expected<ModelContents> ReadModel(std::span<const uint8_t> bytes, KnownVersion known,
                                  const std::string& signature);

/// "operator 3 (MAX_POOL_2D)".
std::string NodeLabel(size_t index, const OpDefinition& definition);

}  // namespace qat

#endif  // QAT_MODEL_MODEL_READER_H_
