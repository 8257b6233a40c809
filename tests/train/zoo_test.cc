// Every network of the zoo, in training: all its parameters learn, and its exact simulation is the deployed
// model.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/random.h"
#include "support/network_of.h"
#include "support/test_util.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/network.h"

namespace qat {
namespace {

// Small where its spec can be scaled.
Graph SmallFromZoo(const std::string& name) {
  const ScalingFlags small = {.width = 0.25, .resolution = 32, .classes = 10};
  return LoadNetworkSpec(name, small).ok() ? testing::ZooNetwork(name, small) : testing::ZooNetwork(name);
}

class Zoo : public ::testing::TestWithParam<std::tuple<std::string, Scheme>> {
 protected:
  void SetUp() override {
    checkpoint_.network = SmallFromZoo(std::get<0>(GetParam()));
    auto network = Network::Create(checkpoint_.network, {.seed = 5, .precisions = PrecisionsOf(scheme())});
    QAT_ASSERT_OK(network);
    network_ = *std::move(network);
    const Shape& input = checkpoint_.network.tensor(checkpoint_.network.inputs[0]).shape;
    const auto channels = static_cast<size_t>(input[3]);
    checkpoint_.contract = {
        input[1], input[2], input[3], std::vector<float>(channels, 128), std::vector<float>(channels, 64),
        {}};
    checkpoint_.scheme = NameOf(scheme());
    network_->SetInputs(checkpoint_.contract);
    Random random(9);
    images_.resize(static_cast<size_t>(3 * checkpoint_.contract.input().ImageSize()));
    for (uint8_t& byte : images_) byte = static_cast<uint8_t>(random.Between(0, 255));
  }

  Scheme scheme() const { return std::get<1>(GetParam()); }
  at::Tensor RealInput() const {
    return RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), images_);
  }

  std::unique_ptr<Network> network_;
  Checkpoint checkpoint_;
  Bytes images_;
};

INSTANTIATE_TEST_SUITE_P(All, Zoo,
                         ::testing::Combine(::testing::ValuesIn(ZooNames()),
                                            ::testing::Values(Scheme::kUInt8, Scheme::kInt8)),
                         [](const auto& each) {
                           std::string name = std::get<0>(each.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::string(NameOf(std::get<1>(each.param)));
                         });

TEST_P(Zoo, EveryParameterLearns) {
  network_->Forward({RealInput()}, {.training = true, .observe = true});
  const at::Tensor output =
      network_->Forward({RealInput()}, {.training = true, .observe = true, .fake_quantize = true}).front();
  output.pow(2).sum().backward();
  for (const Parameter& parameter : network_->parameters()) {
    if (!parameter.IsTrained()) continue;
    ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
    EXPECT_GT(parameter.value.grad().abs().sum().item<double>(), 0) << parameter.name;
  }
}

TEST_P(Zoo, SimulatesTheDeployedBytes) {
  const at::NoGradGuard no_gradients;
  // Normalized by the batch, then with the averages that deployment folds.
  for (const bool training : {true, true, false}) {
    network_->Forward({RealInput()}, {.training = training, .observe = true, .fake_quantize = true});
  }
  network_->Save(checkpoint_);
  const SimulatedTensor input =
      QuantizedImages(checkpoint_.contract.input(), PrecisionsOf(scheme()).activations, images_);
  const auto interpreter = testing::Deploy(checkpoint_, scheme());
  QAT_ASSERT_OK(interpreter);
  const std::vector<double> deployed = testing::RunImages(scheme(), **interpreter, input);
  EXPECT_EQ(testing::ValuesInNhwc(network_->Simulate({input}).front().values), deployed);
  EXPECT_GT(std::set<double>(deployed.begin(), deployed.end()).size(), 5u) << "the outputs are all alike";
}

}  // namespace
}  // namespace qat
