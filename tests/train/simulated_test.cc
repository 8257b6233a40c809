// The exact simulation of layers at the edges of integers, beside the deployed model.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "support/test_util.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/network.h"
#include "train/tiny.h"

namespace qat {
namespace {

// A layer of which training saw nothing but 0, and that later data wake: its steps are the smallest there
// are, and its sums lie far beyond them.
TEST(Simulated, ADeadLayerThatWakesIsAsInTheModel) {
  for (const std::string scheme : {"uint8", "int8"}) {
    ModuleOptions options;
    options.precisions = *PrecisionsFromName(scheme);
    Checkpoint checkpoint;
    checkpoint.scheme = scheme;
    checkpoint.network = testing::Parsed(testing::kTinySpec);
    const Shape& input = checkpoint.network.tensor(checkpoint.network.inputs[0]).shape;
    checkpoint.contract = {
        input[1], input[2], input[3], std::vector<float>(input[3], 100), std::vector<float>(input[3], 0.06f),
        {}};
    Bytes bytes(static_cast<size_t>(16 * FlatSize(input)));
    Random random(9);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Between(0, 255));
    auto network = Network::Create(checkpoint.network, options);
    QAT_ASSERT_OK(network);
    (*network)->SetInputs(checkpoint.contract);
    const at::NoGradGuard no_gradients;
    (*network)->Forward(
        {RealImages(checkpoint.contract.input(), MakeRealTable(checkpoint.contract.input()), bytes)},
        {.observe = true});
    (*network)->Save(checkpoint);
    const std::string last = checkpoint.network.tensor(checkpoint.network.outputs[0]).name;
    for (const std::string& layer : {std::string("conv1"), std::string("fc1"), last}) {
      SCOPED_TRACE(scheme + " " + layer);
      Checkpoint dead = checkpoint;
      dead.ranges.at(layer).range = {0, 0};
      const auto simulated = Network::FromCheckpoint(dead);
      QAT_ASSERT_OK(simulated);
      const SimulatedTensor images =
          QuantizedImages(checkpoint.contract.input(), options.precisions.activations, bytes);
      const auto interpreter = testing::Deploy(dead, options.precisions);
      QAT_ASSERT_OK(interpreter);
      const std::vector<double> deployed = scheme == "uint8"
                                               ? testing::RunImages<uint8_t>(**interpreter, images)
                                               : testing::RunImages<int8_t>(**interpreter, images);
      EXPECT_EQ(testing::ValuesInNhwc((*simulated)->Simulate({images}).front().values), deployed);
    }
  }
}

}  // namespace
}  // namespace qat
