#include "eval/tensor_run.h"

#include <gtest/gtest.h>

#include <cstring>

#include "runtime/model.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

TEST(OutputPath, NumbersFurtherOutputsBeforeTheEnding) {
  EXPECT_EQ(OutputPath("out/Y.npy", 0), "out/Y.npy");
  EXPECT_EQ(OutputPath("out/Y.npy", 2), "out/Y.2.npy");
  EXPECT_EQ(OutputPath("Y", 1), "Y.1");
}

class RunExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto model = Model::FromBytes(testing::TinyModel(DType::kUInt8), "tiny.tflite");
    QAT_ASSERT_OK(model);
    auto interpreter = Interpreter::Create(*model, {});
    QAT_ASSERT_OK(interpreter);
    interpreter_ = *std::move(interpreter);
  }
  std::unique_ptr<Interpreter> interpreter_;
};

TEST_F(RunExamplesTest, EachExampleGivesWhatItGivesAlone) {
  NpyArray all{DType::kUInt8, {3, 4, 4, 1}, {}};
  for (int i = 0; i < 48; ++i) all.values.push_back(static_cast<uint8_t>(i * 37));
  const auto together = RunExamples(*interpreter_, all, "x.npy", {});
  QAT_ASSERT_OK(together);
  ASSERT_EQ(together->size(), 1u);
  EXPECT_EQ(together->at(0).shape, (Shape{3, 3}));
  Bytes one_by_one;
  for (size_t i = 0; i < 3; ++i) {
    std::memcpy(interpreter_->input(0).data(), all.values.data() + 16 * i, 16);
    interpreter_->Invoke();
    const auto output = interpreter_->output(0);
    one_by_one.insert(one_by_one.end(), output.begin(), output.end());
  }
  EXPECT_EQ(together->at(0).values, one_by_one);
}

TEST_F(RunExamplesTest, RefusesAnotherTypeAndAnotherShape) {
  QAT_EXPECT_ERROR(RunExamples(*interpreter_, {DType::kInt8, {1, 4, 4, 1}, Bytes(16)}, "x.npy", {}),
                   ErrorCode::kCorrupt, "x.npy: holds int8, expected uint8 (input 'input')");
  QAT_EXPECT_ERROR(RunExamples(*interpreter_, {DType::kUInt8, {2, 4, 4}, Bytes(32)}, "x.npy", {}),
                   ErrorCode::kCorrupt,
                   "x.npy: has the shape [2, 4, 4], expected [N, 4, 4, 1] (input 'input')");
}

TEST(RunTensors, WantsOneModelAndBothFlags) {
  Report report;
  RowRequest rows;
  rows.models = {"a.tflite", "b.tflite"};
  QAT_EXPECT_ERROR(RunTensors({"x.npy", ""}, rows, {}, report), ErrorCode::kInvalidArgument,
                   "needs --save-outputs");
  QAT_EXPECT_ERROR(RunTensors({"", "y.npy"}, rows, {}, report), ErrorCode::kInvalidArgument, "needs --input");
  QAT_EXPECT_ERROR(RunTensors({"x.npy", "y.npy"}, rows, {}, report), ErrorCode::kInvalidArgument,
                   "runs one model");
}

}  // namespace
}  // namespace qat
