#include "ops/op.h"

#include <cmath>
#include <set>

#include "ops/padding.h"
#include "ops/tflite_options.h"
#include "support/test_util.h"

namespace qat {
namespace {

Operand Real(Shape shape) { return {std::move(shape), DType::kFloat32, {}}; }

TEST(OpList, NamesAndCodesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const OpDefinition* op : AllOps()) {
    EXPECT_TRUE(names.insert(op->name).second) << op->name;
    EXPECT_EQ(&DefinitionOf(op->type), op);
    EXPECT_EQ(FindOpByName(op->name), op);
    if (op->builtin_code < 0) {
      EXPECT_EQ(op->tflite_name, "NONE");
      continue;
    }
    EXPECT_EQ(FindOpByBuiltin(op->builtin_code), op);
    EXPECT_EQ(tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(op->builtin_code)),
              op->tflite_name);
  }
  EXPECT_EQ(FindOpByName("conv2d"), nullptr);
  EXPECT_EQ(FindOpByBuiltin(tflite::BuiltinOperator_UNIQUE), nullptr);
}

// What is trained is written: with a version that has a release.
TEST(OpList, EveryTrainableOperatorCanBeWritten) {
  for (const OpDefinition* op : AllOps()) {
    if (!IsTrainable(op->type) || op->builtin_code < 0) continue;
    ASSERT_NE(op->version, nullptr) << op->name;
    for (const DType type : {DType::kFloat32, DType::kUInt8, DType::kInt8}) {
      const int32_t version = op->version(
          {.input = type, .filter = type, .attributes = &op->default_attributes, .inputs = op->max_inputs});
      EXPECT_GE(version, 1) << op->name;
      EXPECT_LE(version, static_cast<int32_t>(op->releases.size())) << op->name;
    }
  }
}

TEST(OpList, EveryOptionTableSurvivesWritingAndReading) {
  const OpAttributes cases[] = {
      Conv2DAttributes{.stride_h = 2,
                       .stride_w = 3,
                       .dilation_h = 4,
                       .dilation_w = 5,
                       .padding = Padding::kValid,
                       .activation = Activation::kRelu6},
      FullyConnectedAttributes{.activation = Activation::kRelu, .keep_num_dims = true},
      Pool2DAttributes{.filter_h = 3,
                       .filter_w = 4,
                       .stride_h = 1,
                       .stride_w = 2,
                       .padding = Padding::kSame,
                       .activation = Activation::kReluN1To1},
      ReshapeAttributes{{1, -1}},
      SoftmaxAttributes{0.5f},
      ArgMaxAttributes{DType::kInt64},
      SplitAttributes{3},
      SplitAttributes{4},
      GeluAttributes{true},
      BinaryAttributes{Activation::kRelu6},
      MeanAttributes{.keep_dims = true},
      BatchMatMulAttributes{true, false, true},
      BatchMatMulAttributes{false, true, false},
      BlockAttributes{3},
      BlockAttributes{2},
      MirrorPadAttributes{true},
      CumsumAttributes{true, false},
      CumsumAttributes{false, true},
  };
  const OpType types[] = {OpType::kConv2D,       OpType::kFullyConnected,
                          OpType::kMaxPool2D,    OpType::kReshape,
                          OpType::kSoftmax,      OpType::kArgMax,
                          OpType::kSplit,        OpType::kSplitV,
                          OpType::kGelu,         OpType::kDiv,
                          OpType::kSum,          OpType::kBatchMatMul,
                          OpType::kBatchMatMul,  OpType::kSpaceToDepth,
                          OpType::kDepthToSpace, OpType::kMirrorPad,
                          OpType::kCumsum,       OpType::kCumsum};
  for (size_t i = 0; i < std::size(cases); ++i) {
    flatbuffers::FlatBufferBuilder builder;
    OptionsWriter writer{builder};
    DefinitionOf(types[i]).write_options(writer, cases[i]);
    builder.Finish(writer.table);
    const OptionsReader reader{writer.type, flatbuffers::GetRoot<void>(builder.GetBufferPointer())};
    const auto back = DefinitionOf(types[i]).read_options(reader);
    QAT_ASSERT_OK(back);
    EXPECT_EQ(*back, cases[i]) << Describe(cases[i]);
  }
}

// TFLite's kernel stops where the two numbers differ.
TEST(Pack, TheOptionsRepeatTheNumberOfInputs) {
  flatbuffers::FlatBufferBuilder builder;
  OptionsWriter writer{builder, 3};
  DefinitionOf(OpType::kPack).write_options(writer, PackAttributes{-2});
  builder.Finish(writer.table);
  const auto* table = flatbuffers::GetRoot<tflite::PackOptions>(builder.GetBufferPointer());
  EXPECT_EQ(table->values_count(), 3);
  EXPECT_EQ(table->axis(), -2);
}

// The formula of TFLite's padding.h, solved by brute force: the fewest zeros that let every output see its
// centre.
TEST(ComputeWindow, SamePaddingGivesCeilOfInputOverStride) {
  for (int input = 1; input <= 20; ++input) {
    for (int kernel = 1; kernel <= 7; ++kernel) {
      for (int stride = 1; stride <= 4; ++stride) {
        const WindowExtent extent = ComputeWindow(Padding::kSame, input, kernel, stride);
        EXPECT_EQ(extent.output, static_cast<int>(std::ceil(static_cast<double>(input) / stride)));
        const int needed = (extent.output - 1) * stride + kernel - input;
        EXPECT_EQ(extent.before + extent.after, std::max(needed, 0));
        EXPECT_TRUE(extent.after == extent.before || extent.after == extent.before + 1);
      }
    }
  }
}

TEST(ComputeWindow, ValidPaddingCountsTheWindowsThatFit) {
  for (int input = 1; input <= 20; ++input) {
    for (int kernel = 1; kernel <= 7; ++kernel) {
      for (int stride = 1; stride <= 4; ++stride) {
        int fits = 0;
        for (int start = 0; start + kernel <= input; start += stride) ++fits;
        EXPECT_EQ(std::max(ComputeWindow(Padding::kValid, input, kernel, stride).output, 0), fits);
      }
    }
  }
}

TEST(Conv2D, ShapeRuleAndItsRefusals) {
  const OpDefinition& op = DefinitionOf(OpType::kConv2D);
  const OpAttributes valid = Conv2DAttributes{.stride_h = 2, .stride_w = 1, .padding = Padding::kValid};
  const auto shape = op.infer_shape(valid, std::vector{Real({1, 9, 9, 3}), Real({8, 3, 5, 3}), Real({8})});
  QAT_ASSERT_OK(shape);
  EXPECT_EQ(*shape, (Shape{1, 4, 5, 8}));
  QAT_EXPECT_ERROR(op.infer_shape(valid, std::vector{Real({1, 9, 9, 3}), Real({8, 3, 5, 4}), Real({8})}),
                   ErrorCode::kInvalidArgument, "takes 4 channels, the input [1, 9, 9, 3] has 3");
  QAT_EXPECT_ERROR(op.infer_shape(valid, std::vector{Real({1, 4, 4, 3}), Real({8, 5, 5, 3}), Real({8})}),
                   ErrorCode::kInvalidArgument, "window 5x5 does not fit into 4x4");
  QAT_EXPECT_ERROR(op.infer_shape(valid, std::vector{Real({1, 9, 9, 3}), Real({8, 3, 3, 3}), Real({7})}),
                   ErrorCode::kInvalidArgument, "bias is [7], expected [8]");
  const OpAttributes zero = Conv2DAttributes{.stride_h = 0};
  QAT_EXPECT_ERROR(op.infer_shape(zero, std::vector{Real({1, 9, 9, 3}), Real({8, 3, 3, 3}), Real({8})}),
                   ErrorCode::kInvalidArgument, "0 is outside [1, 1048576]");
}

TEST(Reshape, FillsTheOpenSizeAndKeepsTheBatchOpen) {
  const OpDefinition& op = DefinitionOf(OpType::kReshape);
  const auto flat = op.infer_shape(op.default_attributes, std::vector{Real({1, 4, 5, 6})});
  QAT_ASSERT_OK(flat);
  EXPECT_EQ(*flat, (Shape{1, 120}));
  const auto operands = op.index_operands(op.default_attributes, {1, 4, 5, 6});
  ASSERT_EQ(operands.size(), 1u);
  EXPECT_EQ(operands[0].values, (std::vector<int32_t>{-1, 120}));
  QAT_EXPECT_ERROR(op.infer_shape(ReshapeAttributes{{1, 7}}, std::vector{Real({1, 4})}),
                   ErrorCode::kInvalidArgument, "has 4 values, which [1, 7] cannot hold");
}

TEST(ArgMax, DropsItsAxisAndRefusesOthers) {
  const OpDefinition& op = DefinitionOf(OpType::kArgMax);
  const int32_t last = -1, wrong = 2;
  const auto axis = [](const int32_t& value) {
    return Operand{{}, DType::kInt32, std::span(reinterpret_cast<const uint8_t*>(&value), sizeof(value))};
  };
  const auto shape = op.infer_shape(op.default_attributes, std::vector{Real({1, 10}), axis(last)});
  QAT_ASSERT_OK(shape);
  EXPECT_EQ(*shape, (Shape{1}));
  QAT_EXPECT_ERROR(op.infer_shape(op.default_attributes, std::vector{Real({1, 10}), axis(wrong)}),
                   ErrorCode::kInvalidArgument, "axis is 2");
  QAT_EXPECT_ERROR(
      op.infer_shape(op.default_attributes, std::vector{Real({1, 10}), Operand{{}, DType::kInt32, {}}}),
      ErrorCode::kUnsupported, "axis is computed");
}

TEST(AttributeKeys, SayWhatWasExpected) {
  OpAttributes attributes = DefinitionOf(OpType::kConv2D).default_attributes;
  for (const AttributeKey& key : DefinitionOf(OpType::kConv2D).keys) {
    if (key.name == "filters") {
      QAT_EXPECT_ERROR(key.set(attributes, AttributeValue(int64_t{0})), ErrorCode::kInvalidArgument,
                       "is 0, expected a positive integer");
    }
    if (key.name == "stride") {
      QAT_ASSERT_OK(key.set(attributes, AttributeValue(std::vector<int64_t>{2, 3})));
    }
    if (key.name == "padding") {
      QAT_EXPECT_ERROR(key.set(attributes, AttributeValue(std::string("full"))), ErrorCode::kInvalidArgument,
                       "is \"full\", expected \"same\", \"valid\" or [top, bottom, left, right]");
    }
  }
  EXPECT_EQ(std::get<Conv2DAttributes>(attributes).stride_w, 3);
}

Operand Ints(const std::vector<int32_t>& values) {
  return {{static_cast<int32_t>(values.size())},
          DType::kInt32,
          {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(int32_t)}};
}

TEST(Split, CutsAnAxisThatCanBeCut) {
  const OpDefinition& op = DefinitionOf(OpType::kSplit);
  const std::vector<int32_t> last = {-1};
  const auto parts = InferShapes(op, SplitAttributes{3}, std::vector{Ints(last), Real({2, 9})});
  QAT_ASSERT_OK(parts);
  EXPECT_EQ(*parts, (std::vector<Shape>{{2, 3}, {2, 3}, {2, 3}}));
  QAT_EXPECT_ERROR(InferShapes(op, SplitAttributes{2}, std::vector{Ints(last), Real({2, 9})}),
                   ErrorCode::kInvalidArgument, "axis 1 of [2, 9] cannot be cut into 2 equal parts");
  EXPECT_FALSE(InferShapes(op, SplitAttributes{0}, std::vector{Ints(last), Real({2, 9})}).ok());
}

TEST(SplitV, GivesTheOpenPartWhatTheOthersLeave) {
  const OpDefinition& op = DefinitionOf(OpType::kSplitV);
  const std::vector<int32_t> axis = {0}, open = {2, -1, 3}, short_of = {2, 3}, negative = {12, -2};
  const auto infer = [&](const std::vector<int32_t>& sizes) {
    return InferShapes(op, SplitAttributes{static_cast<int32_t>(sizes.size())},
                       std::vector{Real({10, 4}), Ints(sizes), Ints(axis)});
  };
  const auto parts = infer(open);
  QAT_ASSERT_OK(parts);
  EXPECT_EQ(*parts, (std::vector<Shape>{{2, 4}, {5, 4}, {3, 4}}));
  QAT_EXPECT_ERROR(infer(short_of), ErrorCode::kInvalidArgument,
                   "sizes [2, 3] are no parts of axis 0 of [10, 4]");
  EXPECT_FALSE(infer(negative).ok());
}

}  // namespace
}  // namespace qat
