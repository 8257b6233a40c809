#include "spec/auto_network.h"

#include <gtest/gtest.h>

#include <array>

#include "spec/auto_recipe.h"
#include "spec/build_graph.h"
#include "support/test_util.h"

namespace qat {
namespace {

DataFacts Facts(int32_t height, int32_t width, int32_t channels, int32_t classes, int32_t targets = 0) {
  DataFacts data;
  data.height = height;
  data.width = width;
  data.channels = channels;
  data.classes = classes;
  data.targets = targets;
  if (targets > 0) data.task = Task::kNumbers;
  return data;
}

NetworkSpec Chosen(const DataFacts& data) {
  const AutoNetwork network = ChooseNetwork(data);
  auto spec = ParseNetworkSpec(network.text, network.name);
  EXPECT_TRUE(spec.ok()) << spec.error().message;
  return *std::move(spec);
}

TEST(ChooseNetwork, FitsInputsOfAnyShape) {
  const int32_t sizes[] = {1, 2, 3, 5, 8, 13, 27, 32, 49, 100, 224, 1000};
  for (const int32_t height : sizes) {
    for (const int32_t width : sizes) {
      for (const int32_t channels : {1, 3, 6}) {
        for (const int32_t targets : {0, 4}) {
          const DataFacts data = Facts(height, width, channels, targets > 0 ? 0 : 7, targets);
          SCOPED_TRACE(::testing::Message() << height << "x" << width << "x" << channels << " " << targets);
          const NetworkSpec spec = Chosen(data);
          EXPECT_EQ(spec.inputs.front().shape, (Shape{1, height, width, channels}));
          EXPECT_EQ(spec.layers.back().output_shape, (Shape{1, data.Outputs()}));
          EXPECT_LT(FactsOf(*BuildGraph(spec)).parameters, 600'000) << "small, whatever the data";
        }
      }
    }
  }
}

TEST(ChooseNetwork, GivesAScoreForEachClassInEachLabelledPlace) {
  for (const auto& [height, width, label_height, label_width] : {std::array{24, 24, 24, 24},
                                                                 {37, 21, 37, 21},
                                                                 {64, 48, 16, 12},
                                                                 {5, 9, 5, 9},
                                                                 {40, 40, 13, 7},
                                                                 {2, 2, 2, 2}}) {
    DataFacts data = Facts(height, width, 3, 5);
    data.label_height = label_height;
    data.label_width = label_width;
    const NetworkSpec spec = Chosen(data);
    EXPECT_EQ(spec.layers.back().output_shape, (Shape{1, label_height, label_width, 5}));
  }
}

TEST(ChooseNetwork, TakesLenetForGreyImagesOfItsSizeOnly) {
  EXPECT_EQ(ChooseNetwork(Facts(28, 28, 1, 10)).name, "lenet");
  EXPECT_EQ(ChooseNetwork(Facts(28, 28, 1, 26)).name, "lenet");
  EXPECT_EQ(ChooseNetwork(Facts(28, 28, 3, 10)).name, "residual");
  EXPECT_EQ(ChooseNetwork(Facts(28, 28, 1, 0, 1)).name, "residual");
  EXPECT_EQ(ChooseNetwork(Facts(1, 1, 30, 3)).name, "perceptron");
  EXPECT_EQ(ChooseNetwork(Facts(1, 128, 2, 4)).name, "signal");
  EXPECT_EQ(ChooseNetwork(Facts(251, 1, 1, 3)).name, "signal");
}

TEST(ChooseNetwork, IsANetworkOfItsOwnWhereItIsReadAgain) {
  const AutoNetwork network = ChooseNetwork(Facts(56, 72, 3, 4));
  EXPECT_NE(network.text.find("classes = 4\n"), std::string::npos);
  EXPECT_NE(network.reason.find("residual"), std::string::npos);
}

}  // namespace
}  // namespace qat
