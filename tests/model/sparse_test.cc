// Constants stored without their zeros: values worked out by hand. Against TFLite: tests/conformance.
#include <gtest/gtest.h>

#include <functional>

#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;

struct Level {
  tflite::DimensionType format = tflite::DimensionType_DENSE;
  int32_t size = 0;
  std::vector<int32_t> segments = {}, indices = {};
};

struct Sparse {
  Shape shape;
  std::vector<int32_t> order, block_map;
  std::vector<Level> levels;
  std::vector<float> values;
};

// 3 x 4: rows [0 1 0 2], [0 0 0 0], [3 0 0 0].
Sparse Rows() {
  return {{3, 4},
          {0, 1},
          {},
          {{.size = 3}, {tflite::DimensionType_SPARSE_CSR, 0, {0, 2, 2, 3}, {1, 3, 0}}},
          {1, 2, 3}};
}

// 4 x 4 in blocks of 2 x 2, of which the upper right and the lower left are there.
Sparse Blocks() {
  return {{4, 4},
          {0, 1, 2, 3},
          {0, 1},
          {{.size = 2}, {tflite::DimensionType_SPARSE_CSR, 0, {0, 1, 2}, {1, 0}}, {.size = 2}, {.size = 2}},
          {1, 2, 3, 4, 5, 6, 7, 8}};
}

// x of float32 -> y = x + the constant, by way of DENSIFY or not; all of one shape.
std::vector<uint8_t> ModelOf(const Sparse& sparse, bool densifies = true) {
  ModelBuilder builder;
  flatbuffers::FlatBufferBuilder& fbb = builder.fbb;
  std::vector<flatbuffers::Offset<tflite::DimensionMetadata>> levels;
  for (const Level& level : sparse.levels) {
    const auto segments = tflite::CreateInt32Vector(fbb, fbb.CreateVector(level.segments)).Union();
    const auto indices = tflite::CreateInt32Vector(fbb, fbb.CreateVector(level.indices)).Union();
    levels.push_back(tflite::CreateDimensionMetadata(fbb, level.format, level.size,
                                                     tflite::SparseIndexVector_Int32Vector, segments,
                                                     tflite::SparseIndexVector_Int32Vector, indices));
  }
  const auto order = fbb.CreateVector(sparse.order), blocks = fbb.CreateVector(sparse.block_map);
  const auto sparsity = tflite::CreateSparsityParameters(fbb, order, blocks, fbb.CreateVector(levels));
  std::vector<uint8_t> bytes(sparse.values.size() * sizeof(float));
  std::memcpy(bytes.data(), sparse.values.data(), bytes.size());
  const uint32_t buffer = builder.AddBuffer(&bytes);
  const int32_t filter = builder.AddSparse("w", sparse.shape, tflite::TensorType_FLOAT32, buffer, sparsity);
  const int32_t x = builder.AddTensor("x", sparse.shape, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", sparse.shape, DType::kFloat32);
  const int32_t dense = builder.AddTensor("dense", sparse.shape, DType::kFloat32);
  if (densifies) builder.AddOperator(tflite::BuiltinOperator_DENSIFY, {filter}, {dense});
  builder.AddOperator(tflite::BuiltinOperator_ADD, {x, densifies ? dense : filter}, {y});
  return builder.Finish({x}, {y});
}

TEST(Sparse, GetsItsZeros) {
  for (const bool densifies : {true, false}) {
    const auto interpreter = testing::Open(ModelOf(Rows(), densifies));
    ASSERT_NE(interpreter, nullptr);
    EXPECT_EQ(testing::RunOn<float>(*interpreter, std::vector<float>(12)),
              (std::vector<float>{0, 1, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0}));
  }
}

TEST(Sparse, GetsItsZerosByBlocks) {
  const auto interpreter = testing::Open(ModelOf(Blocks()));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(testing::RunOn<float>(*interpreter, std::vector<float>(16)),
            (std::vector<float>{0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0}));
}

// Rows of 100 million zeros with one value in each take a few hundred bytes.
TEST(Sparse, RefusesAFewBytesThatStandForGigabytes) {
  Sparse sparse = Rows();
  sparse.shape = {3, 100'000'000};
  QAT_EXPECT_ERROR(RunnableFromBytes(ModelOf(sparse), "m.tflite"), ErrorCode::kUnsupported,
                   "tensor 0 'w': has 1200000000 bytes with its zeros, of which 12 are stored");
}

// What a DENSIFY gives must be as it is recorded, and nothing else may write it.
TEST(Sparse, RefusesADensifyThatContradictsItsTensors) {
  for (const bool is_input : {false, true}) {
    ModelBuilder builder;
    const int32_t w = builder.AddConstant<float>("w", {2}, {1, 2});
    const int32_t x = builder.AddTensor("x", {2}, DType::kFloat32);
    const int32_t y = builder.AddTensor("y", {is_input ? 2 : 3}, DType::kFloat32);
    builder.AddOperator(tflite::BuiltinOperator_DENSIFY, {w}, {is_input ? x : y});
    if (is_input) builder.AddOperator(tflite::BuiltinOperator_RELU, {x}, {y});
    QAT_EXPECT_ERROR(RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite"), ErrorCode::kCorrupt,
                     is_input ? "input tensor 1 is a constant"
                              : "operator 0 (DENSIFY): output 'y' is float32 [3], expected float32 [2]");
  }
}

// Of a computed tensor there is nothing to densify.
TEST(Sparse, ListsADensifyOfAComputedTensor) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {2}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_DENSIFY, {x}, {y});
  QAT_EXPECT_ERROR(RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite"), ErrorCode::kUnsupported,
                   "not supported: DENSIFY version 1 (operator 0)");
}

struct Wrong {
  const char* name;
  std::function<void(Sparse&)> edit;
  const char* message;
};

class WrongSparse : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongSparse, IsRefusedWithWhatIsWrong) {
  Sparse sparse = Blocks();
  GetParam().edit(sparse);
  QAT_EXPECT_ERROR(RunnableFromBytes(ModelOf(sparse), "m.tflite"), ErrorCode::kCorrupt, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Sparse, WrongSparse,
                         ::testing::Values(Wrong{"Levels", [](Sparse& s) { s.levels.pop_back(); },
                                                 "tensor 0 'w': its sparsity has 3 levels for 2"},
                                           Wrong{"Order",
                                                 [](Sparse& s) {
                                                   s.order = {0, 1, 2, 2};
                                                 },
                                                 "walks a dimension twice"},
                                           Wrong{"NegativeOrder",
                                                 [](Sparse& s) {
                                                   s.order = {0, 1, 2, -1};
                                                 },
                                                 "walks a dimension twice, or none"},
                                           Wrong{"Map",
                                                 [](Sparse& s) {
                                                   s.block_map = {0, 7};
                                                 },
                                                 "has a block along dimension 7"},
                                           Wrong{"BlockSize", [](Sparse& s) { s.levels[3].size = 3; },
                                                 "has blocks of 3 along dimension 1 of [4, 4]"},
                                           Wrong{"DenseSize", [](Sparse& s) { s.levels[0].size = 4; },
                                                 "has a dense level of 4, expected 2"},
                                           Wrong{"Segment",
                                                 [](Sparse& s) {
                                                   s.levels[1].segments = {0, 1, 9};
                                                 },
                                                 "a segment that ends at 9 of 2"},
                                           Wrong{"Backwards",
                                                 [](Sparse& s) {
                                                   s.levels[1].segments = {0, 2, 1};
                                                 },
                                                 "a segment that ends at 1 of 2"},
                                           Wrong{"NoSegment",
                                                 [](Sparse& s) {
                                                   s.levels[1].segments = {0, 1};
                                                 },
                                                 "a place for each of its 8 values"},
                                           Wrong{"Index",
                                                 [](Sparse& s) {
                                                   s.levels[1].indices = {1, 2};
                                                 },
                                                 "has index 2 along a level of 2"},
                                           Wrong{"NegativeIndex",
                                                 [](Sparse& s) {
                                                   s.levels[1].indices = {1, -1};
                                                 },
                                                 "has index -1"},
                                           Wrong{"TooFew", [](Sparse& s) { s.values.pop_back(); },
                                                 "a place for each of its 7 values"},
                                           Wrong{"TooMany", [](Sparse& s) { s.values.push_back(9); },
                                                 "a place for each of its 9 values"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace qat
