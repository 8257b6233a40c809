#include "runtime/model.h"

#include <utility>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "runtime/model_reader.h"
#include "runtime/prepared_model.h"

namespace qat {

struct Model::Storage {
  Bytes bytes;
  std::vector<std::unique_ptr<uint8_t[]>> aligned;
};

Expected<std::shared_ptr<const Model>> Model::Load(const std::string& path) {
  auto storage = std::make_unique<Storage>();
  QAT_ASSIGN_OR_RETURN(storage->bytes, ReadFileOfKind(path, kTfliteIdentifier));
  return Parse(std::move(storage), path);
}

Expected<std::shared_ptr<const Model>> Model::FromBytes(std::vector<uint8_t> bytes,
                                                        const std::string& source) {
  auto storage = std::make_unique<Storage>();
  storage->bytes = std::move(bytes);
  return Parse(std::move(storage), source);
}

Expected<std::shared_ptr<const Model>> Model::Parse(std::unique_ptr<Storage> storage,
                                                    const std::string& source) {
  QAT_RETURN_IF_ERROR(ExpectKind(storage->bytes, kTfliteIdentifier, source));
  QAT_ASSIGN_OR_RETURN_IN(source, ModelContents contents, ReadModel(storage->bytes));
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
  model->source_ = source;
  if (!contents.unsupported.empty()) {
    contents.unsupported.Add(UnsupportedNodes(*model));
    return Unsupported(StrCat(source, ": not supported: ", contents.unsupported.Text()));
  }
  return std::shared_ptr<const Model>(std::move(model));
}

Model::Model() : preparations_(std::make_unique<PreparationCache>()) {}
Model::~Model() = default;

std::span<const uint8_t> Model::file_bytes() const { return storage_->bytes; }

}  // namespace qat
