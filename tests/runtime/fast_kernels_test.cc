// Every fast kernel against the reference, over random shapes; the reference itself is held against TFLite in
// tests/conformance and against plain double arithmetic in kernels_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/random_models.h"
#include "support/run_model.h"

namespace qat {
namespace {

using testing::Open;

struct Ran {
  std::vector<uint8_t> output;
  std::vector<std::string> kernels;
};

Ran RunWith(const testing::RandomModel& random, KernelSet kernels) {
  InterpreterOptions options;
  options.kernels = kernels;
  const auto interpreter = Open(random.bytes, options);
  // A second run on the dirty arena must not differ from the first.
  for (int run = 0; run < 2; ++run) {
    std::copy(random.input.begin(), random.input.end(), interpreter->input(0).begin());
    interpreter->Invoke();
  }
  const auto output = interpreter->output(0);
  return {{output.begin(), output.end()}, interpreter->KernelNames()};
}

TEST(FastKernels, EqualTheReferenceByteForByteOnRandomModels) {
  std::map<std::string, int> uses;
  for (uint64_t seed = 10000; seed < 13000; ++seed) {
    const testing::RandomModel random = testing::MakeRandomModel(seed);
    const Ran fast = RunWith(random, KernelSet::kFast);
    ASSERT_EQ(fast.output, RunWith(random, KernelSet::kReference).output)
        << "seed " << seed << ": " << random.description;
    for (const std::string& kernel : fast.kernels) ++uses[kernel];
  }
  // That the comparison was not one of the reference with itself.
  EXPECT_GE(uses["conv_2d/portable"], 600);
  EXPECT_GE(uses["fully_connected/portable"], 400);
  EXPECT_GE(uses["max_pool_2d/portable"], 300);
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
