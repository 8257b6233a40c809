// Labels that are real numbers, through the four programs: trained, frozen, converted, judged.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

constexpr int32_t kSize = 12;

constexpr char kNetwork[] = R"(name = "spot"
[input]
height = 12
width = 12
channels = 1
[[layer]]
name = "conv"
op = "conv_2d"
filters = 8
kernel = 3
stride = 2
activation = "relu"
[[layer]]
name = "where"
op = "fully_connected"
units = 2
)";

// A bright spot on noise; its place, row and column from -1 to 1, is to be told.
void WriteSpots(const std::string& folder, const std::string& split, int32_t count, uint64_t seed) {
  Random random(seed);
  NpyArray x{DType::kUInt8, {count, kSize, kSize}, {}}, y{DType::kFloat32, {count, 2}, {}};
  for (int32_t n = 0; n < count; ++n) {
    const int32_t row = random.Between(1, kSize - 2), column = random.Between(1, kSize - 2);
    for (int32_t i = 0; i < kSize * kSize; ++i) {
      const bool near = std::abs(i / kSize - row) <= 1 && std::abs(i % kSize - column) <= 1;
      x.values.push_back(static_cast<uint8_t>(random.Between(0, 40) + (near ? 200 : 0)));
    }
    for (const int32_t at : {row, column}) {
      const float place = static_cast<float>(at) / (kSize - 1) * 2 - 1;
      uint8_t bytes[sizeof place];
      std::memcpy(bytes, &place, sizeof place);
      y.values.insert(y.values.end(), bytes, bytes + sizeof place);
    }
  }
  ASSERT_TRUE(WriteFile(folder + "/x_" + split + ".npy", Serialize(x)).ok());
  ASSERT_TRUE(WriteFile(folder + "/y_" + split + ".npy", Serialize(y)).ok());
}

class Regression : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(data_);
    WriteSpots(data_, "train", 600, 1);
    WriteSpots(data_, "test", 200, 2);
    ASSERT_TRUE(WriteFile(dir_ / "spot.toml", std::string_view(kNetwork)).ok());
  }
  testing::ProcessResult Train(const std::string& run) {
    return RunTool("qat-train", {"--data",       data_, "--network",       dir_ / "spot.toml",
                                 "--steps",      "400", "--quant-delay",   "200",
                                 "--batch-size", "32",  "--holdout",       "60",
                                 "--eval-every", "100", "--learning-rate", "0.003",
                                 "--threads",    "1",   "--progress",      "none",
                                 "-o",           run});
  }
  testing::ProcessResult Eval(std::vector<std::string> flags) {
    std::vector<std::string> all = {"--data", data_,      "--repeat", "0",      "--progress",
                                    "none",   "--litert", "off",      "--json", dir_ / "r.json"};
    all.insert(all.end(), flags.begin(), flags.end());
    return RunTool("qat-eval", all);
  }
  json Report() { return json::parse(testing::ReadText(dir_ / "r.json")); }

  const testing::TempDir dir_;
  const std::string data_ = dir_ / "data";
};

TEST_F(Regression, IsTrainedConvertedAndJudgedByItsErrors) {
  const std::string run = dir_ / "run", graph = dir_ / "g.qgraph", model = dir_ / "m.tflite";
  const auto trained = Train(run);
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE(trained.out.find("holdout     RMSE 0."), std::string::npos) << trained.out;
  ASSERT_EQ(RunTool("qat-freeze", {run, "-o", graph, "--select", "best"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-convert", {graph, "-o", model}).exit_code, 0);

  const auto passed =
      Eval({"--checkpoint", run, "--select", "best", "--graph", graph, "--model", model, "--max-rmse", "0.2",
            "--max-error-rise", "25", "--html", dir_ / "r.html", "--predictions", dir_ / "p.csv"});
  ASSERT_EQ(passed.exit_code, 0) << passed.err << passed.out;
  const json report = Report();
  for (const json& row : report["models"]) {
    EXPECT_TRUE(row["accuracy"].is_null());
    EXPECT_GT(row["regression"]["r2"], 0.8) << row["name"];
    EXPECT_LT(row["regression"]["rmse"], 0.2) << row["name"];
    EXPECT_EQ(row["regression"]["targets"].size(), 2u);
  }
  bool found = false;
  for (const json& pair : report["pairs"]) {
    EXPECT_TRUE(pair["flips"].is_null());
    if (pair["a"] != "simulated" || pair["b"] != model) continue;
    found = true;
    EXPECT_EQ(pair["max_abs_lsb"], 0);
    EXPECT_EQ(pair["errors"]["rise_pct"], 0);
  }
  EXPECT_TRUE(found);
  EXPECT_NE(passed.out.find("RMSE"), std::string::npos) << passed.out;
  EXPECT_NE(testing::ReadText(dir_ / "r.html").find("largest error"), std::string::npos);
  const std::string csv = testing::ReadText(dir_ / "p.csv");
  EXPECT_TRUE(csv.starts_with("index,label[0],label[1],checkpoint[0],checkpoint[1],simulated[0]")) << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 201);

  EXPECT_EQ(Eval({"--model", model, "--max-rmse", "0.001"}).exit_code, 1);
  EXPECT_EQ(Report()["gates"][0]["name"], "max-rmse");
  const auto classes = Eval({"--model", model, "--min-accuracy", "90"});
  EXPECT_EQ(classes.exit_code, 2);
  EXPECT_NE(classes.err.find("are real numbers: give --max-rmse and --max-error-rise"), std::string::npos);
}

TEST_F(Regression, ANetworkOfOtherOutputsIsRefused) {
  const auto refused =
      RunTool("qat-train", {"--data", data_, "--network", "lenet", "--steps", "1", "-o", dir_ / "x"});
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
}

}  // namespace
}  // namespace qat
