#include "spec/scaling.h"

#include "spec/parse.h"
#include "support/test_util.h"

namespace qat {
namespace {

// Filters of MobileNet v1 and v2 as published for these widths, of 32, 96, 24 and 1280 at width 1.
TEST(ScaledFilters, RoundAsThePublishedModelsDo) {
  EXPECT_EQ(ScaledFilters(32, 0.25, 8), 8);
  EXPECT_EQ(ScaledFilters(32, 0.5, 8), 16);
  EXPECT_EQ(ScaledFilters(32, 0.35, 8), 16);  // 11.2: 8 would be less than nine tenths
  EXPECT_EQ(ScaledFilters(96, 0.35, 8), 32);  // 33.6
  EXPECT_EQ(ScaledFilters(24, 0.75, 8), 24);  // 18: 16 is less than 16.2
  EXPECT_EQ(ScaledFilters(1280, 1.4, 8), 1792);
  EXPECT_EQ(ScaledFilters(3, 0.1, 8), 8);
  EXPECT_EQ(ScaledFilters(10, 1.5, 1), 15);
}

TEST(ScaledFilters, AreMultiplesNearWhatWasAskedFor) {
  for (int32_t filters = 1; filters <= 300; ++filters) {
    for (const double width : {0.1, 0.25, 0.6, 1.3}) {
      const int32_t scaled = ScaledFilters(filters, width, 8);
      EXPECT_EQ(scaled % 8, 0);
      EXPECT_GE(scaled, 0.9 * filters * width);
      EXPECT_LE(scaled, filters * width + 8);
    }
  }
}

std::string Scaled(const std::string& head) {
  return "name = \"n\"\n" + head + "[input]\nchannels = 3\n" +
         testing::Layer("a", "conv_2d", "filters = 32\nkernel = 3\nstride = 2\nstride_from = 96\n") +
         testing::Layer("b", "conv_2d", "filters = 10\nkernel = 1\nscale_width = false\n");
}

TEST(Scaling, WidthAndResolutionScaleTheWholeNetwork) {
  const auto small = ParseNetworkSpec(Scaled("width = 0.25\nresolution = 32\n"), "n.toml");
  QAT_ASSERT_OK(small);
  EXPECT_EQ(small->layers[0].output_shape, (Shape{1, 32, 32, 8}));
  EXPECT_EQ(small->layers[1].output_shape, (Shape{1, 32, 32, 10}));
  const auto large = ParseNetworkSpec(Scaled("resolution = 96\n"), "n.toml");
  QAT_ASSERT_OK(large);
  EXPECT_EQ(large->layers[0].output_shape, (Shape{1, 48, 48, 32}));
}

TEST(Scaling, FiltersFollowTheChannelsThatAreReadOrTheClasses) {
  const std::string text =
      "name = \"n\"\nwidth = 0.35\nclasses = 7\n[input]\nheight = 4\nwidth = 4\nchannels = 1\n" +
      testing::Layer("a", "conv_2d", "filters = 16\nkernel = 1\n") +
      testing::Layer("b", "conv_2d", "filters = \"6x\"\nkernel = 1\n") +
      testing::Layer("c", "conv_2d", "filters = \"classes\"\nkernel = 1\n") +
      testing::Layer("d", "fully_connected", "units = \"classes\"\n");
  const auto spec = ParseNetworkSpec(text, "n.toml");
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->layers[1].output_shape.back(), 48);  // 16 * 0.35 makes 8
  EXPECT_EQ(spec->layers[2].output_shape.back(), 7);
  EXPECT_EQ(spec->layers[3].output_shape, (Shape{1, 7}));
  EXPECT_EQ(spec->classes, 7);
  QAT_EXPECT_ERROR(
      testing::ParseLayersOfNet(testing::Layer("a", "fully_connected", "units = \"classes\"\n")),
      ErrorCode::kInvalidArgument,
      "'units' is \"classes\", expected a key 'classes' at the top of the network, as in classes = 10");
  QAT_EXPECT_ERROR(
      testing::ParseLayersOfNet(testing::Layer("a", "conv_2d", "kernel = 1\nfilters = \"x6\"\n")),
      ErrorCode::kInvalidArgument, "'filters' is \"x6\", expected a positive integer");
}

TEST(WithScaling, ChangesTheTextSoThatItParsesAlone) {
  const std::string text =
      "name = \"n\" # width = 3\nwidth = 1.0# of all\n resolution=224\nclasses = 10\n[input]\n";
  const auto changed = WithScaling(text, "n.toml", {.width = 0.25, .resolution = 32, .classes = 7});
  QAT_ASSERT_OK(changed);
  EXPECT_EQ(*changed,
            "name = \"n\" # width = 3\nwidth = 0.25# of all\n resolution=32\nclasses = 7\n[input]\n");
  EXPECT_EQ(*WithScaling(text, "n.toml", {}), text);
  QAT_EXPECT_ERROR(WithScaling("name = \"n\"\n", "n.toml", {.width = 0.5}), ErrorCode::kInvalidArgument,
                   "n.toml: has no number 'width' that `width` could change");
}

TEST(Scaling, RefusesWhatContradictsItself) {
  QAT_EXPECT_ERROR(ParseNetworkSpec(Scaled(""), "n.toml"), ErrorCode::kInvalidArgument,
                   "key 'height' is missing");
  QAT_EXPECT_ERROR(testing::ParseLayersOfNet(testing::Layer("a", "max_pool_2d", "stride_from = 9\n")),
                   ErrorCode::kInvalidArgument,
                   "'stride_from' is 9, expected a network with the key 'resolution'");
  QAT_EXPECT_ERROR(
      ParseNetworkSpec("name = \"n\"\nwidth = 0\nresolution = 8\n[input]\nheight = 8\nchannels = 1\n" +
                           testing::Layer("a", "reshape"),
                       "n.toml"),
      ErrorCode::kInvalidArgument,
      "n.toml:2:9: 'width' is 0, expected a number in (0, 16]\n  n.toml:5:1: [input]: unknown key 'height'");
}

}  // namespace
}  // namespace qat
