// model.h: a .tflite file as tensors, nodes and metadata, every reference between them checked. It asks no
// kernel anything:
// what is not known here is listed, and who wants to run or to change the model decides about it.
#ifndef QAT_MODEL_MODEL_H_
#define QAT_MODEL_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/expected.h"
#include "base/shape.h"
#include "contract/contract.h"
#include "contract/model_description.h"
#include "model/unsupported.h"
#include "ops/op.h"

namespace qat {

/// A tensor as the file describes it. `constant` points into the model's bytes, or at what was unpacked from
/// them.
struct ModelTensor {
  std::string name;
  Shape shape;
  DType type = DType::kFloat32;
  DType file_type = DType::
      /// in the file: int4 where `type` and `constant` are the int8 values that it was unpacked to
      kFloat32;
  std::span<const uint8_t> constant;  ///< empty: computed
  /// empty: not quantized; else one entry, or one per slice of quantized_dimension
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t quantized_dimension = 0;
  bool open = false;         ///< the file leaves a size open: `shape` is an example
  Shape signature = {};      ///< -1 where a size is open; empty: none is, or nothing is said
  bool is_constant = false;  ///< has buffer data; an empty constant has none but is one
};

struct ModelNode {
  OpType type;
  int32_t version = 1;
  OpAttributes attributes;
  std::vector<int32_t> inputs;  ///< tensor indices; -1: an optional input left out
  std::vector<int32_t> outputs;
};

/// An operator as the file lists it, also where it has become no node.
struct ModelOperator {
  std::string name;  ///< "CONV_2D", "custom operator 'x'"
  int32_t version = 1;
  std::vector<int32_t> inputs, outputs;  ///< tensor indices; -1: left out
  int32_t node = -1;  ///< its node; -1: not known here, or done while reading (a DENSIFY of a constant)
};

/// A subgraph that is not the main one: the body of a condition or a loop, or a function of its own. Nothing
/// here runs it.
struct ModelSubgraph {
  std::string name;
  std::vector<std::string> operators;        ///< names, in the order of the file
  std::vector<std::string> inputs, outputs;  ///< "x float32 [1, 4]"
};

/// A function that a file offers by name: its subgraph, and how an app asks for its tensors.
struct ModelSignature {
  std::string key;
  size_t subgraph = 0;
  std::map<int32_t, std::string> inputs, outputs;  ///< names by tensor of that subgraph
};

/// A metadata entry; the bytes are the model's.
struct ModelMetadata {
  std::string name;
  std::span<const uint8_t> bytes;
};

/// Highest version of an operator whose meaning a reader knows; 0: it does not know the operator.
using KnownVersion = int32_t (*)(OpType);

class Model {
 public:
  /// Reads the file; the model keeps its bytes. Operators of a version above `known` are not known; null:
  /// every version is read as far as it can be. What is not known is listed in unsupported();
  /// runtime/runnable_model.h refuses such models.
  /// Errors: kNotFound, kCorrupt (damaged tables, wrong kind of file), kUnsupported (2 GiB and more).
  /// Messages begin with the path.
  static Expected<std::shared_ptr<const Model>> Load(const std::string& path, KnownVersion known = nullptr);
  /// The same from bytes that the model keeps; of several functions that of the signature called so; empty:
  /// the first subgraph. Errors: kInvalidArgument (no such signature), with those that there are.
  static Expected<std::shared_ptr<const Model>> FromBytes(std::vector<uint8_t> bytes,
                                                          const std::string& source,
                                                          KnownVersion known = nullptr,
                                                          const std::string& signature = {});
  ~Model();

  const std::vector<ModelTensor>& tensors() const { return tensors_; }
  const std::vector<ModelNode>& nodes() const { return nodes_; }
  /// Where a node is among the operators of the file: those that are missing here are no nodes.
  size_t place_of(size_t node) const { return places_[node]; }
  /// All operators of the file.
  const std::vector<ModelOperator>& operators() const { return operators_; }
  /// Operators and tensors that are not known here, with their places; empty: nodes() is the whole model.
  const UnsupportedList& unsupported() const { return unsupported_; }
  const std::vector<int32_t>& inputs() const { return inputs_; }
  const std::vector<int32_t>& outputs() const { return outputs_; }
  /// The embedded contract; absent in models of others. ContractOf (model/model_contract.h) knows them, too.
  const std::optional<Contract>& contract() const { return contract_; }
  /// TFLite's standard metadata; absent where the file has none or another version of them.
  const std::optional<ModelDescription>& description() const { return description_; }
  /// Class names out of the label file behind the model; empty: none.
  const std::vector<std::string>& labels() const { return labels_; }
  /// What it says it was made from, as ParseProvenance (contract/provenance.h) reads it; empty in models of
  /// others.
  const std::map<std::string, std::string>& provenance() const { return provenance_; }
  /// The file's own description: who wrote it.
  const std::string& made_by() const { return made_by_; }
  /// All metadata entries, read here or not, as they lie in the file.
  const std::vector<ModelMetadata>& metadata() const { return metadata_; }
  /// Of the file; what is shown here is the first.
  size_t subgraphs() const { return 1 + further_subgraphs_.size(); }
  /// Those after the first.
  const std::vector<ModelSubgraph>& further_subgraphs() const { return further_subgraphs_; }
  /// In the order of the file.
  const std::vector<ModelSignature>& signatures() const { return signatures_; }
  /// The subgraph that this is.
  size_t subgraph() const { return subgraph_; }
  const std::string& source() const { return source_; }
  /// The whole file, as it was read.
  std::span<const uint8_t> file_bytes() const;
  size_t file_size() const { return file_bytes().size(); }

 private:
  struct Storage;
  Model();
  static Expected<std::shared_ptr<const Model>> Parse(std::unique_ptr<Storage> storage,
                                                      const std::string& source, KnownVersion known,
                                                      const std::string& signature);

  std::unique_ptr<Storage> storage_;
  std::vector<ModelTensor> tensors_;
  std::vector<ModelNode> nodes_;
  std::vector<int32_t> inputs_;
  std::vector<int32_t> outputs_;
  std::optional<Contract> contract_;
  std::optional<ModelDescription> description_;
  std::vector<std::string> labels_;
  std::map<std::string, std::string> provenance_;
  std::string made_by_;
  std::vector<ModelMetadata> metadata_;
  std::vector<ModelSubgraph> further_subgraphs_;
  std::vector<ModelSignature> signatures_;
  size_t subgraph_ = 0;
  std::string source_;
  std::vector<size_t> places_;
  std::vector<ModelOperator> operators_;
  UnsupportedList unsupported_;
};

}  // namespace qat

#endif  // QAT_MODEL_MODEL_H_
