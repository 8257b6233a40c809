// What an .onnx may not ask for: refusals that name it, and bounds of memory.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "import/import_onnx.h"
#include "import/read_network.h"
#include "support/imported_onnx.h"

namespace qat {
namespace {

using namespace testing;

TEST(ImportOnnx, OldOpsetsAndIntegersAreRefused) {
  OnnxFile old(6);
  old.Input("x", {1, 2}).Node("Relu", {"x"}, {"y"}).Output("y");
  EXPECT_NE(ErrorOf(old, ErrorCode::kUnsupported).find("opset 6, expected 7 and newer"), std::string::npos);
  OnnxFile mask;
  mask.Input("mask", {1, 8}, 9).Node("Cast", {"mask"}, {"y"}, {OnnxInt("to", 1)}).Output("y");
  EXPECT_NE(ErrorOf(mask, ErrorCode::kUnsupported).find("input 'mask': is bool"), std::string::npos);
  OnnxFile sum;  // which wraps around at 256
  sum.Input("x", {1, 4, 4, 3}, 2)
      .Node("Add", {"x", "x"}, {"s"})
      .Node("Cast", {"s"}, {"y"}, {OnnxInt("to", 1)})
      .Output("y");
  EXPECT_NE(ErrorOf(sum, ErrorCode::kUnsupported).find("input 'x': is uint8"), std::string::npos);
}

// What reads bytes is looked for along moves, which may go around in a circle; an output reads them, too.
TEST(ImportOnnx, BytesThatNeverBecomeRealNumbersAreRefused) {
  const auto cast = [](OnnxFile file, const std::string& bytes) {
    return file.Node("Cast", {bytes}, {"f"}, {OnnxInt("to", 1)}).Node("Relu", {"f"}, {"y"}).Output("y");
  };
  const auto moved = [] { return OnnxFile().Input("x", {1, 4, 4, 3}, 2).Node("Identity", {"x"}, {"a"}); };
  EXPECT_TRUE(Import(cast(moved(), "a")).ok());
  for (const OnnxFile& file :
       {cast(moved().Output("a"), "a"), cast(moved().Node("Add", {"a", "a"}, {"b"}).Output("b"), "a")})
    EXPECT_NE(ErrorOf(file, ErrorCode::kUnsupported).find("input 'x': is uint8"), std::string::npos);
  const auto circle = Import(cast(moved().Node("Identity", {"a"}, {"a"}), "a"));
  EXPECT_TRUE(circle.ok() || !circle.error().message.empty()) << "ends";
}

// A few bytes that ask for gigabytes, or for numbers that no int32 holds.
TEST(ImportOnnx, WhatAFewBytesMayAskForIsBounded) {
  const auto refused = [](const OnnxFile& file, ErrorCode code, const std::string& piece) {
    const std::string message = ErrorOf(file, code);
    EXPECT_NE(message.find(piece), std::string::npos) << message;
  };
  refused(OnnxFile(25)
              .Input("x", {1, 1, 20000, 4})
              .Node("Attention", {"x", "x", "x"}, {"y"}, {OnnxInt("is_causal", 1)})
              .Output("y"),
          ErrorCode::kUnsupported, "needs a mask of [20000, 20000], expected 16777216 values at most");
  refused(OnnxFile().Input("x", {1, 20000, 20000}).Node("Trilu", {"x"}, {"y"}).Output("y"),
          ErrorCode::kUnsupported, "needs a mask of [20000, 20000]");
  refused(OnnxFile().Input("x", {1, 1 << 25}).Node("Relu", {"x"}, {"y"}).Output("y"), ErrorCode::kUnsupported,
          "at most along an axis");
  refused(OnnxFile()
              .Input("x", {1, 1 << 13, 4})
              .Constant("sizes", {3}, std::vector<int64_t>{1, 1 << 26, 4})
              .Node("Reshape", {"x", "sizes"}, {"r"})
              .Node("ConstantOfShape", {"sizes"}, {"k"})
              .Node("Add", {"x", "k"}, {"y"})
              .Output("y"),
          ErrorCode::kUnsupported, "makes a constant of [1, 67108864, 4] out of 3 values");
  refused(OnnxFile()
              .Input("x", {1, 1, 4, 4})
              .Constant("w", {1, 1, 3, 3}, std::vector<float>(9, 1))
              .Node("ConvTranspose", {"x", "w"}, {"y"}, {OnnxInts("dilations", {1 << 19, 1 << 19})})
              .Output("y"),
          ErrorCode::kCorrupt, "the window is too large");
  refused(OnnxFile()
              .Input("x", {1, 1, 4, 4})
              .Constant("w", {1, 1, 3, 3}, std::vector<float>(9, 1))
              .Node("ConvTranspose", {"x", "w"}, {"y"}, {OnnxInts("dilations", {1 << 18, 1 << 18})})
              .Output("y"),
          ErrorCode::kUnsupported, "use smaller dilations");
  refused(OnnxFile()
              .Input("x", {1, 1, 4, 1 << 20})
              .Constant("scales", {4}, std::vector<float>{1, 1, 1, 99999})
              .Node("Resize", {"x", "", "scales"}, {"y"})
              .Output("y"),
          ErrorCode::kCorrupt, "makes 1048576 to 1073741824");
}

// Each doubles the one before: 2^40 values in the end.
TEST(ImportOnnx, ConstantsMadeOfConstantsAreBoundedTogether) {
  OnnxFile file;
  file.Input("x", {1, 4}).Constant("c0", {4}, std::vector<float>{1, 2, 3, 4});
  for (int i = 0; i < 38; ++i) {
    const std::string from = StrCat("c", i);
    file.Node("Concat", {from, from}, {StrCat("c", i + 1)}, {OnnxInt("axis", 0)});
  }
  file.Node("Add", {"x", "c38"}, {"y"}).Output("y");
  const std::string message = ErrorOf(file, ErrorCode::kUnsupported);
  EXPECT_NE(message.find("constants made of constants have more than"), std::string::npos) << message;
}

// The folded sizes are a reshape's, so that what they became is seen in its refusal.
TEST(ImportOnnx, TheArithmeticOfIntegersEndsWhereInt64Does) {
  const int64_t lowest = std::numeric_limits<int64_t>::min();
  const auto size = [&](const std::string& op, int64_t a, int64_t b) {
    const std::vector<std::string> both = {"a", "b"}, one = {"a"};
    return ErrorOf(OnnxFile()
                       .Input("x", {1, 4})
                       .Constant("a", {1}, std::vector<int64_t>{a})
                       .Constant("b", {1}, std::vector<int64_t>{b})
                       .Node(op, op == "Neg" ? one : both, {"c"})
                       .Node("Reshape", {"x", "c"}, {"y"})
                       .Output("y"),
                   ErrorCode::kCorrupt);
  };
  EXPECT_NE(size("Div", lowest, -1).find("-9223372036854775808"), std::string::npos)
      << size("Div", lowest, -1);
  EXPECT_NE(size("Pow", 10, 30).find("9223372036854775807"), std::string::npos) << size("Pow", 10, 30);
  EXPECT_NE(size("Neg", lowest, 0).find("9223372036854775807"), std::string::npos) << size("Neg", lowest, 0);
}

TEST(ImportOnnx, AConditionOfRealNumbersIsRefused) {
  const std::vector<float> two = {1, 2};
  const std::string message = ErrorOf(OnnxFile()
                                          .Input("x", {1, 2})
                                          .Constant("a", {2}, two)
                                          .Node("Where", {"a", "a", "a"}, {"k"})
                                          .Node("Add", {"x", "k"}, {"y"})
                                          .Output("y"),
                                      ErrorCode::kCorrupt);
  EXPECT_NE(message.find("has real numbers as its condition"), std::string::npos) << message;
}

TEST(ImportOnnx, NodesWithoutTheirInputsAreRefused) {
  for (const std::string op : {"Conv", "Gemm", "Gather", "Where", "Concat", "Resize", "Pad", "Slice", "Range",
                               "Expand", "BatchNormalization", "Clip", "Add"}) {
    OnnxFile file;
    file.Input("x", {1, 2, 3, 4}).Node(op, {"x"}, {"y"}).Output("y");
    const auto import = Import(file);
    if (!import.ok()) {
      EXPECT_FALSE(import.error().message.empty());
    }
    OnnxFile constant;
    constant.Input("x", {1, 2})
        .Constant("c", {2}, std::vector<float>{1, 2})
        .Node(op, {"c"}, {"k"})
        .Node("Add", {"x", "k"}, {"y"})
        .Output("y");
    const auto other = Import(constant);
    EXPECT_TRUE(other.ok() || !other.error().message.empty());
  }
}

}  // namespace
}  // namespace qat
