#include "model/model_metadata.h"

#include <algorithm>

#include "base/strings.h"
#include "base/zip.h"
#include "contract/provenance.h"
#include "model/operator_names.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr uint64_t kLargestLabelFile = uint64_t{1} << 24;

std::string TextOf(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

// Of two entries with one name the first counts, as for TFLite's own readers. Nothing: there is none.
Expected<std::optional<std::span<const uint8_t>>> Entry(std::string_view name, FileBuffers& buffers) {
  const tflite::Model& file = buffers.file();
  const uint32_t count = file.metadata() == nullptr ? 0 : file.metadata()->size();
  for (uint32_t i = 0; i < count; ++i) {
    const tflite::Metadata& entry = *file.metadata()->Get(i);
    if (TextOf(entry.name()) != name) continue;
    if (entry.buffer() >= file.buffers()->size()) return Corrupt(StrCat("buffer is ", entry.buffer()));
    QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> data,
                         buffers.BytesOf(*file.buffers()->Get(entry.buffer())));
    return std::optional(buffers.Align(data, 16));
  }
  return std::optional<std::span<const uint8_t>>();
}

Status ReadContract(FileBuffers& buffers, ModelContents& contents) {
  const std::string place = StrCat("metadata '", kContractMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, Entry(kContractMetadataName, buffers));
  if (!entry) return {};
  QAT_ASSIGN_OR_RETURN_IN(place, contents.contract, ParseContract(*entry));
  return {};
}

// The lines of one file of the archive; none where it is not there.
Expected<std::vector<std::string>> LinesOf(std::span<const uint8_t> bytes,
                                           const std::vector<ZipEntry>& entries, const std::string& name) {
  for (const ZipEntry& entry : entries) {
    if (name.empty() || entry.name != name) continue;
    QAT_ASSIGN_OR_RETURN(const Bytes text, ExtractZip(bytes, entry, kLargestLabelFile));
    return ParseLabelFile({reinterpret_cast<const char*>(text.data()), text.size()});
  }
  return std::vector<std::string>();
}

// True where output 0 has as many classes as there are labels, or indices of classes, of which nothing says
// how many.
bool LabelsFit(const ModelContents& contents) {
  const ModelTensor& output = contents.tensors[static_cast<size_t>(contents.outputs[0])];
  const bool holds_indices = output.type == DType::kInt32 || output.type == DType::kInt64;
  if (holds_indices || contents.labels.empty() || output.open) return true;
  const int64_t classes = output.shape.empty() ? 1 : output.shape.back();
  return classes == static_cast<int64_t>(contents.labels.size());
}

// What the description names may be missing: label files are often kept next to the model instead. Names for
// people replace ids of a machine where there are as many.
Status ReadLabels(std::span<const uint8_t> bytes, const TensorDescription& output, ModelContents& contents) {
  if (output.label_file.empty()) return {};
  const auto entries = ListZip(bytes);
  if (!entries.ok()) return entries.error().code == ErrorCode::kNotFound ? Status() : entries.error();
  QAT_ASSIGN_OR_RETURN(contents.labels, LinesOf(bytes, *entries, output.label_file));
  QAT_ASSIGN_OR_RETURN(auto words, LinesOf(bytes, *entries, output.display_file));
  if (!words.empty() && (contents.labels.empty() || words.size() == contents.labels.size()))
    contents.labels = std::move(words);
  if (!LabelsFit(contents)) contents.labels.clear();
  return {};
}

Status ReadDescription(FileBuffers& buffers, ModelContents& contents) {
  const std::string place = StrCat("metadata '", kDescriptionMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, Entry(kDescriptionMetadataName, buffers));
  if (!entry) return {};
  QAT_ASSIGN_OR_RETURN_IN(place, contents.description, ParseModelDescription(*entry));
  if (!contents.description || contents.description->outputs.empty()) return {};
  return ReadLabels(buffers.bytes(), contents.description->outputs[0], contents);
}

Status ReadProvenance(FileBuffers& buffers, ModelContents& contents) {
  contents.made_by = TextOf(buffers.file().description());
  const std::string place = StrCat("metadata '", kProvenanceMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, Entry(kProvenanceMetadataName, buffers));
  if (entry)
    contents.provenance = ParseProvenance({reinterpret_cast<const char*>(entry->data()), entry->size()});
  return {};
}

// Entries that nothing here reads are listed all the same.
void ListEntries(FileBuffers& buffers, ModelContents& contents) {
  const tflite::Model& file = buffers.file();
  const uint32_t count = file.metadata() == nullptr ? 0 : file.metadata()->size();
  for (uint32_t i = 0; i < count; ++i) {
    const tflite::Metadata& entry = *file.metadata()->Get(i);
    ModelMetadata found{TextOf(entry.name()), {}};
    if (entry.buffer() < file.buffers()->size()) {
      const auto bytes = buffers.BytesOf(*file.buffers()->Get(entry.buffer()));
      if (bytes.ok()) found.bytes = *bytes;
    }
    contents.metadata.push_back(std::move(found));
  }
}

std::string OperatorName(const tflite::Model& file, const tflite::Operator& op) {
  if (file.operator_codes() == nullptr || op.opcode_index() >= file.operator_codes()->size()) return "?";
  const tflite::OperatorCode& code = *file.operator_codes()->Get(op.opcode_index());
  if (code.custom_code() != nullptr) return StrCat("custom operator '", TextOf(code.custom_code()), "'");
  return BuiltinName(std::max<int32_t>(code.builtin_code(), code.deprecated_builtin_code()));
}

// Tensors of a subgraph by their indices, of which a damaged file may have any.
std::vector<std::string> TensorTexts(const tflite::SubGraph& subgraph,
                                     const flatbuffers::Vector<int32_t>* indices) {
  std::vector<std::string> texts;
  const int64_t tensors = subgraph.tensors() == nullptr ? 0 : subgraph.tensors()->size();
  for (uint32_t i = 0; indices != nullptr && i < indices->size(); ++i) {
    const int32_t index = indices->Get(i);
    if (index < 0 || index >= tensors) {
      texts.push_back(StrCat("tensor ", index));
      continue;
    }
    const tflite::Tensor& tensor = *subgraph.tensors()->Get(static_cast<uint32_t>(index));
    Shape shape;
    if (tensor.shape() != nullptr) shape.assign(tensor.shape()->begin(), tensor.shape()->end());
    texts.push_back(StrCat(TextOf(tensor.name()), " ", LowerCase(tflite::EnumNameTensorType(tensor.type())),
                           " ", ToString(shape)));
  }
  return texts;
}

// For people: what they compute is read nowhere.
void ListSubgraphs(const tflite::Model& file, ModelContents& contents) {
  for (uint32_t i = 1; i < file.subgraphs()->size(); ++i) {
    const tflite::SubGraph& subgraph = *file.subgraphs()->Get(i);
    ModelSubgraph listed{TextOf(subgraph.name()),
                         {},
                         TensorTexts(subgraph, subgraph.inputs()),
                         TensorTexts(subgraph, subgraph.outputs())};
    for (uint32_t k = 0; subgraph.operators() != nullptr && k < subgraph.operators()->size(); ++k)
      listed.operators.push_back(OperatorName(file, *subgraph.operators()->Get(k)));
    contents.further_subgraphs.push_back(std::move(listed));
  }
}

}  // namespace

Status ReadMetadata(FileBuffers& buffers, ModelContents& contents) {
  ListSubgraphs(buffers.file(), contents);
  ListEntries(buffers, contents);
  QAT_RETURN_IF_ERROR(ReadContract(buffers, contents));
  QAT_RETURN_IF_ERROR(ReadDescription(buffers, contents));
  return ReadProvenance(buffers, contents);
}

}  // namespace qat
