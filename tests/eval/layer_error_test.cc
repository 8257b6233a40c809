#include "eval/layer_error.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eval/fake_predictor.h"
#include "support/test_util.h"

namespace qat {
namespace {

class LayerPredictor : public testing::FakePredictor {
 public:
  LayerPredictor(std::string name, std::vector<LayerOutput> layers)
      : FakePredictor(std::move(name), testing::TinyContract()), layers_(std::move(layers)) {}
  Expected<std::vector<LayerOutput>> Layers(std::span<const uint8_t>) override { return layers_; }

 private:
  std::vector<LayerOutput> layers_;
};

constexpr double kStep = 1.0 / 64;  // exact in float, as are its quarters

LayerOutput Real(std::vector<float> values) { return {"conv", "conv_2d", 3, std::move(values), 0, 0}; }

LayerOutput Quantized(std::vector<float> values, int32_t zero_point = 0) {
  return {"conv", "conv_2d", 3, std::move(values), static_cast<float>(kStep), zero_point};
}

LayerError Measure(const LayerOutput& real, const LayerOutput& quantized) {
  LayerPredictor reference("graph", {real}), model("m.tflite", {quantized});
  const Bytes images(4);
  const auto errors = MeasureLayerErrors(reference, model, images, 2, {});
  EXPECT_TRUE(errors.ok() && errors->size() == 1u);
  return errors->front();
}

// Every value a quarter of a step beside the grid; the model is two steps off besides.
TEST(LayerError, IsTheClosedFormOfAnEvenError) {
  std::vector<float> real, quantized;
  double signal = 0;
  for (int k = 1; k <= 100; ++k) {
    real.push_back(static_cast<float>((k + 0.25) * kStep));
    quantized.push_back(static_cast<float>((k + 2) * kStep));
    signal += (k + 0.25) * (k + 0.25);
  }
  const LayerError error = Measure(Real(real), Quantized(quantized));
  EXPECT_NEAR(*error.own_sqnr_db, 10 * std::log10(signal / (100 * 0.25 * 0.25)), 1e-9);
  EXPECT_NEAR(*error.sqnr_db, 10 * std::log10(signal / (100 * 1.75 * 1.75)), 1e-9);
  EXPECT_DOUBLE_EQ(error.max_steps, 1.75);
  EXPECT_DOUBLE_EQ(error.range_used, 99.0 / 255);
  EXPECT_EQ(error.clipped, 0);
  EXPECT_EQ(error.layer, "conv");
  EXPECT_EQ(error.index, 3);
  EXPECT_EQ(error.images, 2);
  EXPECT_EQ(error.model, "m.tflite");
  EXPECT_EQ(error.reference, "graph");
}

TEST(LayerError, CountsWhatTheRangeCannotHold) {
  // Zero point 55: the range is [-55, 200] steps.
  const auto at = [](double steps) { return static_cast<float>(steps * kStep); };
  const LayerError error =
      Measure(Real({at(-60), at(-55), at(0), at(300)}), Quantized({at(-55), at(-55), at(0), at(200)}, 55));
  EXPECT_DOUBLE_EQ(error.clipped, 0.5);
  EXPECT_DOUBLE_EQ(error.range_used, 1);
  EXPECT_DOUBLE_EQ(error.max_steps, 100);
}

TEST(LayerError, CountsValuesAlongTheRangeAndALittleBeyond) {
  // Cells of eight steps from -32.5: [-32.5, -24.5), ..., the ninth is [31.5, 39.5), the last ends at 287.5.
  const auto at = [](double steps) { return static_cast<float>(steps * kStep); };
  const LayerError error = Measure(Real({at(-1000), at(-30), at(0), at(32), at(39), at(280), at(1e6)}),
                                   Quantized(std::vector<float>(7)));
  ASSERT_TRUE(error.histogram.has_value());
  EXPECT_DOUBLE_EQ(error.histogram->low, -32.5 * kStep);
  EXPECT_DOUBLE_EQ(error.histogram->high, 287.5 * kStep);
  std::vector<int64_t> expected(40);
  expected[0] = 2 * 2;  // of two images
  expected[4] = 2;
  expected[8] = 2 * 2;
  expected[39] = 2 * 2;
  EXPECT_EQ(error.histogram->counts, expected);
}

TEST(LayerError, WithoutNoiseThereIsNoRatio) {
  const LayerError error = Measure(Real({0.25f}), Quantized({0.25f}));
  EXPECT_FALSE(error.sqnr_db.has_value());
  EXPECT_FALSE(error.own_sqnr_db.has_value());
}

TEST(LayerError, LayersThatOnlyOneHasAreLeftOut) {
  LayerOutput other = Quantized({1});
  other.layer = "other";
  LayerPredictor reference("graph", {Real({1})}), model("m.tflite", {other});
  const auto errors = MeasureLayerErrors(reference, model, Bytes(2), 1, {});
  QAT_ASSERT_OK(errors);
  EXPECT_TRUE(errors->empty());
}

TEST(WorstLayer, HasTheLowestOwnRatioOfThatModel) {
  std::vector<LayerError> errors(4);
  const double ratios[] = {30, 20, 25, 5};
  for (size_t i = 0; i < 4; ++i) {
    errors[i].model = i == 3 ? "other" : "m";
    errors[i].index = static_cast<int64_t>(i);
    errors[i].own_sqnr_db = ratios[i];
  }
  EXPECT_EQ(WorstLayer(errors, "m"), &errors[1]);
  EXPECT_EQ(WorstLayer(errors, "none"), nullptr);
  errors[2].index = -1;
  errors[2].own_sqnr_db = 7;
  EXPECT_EQ(WorstLayer(errors, "m"), &errors[2]) << "an input that keeps two values of 256";
}

TEST(CoarsestFilter, HasTheLargestShareOfCoarseChannelsOfThatModel) {
  std::vector<LayerError> errors(4);
  const int64_t coarse[] = {0, 8, 3, 4}, channels[] = {8, 32, 4, 4};
  for (size_t i = 0; i < 4; ++i) {
    errors[i].model = i == 3 ? "other" : "m";
    errors[i].filter = FilterResolution{channels[i], coarse[i], 1};
  }
  EXPECT_EQ(CoarsestFilter(errors, "m"), &errors[2]);
  errors[1].filter.reset();
  errors[2].filter->coarse_channels = 0;
  EXPECT_EQ(CoarsestFilter(errors, "m"), nullptr);
}

}  // namespace
}  // namespace qat
