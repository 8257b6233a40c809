// Networks as strangers write them (tests/specs) and those of the zoo through the four programs, for uint8,
// int8 and a third scheme:
// what the integer runtime computes is what the simulation computed, in every label and every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "data/npy.h"
#include "spec/network_spec.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

constexpr int32_t kClasses = 4;

// Noise with a brighter quarter: the label says which, of the image or, where `pixels`, of each pixel in it
// (others are 0).
void WriteImages(const std::string& folder, const std::string& split, const Shape& image, bool pixels,
                 int32_t count, uint64_t seed) {
  const int32_t height = image[1], width = image[2], channels = image[3];
  Random random(seed);
  NpyArray x{DType::kUInt8, {count, height, width, channels}, {}};
  NpyArray y{DType::kUInt8, pixels ? Shape{count, height, width} : Shape{count}, {}};
  for (int32_t n = 0; n < count; ++n) {
    const int32_t label = random.Between(0, kClasses - 1);
    if (!pixels) y.values.push_back(static_cast<uint8_t>(label));
    for (int32_t i = 0; i < height * width; ++i) {
      // A signal of one row has four quarters behind one another.
      const int32_t column = i % width, row = i / width;
      const int32_t quarter = height == 1 ? column * 4 / width : row * 2 / height * 2 + column * 2 / width;
      if (pixels) y.values.push_back(static_cast<uint8_t>(quarter == label ? label : 0));
      for (int32_t c = 0; c < channels; ++c) {
        x.values.push_back(static_cast<uint8_t>(random.Between(0, 150) + (quarter == label ? 90 : 0)));
      }
    }
  }
  ASSERT_TRUE(WriteFile(folder + "/x_" + split + ".npy", Serialize(x)).ok());
  ASSERT_TRUE(WriteFile(folder + "/y_" + split + ".npy", Serialize(y)).ok());
}

struct Trial {
  std::string name;
  std::vector<std::string> network;  // flags
};

std::vector<Trial> Trials() {
  std::vector<Trial> trials;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(testing::kSourceDir) + "/tests/specs")) {
    trials.push_back({entry.path().stem().string(), {"--network", entry.path().string()}});
  }
  trials.push_back({"zoo_se_net", {"--network", "se_net", "--resolution", "16", "--width", "0.25"}});
  trials.push_back({"zoo_unet", {"--network", "unet", "--resolution", "16", "--width", "0.5"}});
  trials.push_back(
      {"zoo_mobilenet_v2", {"--network", "mobilenet_v2", "--resolution", "32", "--width", "0.1"}});
  trials.push_back({"zoo_resnet8", {"--network", "resnet8"}});
  std::sort(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) { return a.name < b.name; });
  return trials;
}

class Specs : public ::testing::TestWithParam<Trial> {};
INSTANTIATE_TEST_SUITE_P(, Specs, ::testing::ValuesIn(Trials()),
                         [](const auto& trial) { return trial.param.name; });

void Check(const testing::ProcessResult& result) {
  ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
}

// The shape behind position `from` of a table: "[1, 16, 16, 3]".
Shape ShapeAfter(const std::string& text, size_t from) {
  Shape shape;
  const size_t at = text.find('[', from);
  for (size_t i = at; i < text.find(']', at); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i + 1]))) continue;
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) shape.push_back(0);
    shape.back() = shape.back() * 10 + text[i + 1] - '0';
  }
  return shape;
}

// Input and output in the table of --print-network.
std::pair<Shape, Shape> EndsOf(const std::vector<std::string>& network) {
  std::vector<std::string> flags = network;
  flags.emplace_back("--print-network");
  const auto printed = RunTool("qat-train", flags);
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  const size_t last = printed.out.rfind('\n', printed.out.find("\ntotal ") - 1);
  return {ShapeAfter(printed.out, printed.out.find("\ninput ")),
          ShapeAfter(printed.out, printed.out.rfind('[', printed.out.find('\n', last + 1)))};
}

// Before anything is trained, and all of them at once.
void ExpectNoKernels(std::vector<std::string> train, const std::string& data, const std::string& run) {
  train.insert(train.end(), {"--data", data, "--scheme", "uint8", "--steps", "1", "-o", run});
  const auto result = RunTool("qat-train", train);
  EXPECT_EQ(result.exit_code, 4) << result.err;
  for (const char* op : {"'scores' (batch_matmul)", "'squares' (squared_difference)", "'factor' (rsqrt)"})
    EXPECT_NE(result.err.find(op), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("use the scheme int8 or float32"), std::string::npos) << result.err;
}

// Trains a network with a scheme through to a model, and expects of it what the simulation computed.
void ExpectAsSimulated(std::vector<std::string> train, const std::string& data, const std::string& scheme,
                       const std::string& run, const Shape& image, bool pixels) {
  const std::string model = run + ".tflite", report = run + ".json";
  const std::vector<std::string> flags = {"--data",
                                          data,
                                          "--scheme",
                                          scheme,
                                          "--steps",
                                          "24",
                                          "--quant-delay",
                                          "8",
                                          "--bn-freeze",
                                          "16",
                                          "--batch-size",
                                          "16",
                                          "--holdout",
                                          "20",
                                          "--eval-every",
                                          "24",
                                          "--learning-rate",
                                          "0.003",
                                          "--threads",
                                          "1",
                                          "--progress",
                                          "none",
                                          "-o",
                                          run};
  train.insert(train.end(), flags.begin(), flags.end());
  Check(RunTool("qat-train", train));
  Check(RunTool("qat-freeze", {run, "-o", run + ".qgraph"}));
  Check(RunTool("qat-convert", {run + ".qgraph", "-o", model}));
  Check(RunTool("qat-convert", {run + ".qgraph", "--type", "float32", "-o", run + "-float.tflite"}));
  Check(RunTool("qat-eval", {"--data", data, "--checkpoint", run, "--graph", run + ".qgraph", "--model",
                             model, "--repeat", "0", "--progress", "none", "--json", report}));
  bool found = false;
  const json evaluated = json::parse(testing::ReadText(report));
  for (const json& pair : evaluated["pairs"]) {
    if (pair["a"] == "checkpoint" && pair["b"] == "graph") {
      EXPECT_LT(pair["max_abs_error"], 1e-3) << run;
    }
    if (pair["a"] != "simulated" || pair["b"] != model) continue;
    found = true;
    EXPECT_EQ(pair["flips"]["total"], 0) << run;
    EXPECT_EQ(pair["max_abs_lsb"], 0) << run;
  }
  for (const json& row : evaluated["models"]) {
    EXPECT_EQ(row["classification"]["mean_iou"].is_number(), pixels);
    const int64_t answers = pixels ? int64_t{100} * image[1] * image[2] : 100;
    EXPECT_EQ(row["accuracy"]["total"], answers);
  }
  EXPECT_TRUE(found) << "no pair of simulated and " << model;
}

TEST_P(Specs, RunAsTheyWereSimulated) {
  const testing::TempDir dir;
  const auto [image, output] = EndsOf(GetParam().network);
  ASSERT_EQ(image.size(), 4u);
  const bool pixels = output.size() == 4;
  EXPECT_EQ(pixels, GetParam().name == "zoo_unet" || GetParam().name == "atrous");
  const std::string data = dir / "data";
  std::filesystem::create_directory(data);
  WriteImages(data, "train", image, pixels, 200, 1);
  WriteImages(data, "test", image, pixels, 100, 2);
  const bool int8_only = GetParam().name == "transformer";
  // The rarer two take turns.
  const std::string rare = GetParam().name.size() % 2 == 0 ? "int8-per-tensor" : "w4a8";
  for (const std::string& scheme : {std::string("uint8"), std::string("int8"), rare}) {
    if (scheme == "uint8" && int8_only) {
      ExpectNoKernels(GetParam().network, data, dir / "none");
      continue;
    }
    ExpectAsSimulated(GetParam().network, data, scheme, dir / scheme, image, pixels);
  }
  // The same network as a model of others: the import has to find what the spec said.
  ExpectAsSimulated({"--network", dir / "int8-float.tflite"}, data, "int8", dir / "imported", image, pixels);
}

}  // namespace
}  // namespace qat
