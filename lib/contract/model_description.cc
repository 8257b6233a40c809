#include "contract/model_description.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "tflite_metadata_generated.h"

namespace qat {
namespace {

namespace fb = tflite::metadata;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

template <class T>
using List = flatbuffers::Vector<Offset<T>>;

Offset<flatbuffers::Vector<float>> Numbers(FlatBufferBuilder& builder, const std::vector<float>& values) {
  return values.empty() ? 0 : builder.CreateVector(values);
}

Offset<flatbuffers::String> Text(FlatBufferBuilder& builder, const std::string& text) {
  return text.empty() ? 0 : builder.CreateSharedString(text);
}

Offset<fb::Content> WriteContent(FlatBufferBuilder& builder, ColorSpace colors) {
  if (colors == ColorSpace::kUnknown) return 0;
  const auto image = fb::CreateImageProperties(builder, static_cast<fb::ColorSpaceType>(colors));
  return fb::CreateContent(builder, fb::ContentProperties_ImageProperties, image.Union());
}

Offset<List<fb::ProcessUnit>> WriteNormalization(FlatBufferBuilder& builder,
                                                 const TensorDescription& tensor) {
  if (tensor.mean.empty()) return 0;
  const auto mean = Numbers(builder, tensor.mean);
  const auto std_values = Numbers(builder, tensor.std);
  const auto options = fb::CreateNormalizationOptions(builder, mean, std_values);
  const auto unit =
      fb::CreateProcessUnit(builder, fb::ProcessUnitOptions_NormalizationOptions, options.Union());
  return builder.CreateVector(&unit, 1);
}

Offset<fb::Stats> WriteStats(FlatBufferBuilder& builder, const TensorDescription& tensor) {
  if (tensor.min.empty()) return 0;
  const auto max = Numbers(builder, tensor.max);
  const auto min = Numbers(builder, tensor.min);
  return fb::CreateStats(builder, max, min);
}

Offset<List<fb::AssociatedFile>> WriteLabelFiles(FlatBufferBuilder& builder,
                                                 const TensorDescription& tensor) {
  if (tensor.label_file.empty()) return 0;
  const auto type = static_cast<fb::AssociatedFileType>(tensor.labels);
  const auto name = Text(builder, tensor.label_file);
  std::vector<Offset<fb::AssociatedFile>> files = {fb::CreateAssociatedFile(builder, name, 0, type)};
  if (!tensor.display_file.empty()) {
    const auto words = Text(builder, tensor.display_file);
    files.push_back(fb::CreateAssociatedFile(builder, words, 0, type, builder.CreateString("en")));
  }
  return builder.CreateVector(files);
}

Offset<fb::TensorMetadata> WriteTensor(FlatBufferBuilder& builder, const TensorDescription& tensor) {
  const auto name = Text(builder, tensor.name);
  const auto content = WriteContent(builder, tensor.colors);
  const auto units = WriteNormalization(builder, tensor);
  const auto stats = WriteStats(builder, tensor);
  const auto files = WriteLabelFiles(builder, tensor);
  return fb::CreateTensorMetadata(builder, name, 0, 0, content, units, stats, files);
}

Offset<List<fb::TensorMetadata>> WriteTensors(FlatBufferBuilder& builder,
                                              const std::vector<TensorDescription>& tensors) {
  std::vector<Offset<fb::TensorMetadata>> offsets;
  for (const TensorDescription& tensor : tensors) offsets.push_back(WriteTensor(builder, tensor));
  return builder.CreateVector(offsets);
}

// Reading. Whatever is absent leaves its default.

std::string TextOf(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

std::vector<float> NumbersOf(const flatbuffers::Vector<float>* values) {
  return values == nullptr ? std::vector<float>() : std::vector<float>(values->begin(), values->end());
}

template <class T, class Visit>
void ForEach(const List<T>* list, Visit visit) {
  if (list == nullptr) return;
  for (const T* item : *list) visit(*item);
}

void ReadContent(const fb::Content* content, TensorDescription& tensor) {
  const auto* image = content == nullptr ? nullptr : content->content_properties_as_ImageProperties();
  if (image == nullptr) return;
  if (image->color_space() == fb::ColorSpaceType_RGB) tensor.colors = ColorSpace::kRgb;
  if (image->color_space() == fb::ColorSpaceType_GRAYSCALE) tensor.colors = ColorSpace::kGrayscale;
}

void ReadNormalization(const fb::ProcessUnit& unit, TensorDescription& tensor) {
  const auto* options = unit.options_as_NormalizationOptions();
  if (options == nullptr) return;
  tensor.mean = NumbersOf(options->mean());
  tensor.std = NumbersOf(options->std());
}

// How much a file of labels says to a reader of English: 0 in another language, 1 in none that it names,
// which may be ids of a machine, 2 and 3 in English.
int RankOf(const fb::AssociatedFile& file) {
  const std::string locale = TextOf(file.locale());
  if (locale == "en") return 3;
  if (locale.starts_with("en-") || locale.starts_with("en_")) return 2;
  return locale.empty() ? 1 : 0;
}

// The file without a locale and the one in English; where there is neither, the first in another language.
void ReadLabelFiles(const List<fb::AssociatedFile>* files, TensorDescription& tensor) {
  const fb::AssociatedFile *plain = nullptr, *words = nullptr, *other = nullptr;
  ForEach(files, [&](const fb::AssociatedFile& file) {
    const bool is_axis = file.type() == fb::AssociatedFileType_TENSOR_AXIS_LABELS;
    if (!is_axis && file.type() != fb::AssociatedFileType_TENSOR_VALUE_LABELS) return;
    const int rank = RankOf(file);
    if (rank == 1 && plain == nullptr) plain = &file;
    if (rank == 0 && other == nullptr) other = &file;
    if (rank > 1 && (words == nullptr || rank > RankOf(*words))) words = &file;
  });
  if (plain == nullptr) plain = std::exchange(words, nullptr);
  if (plain == nullptr) plain = other;
  if (plain == nullptr) return;
  const bool is_axis = plain->type() == fb::AssociatedFileType_TENSOR_AXIS_LABELS;
  tensor.label_file = TextOf(plain->name());
  tensor.labels = is_axis ? LabelUse::kAxis : LabelUse::kValue;
  if (words != nullptr) tensor.display_file = TextOf(words->name());
}

TensorDescription ReadTensor(const fb::TensorMetadata& table) {
  TensorDescription tensor;
  tensor.name = TextOf(table.name());
  ReadContent(table.content(), tensor);
  ForEach(table.process_units(), [&](const auto& unit) { ReadNormalization(unit, tensor); });
  if (table.stats() != nullptr) {
    tensor.min = NumbersOf(table.stats()->min());
    tensor.max = NumbersOf(table.stats()->max());
  }
  ReadLabelFiles(table.associated_files(), tensor);
  return tensor;
}

}  // namespace

std::vector<uint8_t> Serialize(const ModelDescription& description) {
  FlatBufferBuilder builder;
  const auto inputs = WriteTensors(builder, description.inputs);
  const auto outputs = WriteTensors(builder, description.outputs);
  const auto subgraph = fb::CreateSubGraphMetadata(builder, 0, 0, inputs, outputs);
  const auto subgraphs = builder.CreateVector(&subgraph, 1);
  const auto name = Text(builder, description.name);
  fb::FinishModelMetadataBuffer(builder, fb::CreateModelMetadata(builder, name, 0, 0, subgraphs));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Expected<std::optional<ModelDescription>> ParseModelDescription(std::span<const uint8_t> bytes) {
  constexpr size_t kHead = 8;  // root offset and identifier
  if (bytes.size() < kHead) return Corrupt(StrCat("has ", bytes.size(), " bytes, expected at least ", kHead));
  if (!fb::ModelMetadataBufferHasIdentifier(bytes.data())) return std::optional<ModelDescription>();
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!fb::VerifyModelMetadataBuffer(verifier)) return Corrupt("its tables are damaged or cut off");
  const fb::ModelMetadata* table = fb::GetModelMetadata(bytes.data());
  std::optional<ModelDescription> description(std::in_place);
  description->name = TextOf(table->name());
  if (table->subgraph_metadata() == nullptr || table->subgraph_metadata()->size() == 0) return description;
  const fb::SubGraphMetadata* subgraph = table->subgraph_metadata()->Get(0);
  ForEach(subgraph->input_tensor_metadata(),
          [&](const auto& tensor) { description->inputs.push_back(ReadTensor(tensor)); });
  ForEach(subgraph->output_tensor_metadata(),
          [&](const auto& tensor) { description->outputs.push_back(ReadTensor(tensor)); });
  return description;
}

std::optional<Contract> ContractOf(const TensorDescription& input, const Shape& shape,
                                   std::vector<std::string> labels) {
  if (shape.size() != 4 || shape[3] < 1) return {};
  const auto channels = static_cast<size_t>(shape[3]);
  InputContract contract{shape[1], shape[2], shape[3], input.mean, input.std};
  for (std::vector<float>* each : {&contract.mean, &contract.std}) {
    if (each->size() == 1) each->resize(channels, each->front());
    if (each->size() != channels) return {};
  }
  return Contract(std::move(contract), std::move(labels));
}

std::string LabelFileText(std::span<const std::string> labels) {
  std::string text;
  for (std::string label : labels) {
    std::replace_if(
        label.begin(), label.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    text += label + "\n";
  }
  return text;
}

std::vector<std::string> ParseLabelFile(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return {};
  std::vector<std::string> labels = SplitText(text, '\n');
  for (std::string& label : labels) {
    if (label.ends_with('\r')) label.pop_back();
  }
  return labels;
}

}  // namespace qat
