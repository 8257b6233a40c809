// The zoo against what is published of its networks: parameters, shapes, multiply-accumulates.
#include <map>

#include "ir/range_groups.h"
#include "spec/network_spec.h"
#include "support/network_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

struct Counts {
  int64_t trainable = 0;  // filters, biases, slopes, gammas, betas
  int64_t moving = 0;     // what batch norms have seen
  int64_t macs = 0;
};

Counts CountsOf(const NetworkSpec& spec) {
  Counts counts;
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const bool moving = parameter.role == ParameterSpec::Role::kMovingMean ||
                          parameter.role == ParameterSpec::Role::kMovingVariance;
      (moving ? counts.moving : counts.trainable) += FlatSize(parameter.shape);
    }
    counts.macs += layer.multiply_accumulates;
  }
  return counts;
}

Counts Load(const std::string& name, const ScalingFlags& flags = {}) {
  const auto spec = LoadNetworkSpec(name, flags);
  EXPECT_TRUE(spec.ok()) << spec.error().message;
  return spec.ok() ? CountsOf(*spec) : Counts();
}

// MLPerf Tiny's Keras models have 78,666 and 24,908 parameters. Theirs have biases before batch norms: 240
// and 576.
TEST(Zoo, TheTinyModelsAreThoseOfMlperf) {
  const Counts resnet8 = Load("resnet8");
  EXPECT_EQ(resnet8.trainable + resnet8.moving, 78666 - 240);
  const Counts ds_cnn = Load("ds_cnn");
  EXPECT_EQ(ds_cnn.trainable + ds_cnn.moving, 24908 - 576);
}

// He et al. 2015 give 0.27 M; with convolutions in the shortcuts it is 272,474, and 41 M
// multiply-accumulates.
TEST(Zoo, Resnet20IsThatOfThePaper) {
  const Counts resnet20 = Load("resnet20");
  EXPECT_EQ(resnet20.trainable, 272474);
  EXPECT_NEAR(static_cast<double>(resnet20.macs), 41e6, 0.5e6);
}

// Keras' applications; the papers say 4.2 M and 569 M, 3.4 M and 300 M.
TEST(Zoo, MobilenetsAreThoseOfThePapers) {
  const Counts v1 = Load("mobilenet_v1");
  EXPECT_EQ(v1.trainable, 4231976);
  EXPECT_EQ(v1.moving, 21888);
  EXPECT_NEAR(static_cast<double>(v1.macs), 569e6, 1e6);
  const Counts v2 = Load("mobilenet_v2");
  EXPECT_EQ(v2.trainable, 3504872);
  EXPECT_EQ(v2.moving, 34112);
  EXPECT_NEAR(static_cast<double>(v2.macs), 300e6, 2e6);
}

// Keras' applications again: 475,544 with width 0.25, of which 5,472 are moving averages. The published table
// of v2 says 59 M and 1.66 M for width 0.35.
TEST(Zoo, WidthScalesMobilenetAsPublished) {
  const Counts quarter = Load("mobilenet_v1", {.width = 0.25});
  EXPECT_EQ(quarter.trainable + quarter.moving, 475544);
  EXPECT_EQ(quarter.moving, 5472);
  EXPECT_NEAR(static_cast<double>(quarter.macs), 41e6, 1e6);
  const Counts v2 = Load("mobilenet_v2", {.width = 0.35});
  EXPECT_NEAR(static_cast<double>(v2.macs), 59e6, 1e6);
  EXPECT_NEAR(static_cast<double>(v2.trainable), 1.66e6, 0.02e6);
}

TEST(Zoo, SmallImagesKeepTwoTimesTwoValuesAChannel) {
  for (const char* name : {"mobilenet_v1", "mobilenet_v2"}) {
    const auto spec = LoadNetworkSpec(name, {.width = 0.25, .resolution = 32, .classes = 10});
    QAT_ASSERT_OK(spec);
    EXPECT_EQ(spec->inputs.front().shape, (Shape{1, 32, 32, 3}));
    EXPECT_EQ(spec->layers.back().output_shape, (Shape{1, 10}));
    Shape last_image;
    for (const LayerSpec& layer : spec->layers) {
      if (layer.output_shape.size() == 4) last_image = layer.output_shape;
    }
    EXPECT_EQ(last_image[1], 2);
    EXPECT_EQ(last_image[2], 2);
    // What a checkpoint keeps gives the same network alone.
    const auto again = ParseNetworkSpec(spec->text, "checkpoint");
    QAT_ASSERT_OK(again);
    EXPECT_EQ(PrintNetwork(*BuildGraph(*again)), PrintNetwork(*BuildGraph(*spec)));
  }
}

TEST(Zoo, EveryNetworkParsesPrintsAndClassifies) {
  for (const std::string& name : ZooNames()) {
    const auto spec = LoadNetworkSpec(name);
    QAT_ASSERT_OK(spec);
    EXPECT_EQ(spec->layers.back().output_shape.size(), name == "unet" ? 4u : 2u) << name;
    const std::string printed = PrintNetwork(*BuildGraph(*spec));
    for (const LayerSpec& layer : spec->layers) {
      EXPECT_NE(printed.find(layer.name), std::string::npos) << name << " " << layer.name;
    }
  }
  EXPECT_EQ(ZooNames().size(), 10u);
}

TEST(Zoo, EveryNetworkFollowsTheClassesOfTheData) {
  for (const std::string& name : ZooNames()) {
    const auto spec = LoadNetworkSpec(name, {.classes = 4});
    QAT_ASSERT_OK(spec);
    EXPECT_EQ(spec->classes, 4) << name;
    EXPECT_EQ(spec->layers.back().output_shape.back(), 4) << name;
  }
}

// Concatenations tie what they join; gates have the range that TFLite prescribes.
TEST(Zoo, RangesAreThoseThatTfliteWants) {
  for (const char* name : {"unet", "se_net"}) {
    const Graph network = testing::ZooNetwork(name);
    const RangeGroups groups = FindRangeGroups(network);
    for (const GraphNode& node : network.nodes) {
      const auto group_of = [&](int32_t tensor) { return groups.of_tensor[static_cast<size_t>(tensor)]; };
      if (node.type == OpType::kConcatenation) {
        for (const int32_t input : node.inputs) EXPECT_EQ(group_of(input), group_of(node.output()));
      }
      EXPECT_EQ(groups.Of(node.output()).fixed_uint8.has_value(), node.type == OpType::kLogistic);
    }
  }
}

}  // namespace
}  // namespace qat
