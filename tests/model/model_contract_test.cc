#include "model/model_contract.h"

#include <gtest/gtest.h>

#include "base/zip.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;
using testing::TensorQuantization;

ModelDescription Normalized(std::vector<float> mean, std::vector<float> std_values) {
  ModelDescription description;
  description.inputs.resize(1);
  description.inputs[0].mean = std::move(mean);
  description.inputs[0].std = std::move(std_values);
  description.outputs.resize(1);
  description.outputs[0].labels = LabelUse::kAxis;
  description.outputs[0].label_file = "names.txt";
  return description;
}

Bytes TextFile(std::string_view text) { return {text.begin(), text.end()}; }

struct Parts {
  DType type = DType::kFloat32;
  TensorQuantization quantization = {};
  std::optional<ModelDescription> description = {};
  std::optional<Contract> contract = {};
  std::vector<ZipFile> files = {};
};

Expected<std::shared_ptr<const Model>> ModelOf(const Parts& parts) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, parts.type, parts.quantization);
  const int32_t output = builder.AddTensor("y", {1, 4}, parts.type, parts.quantization);
  builder.AddReshape(input, {1, 4}, output);
  if (parts.contract) builder.metadata[kContractMetadataName] = Serialize(*parts.contract);
  if (parts.description) builder.metadata[kDescriptionMetadataName] = Serialize(*parts.description);
  std::vector<uint8_t> bytes = builder.Finish({input}, {output});
  if (!parts.files.empty()) AppendZip(parts.files, bytes);
  return RunnableFromBytes(std::move(bytes), "m.tflite");
}

ModelContract Chosen(const Parts& parts, const Contract* fallback = nullptr) {
  const auto model = ModelOf(parts);
  EXPECT_TRUE(model.ok());
  auto chosen = ContractOf(**model, fallback);
  EXPECT_TRUE(chosen.ok()) << chosen.error().message;
  return *std::move(chosen);
}

TEST(ModelContract, ComesFromTheStandardDescriptionWithTheLabelsAfterTheModel) {
  const ModelContract chosen = Chosen({.description = Normalized({127.5f}, {128}),
                                       .files = {{"other", {}}, {"names.txt", TextFile("a\nb\nc\nd\n")}}});
  EXPECT_EQ(chosen.source, ContractSource::kDescription);
  EXPECT_EQ(chosen.contract, (Contract{1, 2, 2, {127.5f, 127.5f}, {128, 128}, {"a", "b", "c", "d"}}));
}

// Two names for an output of four values are names of something else.
TEST(ModelContract, HasNoLabelsOfAnOutputThatTheyDoNotFit) {
  const ModelContract chosen =
      Chosen({.description = Normalized({0}, {1}), .files = {{"names.txt", TextFile("left\nright\n")}}});
  EXPECT_TRUE(chosen.contract.labels().empty());
}

TEST(ModelContract, PrefersWordsForPeopleToIdsWhereThereAreAsMany) {
  Parts parts = {.description = Normalized({0}, {1}),
                 .files = {{"names.txt", TextFile("/m/1\n/m/2\n/m/3\n/m/4\n")},
                           {"words.txt", TextFile("ant\nbee\ncat\ndog\n")}}};
  parts.description->outputs[0].display_file = "words.txt";
  EXPECT_EQ(Chosen(parts).contract.labels(), (std::vector<std::string>{"ant", "bee", "cat", "dog"}));
  parts.files[1].content = TextFile("ant\nbee\n");
  EXPECT_EQ(Chosen(parts).contract.labels(), (std::vector<std::string>{"/m/1", "/m/2", "/m/3", "/m/4"}));
}

// A value of such an input is a byte of the image; statistics of the user's only say what it means.
TEST(ModelContract, TakesBytesAsTheyAreForAUInt8InputWithoutAScale) {
  const Parts plain = {.type = DType::kUInt8};
  EXPECT_EQ(Chosen(plain).contract, (Contract{1, 2, 2, {0, 0}, {1, 1}, {}}));
  const Contract stats = {1, 2, 2, {127.5f, 127.5f}, {127.5f, 127.5f}, {}};
  EXPECT_EQ(Chosen(plain, &stats).source, ContractSource::kFallback);
  const auto model = ModelOf(plain);
  QAT_ASSERT_OK(model);
  for (const Contract* fallback : {static_cast<const Contract*>(nullptr), &stats}) {
    const auto predictor = MakeModelPredictor(*model, "m", "tflite", {}, fallback);
    QAT_ASSERT_OK(predictor);
    const std::vector<uint8_t> image = {7, 0, 255, 128};
    const auto predictions = (*predictor)->Predict(image, 1);
    QAT_ASSERT_OK(predictions);
    EXPECT_EQ(predictions->scores, (std::vector<float>{7, 0, 255, 128}));
  }
}

TEST(ModelContract, PrefersOurOwnToTheDescriptionAndThatToTheFallback) {
  const Contract own = {1, 2, 2, {1, 2}, {3, 4}, {}}, other = {1, 2, 2, {5, 5}, {5, 5}, {}};
  EXPECT_EQ(Chosen({.description = Normalized({0}, {1}), .contract = own}).contract, own);
  EXPECT_EQ(Chosen({.description = Normalized({0}, {1})}, &other).contract.input().std[0], 1);
  EXPECT_EQ(Chosen({}, &other).source, ContractSource::kFallback);
}

// mean 127.5 and std 127.5 are what scale 1/128 and zero point 128 say, in rounded numbers.
TEST(ModelContract, LeavesBytesAsTheyAreWhereTheNormalizationIsWithinAStepOfThat) {
  const Parts near = {.type = DType::kUInt8,
                      .quantization = Quantized(1 / 128.0f, 128),
                      .description = Normalized({127.5f}, {127.5f})};
  EXPECT_EQ(Chosen(near).contract, (Contract{1, 2, 2, {128, 128}, {128, 128}, {}}));
  Parts far = near;
  far.description = Normalized({127.5f}, {64});
  EXPECT_EQ(Chosen(far).contract.input().std[0], 64);
}

// A description of sizes that do not fit says nothing.
TEST(ModelContract, SkipsANormalizationOfAnotherNumberOfChannels) {
  const ModelContract chosen = Chosen({.type = DType::kUInt8,
                                       .quantization = Quantized(0.5f, 0),
                                       .description = Normalized({1, 2, 3}, {1, 2, 3})});
  EXPECT_EQ(chosen.source, ContractSource::kQuantizedInput);
}

TEST(ModelContract, NeedsNoArchiveForADescriptionThatNamesALabelFile) {
  const auto model = ModelOf({.description = Normalized({0}, {1})});
  QAT_ASSERT_OK(model);
  EXPECT_TRUE((*model)->labels().empty());
}

TEST(ModelContract, RefusesADamagedDescriptionAndADamagedLabelFile) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {1, 4}, DType::kFloat32);
  builder.AddReshape(input, {1, 4}, output);
  std::vector<uint8_t> damaged = Serialize(Normalized({0}, {1}));
  damaged.resize(damaged.size() / 2);
  builder.metadata[kDescriptionMetadataName] = damaged;
  QAT_EXPECT_ERROR(RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite"), ErrorCode::kCorrupt,
                   "m.tflite: metadata 'TFLITE_METADATA': its tables are damaged");
  Bytes archive;
  AppendZip(std::vector<ZipFile>{{"names.txt", {'a', '\n'}}}, archive);
  archive[30 + 9] = 'b';  // behind header and name
  ModelBuilder good;
  const int32_t from = good.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  const int32_t to = good.AddTensor("y", {1, 4}, DType::kFloat32);
  good.AddReshape(from, {1, 4}, to);
  good.metadata[kDescriptionMetadataName] = Serialize(Normalized({0}, {1}));
  std::vector<uint8_t> bytes = good.Finish({from}, {to});
  bytes.insert(bytes.end(), archive.begin(), archive.end());
  QAT_EXPECT_ERROR(RunnableFromBytes(std::move(bytes), "m.tflite"), ErrorCode::kCorrupt,
                   "'names.txt' differs from its checksum");
}

TEST(ModelContract, OfSeveralInputsHasOneForEach) {
  ModelBuilder builder;
  const int32_t left = builder.AddTensor("serving_default_left:0", {1, 4, 4, 1}, DType::kFloat32);
  const int32_t right = builder.AddTensor("serving_default_right:0", {1, 5, 3}, DType::kFloat32);
  const int32_t bytes = builder.AddTensor("pixels", {1, 2, 2, 3}, DType::kUInt8, Quantized(0.5f, 100));
  const int32_t output = builder.AddTensor("y", {1, 16}, DType::kFloat32);
  builder.AddReshape(left, {1, 16}, output);
  const auto model = RunnableFromBytes(builder.Finish({left, right, bytes}, {output}), "m.tflite");
  QAT_ASSERT_OK(model);
  EXPECT_EQ(InputNames(**model), (std::vector<std::string>{"left", "right", "pixels"}));
  const auto chosen = ContractOf(**model);
  QAT_ASSERT_OK(chosen);
  EXPECT_EQ(chosen->source, ContractSource::kReals);
  const std::vector<InputContract>& inputs = chosen->contract.inputs;
  ASSERT_EQ(inputs.size(), 3u);
  // Floats of which nothing is said are taken as they are; integers say what a byte means.
  EXPECT_EQ(inputs[0].values, ValueType::kReal);
  EXPECT_EQ(inputs[0].NetworkShape(), (Shape{1, 4, 4, 1}));
  EXPECT_EQ(inputs[1].name, "right");
  EXPECT_EQ(inputs[1].DataShape(), (Shape{1, 5, 3}));
  EXPECT_EQ(inputs[2].values, ValueType::kByte);
  EXPECT_EQ(inputs[2].mean, (std::vector<float>{100, 100, 100}));
  EXPECT_EQ(inputs[2].std, (std::vector<float>{2, 2, 2}));
  // What the caller says counts where it has as many inputs of these sizes.
  Contract own = chosen->contract;
  own.inputs[1].mean = {1, 2, 3};
  EXPECT_EQ(ContractOf(**model, &own)->contract, own);
  own.inputs.pop_back();
  EXPECT_EQ(ContractOf(**model, &own)->contract, chosen->contract);
}

}  // namespace
}  // namespace qat
