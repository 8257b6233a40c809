// A model of a run that was calibrated anew is not the run's simulation, however many of its tensors have
// grids that are fixed.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::RunTool;

// Of seven tensors that are rounded, three have a range that data decide.
constexpr char kNetwork[] = R"(name = "fixed"
classes = 10
[input]
height = 28
width = 28
channels = 1
[[layer]]
name = "a"
op = "logistic"
[[layer]]
name = "b"
op = "tanh"
[[layer]]
name = "c"
op = "softmax"
[[layer]]
name = "product"
op = "mul"
inputs = ["a", "b"]
[[layer]]
name = "sum"
op = "add"
inputs = ["product", "c"]
[[layer]]
name = "scores"
op = "fully_connected"
units = "classes"
)";

TEST(Calibrated, AModelIsNotHeldToTheStepsOfItsTraining) {
  const testing::TempDir dir;
  testing::WriteText(dir / "n.toml", kNetwork);
  const auto trained =
      RunTool("qat-train", {"--data", "digits", "--network", dir / "n.toml", "--scheme", "int8", "--steps",
                            "30", "--threads", "1", "--progress", "none", "-o", dir / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  ASSERT_EQ(RunTool("qat-freeze", {dir / "run", "-o", dir / "g.qgraph"}).exit_code, 0);
  const auto compared = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> convert = {dir / "g.qgraph", "--progress", "none", "-o", dir / "m.tflite"};
    convert.insert(convert.end(), flags.begin(), flags.end());
    EXPECT_EQ(RunTool("qat-convert", convert).exit_code, 0);
    return RunTool("qat-eval", {"--data", "digits", "--limit", "100", "--checkpoint", dir / "run", "--model",
                                dir / "m.tflite", "--litert", "off", "--repeat", "0", "--progress", "none",
                                "--json", dir / "r.json"});
  };
  const auto as_trained = compared({});
  EXPECT_EQ(as_trained.exit_code, 0) << as_trained.out;
  EXPECT_EQ(as_trained.err.find("different ranges"), std::string::npos) << as_trained.err;
  const auto anew = compared({"--calibrate", "digits", "--calibration-limit", "40"});
  EXPECT_EQ(anew.exit_code, 0) << anew.out;
  const auto report = nlohmann::json::parse(testing::ReadText(dir / "r.json"));
  EXPECT_TRUE(report["gates"].empty()) << report["gates"];
  EXPECT_NE(report["warnings"].dump().find("was quantized with different ranges from simulated"),
            std::string::npos)
      << report["warnings"];
  EXPECT_NE(report["warnings"].dump().find("another way, by calibration\""), std::string::npos)
      << report["warnings"];
}

}  // namespace
}  // namespace qat
