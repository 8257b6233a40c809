#include "import/verify_source.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "base/zip.h"
#include "data/npy.h"
#include "import/import_tflite.h"
#include "import/source_arrays.h"
#include "support/model_builder.h"
#include "support/test_util.h"

namespace qat {
namespace {

NpyArray Floats(Shape shape, const std::vector<float>& values) {
  NpyArray array{DType::kFloat32, std::move(shape), Bytes(values.size() * sizeof(float))};
  std::memcpy(array.values.data(), values.data(), array.values.size());
  return array;
}

// Two channels swapped by a 1x1 convolution, then hard swish.
Graph SwapGraph() {
  testing::ModelBuilder b;
  const int32_t x = b.AddTensor("x", {1, 1, 3, 2}, DType::kFloat32);
  const int32_t filter = b.AddConstant<float>("w", {2, 1, 1, 2}, {0, 1, 1, 0});
  const int32_t bias = b.AddConstant<float>("b", {2}, {0, 0});
  const int32_t swapped = b.AddTensor("model/swap/Conv2D", {1, 1, 3, 2}, DType::kFloat32);
  const int32_t y = b.AddTensor("y", {1, 1, 3, 2}, DType::kFloat32);
  b.AddConv2D(x, filter, bias, swapped, {.padding = Padding::kValid});
  b.AddOperator(tflite::BuiltinOperator_HARD_SWISH, {swapped}, {y});
  const auto model = Model::FromBytes(b.Finish({x}, {y}), "m.tflite");
  EXPECT_TRUE(model.ok());
  std::vector<std::string> notes;
  auto graph = ImportTflite(**model, {}, notes);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  return *std::move(graph);
}

class VerifySourceTest : public ::testing::Test {
 protected:
  Expected<VerifyResult> Verify(const std::string& inputs, const std::string& expected) {
    return VerifySource(SwapGraph(), {directory_ / inputs, directory_ / expected, 1e-4});
  }
  void Write(const std::string& name, const NpyArray& array) {
    QAT_ASSERT_OK(WriteFile(directory_ / name, Serialize(array)));
  }
  void WriteNpz(const std::string& name, const std::vector<std::pair<std::string, NpyArray>>& arrays) {
    std::vector<ZipFile> files;
    for (const auto& [member, array] : arrays) files.push_back({member + ".npy", Serialize(array)});
    Bytes bytes;
    AppendZip(files, bytes);
    QAT_ASSERT_OK(WriteFile(directory_ / name, bytes));
  }

  testing::TempDir directory_;
  // Two examples of three pixels; 3 and -3 are where hard swish is x and 0.
  const std::vector<float> inputs_ = {3, -3, 4, 5, -4, 6, 7, 8, 9, 3, -5, -6};
  const std::vector<float> swapped_ = {-3, 3, 5, 4, 6, -4, 8, 7, 3, 9, -6, -5};
  const std::vector<float> outputs_ = {0, 3, 5, 4, 6, 0, 8, 7, 3, 9, 0, 0};
};

TEST_F(VerifySourceTest, AcceptsWhatTheFrameworkGave) {
  Write("x.npy", Floats({2, 1, 3, 2}, inputs_));
  Write("y.npy", Floats({2, 1, 3, 2}, outputs_));
  const auto result = Verify("x.npy", "y.npy");
  QAT_ASSERT_OK(result);
  EXPECT_EQ(result->examples, 2);
  ASSERT_EQ(result->tensors.size(), 1u);
  EXPECT_EQ(result->tensors[0].name, "y");
  EXPECT_LE(result->tensors[0].difference, 1e-6);
  EXPECT_EQ(result->tensors[0].largest, 9);
}

TEST_F(VerifySourceTest, TransposesWhatHasTheChannelsFirst) {
  // One row of three pixels: all of the first channel, then all of the second.
  Write("x.npy", Floats({2, 2, 1, 3}, {3, 4, -4, -3, 5, 6, 7, 9, -5, 8, 3, -6}));
  Write("y.npy", Floats({2, 2, 1, 3}, {0, 5, 6, 3, 4, 0, 8, 3, 0, 7, 9, 0}));
  const auto result = Verify("x.npy", "y.npy");
  QAT_ASSERT_OK(result);
  EXPECT_EQ(result->notes.size(), 2u);
}

TEST_F(VerifySourceTest, NamesTheFirstTensorThatDiffersAndWhere) {
  WriteNpz("x.npz", {{"x", Floats({2, 1, 3, 2}, inputs_)}});
  std::vector<float> wrong = outputs_, also_wrong = swapped_;
  wrong[0] = 1;
  also_wrong[7] = 7.5f;
  WriteNpz("y.npz", {{"y", Floats({2, 1, 3, 2}, wrong)}, {"swap", Floats({2, 1, 3, 2}, also_wrong)}});
  QAT_EXPECT_ERROR(Verify("x.npz", "y.npz"), ErrorCode::kCorrupt,
                   "y.npz: 'model/swap/Conv2D' is the first tensor that differs: by 0.5 at value 1 of "
                   "example 1 (here 7, there 7.5), "
                   "where values reach 9 and 1e-04 of that is allowed");
  WriteNpz("right.npz", {{"y", Floats({2, 1, 3, 2}, wrong)}, {"swap", Floats({2, 1, 3, 2}, swapped_)}});
  QAT_EXPECT_ERROR(Verify("x.npz", "right.npz"), ErrorCode::kCorrupt,
                   "'y' is the first tensor that differs: by 1 ");
}

TEST_F(VerifySourceTest, SaysWhatRoundedAnswersLookLike) {
  Write("x.npy", Floats({2, 1, 3, 2}, inputs_));
  std::vector<float> half = outputs_;
  half[9] = 9 + 0x1p-8f;  // float16 has steps of 2^-7 from 8 on
  Write("half.npy", Floats({2, 1, 3, 2}, half));
  QAT_EXPECT_ERROR(Verify("x.npy", "half.npy"), ErrorCode::kCorrupt, "may be the rounding of float16");
  half[9] = 9.1f;
  Write("other.npy", Floats({2, 1, 3, 2}, half));
  const auto other = Verify("x.npy", "other.npy");
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message.find("rounding"), std::string::npos);

  Graph quantized = SwapGraph();
  for (GraphTensor& tensor : quantized.tensors) {
    if (tensor.name != "y") continue;
    tensor.has_range = true;
    tensor.range = {0, 9};
  }
  QAT_EXPECT_ERROR(VerifySource(quantized, {directory_ / "x.npy", directory_ / "other.npy", 1e-4}),
                   ErrorCode::kCorrupt, "the source rounds its activations to integers");
}

TEST_F(VerifySourceTest, SaysWhichArraysBelongToNoTensor) {
  Write("x.npy", Floats({2, 1, 3, 2}, inputs_));
  WriteNpz("y.npz", {{"y", Floats({2, 1, 3, 2}, outputs_)}, {"dropout", Floats({2}, {1, 2})}});
  const auto result = Verify("x.npy", "y.npz");
  QAT_ASSERT_OK(result);
  ASSERT_EQ(result->notes.size(), 1u);
  EXPECT_NE(result->notes[0].find("arrays that belong to no tensor: 'dropout'"), std::string::npos);
  WriteNpz("none.npz", {{"a", Floats({2}, {1, 2})}, {"b", Floats({2}, {1, 2})}});
  QAT_EXPECT_ERROR(Verify("x.npy", "none.npz"), ErrorCode::kCorrupt,
                   "no array has the name of a tensor of the network: 'a', 'b'");
}

TEST_F(VerifySourceTest, RefusesShapesAndNumbersThatDoNotFit) {
  Write("x.npy", Floats({2, 1, 3, 2}, inputs_));
  Write("y.npy", Floats({1, 1, 3, 2}, {0, 3, 5, 4, 6, 0}));
  QAT_EXPECT_ERROR(Verify("x.npy", "y.npy"), ErrorCode::kCorrupt, "y.npy: holds 1 examples, the inputs 2");
  Write("small.npy", Floats({2, 2}, {1, 2, 3, 4}));
  QAT_EXPECT_ERROR(Verify("small.npy", "y.npy"), ErrorCode::kCorrupt,
                   "small.npy: is [2, 2], expected [N, …] of [1, 3, 2]");
  std::vector<float> infinite = inputs_;
  infinite[4] = 1.0f / 0.0f;
  Write("inf.npy", Floats({2, 1, 3, 2}, infinite));
  QAT_EXPECT_ERROR(Verify("inf.npy", "y.npy"), ErrorCode::kCorrupt,
                   "inf.npy: value 4 is inf, expected finite numbers");
  WriteNpz("wrong.npz", {{"a", Floats({2}, {1, 2})}, {"b", Floats({2}, {1, 2})}});
  QAT_EXPECT_ERROR(Verify("wrong.npz", "y.npy"), ErrorCode::kCorrupt, "wrong.npz: has no array 'x'");
  QAT_EXPECT_ERROR(Verify("none.npy", "y.npy"), ErrorCode::kNotFound, "none.npy");
}

}  // namespace
}  // namespace qat
