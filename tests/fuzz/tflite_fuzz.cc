// A .tflite: load, show, import, prepare, invoke.
#include "fuzz/flatbuffer_mutator.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/pipeline.h"
#include "fuzz/seeds.h"
#include "support/model_builder.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) { RunModel(Bytes(bytes.begin(), bytes.end())); }

/// What the importer puts together again: a dilated convolution, a softplus, an exponential below 0.
Bytes ApartAsExported() {
  testing::ModelBuilder builder;
  const auto real = [&](const char* name, const Shape& shape) {
    return builder.AddTensor(name, shape, DType::kFloat32);
  };
  const auto add = [&](tflite::BuiltinOperator code, std::vector<int32_t> inputs, int32_t output) {
    builder.AddOperator(code, inputs, {output});
    return output;
  };
  const int32_t block = builder.AddConstant<int32_t>("block", {2}, {2, 2}),
                borders = builder.AddConstant<int32_t>("borders", {2, 2}, {1, 1, 1, 1}),
                none = builder.AddConstant<int32_t>("none", {2, 2}, {0, 0, 0, 0}),
                one = builder.AddConstant<float>("one", {}, {1}),
                zero = builder.AddConstant<float>("zero", {}, {0}),
                filter = builder.AddConstant<float>("w", {2, 2, 2, 2}, std::vector<float>(16, 0.25f)),
                bias = builder.AddConstant<float>("b", {2}, {0.5f, -0.5f});
  const int32_t x = real("x", {1, 6, 6, 2});
  const int32_t apart =
      add(tflite::BuiltinOperator_SPACE_TO_BATCH_ND, {x, block, borders}, real("apart", {4, 4, 4, 2}));
  const int32_t sums = real("sums", {4, 3, 3, 2});
  Conv2DAttributes valid;
  valid.padding = Padding::kValid;
  builder.AddConv2D(apart, filter, bias, sums, valid);
  const Shape shape = {1, 6, 6, 2};
  const int32_t together =
      add(tflite::BuiltinOperator_BATCH_TO_SPACE_ND, {sums, block, none}, real("together", shape));
  const int32_t exp = add(tflite::BuiltinOperator_EXP, {together}, real("exp", shape));
  const int32_t more = add(tflite::BuiltinOperator_ADD, {exp, one}, real("more", shape));
  const int32_t softplus = add(tflite::BuiltinOperator_LOG, {more}, real("softplus", shape));
  const int32_t below = builder.AddTensor("below", shape, DType::kBool);
  add(tflite::BuiltinOperator_GREATER, {softplus, zero}, below);
  const int32_t other = add(tflite::BuiltinOperator_EXP, {softplus}, real("other", shape));
  const int32_t less = add(tflite::BuiltinOperator_SUB, {other, one}, real("less", shape));
  const int32_t y = add(tflite::BuiltinOperator_SELECT_V2, {below, softplus, less}, real("y", shape));
  builder.signatures = {{"main", 0, {"picture", static_cast<uint32_t>(x)}, {"map", static_cast<uint32_t>(y)}},
                        {"other", 0, {"x", static_cast<uint32_t>(x)}, {"y", static_cast<uint32_t>(sums)}}};
  return builder.Finish({x}, {y});
}

Bytes Embedding() {
  testing::ModelBuilder builder;
  const int32_t ids = builder.AddTensor("ids", {1, 3}, DType::kInt32);
  const int32_t table = builder.AddConstant<float>("table", {3, 2}, {0, 1, 10, 11, 20, 21});
  const int32_t rows = builder.AddTensor("rows", {1, 3, 2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_GATHER, {table, ids}, {rows});
  return builder.Finish({ids}, {rows});
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = SeedModels();
  seeds.push_back(ApartAsExported());
  seeds.push_back(Embedding());
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) { MutateTables(TableKind::kModel, random, bytes); }

}  // namespace

FuzzTarget TfliteTarget() { return {"tflite", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
