#include "model/model.h"

#include <utility>

#include "base/file.h"
#include "base/file_kind.h"
#include "model/model_reader.h"

namespace qat {

struct Model::Storage {
  Bytes bytes;
  std::vector<std::unique_ptr<uint8_t[]>> aligned;
};

Expected<std::shared_ptr<const Model>> Model::Load(const std::string& path, KnownVersion known) {
  auto storage = std::make_unique<Storage>();
  QAT_ASSIGN_OR_RETURN(storage->bytes, ReadFileOfKind(path, kTfliteIdentifier));
  return Parse(std::move(storage), path, known, {});
}

Expected<std::shared_ptr<const Model>> Model::FromBytes(std::vector<uint8_t> bytes, const std::string& source,
                                                        KnownVersion known, const std::string& signature) {
  auto storage = std::make_unique<Storage>();
  storage->bytes = std::move(bytes);
  return Parse(std::move(storage), source, known, signature);
}

Expected<std::shared_ptr<const Model>> Model::Parse(std::unique_ptr<Storage> storage,
                                                    const std::string& source, KnownVersion known,
                                                    const std::string& signature) {
  QAT_RETURN_IF_ERROR(ExpectKind(storage->bytes, kTfliteIdentifier, source));
  QAT_ASSIGN_OR_RETURN_IN(source, ModelContents contents, ReadModel(storage->bytes, known, signature));
  storage->aligned = std::move(contents.aligned);
  std::shared_ptr<Model> model(new Model);
  model->storage_ = std::move(storage);
  model->tensors_ = std::move(contents.tensors);
  model->nodes_ = std::move(contents.nodes);
  model->places_ = std::move(contents.places);
  model->inputs_ = std::move(contents.inputs);
  model->outputs_ = std::move(contents.outputs);
  model->contract_ = std::move(contents.contract);
  model->description_ = std::move(contents.description);
  model->labels_ = std::move(contents.labels);
  model->provenance_ = std::move(contents.provenance);
  model->made_by_ = std::move(contents.made_by);
  model->metadata_ = std::move(contents.metadata);
  model->further_subgraphs_ = std::move(contents.further_subgraphs);
  model->signatures_ = std::move(contents.signatures);
  model->subgraph_ = contents.subgraph;
  model->source_ = source;
  model->operators_ = std::move(contents.operators);
  model->unsupported_ = std::move(contents.unsupported);
  return std::shared_ptr<const Model>(std::move(model));
}

Model::Model() = default;
Model::~Model() = default;

std::span<const uint8_t> Model::file_bytes() const { return storage_->bytes; }

}  // namespace qat
