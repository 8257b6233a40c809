// Every fast kernel against the reference, over more than 10,000 random shapes for each instruction set that
// its kernels really run (the least of each test is at its end); the reference itself is held against TFLite
// in tests/conformance and against plain double arithmetic in kernels_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "support/random_hybrids.h"
#include "support/random_models.h"
#include "support/random_operators.h"
#include "support/run_model.h"

namespace qat {
namespace {

using testing::Open;

struct Ran {
  DType type;
  std::vector<uint8_t> output;
  std::vector<std::string> kernels;
};

Ran RunWith(const testing::RandomModel& random, KernelSet kernels, Isa isa, int threads = 1) {
  InterpreterOptions options;
  options.threads = threads;
  options.kernels = kernels;
  options.isa = isa;
  const auto interpreter = Open(random.bytes, options);
  // A second run on the dirty arena must not differ from the first.
  for (int run = 0; run < 2; ++run) {
    std::copy(random.input.begin(), random.input.end(), interpreter->input(0).begin());
    interpreter->Invoke();
  }
  const auto output = interpreter->output(0);
  const Model& model = interpreter->model();
  const DType type = model.tensors()[static_cast<size_t>(model.outputs()[0])].type;
  return {type, {output.begin(), output.end()}, interpreter->KernelNames()};
}

// Integers byte for byte, and floats of the portable kernels too. Others fuse each product with its sum: what
// they round once less is small beside the largest output, of short sums of like magnitudes.
void ExpectEqual(const Ran& fast, const Ran& reference, Isa isa) {
  if (reference.type != DType::kFloat32 || isa == Isa::kPortable) {
    ASSERT_EQ(fast.output, reference.output);
    return;
  }
  const auto floats = [](const std::vector<uint8_t>& bytes) {
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  const std::vector<float> ours = floats(fast.output), expected = floats(reference.output);
  float largest = 1;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(ours[i], expected[i], 1e-5f * largest);
}

// Cases by instruction set; those that this machine lacks are not there.
class FastKernelsOf : public ::testing::TestWithParam<Isa> {
 protected:
  std::string Name(const std::string& op) const { return op + "/" + std::string(NameOf(GetParam())); }
  /// Models of bytes of `seeds` seeds from 0 on, fast against reference; each is counted.
  void CompareBytes(testing::RandomModel (*make)(uint64_t), uint64_t seeds) {
    for (uint64_t seed = 0; seed < seeds; ++seed) {
      const testing::RandomModel random = make(seed);
      const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
      ASSERT_EQ(fast.output, RunWith(random, KernelSet::kReference, GetParam()).output)
          << "seed " << seed << ": " << random.description;
      Count(fast);
    }
  }
  /// Counts a model that a kernel of this instruction set ran, wholly or in part: one that was really
  /// compared.
  void Count(const Ran& fast) {
    counted_ += std::any_of(fast.kernels.begin(), fast.kernels.end(),
                            [](const std::string& kernel) { return kernel.ends_with(NameOf(GetParam())); });
  }
  int counted_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Isa, FastKernelsOf, ::testing::ValuesIn(AvailableIsas()),
                         [](const auto& test) { return std::string(NameOf(test.param)); });

TEST_P(FastKernelsOf, EqualTheReferenceOnRandomModels) {
  std::map<std::string, int> uses;
  for (uint64_t seed = 10000; seed < 14000; ++seed) {
    const testing::RandomModel random = testing::MakeRandomModel(seed);
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    SCOPED_TRACE(StrCat("seed ", seed, ": ", random.description));
    ExpectEqual(fast, RunWith(random, KernelSet::kReference, GetParam()), GetParam());
    if (HasFatalFailure()) return;
    for (const std::string& kernel : fast.kernels) ++uses[kernel];
    Count(fast);
  }
  // That the comparison was not one of the reference with itself.
  EXPECT_GE(uses[Name("conv_2d")], 300);
  EXPECT_GE(uses[Name("fully_connected")], 200);
  EXPECT_GE(uses["max_pool_2d/portable"] + uses[Name("max_pool_2d")], 300);
  EXPECT_GE(counted_, 2400);
}

TEST_P(FastKernelsOf, EqualTheReferenceAroundTheWidthsOfRegisters) {
  ASSERT_NO_FATAL_FAILURE(CompareBytes(testing::MakeWideRandomModel, 3500));
  EXPECT_EQ(counted_, 3500);
}

TEST_P(FastKernelsOf, EqualTheReferenceWhereWindowsShareColumns) {
  ASSERT_NO_FATAL_FAILURE(CompareBytes(testing::MakeColumnsRandomModel, 600));
  EXPECT_EQ(counted_, 600);
}

TEST_P(FastKernelsOf, EqualTheReferenceOnDepthwiseConvolutions) {
  ASSERT_NO_FATAL_FAILURE(CompareBytes(testing::MakeRandomDepthwise, 3200));
  // Without vectors a depth multiplier over 1 is left to the reference.
  EXPECT_GE(counted_, GetParam() == Isa::kPortable ? 1850 : 3000);
}

TEST_P(FastKernelsOf, EqualTheReferenceOnFloatDepthwiseConvolutions) {
  for (uint64_t seed = 0; seed < 1600; ++seed) {
    const testing::RandomModel random = testing::MakeRandomFloatDepthwise(seed);
    SCOPED_TRACE(StrCat("seed ", seed, ": ", random.description));
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    ExpectEqual(fast, RunWith(random, KernelSet::kReference, GetParam()), GetParam());
    if (HasFatalFailure()) return;
    ASSERT_EQ(RunWith(random, KernelSet::kFast, GetParam(), 3).output, fast.output);
    Count(fast);
  }
  EXPECT_GE(counted_, GetParam() == Isa::kPortable ? 900 : 1500);
}

TEST_P(FastKernelsOf, EqualTheReferenceWithAMaxPoolAfterAConvolution) {
  int fused = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const testing::RandomModel random = testing::MakePooledRandomModel(seed);
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    const Ran reference = RunWith(random, KernelSet::kReference, GetParam());
    ASSERT_EQ(fast.output, reference.output) << "seed " << seed << ": " << random.description;
    ASSERT_EQ(reference.kernels[1], "max_pool_2d/reference");
    fused += fast.kernels[1] == "max_pool_2d/fused" ? 1 : 0;
    Count(fast);
  }
  EXPECT_EQ(counted_, 2000);
  if (GetParam() == Isa::kPortable) {
    EXPECT_EQ(fused, 0);
  } else {
    EXPECT_GE(fused, 400);
    EXPECT_LE(fused, 1900);
  }
}

TEST_P(FastKernelsOf, EqualTheReferenceOnAllOtherOperators) {
  std::map<std::string, int> uses;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    const testing::RandomModel random = testing::MakeRandomOperator(seed);
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    SCOPED_TRACE(StrCat("seed ", seed, ": ", random.description));
    ExpectEqual(fast, RunWith(random, KernelSet::kReference, GetParam()), GetParam());
    if (HasFatalFailure()) return;
    for (const std::string& kernel : fast.kernels) ++uses[kernel];
    Count(fast);
  }
  EXPECT_GE(uses["transpose/portable"], 20);
  EXPECT_GE(uses["slice/portable"] + uses["strided_slice/portable"], 20);
  EXPECT_GE(uses["transpose_conv/portable"] + uses[Name("transpose_conv")], 20);
  EXPECT_GE(uses[Name("transpose_conv")], 20);
  EXPECT_GE(uses[Name("mul")], GetParam() == Isa::kPortable ? 0 : 20);
  EXPECT_GE(counted_, 350);
}

TEST_P(FastKernelsOf, EqualTheReferenceOnInt16) {
  std::map<std::string, int> uses;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    const testing::RandomModel random = testing::MakeRandomInt16Operator(seed);
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    const Ran reference = RunWith(random, KernelSet::kReference, GetParam());
    ASSERT_EQ(fast.output, reference.output) << "seed " << seed << ": " << random.description;
    ASSERT_EQ(RunWith(random, KernelSet::kFast, GetParam(), 3).output, fast.output) << seed;
    for (const std::string& kernel : fast.kernels) ++uses[kernel];
  }
  const bool vectors = GetParam() != Isa::kPortable;
  EXPECT_GE(uses[Name("conv_2d")], vectors ? 150 : 0);
  EXPECT_GE(uses[Name("fully_connected")], vectors ? 150 : 0);
  EXPECT_GE(uses["depthwise_conv_2d/portable"], 40);
}

// Sums beyond int32: 5000 products of the largest values, in as many products as hold them.
TEST_P(FastKernelsOf, SumsOfInt16DoNotOverflow) {
  for (const int32_t depth : {503, 504, 505, 1009, 5000}) {
    testing::ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {2, depth}, DType::kInt16, testing::Quantized(1, 0));
    const int32_t w = builder.AddConstant(
        "w", {3, depth}, std::vector<int8_t>(static_cast<size_t>(3 * depth), -128), testing::Quantized(1, 0));
    const int32_t y = builder.AddTensor("y", {2, 3}, DType::kInt16, testing::Quantized(1e6f, 0));
    builder.AddFullyConnected(x, w, -1, y, Activation::kNone);
    testing::RandomModel model;
    model.bytes = builder.Finish({x}, {y});
    const std::vector<int16_t> lowest(static_cast<size_t>(2 * depth), -32768);
    model.input.resize(lowest.size() * sizeof(int16_t));
    std::memcpy(model.input.data(), lowest.data(), model.input.size());
    const Ran fast = RunWith(model, KernelSet::kFast, GetParam());
    std::vector<int16_t> output(6);
    std::memcpy(output.data(), fast.output.data(), fast.output.size());
    const auto expected = static_cast<int16_t>(std::round(depth * 32768.0 * 128 / 1e6));
    EXPECT_EQ(output, std::vector<int16_t>(6, expected)) << depth;
  }
}

TEST_P(FastKernelsOf, EqualTheReferenceOnHybridLayers) {
  std::map<std::string, int> uses;
  for (uint64_t seed = 0; seed < 900; ++seed) {
    const testing::RandomModel random = testing::MakeRandomHybrid(seed);
    const Ran fast = RunWith(random, KernelSet::kFast, GetParam());
    ASSERT_EQ(fast.output, RunWith(random, KernelSet::kReference, GetParam()).output)
        << "seed " << seed << ": " << random.description;
    for (const std::string& kernel : fast.kernels) ++uses[kernel];
  }
  EXPECT_GE(uses[Name("conv_2d")], GetParam() == Isa::kPortable ? 0 : 150);
  EXPECT_GE(uses[Name("fully_connected")], GetParam() == Isa::kPortable ? 0 : 200);
}

// y = x + b or x - b over all 65,536 pairs of bytes.
testing::RandomModel AllPairs(uint64_t seed) {
  Random random(seed);
  const bool is_signed = seed % 2 == 0, subtracts = seed % 4 >= 2;
  const DType type = is_signed ? DType::kInt8 : DType::kUInt8;
  const auto quantization = [&](float scale) {
    return testing::Quantized(scale, random.Between(0, 255) - (is_signed ? 128 : 0));
  };
  // Every eighth pair of scales has a simple ratio, whose outputs are often ties.
  const float scale = 0.01f + 0.1f * random.Uniform();
  const float other = seed % 8 == 0 ? scale * 0.5f : 0.01f + 0.1f * random.Uniform();
  testing::RandomModel model;
  std::vector<uint8_t> b;
  for (int pair = 0; pair < 65536; ++pair) {
    model.input.push_back(static_cast<uint8_t>(pair));
    b.push_back(static_cast<uint8_t>(pair >> 8));
  }
  testing::ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 65536}, type, quantization(scale));
  const auto quantization_b = quantization(other);
  const int32_t constant =
      is_signed
          ? builder.AddConstant("b", {1, 65536}, std::vector<int8_t>(b.begin(), b.end()), quantization_b)
          : builder.AddConstant("b", {1, 65536}, b, quantization_b);
  const float output_scale = seed % 8 == 0 ? scale * 2 : 0.02f + 0.15f * random.Uniform();
  const int32_t y = builder.AddTensor("y", {1, 65536}, type, quantization(output_scale));
  builder.AddOperator(subtracts ? tflite::BuiltinOperator_SUB : tflite::BuiltinOperator_ADD, {x, constant},
                      {y});
  model.bytes = builder.Finish({x}, {y});
  return model;
}

TEST_P(FastKernelsOf, SumsOfAllPairsOfBytesEqualTheReference) {
  ASSERT_NO_FATAL_FAILURE(CompareBytes(AllPairs, 200));
}

// Six units of a 1x1 convolution on all 65,536 pairs of bytes: their sums cover what lies around the edges
// between two outputs, finely or coarsely.
testing::RandomModel AllSums(uint64_t seed) {
  constexpr int32_t kUnits = 6;
  Random random(seed);
  const bool is_signed = seed % 2 == 0;
  const DType type = is_signed ? DType::kInt8 : DType::kUInt8;
  const int32_t lowest = is_signed ? -128 : 0;
  const int32_t reach = random.Below(2) == 0 ? 127 : random.Between(1, 12);
  std::vector<int32_t> weights, bias;
  for (int32_t i = 0; i < 2 * kUnits; ++i) weights.push_back(random.Between(-reach, reach));
  const int32_t shift =
      random.Below(3) == 0 ? random.Between(0, 1 << 21) : 0;  // large sums of small differences
  for (int32_t i = 0; i < kUnits; ++i) bias.push_back(shift + random.Between(-100, 100));
  // An output step is a fourth to four times what a weight makes of an input step, or a part of large sums
  // that differ finely.
  // Every fourth scale makes ties.
  const float steps = shift == 0 ? static_cast<float>(reach) * 2 * std::exp2(4 * random.Uniform() - 2)
                                 : static_cast<float>(shift + 10000) / (50 + 200 * random.Uniform());
  const float output_scale = seed % 4 == 0 ? std::exp2(std::round(std::log2(steps))) : steps;
  const int32_t zero_point = lowest + (shift == 0 ? random.Between(0, 255) : 0);
  testing::RandomModel model;
  for (int pair = 0; pair < 65536; ++pair) {
    model.input.push_back(static_cast<uint8_t>(pair));
    model.input.push_back(static_cast<uint8_t>(pair >> 8));
  }
  testing::ModelBuilder builder;
  const int32_t x =
      builder.AddTensor("x", {1, 256, 256, 2}, type, testing::Quantized(1, random.Between(0, 255) + lowest));
  const auto filter = [&](auto element) {
    using T = decltype(element);
    std::vector<T> values;
    for (const int32_t weight : weights)
      values.push_back(static_cast<T>(weight - (is_signed ? 0 : lowest - 128)));
    return builder.AddConstant("w", {kUnits, 1, 1, 2}, values, testing::Quantized(1, is_signed ? 0 : 128));
  };
  const int32_t w = is_signed ? filter(int8_t{}) : filter(uint8_t{});
  const int32_t b = builder.AddConstant("b", {kUnits}, bias, testing::Quantized(1, 0));
  const int32_t y =
      builder.AddTensor("y", {1, 256, 256, kUnits}, type, testing::Quantized(output_scale, zero_point));
  Conv2DAttributes attributes;
  attributes.activation = seed % 3 == 0 ? Activation::kRelu : Activation::kNone;
  builder.AddConv2D(x, w, b, y, attributes);
  model.bytes = builder.Finish({x}, {y});
  return model;
}

TEST_P(FastKernelsOf, AllSumsOfTwoProductsEqualTheReference) {
  ASSERT_NO_FATAL_FAILURE(CompareBytes(AllSums, 120));
  EXPECT_EQ(counted_, 120);
}

// Few of the cases are work enough for more than one thread.
TEST_P(FastKernelsOf, EqualTheReferenceOnThreeThreads) {
  for (uint64_t seed = 5000; seed < 5600; ++seed) {
    const testing::RandomModel random = seed % 3 == 0   ? testing::MakeWideRandomModel(seed)
                                        : seed % 3 == 1 ? testing::MakeRandomDepthwise(seed)
                                                        : testing::MakePooledRandomModel(seed);
    ASSERT_EQ(RunWith(random, KernelSet::kFast, GetParam(), 3).output,
              RunWith(random, KernelSet::kReference, GetParam()).output)
        << "seed " << seed << ": " << random.description;
  }
}

TEST_P(FastKernelsOf, ThreadsShareFewRowsByTheirUnits) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const testing::RandomModel random = testing::MakeFewRowsRandomModel(seed);
    SCOPED_TRACE(StrCat("seed ", seed, ": ", random.description));
    const Ran alone = RunWith(random, KernelSet::kFast, GetParam());
    // Long sums of floats are further from the reference than what a clamp leaves of them; of threads they
    // are equal.
    if (alone.type != DType::kFloat32) {
      ASSERT_EQ(alone.output, RunWith(random, KernelSet::kReference, GetParam()).output);
    }
    for (const int threads : {2, 3}) {
      ASSERT_EQ(RunWith(random, KernelSet::kFast, GetParam(), threads).output, alone.output) << threads;
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(FastKernelsOf, ThreadsShareTheImagesOfABatch) {
  for (uint64_t seed = 0; seed < 80; ++seed) {
    const testing::RandomModel random = testing::MakeBatchRandomModel(seed);
    SCOPED_TRACE(StrCat("seed ", seed, ": ", random.description));
    const Ran alone = RunWith(random, KernelSet::kFast, GetParam());
    ExpectEqual(alone, RunWith(random, KernelSet::kReference, GetParam()), GetParam());
    if (HasFatalFailure()) return;
    for (const int threads : {2, 3, 4}) {
      ASSERT_EQ(RunWith(random, KernelSet::kFast, GetParam(), threads).output, alone.output) << threads;
    }
  }
}

TEST(FastKernels, LeaveAWideDilationToTheReference) {
  testing::ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 2, 2, 1}, DType::kFloat32);
  const int32_t filter = builder.AddConstant<float>("w", {1, 2, 2, 1}, {1, 2, 3, 4});
  const int32_t bias = builder.AddConstant<float>("b", {1}, {0});
  const int32_t output = builder.AddTensor("y", {1, 2, 2, 1}, DType::kFloat32);
  Conv2DAttributes attributes;
  attributes.dilation_h = attributes.dilation_w = 1000000;
  builder.AddConv2D(input, filter, bias, output, attributes);
  const auto interpreter = Open(builder.Finish({input}, {output}));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(interpreter->KernelNames(), std::vector<std::string>{"conv_2d/reference"});
  EXPECT_LT(interpreter->arena_size(), 4096u);
}

TEST(FastKernels, TakeOnlyConstantFilters) {
  testing::ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 2}, DType::kFloat32);
  const int32_t filter = builder.AddTensor("w", {2, 2}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {1, 2}, DType::kFloat32);
  builder.AddFullyConnected(input, filter, -1, output, Activation::kNone);
  const auto interpreter = Open(builder.Finish({input, filter}, {output}));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(interpreter->KernelNames(), std::vector<std::string>{"fully_connected/reference"});
}

}  // namespace
}  // namespace qat
