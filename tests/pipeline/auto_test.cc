// The first command of someone who names data and nothing else, on kinds of data that are no pictures of
// digits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>

#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::ReadText;
using testing::RunTool;

/// One example: bytes of the image, and a class or real numbers.
struct Example {
  std::vector<uint8_t> image;
  uint8_t label = 0;
  std::vector<float> numbers = {};
};

class Auto : public ::testing::Test {
 protected:
  void Write(const Shape& image, int32_t train, int32_t test, const std::function<Example(Random&)>& make) {
    std::filesystem::create_directory(data_);
    Random random(11);
    for (const auto& [split, count] : {std::pair("train", train), std::pair("test", test)}) {
      NpyArray x{DType::kUInt8, {count}, {}}, y{DType::kUInt8, {count}, {}};
      x.shape.insert(x.shape.end(), image.begin(), image.end());
      for (int32_t n = 0; n < count; ++n) {
        const Example example = make(random);
        x.values.insert(x.values.end(), example.image.begin(), example.image.end());
        if (example.numbers.empty()) y.values.push_back(example.label);
        for (const float number : example.numbers) {
          uint8_t bytes[sizeof number];
          std::memcpy(bytes, &number, sizeof number);
          y.values.insert(y.values.end(), bytes, bytes + sizeof number);
        }
        if (!example.numbers.empty()) {
          y.type = DType::kFloat32;
          y.shape = {count, static_cast<int32_t>(example.numbers.size())};
        }
      }
      ASSERT_TRUE(WriteFile(data_ + "/x_" + split + ".npy", Serialize(x)).ok());
      ASSERT_TRUE(WriteFile(data_ + "/y_" + split + ".npy", Serialize(y)).ok());
    }
  }

  testing::ProcessResult Train(const std::string& run, std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--data", data_, "--threads", "1", "--progress", "none", "-o", dir_ / run});
    return RunTool("qat-train", flags);
  }
  /// Of the integer model on the test split.
  json Figures(const std::string& run) {
    const std::string graph = dir_ / "g.qgraph", model = dir_ / "m.tflite";
    EXPECT_EQ(RunTool("qat-freeze", {dir_ / run, "-o", graph}).exit_code, 0);
    EXPECT_EQ(RunTool("qat-convert", {graph, "-o", model}).exit_code, 0);
    const auto result = RunTool("qat-eval", {"--data", data_, "--model", model, "--repeat", "0", "--litert",
                                             "off", "--progress", "none", "--json", "-"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out)["models"][0];
  }

  const testing::TempDir dir_;
  const std::string data_ = dir_ / "data";
};

Example SineOfAByte(Random& random) {
  const auto byte = static_cast<uint8_t>(random.Below(256));
  return {{byte}, 0, {std::sin(static_cast<float>(byte) / 255 * 2 * std::numbers::pi_v<float>)}};
}

// What a grid of learning rates reaches with 60 epochs of the demo's recipe is 0.027.
TEST_F(Auto, LearnsTheSineOfAByte) {
  Write({1, 1, 1}, 4000, 500, SineOfAByte);
  const auto trained = Train("run", {"--scheme", "int8"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_LT(Figures("run")["regression"]["rmse"], 0.02);
  EXPECT_NE(trained.err.find("; no random changes; 1 thread"), std::string::npos) << trained.err;
  EXPECT_NE(trained.err.find("one real number each; input 1x1x1"), std::string::npos) << trained.err;
}

// Kelvin: without units of its own a network would have to travel 300 steps of its scale before it learns
// anything.
TEST_F(Auto, LearnsTargetsFarFromZero) {
  Write({1, 1, 2}, 1000, 300, [](Random& random) {
    const auto a = static_cast<uint8_t>(random.Below(256)), b = static_cast<uint8_t>(random.Below(256));
    return Example{{a, b}, 0, {290 + 20 * static_cast<float>(a) / 255}};
  });
  ASSERT_EQ(Train("run", {"--steps", "600", "--scheme", "float32"}).exit_code, 0);
  EXPECT_LT(Figures("run")["regression"]["rmse"], 0.5);
}

// Four tones under noise, whose phase says nothing: turned, zoomed or shifted rows would.
TEST_F(Auto, LearnsASignal) {
  Write({1, 48, 1}, 400, 200, [](Random& random) {
    Example example;
    example.label = static_cast<uint8_t>(random.Below(3));
    const float phase = 6.28f * random.Uniform();
    for (int t = 0; t < 48; ++t) {
      const float tone = std::sin(phase + 0.2f * static_cast<float>((1 + 2 * example.label) * t));
      example.image.push_back(static_cast<uint8_t>(128 + 40 * tone + 40 * (random.Uniform() - 0.5f)));
    }
    return example;
  });
  const auto trained = Train("run", {"--steps", "300"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_GE(Figures("run")["accuracy"]["top1"], 97);
}

// Two classes of noise that differ in mean brightness by 16, that is by 3.2 deviations of the mean: the best
// that is possible is a threshold on the mean, 94.4 %.
Example BrightOrDark(Random& random) {
  Example example;
  example.label = static_cast<uint8_t>(random.Below(2));
  for (int i = 0; i < 64; ++i) {
    float sum = 0;  // of twelve uniform numbers: near enough to normal
    for (int k = 0; k < 12; ++k) sum += random.Uniform();
    const float value = 110 + 16 * static_cast<float>(example.label) + 40 * (sum - 6);
    example.image.push_back(static_cast<uint8_t>(std::clamp(value, 0.f, 255.f)));
  }
  return example;
}

// Three epochs of 57 steps: what a full run would decay is decayed in a sixtieth of it.
TEST_F(Auto, LearnsLittleByHeartInAShortRun) {
  constexpr int32_t kTest = 10'000;
  Write({8, 8, 1}, 4000, kTest, BrightOrDark);
  int64_t right = 0;
  const auto images = ReadNpy(data_ + "/x_test.npy");
  const auto labels = ReadNpy(data_ + "/y_test.npy");
  QAT_ASSERT_OK(images);
  QAT_ASSERT_OK(labels);
  for (size_t n = 0; n < kTest; ++n) {
    const auto begin = images->values.begin() + static_cast<int64_t>(64 * n);
    right += (std::accumulate(begin, begin + 64, 0) > 118 * 64) == (labels->values[n] == 1);
  }
  testing::WriteText(dir_ / "bn.toml", R"(name = "bn"
classes = 2
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "c"
op = "conv_2d"
filters = 8
kernel = 3
batch_norm = true
activation = "relu"
[[layer]]
name = "logits"
op = "fully_connected"
units = "classes"
)");
  ASSERT_EQ(Train("run", {"--network", dir_ / "bn.toml", "--epochs", "3", "--holdout", "400"}).exit_code, 0);
  const double best = 100.0 * static_cast<double>(right) / kTest;
  EXPECT_GT(Figures("run")["accuracy"]["top1"].get<double>(), best - 0.8) << "a threshold has " << best;
}

// Row, column, height and width of a bright box, in images that are wider than high.
TEST_F(Auto, LearnsBoxes) {
  Write({10, 14, 1}, 500, 200, [](Random& random) {
    Example example;
    const int32_t top = random.Between(0, 5), left = random.Between(0, 8), height = random.Between(2, 4),
                  width = random.Between(2, 5);
    for (int32_t y = 0; y < 10; ++y) {
      for (int32_t x = 0; x < 14; ++x) {
        const bool inside = y >= top && y < top + height && x >= left && x < left + width;
        example.image.push_back(static_cast<uint8_t>(inside ? 200 : random.Between(0, 60)));
      }
    }
    for (const int32_t number : {top, left, height, width})
      example.numbers.push_back(static_cast<float>(number));
    return example;
  });
  const auto trained = Train("run", {"--steps", "300"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_LT(Figures("run")["regression"]["rmse"], 0.4) << "of a pixel";
}

// A budget is measured once: what it came to stands in the recipe, and a resumed or repeated run takes that.
TEST_F(Auto, ABudgetBecomesANumberOfSteps) {
  Write({1, 1, 1}, 400, 100, SineOfAByte);
  const auto trained = Train("run", {"--budget", "2s", "--patience", "50"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const std::string recipe = ReadText(dir_ / "run/config.toml");
  EXPECT_NE(recipe.find("budget = \"2s\"\n"), std::string::npos);
  EXPECT_EQ(recipe.find("\nsteps = 0\n"), std::string::npos);
  EXPECT_NE(trained.err.find("budget 2s: "), std::string::npos);
  const auto again = Train("again", {"--config", dir_ / "run/config.toml"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(ReadText(dir_ / "again/config.toml"), recipe);
  EXPECT_EQ(ReadText(dir_ / "again/metrics.ndjson"), ReadText(dir_ / "run/metrics.ndjson"));
  // As if it had been killed after the last checkpoint but one.
  std::vector<std::filesystem::path> states;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "again/checkpoints")) {
    if (entry.path().extension() == ".state") states.push_back(entry.path());
  }
  ASSERT_EQ(states.size(), 2u);
  std::filesystem::path newest = std::max(states[0], states[1]);
  const std::string state = ReadText(newest), checkpoint = ReadText(newest.replace_extension(".ckpt"));
  std::filesystem::remove(newest);
  std::filesystem::remove(newest.replace_extension(".state"));
  const auto resumed = Train("again", {"--budget", "2s", "--patience", "50", "--resume"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(ReadText(newest), state);
  EXPECT_EQ(ReadText(newest.replace_extension(".ckpt")), checkpoint);
  EXPECT_EQ(ReadText(dir_ / "again/metrics.ndjson"), ReadText(dir_ / "run/metrics.ndjson"));
}

TEST_F(Auto, PrintsTheRecipeThatItWouldTrain) {
  Write({1, 1, 1}, 400, 100, SineOfAByte);
  const auto printed = RunTool("qat-train", {"--data", data_, "--steps", "40", "--print-config"});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  for (const char* line :
       {"preset = \"auto\"\n", "network = \"auto\"\n", "steps = 40\n", "shift_pixels = 0\n",
        "scale_to_targets = true\n", "quant_delay_fraction = 0.6\n"}) {
    EXPECT_NE(printed.out.find(line), std::string::npos) << line << printed.out;
  }
  const auto open = RunTool("qat-train", {"--batch-size", "8", "--print-config"});
  ASSERT_EQ(open.exit_code, 0) << open.err;
  EXPECT_NE(open.out.find("batch_size = 8\n"), std::string::npos);
  EXPECT_NE(open.out.find("# decided when data are given (--data): network"), std::string::npos) << open.out;
  EXPECT_EQ(open.out.find("\nlearning_rate"), std::string::npos);
  testing::WriteText(dir_ / "open.toml", open.out);
  const auto taken =
      RunTool("qat-train", {"--data", data_, "--config", dir_ / "open.toml", "--print-config"});
  EXPECT_NE(taken.out.find("batch_size = 8\n"), std::string::npos) << taken.err;
}

TEST_F(Auto, JudgesFlagsBeforeTheDirectory) {
  Write({1, 1, 1}, 40, 10, SineOfAByte);
  ASSERT_EQ(Train("run", {"--steps", "4"}).exit_code, 0);
  const auto wrong = Train("run", {"--optimizer", "lamb"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("--optimizer: value 'lamb'"), std::string::npos) << wrong.err;
  const auto none = Train("run", {"--steps", "0"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_NE(none.err.find("both 0"), std::string::npos) << none.err;
}

}  // namespace
}  // namespace qat
