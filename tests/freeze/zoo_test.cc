// Every network of the zoo freezes under every scheme, from a checkpoint as training would leave it.
#include <algorithm>

#include "base/random.h"
#include "freeze/freeze.h"
#include "spec/build_graph.h"
#include "support/test_util.h"

namespace qat {
namespace {

std::vector<float> Values(const ParameterSpec& parameter, Random& random) {
  std::vector<float> values(static_cast<size_t>(FlatSize(parameter.shape)));
  const bool variance = parameter.role == ParameterSpec::Role::kMovingVariance;
  for (float& value : values) value = static_cast<float>(random.Uniform() - (variance ? -0.1 : 0.5));
  return values;
}

Checkpoint CheckpointOf(const NetworkSpec& spec, const Graph& network, const std::string& scheme) {
  Checkpoint checkpoint;
  checkpoint.scheme = scheme;
  checkpoint.network = network;
  const Shape& input = spec.inputs.front().shape;
  checkpoint.contract.input().height = input[1];
  checkpoint.contract.input().width = input[2];
  checkpoint.contract.input().channels = input[3];
  checkpoint.contract.input().mean.assign(static_cast<size_t>(input[3]), 0);
  checkpoint.contract.input().std.assign(static_cast<size_t>(input[3]), 255);
  Random random(7);
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const std::string name = layer.name + "/" + std::string(parameter.suffix);
      checkpoint.tensors[name] = {parameter.shape, Values(parameter, random)};
      if (parameter.role == ParameterSpec::Role::kFilter && scheme == "uint8") {
        checkpoint.ranges[name] = {{-0.5f, 0.5f}, 0};
      }
    }
    if (layer.definition().output_quantization == OutputQuantization::kOwnRange) {
      checkpoint.ranges[layer.name] = {{-1, 2}, 0};
    }
  }
  checkpoint.metrics["fake_quantize"] = 1;
  return checkpoint;
}

class FreezeZoo : public ::testing::TestWithParam<std::string> {};

TEST_P(FreezeZoo, GivesAGraphOfTheSameShapesWithoutBatchNorms) {
  const auto spec = LoadNetworkSpec(GetParam());
  QAT_ASSERT_OK(spec);
  const auto network = BuildGraph(*spec);
  QAT_ASSERT_OK(network);
  for (const std::string scheme : {"uint8", "int8", "float32"}) {
    std::vector<std::string> warnings;
    const auto graph = Freeze(CheckpointOf(*spec, *network, scheme), {}, warnings);
    QAT_ASSERT_OK(graph);
    EXPECT_EQ(graph->tensor(graph->outputs[0]).shape, spec->layers.back().output_shape);
    int64_t trained_only = 0;
    for (const LayerSpec& layer : spec->layers) trained_only += layer.definition().builtin_code < 0 ? 1 : 0;
    EXPECT_EQ(std::ssize(graph->nodes), std::ssize(spec->layers) - trained_only);
    for (const GraphTensor& tensor : graph->tensors) {
      EXPECT_EQ(tensor.name.find("moving_"), std::string::npos) << tensor.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FreezeZoo, ::testing::ValuesIn(ZooNames()), [](const auto& network) {
  std::string name = network.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace qat
