// What outputs mean, through the four programs: yes or no, several labels at once, numbers far from 0, maps
// with an ignored label, reconstruction as a score of anomalies; each trained, frozen, converted, judged.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/random.h"
#include "base/strings.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::ProcessResult;
using testing::RunTool;

template <class T>
NpyArray ArrayOf(DType type, Shape shape, const std::vector<T>& values) {
  NpyArray array{type, std::move(shape), Bytes(values.size() * sizeof(T))};
  std::memcpy(array.values.data(), values.data(), array.values.size());
  return array;
}

constexpr int32_t kFeatures = 6;

// Two splits of rows of features; `label` makes the values of a label, appended to what it is given.
class Tasks : public ::testing::Test {
 protected:
  template <class T, class Label>
  void Write(DType type, int32_t per_example, const Label& label, int32_t train = 800, int32_t test = 400) {
    std::filesystem::create_directory(data_);
    uint64_t seed = 1;
    for (const auto& [split, count] : {std::pair("train", train), {"test", test}}) {
      Random random(seed++);
      std::vector<float> x;
      std::vector<T> y;
      for (int32_t n = 0; n < count; ++n) {
        std::vector<float> row;
        for (int32_t i = 0; i < kFeatures; ++i) row.push_back(2 * random.Uniform() - 1);
        label(row, random, y);
        x.insert(x.end(), row.begin(), row.end());
      }
      Shape shape = {count};
      if (per_example > 1) shape.push_back(per_example);
      Save("x", split, ArrayOf(DType::kFloat32, {count, kFeatures}, x));
      Save("y", split, ArrayOf(type, shape, y));
    }
  }
  void Save(const std::string& name, const std::string& split, const NpyArray& array) {
    ASSERT_TRUE(WriteFile(data_ + "/" + name + "_" + split + ".npy", Serialize(array)).ok());
  }
  ProcessResult Train(std::vector<std::string> more) {
    std::vector<std::string> all = {"--data",     data_,      "--steps", "400",       "--batch-size",
                                    "64",         "--scheme", "int8",    "--threads", "1",
                                    "--progress", "none",     "-o",      run_};
    all.insert(all.end(), more.begin(), more.end());
    return RunTool("qat-train", all);
  }
  // Frozen, converted, and judged beside the simulation.
  json Judged(std::vector<std::string> more, std::vector<std::string> convert = {}) {
    const std::string graph = dir_ / "g.qgraph", model = dir_ / "m.tflite";
    const ProcessResult frozen = RunTool("qat-freeze", {run_, "-o", graph});
    EXPECT_EQ(frozen.exit_code, 0) << frozen.err;
    convert.insert(convert.end(), {graph, "-o", model});
    const ProcessResult converted = RunTool("qat-convert", convert);
    EXPECT_EQ(converted.exit_code, 0) << converted.err;
    std::vector<std::string> all = {
        "--checkpoint",  run_,     "--graph",       graph,           "--model",
        model,           "--data", data_,           "--repeat",      "0",
        "--progress",    "none",   "--litert",      "off",           "--json",
        dir_ / "r.json", "--html", dir_ / "r.html", "--predictions", dir_ / "p.csv"};
    all.insert(all.end(), more.begin(), more.end());
    judged_ = RunTool("qat-eval", all);
    json report = json::parse(testing::ReadText(dir_ / "r.json"));
    for (const json& pair : report["pairs"]) {
      const bool twins = pair["a"] == "simulated" && pair["b"] == model && convert.size() == 3;
      EXPECT_TRUE(!twins || pair["max_abs_lsb"] == 0) << pair;
    }
    return report;
  }
  static const json& Row(const json& report, const std::string& kind) {
    for (const json& row : report["models"]) {
      if (row["kind"] == kind) return row;
    }
    ADD_FAILURE() << "no row " << kind;
    return report["models"][0];
  }

  const testing::TempDir dir_;
  const std::string data_ = dir_ / "data", run_ = dir_ / "run";
  ProcessResult judged_;
};

void SignOfSum(const std::vector<float>& row, Random&, std::vector<int64_t>& labels) {
  labels.push_back(row[0] + row[1] - row[2] > 0.3f);
}

TEST_F(Tasks, YesOrNoByOneOutput) {
  Write<int64_t>(DType::kInt64, 1, SignOfSum);
  const std::string network = dir_ / "one.toml";
  ASSERT_TRUE(
      WriteFile(
          network,
          std::string_view(
              "name = \"one\"\n[input]\nheight = 1\nwidth = 1\nchannels = 6\n"
              "[[layer]]\nname = \"dense\"\nop = \"fully_connected\"\nunits = 16\nactivation = \"relu\"\n"
              "[[layer]]\nname = \"score\"\nop = \"fully_connected\"\nunits = 1\n"))
          .ok());
  const ProcessResult trained = Train({"--network", network});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE((trained.out + trained.err)
                .find("task: yes-no, since the labels are of two classes and the network has one output"),
            std::string::npos)
      << trained.out << trained.err;
  const json report =
      Judged({"--min-auc", "0.97", "--min-f1", "85", "--min-accuracy", "90", "--max-drop", "2"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  EXPECT_EQ(report["task"], "yes-no");
  const json& row = Row(report, "tflite");
  EXPECT_GT(row["labels"]["labels"][0]["auc"], 0.97);
  EXPECT_EQ(row["labels"]["labels"][0]["total"], 400);
  EXPECT_EQ(row["accuracy"]["total"], 400);
  EXPECT_EQ(row["classification"]["classes"].size(), 2u);
  EXPECT_NE(judged_.out.find("AUC"), std::string::npos) << judged_.out;

  const ProcessResult argmax =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--append", "argmax", "-o", dir_ / "a.tflite"});
  EXPECT_EQ(argmax.exit_code, 2);
  EXPECT_NE(argmax.err.find("was trained for yes-no"), std::string::npos) << argmax.err;
  EXPECT_NE(argmax.err.find("sigmoid"), std::string::npos) << argmax.err;

  // As a probability it answers the same, within its coarser steps.
  const json sigmoid = Judged({}, {"--append", "sigmoid"});
  EXPECT_NEAR(Row(sigmoid, "tflite")["accuracy"]["top1"].get<double>(), row["accuracy"]["top1"].get<double>(),
              1.5);
}

TEST_F(Tasks, AskedForYesOrNoOfMoreClassesIsRefused) {
  Write<int64_t>(DType::kInt64, 1,
                 [](const auto&, Random& random, auto& labels) { labels.push_back(random.Between(0, 4)); });
  const ProcessResult refused = Train({"--task", "yes-no"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("labels are of 5 classes, expected two for --task yes-no"), std::string::npos)
      << refused.err;
}

TEST_F(Tasks, SeveralLabelsAtOnce) {
  Write<uint8_t>(DType::kUInt8, 3, [](const auto& row, Random&, auto& labels) {
    labels.push_back(row[0] > 0);
    labels.push_back(row[1] + row[2] > 0.5f);
    labels.push_back(row[3] > 0.2f && row[4] < 0.5f);
  });
  ASSERT_TRUE(WriteFile(data_ + "/class_names.txt", std::string_view("rain\nwind\nsun\n")).ok());
  const ProcessResult trained = Train({"--class-weights", "balanced"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE((trained.out + trained.err).find("task: multi-label"), std::string::npos)
      << trained.out << trained.err;
  const json report = Judged({"--min-auc", "0.95", "--details"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  const json& row = Row(report, "tflite");
  EXPECT_EQ(report["task"], "multi-label");
  EXPECT_EQ(report["class_names"], json({"rain", "wind", "sun"}));
  EXPECT_EQ(row["labels"]["labels"].size(), 3u);
  EXPECT_GT(row["labels"]["mean_average_precision"], 0.9);
  EXPECT_EQ(row["accuracy"]["total"], 1200);
  EXPECT_TRUE(row["classification"].is_null());
  EXPECT_NE(judged_.out.find("wind"), std::string::npos) << judged_.out;
  EXPECT_NE(testing::ReadText(dir_ / "r.html").find("average precision"), std::string::npos);
  const ProcessResult softmax =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--append", "softmax", "-o", dir_ / "a.tflite"});
  EXPECT_EQ(softmax.exit_code, 2);
}

TEST_F(Tasks, NumbersFarFromZeroAreRestoredAfterTheModel) {
  Write<float>(DType::kFloat32, 2, [](const auto& row, Random&, auto& labels) {
    labels.push_back(300 + 10 * row[0]);
    labels.push_back(-0.01f + 0.001f * (row[1] + row[2]));
  });
  const ProcessResult trained = Train({});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE((trained.out + trained.err).find("targets: learned as (target - mean) / std with mean [3"),
            std::string::npos)
      << trained.out << trained.err;
  const json report = Judged({"--max-rmse", "0=0.6", "--max-rmse", "1=0.0001"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  for (const json& row : report["models"]) {
    EXPECT_GT(row["regression"]["targets"][0]["r2"], 0.99) << row["name"];
    EXPECT_GT(row["regression"]["targets"][1]["r2"], 0.98) << row["name"];
  }
  EXPECT_TRUE(testing::ReadText(dir_ / "p.csv").find(",3") != std::string::npos);
}

TEST_F(Tasks, AnomaliesByTheErrorOfReconstruction) {
  // Normal ones have one degree of freedom, anomalies all of them; training sees normal ones only.
  std::filesystem::create_directory(data_);
  uint64_t seed = 1;
  for (const auto& [split, count] : {std::pair("train", 800), {"test", 400}}) {
    Random random(seed++);
    std::vector<float> x;
    std::vector<int64_t> y;
    for (int32_t n = 0; n < count; ++n) {
      const bool anomaly = std::string(split) == "test" && n % 2 == 1;
      const float t = 2 * random.Uniform() - 1;
      for (int32_t i = 0; i < 16; ++i)
        x.push_back(anomaly ? 2 * random.Uniform() - 1 : std::sin(3 * t + 0.3f * static_cast<float>(i)));
      y.push_back(anomaly);
    }
    Save("x", split, ArrayOf(DType::kFloat32, {count, 16}, x));
    if (std::string(split) == "test") Save("y", split, ArrayOf(DType::kInt64, {count}, y));
  }
  Save("y", "train", ArrayOf(DType::kInt64, {800}, std::vector<int64_t>(800, 0)));
  const ProcessResult trained = Train({"--task", "reconstruction"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const json report = Judged({"--min-auc", "0.95"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  const json& row = Row(report, "tflite");
  EXPECT_EQ(report["task"], "reconstruction");
  EXPECT_EQ(row["anomaly"]["normal"], 200);
  EXPECT_GT(row["anomaly"]["auc"], 0.95);
  EXPECT_NE(judged_.out.find("anomaly AUC"), std::string::npos) << judged_.out;
}

// By the order of their names, 'bad' would be class 0; several kinds of anomalies are one.
TEST_F(Tasks, TheClassOfEveryTrainingExampleIsNormal) {
  const auto rows = [](int32_t count, bool train) {
    std::string text = "a,b,c,d,state\n";
    Random random(train ? 1 : 2);
    for (int32_t n = 0; n < count; ++n) {
      const int32_t kind = train ? 0 : n % 3;  // of which 1 and 2 are anomalies
      const float t = 2 * random.Uniform() - 1;
      for (int32_t i = 0; i < 4; ++i)
        text += StrCat(kind != 0 ? 2 * random.Uniform() - 1 : t * static_cast<float>(i + 1) / 4, ",");
      text += kind == 0 ? "ok\n" : kind == 1 ? "bad\n" : "worn\n";
    }
    return text;
  };
  std::filesystem::create_directory(data_);
  testing::WriteText(data_ + "/train.csv", rows(600, true));
  testing::WriteText(data_ + "/test.csv", rows(300, false));
  const ProcessResult trained = Train({"--task", "reconstruction", "--label", "state"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE(trained.err.find("class 'ok' is normal"), std::string::npos) << trained.err;
  const json report = Judged({"--min-auc", "0.7"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  const json& row = Row(report, "tflite");
  EXPECT_EQ(row["anomaly"]["normal"], 100);
  EXPECT_EQ(row["anomaly"]["anomalous"], 200);
}

// What is trained on all of its classes has no anomalies, whatever they are called.
TEST_F(Tasks, OfClassesThatAreAllTrainedOnNoneIsNormal) {
  for (const int32_t classes : {3, 2}) {
    std::filesystem::remove_all(data_);
    std::filesystem::remove_all(run_);
    Write<int64_t>(DType::kInt64, 1, [&](const std::vector<float>&, Random& random, std::vector<int64_t>& y) {
      y.push_back(random.Between(0, classes - 1));
    });
    const ProcessResult trained = Train({"--task", "reconstruction"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_EQ(trained.err.find("is normal") != std::string::npos, classes == 2) << trained.err;
    const json report = Judged({});
    EXPECT_EQ(Row(report, "tflite")["anomaly"].is_null(), classes != 2);
    EXPECT_EQ(judged_.err.find("no AUC of anomalies"), std::string::npos) << judged_.err;
  }
}

TEST_F(Tasks, PixelsWithoutALabelDoNotCount) {
  std::filesystem::create_directory(data_);
  uint64_t seed = 1;
  for (const auto& [split, count] : {std::pair("train", 120), {"test", 40}}) {
    Random random(seed++);
    std::vector<uint8_t> x, y;
    for (int32_t i = 0; i < count * 64; ++i) {
      const int32_t kind = random.Between(0, 2);
      x.push_back(static_cast<uint8_t>(kind * 100 + random.Between(0, 30)));
      y.push_back(random.Between(0, 9) == 0 ? 255 : static_cast<uint8_t>(kind));
    }
    Save("x", split, ArrayOf(DType::kUInt8, {count, 8, 8}, x));
    Save("y", split, ArrayOf(DType::kUInt8, {count, 8, 8}, y));
  }
  const ProcessResult trained = Train({"--steps", "200"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE((trained.out + trained.err).find("pixels of label 255 are ignored"), std::string::npos)
      << trained.out << trained.err;
  const json report = Judged({"--min-iou", "90"});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err << judged_.out;
  const json& row = Row(report, "tflite");
  const int64_t total = row["accuracy"]["total"];
  EXPECT_GT(total, 2000);
  EXPECT_LT(total, 40 * 64);
  EXPECT_EQ(row["classification"]["classes"].size(), 3u);
}

TEST_F(Tasks, SeveralColumnsOfATableAreSeveralAnswers) {
  std::filesystem::create_directory(data_);
  std::string csv = "a,b,warm,wet\n";
  Random random(3);
  for (int i = 0; i < 400; ++i) {
    const float a = random.Uniform(), b = random.Uniform();
    csv += std::to_string(a) + "," + std::to_string(b) + "," + (a > 0.5f ? "1" : "0") + "," +
           (b > 0.3f ? "1" : "0") + "\n";
  }
  ASSERT_TRUE(WriteFile(data_ + "/train.csv", std::string_view(csv)).ok());
  const ProcessResult trained = Train({"--label", "warm,wet"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE((trained.out + trained.err).find("labels at once (--task multi-label"), std::string::npos)
      << trained.out << trained.err;
  EXPECT_NE((trained.out + trained.err).find("warm, wet"), std::string::npos) << trained.out << trained.err;
  const json report = Judged({});
  EXPECT_EQ(judged_.exit_code, 0) << judged_.err;
  EXPECT_EQ(report["class_names"], json({"warm", "wet"}));
  const ProcessResult unknown =
      RunTool("qat-train", {"--data", data_, "--label", "warm,wett", "--steps", "1", "-o", dir_ / "x"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("did you mean 'wet'?"), std::string::npos) << unknown.err;
}

TEST_F(Tasks, ClassWeightsFindARareClass) {
  // One in 16 is positive and only likely so: unweighted, the answer is nearly always no.
  const auto rare = [](const auto& row, Random& random, auto& labels) {
    labels.push_back(row[0] + row[1] > 0.9f && random.Between(0, 9) < 5);
  };
  Write<int64_t>(DType::kInt64, 1, rare, 1600, 1600);
  double recall[2];
  for (const bool weighted : {false, true}) {
    std::filesystem::remove_all(run_);
    const ProcessResult trained = Train({"--class-weights", weighted ? "balanced" : "none"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    recall[weighted] = Row(Judged({}), "tflite")["classification"]["classes"][1]["top1"];
  }
  EXPECT_GT(recall[1], recall[0] + 20);
  const ProcessResult wrong = Train({"--class-weights", "1,2,3", "-o", dir_ / "other"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("has 3 numbers, expected one for each of the 2 classes"), std::string::npos)
      << wrong.err;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "other"));
}

}  // namespace
}  // namespace qat
