#include "train/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>
#include <set>

#include "contract/task.h"
#include "train/initializer.h"

namespace qat {
namespace {

TEST(Sampler, ShowsEveryExampleOnceAPassInANewOrder) {
  std::vector<int32_t> examples(10);
  std::iota(examples.begin(), examples.end(), 0);
  Sampler sampler(examples, 4, 1);
  std::vector<int32_t> seen, batch;
  for (int64_t step = 0; step < 5; ++step) {
    sampler.Batch(step, batch);
    seen.insert(seen.end(), batch.begin(), batch.end());
  }
  const std::vector<int32_t> first(seen.begin(), seen.begin() + 10), second(seen.begin() + 10, seen.end());
  EXPECT_NE(first, second);
  EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), examples.begin()));
  EXPECT_TRUE(std::is_permutation(second.begin(), second.end(), examples.begin()));
}

TEST(Sampler, MakesABatchFromItsStepAlone) {
  std::vector<int32_t> examples(50);
  std::iota(examples.begin(), examples.end(), 0);
  Sampler straight(examples, 7, 3);
  Sampler jumping(examples, 7, 3);
  std::vector<int32_t> a, b;
  for (int64_t step = 0; step <= 40; ++step) straight.Batch(step, a);
  jumping.Batch(40, b);
  EXPECT_EQ(a, b);
}

TEST(DrawChange, StaysWithinItsLimitsAndReachesThem) {
  TrainConfig config;
  config.shift_pixels = 2;
  config.rotate_degrees = 10;
  config.scale_percent = 5;
  std::set<int32_t> shifts;
  for (int64_t i = 0; i < 300; ++i) {
    const ImageChange change = DrawChange(config, i, 0);
    shifts.insert(change.shift_x);
    EXPECT_LE(std::abs(change.angle), 10 * std::numbers::pi / 180);
    EXPECT_LE(std::abs(change.zoom - 1), 0.05);
  }
  EXPECT_EQ(shifts, (std::set<int32_t>{-2, -1, 0, 1, 2}));
  EXPECT_TRUE(DrawChange(TrainConfig{}, 1, 1).IsShift());
}

TEST(ChangeImage, ShiftsZerosIn) {
  const std::vector<uint8_t> image = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<uint8_t> out(9);
  ChangeImage(image, 3, 3, 1, {.shift_x = 1, .shift_y = -1}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{0, 4, 5, 0, 7, 8, 0, 0, 0}));
  ChangeImage(image, 3, 3, 1, {.shift_x = 5}, out);
  EXPECT_EQ(out, std::vector<uint8_t>(9, 0));
}

TEST(ChangeImage, KeepsChannelsTogether) {
  const std::vector<uint8_t> image = {1, 2, 3, 4, 5, 6};  // 1x3, two channels
  std::vector<uint8_t> out(6);
  ChangeImage(image, 1, 3, 2, {.shift_x = -1}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{3, 4, 5, 6, 0, 0}));
}

TEST(ChangeImage, TurnsAQuarterExactly) {
  const std::vector<uint8_t> image = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<uint8_t> out(9);
  ChangeImage(image, 3, 3, 1, {.angle = std::numbers::pi / 2}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{3, 6, 9, 2, 5, 8, 1, 4, 7})) << "counter-clockwise";
}

TEST(ChangeImage, ZoomsAroundTheCentre) {
  std::vector<uint8_t> image(25, 0);
  image[12] = 200;
  std::vector<uint8_t> out(25);
  ChangeImage(image, 5, 5, 1, {.zoom = 2}, out);
  EXPECT_EQ(out[12], 200);
  EXPECT_EQ(out[11], 100) << "half a pixel away in the source";
}

// Where pixels move as a whole, labels are an image like another.
TEST(ChangeLabels, MovesWithTheImage) {
  Bytes image(25);
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(i + 1);
  const std::vector<int32_t> labels(image.begin(), image.end());
  const ImageChange changes[] = {{.shift_x = 2, .shift_y = -1},
                                 {.flip = true},
                                 {.shift_x = 1, .flip = true},
                                 {.angle = std::numbers::pi / 2},
                                 {.shift_x = -7},
                                 {.shift_x = 1, .shift_y = 2, .angle = std::numbers::pi, .flip = true}};
  for (const ImageChange& change : changes) {
    Bytes expected(25);
    ChangeImage(image, 5, 5, 1, change, expected);
    std::vector<int32_t> out(25);
    ChangeLabels(labels, 5, 5, 5, 5, change, 0, out);
    EXPECT_EQ(out, std::vector<int32_t>(expected.begin(), expected.end()));
  }
}

TEST(ChangeLabels, OfACoarserMapTakeTheNearest) {
  const std::vector<int32_t> labels = {1, 2, 3, 4};  // 2x2 over 8x8
  std::vector<int32_t> out(4);
  ChangeLabels(labels, 2, 2, 8, 8, {.shift_x = 1}, 0, out);
  EXPECT_EQ(out, labels) << "a pixel is less than half a label";
  ChangeLabels(labels, 2, 2, 8, 8, {.shift_x = 3}, kIgnoredLabel, out);
  EXPECT_EQ(out, (std::vector<int32_t>{kIgnoredLabel, 1, kIgnoredLabel, 3}));
  ChangeLabels(labels, 2, 2, 8, 8, {.cutout = 8, .cut_x = 0.5f, .cut_y = 0.5f}, 0, out);
  EXPECT_EQ(out, labels);
}

TEST(ChangeLabels, LeavesTheLabelOfAnImage) {
  std::vector<int32_t> out(1);
  ChangeLabels(std::vector<int32_t>{7}, 1, 1, 8, 8, {.shift_x = 9, .flip = true}, 0, out);
  EXPECT_EQ(out[0], 7);
}

TEST(DrawChange, MirrorsHalfOfTheImagesAndCutsAnywhere) {
  TrainConfig config;
  config.flip = true;
  config.cutout = 3;
  int flipped = 0;
  float left = 1, right = 0;
  for (int64_t i = 0; i < 1000; ++i) {
    const ImageChange change = DrawChange(config, 5, i);
    flipped += change.flip;
    left = std::min(left, change.cut_x);
    right = std::max(right, change.cut_x);
    EXPECT_EQ(change.cutout, 3);
  }
  EXPECT_NEAR(flipped, 500, 60);
  EXPECT_LT(left, 0.02f);
  EXPECT_GT(right, 0.98f);
}

// What a published recipe drew must not move when a new kind of change is added.
TEST(DrawChange, DrawsTheOlderChangesFirst) {
  TrainConfig config;
  config.shift_pixels = 4;
  config.rotate_degrees = 10;
  TrainConfig more = config;
  more.flip = true;
  more.cutout = 5;
  for (int64_t i = 0; i < 50; ++i) {
    const ImageChange a = DrawChange(config, 3, i), b = DrawChange(more, 3, i);
    EXPECT_EQ(a.shift_x, b.shift_x);
    EXPECT_EQ(a.angle, b.angle);
  }
}

TEST(ChangeImage, MirrorsRowsWithChannelsTogether) {
  const std::vector<uint8_t> image = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};  // 2x3, two channels
  std::vector<uint8_t> out(12);
  ChangeImage(image, 2, 3, 2, {.flip = true}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}));
  ChangeImage(image, 2, 3, 2, {.shift_x = 1, .flip = true}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{3, 4, 1, 2, 0, 0, 9, 10, 7, 8, 0, 0})) << "shifted first";
}

TEST(ChangeImage, CutsASquareThatMayReachOverTheBorder) {
  const std::vector<uint8_t> image(16, 7);
  std::vector<uint8_t> out(16);
  ChangeImage(image, 4, 4, 1, {.cutout = 2, .cut_x = 0.5f, .cut_y = 0.5f}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{7, 7, 7, 7, 7, 0, 0, 7, 7, 0, 0, 7, 7, 7, 7, 7}));
  ChangeImage(image, 4, 4, 1, {.cutout = 3, .cut_x = 0, .cut_y = 0.99f}, out);
  EXPECT_EQ(out, (std::vector<uint8_t>{7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 7, 7, 0, 0, 7, 7}));
}

// Mean and standard deviation of a large filter.
std::pair<double, double> Moments(Initializer initializer, float* largest) {
  const TrainedTensor trained = {ParameterSpec::Role::kFilter, initializer, 100, 200};
  const NamedTensor filter = InitialFilter({200, 100}, trained, 1, "layer");
  double sum = 0, squares = 0;
  *largest = 0;
  for (const float value : filter.values) {
    sum += value;
    squares += value * value;
    *largest = std::max(*largest, std::abs(value));
  }
  const auto n = static_cast<double>(filter.values.size());
  return {sum / n, std::sqrt(squares / n)};
}

TEST(InitialFilter, HasTheMomentsOfItsDistribution) {
  float largest = 0;
  auto [mean, deviation] = Moments({Initializer::Kind::kHeNormal, 0, 0}, &largest);
  EXPECT_NEAR(mean, 0, 0.005);
  EXPECT_NEAR(deviation, std::sqrt(2.0 / 100), 0.003);
  std::tie(mean, deviation) = Moments({Initializer::Kind::kGlorotUniform, 0, 0}, &largest);
  EXPECT_LE(largest, std::sqrt(6.0 / 300));
  EXPECT_NEAR(deviation, std::sqrt(2.0 / 300), 0.002);
  std::tie(mean, deviation) = Moments({Initializer::Kind::kTruncatedNormal, 0.01f, 0}, &largest);
  EXPECT_LE(largest, 0.02f);
  EXPECT_NEAR(deviation, 0.0088, 0.0002) << "a normal distribution cut at two sigma";
}

TEST(InitialFilter, FollowsSeedAndLayer) {
  const TrainedTensor trained = {ParameterSpec::Role::kFilter, {}, 3, 3};
  const auto with = [&](uint64_t seed, const char* layer) {
    return InitialFilter({3, 3}, trained, seed, layer);
  };
  EXPECT_EQ(with(1, "a"), with(1, "a"));
  EXPECT_NE(with(1, "a"), with(2, "a"));
  EXPECT_NE(with(1, "a"), with(1, "b"));
}

class Series : public ::testing::Test {
 protected:
  Series() : contract_{1, 4, 2, {0, 0}, {1, 2}, ValueType::kReal, {4, 2}} {}
  std::vector<float> Changed(const TrainConfig& config, int64_t step, int32_t position = 0) {
    Bytes bytes(8 * sizeof(float));
    std::memcpy(bytes.data(), kValues.data(), bytes.size());
    ChangeSeries(config, contract_, step, std::vector<int32_t>{position}, bytes);
    std::vector<float> values(8);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  const std::vector<float> kValues = {1, 10, 2, 20, 3, 30, 4, 40};
  InputContract contract_;
};

TEST_F(Series, ShiftInTimeRepeatsTheEdge) {
  TrainConfig config;
  config.shift_steps = 1;
  std::set<std::vector<float>> seen;
  for (int64_t step = 0; step < 50; ++step) seen.insert(Changed(config, step));
  EXPECT_EQ(seen, (std::set<std::vector<float>>{
                      kValues, {1, 10, 1, 10, 2, 20, 3, 30}, {2, 20, 3, 30, 4, 40, 4, 40}}));
}

// So a process that computes a share of a batch changes it as one that computes all of it.
TEST_F(Series, ChangesFollowThePlaceInTheBatch) {
  TrainConfig config;
  config.noise = 0.1;
  const std::vector<float> first = Changed(config, 2, 0), second = Changed(config, 2, 1);
  EXPECT_NE(first, second);
  Bytes both(16 * sizeof(float));
  for (size_t i = 0; i < 2; ++i)
    std::memcpy(both.data() + i * 8 * sizeof(float), kValues.data(), 8 * sizeof(float));
  ChangeSeries(config, contract_, 2, std::vector<int32_t>{0, 1}, both);
  EXPECT_EQ(std::memcmp(both.data(), first.data(), 8 * sizeof(float)), 0);
  EXPECT_EQ(std::memcmp(both.data() + 8 * sizeof(float), second.data(), 8 * sizeof(float)), 0);
}

TEST_F(Series, GainIsOneFactorAndNoiseIsInDeviations) {
  TrainConfig config;
  EXPECT_EQ(Changed(config, 3), kValues) << "nothing that nobody asked for";
  config.gain_percent = 20;
  const std::vector<float> louder = Changed(config, 3);
  const float gain = louder[0];
  EXPECT_GT(std::abs(gain - 1), 0.001f);
  EXPECT_LE(std::abs(gain - 1), 0.2f);
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(louder[i], gain * kValues[i], 1e-4f);
  EXPECT_EQ(Changed(config, 3), louder) << "the same in a resumed run";
  config.gain_percent = 0;
  config.noise = 0.5;
  double squares[2] = {0, 0};
  for (int64_t step = 0; step < 500; ++step) {
    const std::vector<float> noisy = Changed(config, step);
    for (size_t i = 0; i < 8; ++i) squares[i % 2] += std::pow(noisy[i] - kValues[i], 2) / 2000;
  }
  EXPECT_NEAR(std::sqrt(squares[0]), 0.5, 0.04);
  EXPECT_NEAR(std::sqrt(squares[1]), 1.0, 0.08);
}

}  // namespace
}  // namespace qat
