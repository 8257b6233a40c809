// Data whose targets grow along the file, as logs have them: what is looked at must stand for all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

constexpr char kNetwork[] = R"(name = "level"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "hidden"
op = "fully_connected"
units = 16
activation = "relu"
[[layer]]
name = "level"
op = "fully_connected"
units = 1
)";

// The brightness of 16 noisy pixels is the target, 0 to 10.
void WriteLevels(const std::string& folder, const std::string& split, int32_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> levels;
  for (int32_t n = 0; n < count; ++n) levels.push_back(10 * random.Uniform());
  std::sort(levels.begin(), levels.end());
  NpyArray x{DType::kUInt8, {count, 4, 4}, {}},
      y{DType::kFloat32, {count}, Bytes(levels.size() * sizeof(float))};
  for (const float level : levels) {
    for (int i = 0; i < 16; ++i)
      x.values.push_back(static_cast<uint8_t>(20 + 20 * level + static_cast<float>(random.Between(-8, 8))));
  }
  std::memcpy(y.values.data(), levels.data(), y.values.size());
  ASSERT_TRUE(WriteFile(folder + "/x_" + split + ".npy", Serialize(x)).ok());
  ASSERT_TRUE(WriteFile(folder + "/y_" + split + ".npy", Serialize(y)).ok());
}

// Calibrated with 40 of 1200 examples, as good as with all of them; the first 40 hold targets up to 0.4 only.
TEST(SortedData, ASampleCalibratesAndIsMeasuredLikeTheWhole) {
  const testing::TempDir dir;
  const std::string run = dir / "run", graph = dir / "g.qgraph";
  WriteLevels(dir.path(), "train", 1200, 1);
  WriteLevels(dir.path(), "test", 400, 2);
  ASSERT_TRUE(WriteFile(dir / "level.toml", std::string_view(kNetwork)).ok());
  const auto trained =
      RunTool("qat-train", {"--data", dir.path(), "--network", dir / "level.toml", "--scheme", "float32",
                            "--steps", "600", "--batch-size", "32", "--learning-rate", "0.01", "--threads",
                            "1", "--progress", "none", "-o", run});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  ASSERT_EQ(RunTool("qat-freeze", {run, "-o", graph}).exit_code, 0);
  const auto rmse = [&](const std::string& calibration, const std::string& limit) {
    const std::string model = dir / ("m" + calibration + ".tflite");
    const auto converted = RunTool("qat-convert", {graph, "--calibrate", dir.path(), "--calibration-limit",
                                                   calibration, "--progress", "none", "-o", model});
    EXPECT_EQ(converted.exit_code, 0) << converted.err;
    if (calibration == "40") {
      EXPECT_NE(converted.out.find("calibrated 40 of 1,200 images (3.33 %, a sample)"), std::string::npos)
          << converted.out;
    }
    const auto measured =
        RunTool("qat-eval", {"--data", dir.path(), "--model", model, "--limit", limit, "--repeat", "0",
                             "--litert", "off", "--progress", "none", "--json", dir / "r.json"});
    EXPECT_EQ(measured.exit_code, 0) << measured.err;
    const json report = json::parse(testing::ReadText(dir / "r.json"));
    EXPECT_EQ(report["data"]["total"], 400);
    return report["models"][0]["regression"]["rmse"].get<double>();
  };
  const double whole = rmse("0", "0");
  EXPECT_LT(whole, 0.5);
  EXPECT_LT(rmse("40", "0"), 1.2 * whole);
  EXPECT_NEAR(rmse("0", "100") / whole, 1, 0.25);
}

}  // namespace
}  // namespace qat
