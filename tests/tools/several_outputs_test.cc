// Two inputs and two outputs, a class and two real numbers, through all four programs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/two_inputs.h"

#ifdef QAT_HAS_TRAIN
namespace qat {
namespace {

using nlohmann::json;
using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

// The spec of two inputs with an output of its own for each kind of answer.
std::string Spec() {
  std::string text = testing::kTwoInputsSpec;
  const std::string logits = "name = \"logits\"";
  text.replace(text.find(logits), logits.size(), "name = \"kind\"");
  text.replace(text.find("name = \"two\""), 12, "name = \"two\"\noutputs = [\"kind\", \"level\"]");
  return text + R"([[layer]]
name = "level"
op = "fully_connected"
inputs = ["both"]
units = 2
)";
}

NpyArray Floats(const std::vector<float>& values, Shape shape) {
  NpyArray array{DType::kFloat32, std::move(shape), Bytes(values.size() * sizeof(float))};
  std::memcpy(array.values.data(), values.data(), array.values.size());
  return array;
}

class SeveralOutputs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "data");
    testing::WriteText(dir_ / "two.toml", Spec());
    for (const auto& [split, count, seed] :
         {std::tuple<const char*, int, uint64_t>{"train", 600, 5}, {"test", 120, 6}}) {
      testing::TwoInputExamples made = testing::MakeTwoInputExamples(count, seed);
      std::vector<float> levels;
      for (int i = 0; i < count; ++i) {
        // 300 or 340 by the sensor, and -2 or 2 by the camera.
        levels.push_back(made.labels[static_cast<size_t>(i)] % 2 == 0 ? 300.0f : 340.0f);
        levels.push_back(made.labels[static_cast<size_t>(i)] < 2 ? -2.0f : 2.0f);
      }
      Write("x_camera_", split,
            {DType::kUInt8, {count, testing::kCameraSide, testing::kCameraSide, 1}, std::move(made.camera)});
      Write("sensor_", split, {DType::kFloat32, {count, testing::kSensorFeatures}, std::move(made.sensor)});
      Write("y_kind_", split, {DType::kUInt8, {count}, std::move(made.labels)});
      Write("level_", split, Floats(levels, {count, 2}));
    }
  }
  void Write(const std::string& name, const std::string& split, const NpyArray& array) {
    QAT_ASSERT_OK(WriteFile(dir_ / ("data/" + name + split + ".npy"), Serialize(array)));
  }
  ProcessResult Train(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--data",     dir_ / "data", "--network", dir_ / "two.toml",
                                          "--steps",    "300",         "--threads", "1",
                                          "--progress", "none",        "-o",        dir_ / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }
  ProcessResult Compare(const std::vector<std::string>& rows) {
    std::vector<std::string> arguments = {
        "--data", dir_ / "data", "--repeat", "0",      "--litert",
        "off",    "--progress",  "none",     "--json", dir_ / "report.json"};
    arguments.insert(arguments.end(), rows.begin(), rows.end());
    return RunTool("qat-eval", arguments);
  }
  json Report() { return json::parse(ReadText(dir_ / "report.json")); }

  testing::TempDir dir_;
};

// Rows of one output: how many pairs of simulation and model are equal in every step.
int EqualPairs(const json& report) {
  int equal = 0;
  for (const auto& pair : report["pairs"])
    equal += pair["a"] == "simulated" && pair["b"].get<std::string>().ends_with(".tflite") &&
             pair["max_abs_lsb"] == 0;
  return equal;
}

TEST_F(SeveralOutputs, ComeThroughAllFourProgramsEqualInEveryStep) {
  const ProcessResult trained = Train();
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err, "output 'kind': classes, 4");
  EXPECT_HOLDS(trained.err, "output 'level': numbers, 2 per example");
  EXPECT_HOLDS(trained.out, "output      kind: ");
  EXPECT_HOLDS(trained.out, "output      level: RMSE ");
  const std::string graph = dir_ / "g.qgraph", model = dir_ / "m.tflite", after = dir_ / "c.tflite";
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", graph}).exit_code, 0);
  const ProcessResult converted = RunTool("qat-convert", {graph, "-o", model});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const ProcessResult calibrated =
      RunTool("qat-convert", {graph, "--calibrate", dir_ / "data", "--type", "int8", "-o", after});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;

  const ProcessResult compared =
      Compare({"--checkpoint", dir_ / "run", "--graph", graph, model, after, "--min-accuracy", "90",
               "--max-rmse", "5", "--predictions", dir_ / "p.csv"});
  ASSERT_EQ(compared.exit_code, 0) << compared.out << compared.err;
  EXPECT_HOLDS(compared.out, "output 'kind' (classes)");
  EXPECT_HOLDS(compared.out, "output 'level' (numbers)");
  const json report = Report();
  EXPECT_EQ(report["output"], "kind");
  EXPECT_EQ(report["task"], "classes");
  for (const auto& row : report["models"])
    EXPECT_GT(row["accuracy"]["top1"].get<double>(), 90) << row["name"];
  ASSERT_EQ(report["other_outputs"].size(), 1u);
  const json& level = report["other_outputs"][0];
  EXPECT_EQ(level["output"], "level");
  EXPECT_EQ(level["task"], "numbers");
  ASSERT_EQ(level["models"].size(), report["models"].size());
  for (const auto& row : level["models"]) {
    const auto& targets = row["regression"]["targets"];
    EXPECT_LT(targets[0]["rmse"].get<double>(), 8) << row["name"] << ": of 20 where only the mean is known";
    EXPECT_LT(targets[1]["rmse"].get<double>(), 1) << row["name"] << ": of 2";
  }
  EXPECT_EQ(EqualPairs(report), 1) << report["pairs"].dump(1);
  EXPECT_EQ(EqualPairs(level), 1) << level["pairs"].dump(1);
  int of_kind = 0, of_level = 0;
  for (const auto& gate : report["gates"]) {
    const std::string subject = gate["subject"].is_null() ? "" : gate["subject"].get<std::string>();
    of_kind += gate["name"] == "min-accuracy" && subject == "output 'kind'";
    of_level += gate["name"] == "max-rmse" && subject == "output 'level'";
  }
  EXPECT_GT(of_kind, 0);
  EXPECT_GT(of_level, 0);
  EXPECT_HOLDS(ReadText(dir_ / "p.csv"), "index,output,value,label,checkpoint,simulated,");
  EXPECT_HOLDS(ReadText(dir_ / "p.csv"), "\n0,level,1,");
}

TEST_F(SeveralOutputs, FailWhereOneOfThemIsBeyondALimit) {
  ASSERT_EQ(Train({"--steps", "60"}).exit_code, 0);
  const ProcessResult compared = Compare({"--checkpoint", dir_ / "run", "--max-rmse", "0.0001"});
  EXPECT_EQ(compared.exit_code, 1) << compared.out;
  EXPECT_HOLDS(compared.out, "FAIL  max-rmse");
  EXPECT_HOLDS(compared.out, "output 'level'");
  EXPECT_HOLDS(Compare({"--checkpoint", dir_ / "run", "--min-auc", "0.5"}).err,
               "judges nothing that the outputs of the model give");
}

std::string GatesOf(const json& report) {
  std::string text;
  for (const auto& gate : report["gates"]) {
    if (!gate.value("asked", true)) continue;
    const auto subject = gate["subject"].is_null() ? std::string() : gate["subject"].get<std::string>();
    text += gate["name"].get<std::string>() + " of " + subject + " " +
            std::to_string(gate["limit"].get<double>()).substr(0, 4) + "\n";
  }
  return text;
}

TEST_F(SeveralOutputs, AreJudgedOneByOne) {
  ASSERT_EQ(Train({"--scheme", "int8"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-convert", {dir_ / "g.qgraph", "-o", dir_ / "m.tflite"}).exit_code, 0);
  const std::vector<std::string> rows = {"--graph", dir_ / "g.qgraph", dir_ / "m.tflite"};
  const auto judge = [&](std::vector<std::string> gates) {
    gates.insert(gates.end(), rows.begin(), rows.end());
    return Compare(gates);
  };
  const ProcessResult passed =
      judge({"--min-accuracy", "kind=50", "--min-recall", "kind=40", "--min-recall", "kind/2=30",
             "--max-rmse", "level=90", "--max-rmse", "level/1=80", "--max-error-rise", "level=70",
             "--max-drop", "kind=60", "--max-flips", "kind=100"});
  ASSERT_EQ(passed.exit_code, 0) << passed.out << passed.err;
  const std::string gates = GatesOf(Report());
  EXPECT_HOLDS(gates, "min-accuracy of output 'kind' 50.0\n");
  EXPECT_HOLDS(gates, "min-recall of output 'kind', class ");
  EXPECT_HOLDS(gates, "30.0\n");
  EXPECT_HOLDS(gates, "max-rmse of output 'level' 90.0\n");
  EXPECT_HOLDS(gates, "max-rmse of output 'level', number 1 80.0\n");
  EXPECT_HOLDS(gates, "max-error-rise of output 'level' 70.0\n");
  EXPECT_HOLDS(gates, "max-drop of output 'kind' 60.0\n");
  EXPECT_HOLDS(gates, "max-flips of output 'kind' 100.");
  EXPECT_HOLDS(judge({"--max-flips", "level=3"}).err, "--max-flips: judges nothing");
  const ProcessResult failed = judge({"--min-accuracy", "10", "--min-accuracy", "kind=100.5"});
  EXPECT_EQ(failed.exit_code, 1) << "the limit of one output replaces that of all";
  EXPECT_HOLDS(judge({"--min-accuracy", "knd=90"}).err,
               "--min-accuracy: names the output 'knd', expected one of kind, level");
  EXPECT_HOLDS(judge({"--min-accuracy", "level=90"}).err,
               "--min-accuracy: judges nothing that output 'level' gives, whose task is numbers");
  EXPECT_HOLDS(judge({"--min-accuracy", "kind=most"}).err, "value 'kind=most', expected a number");
}

// Probabilities of one output, while the other stays as it is; every byte as TFLite computes them is held
// elsewhere.
TEST_F(SeveralOutputs, HaveAppendedWhatFitsEach) {
  ASSERT_EQ(Train({"--scheme", "int8"}).exit_code, 0);
  const std::string graph = dir_ / "g.qgraph", model = dir_ / "m.tflite";
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", graph}).exit_code, 0);
  const ProcessResult plain = RunTool("qat-convert", {graph, "--append", "softmax", "-o", model});
  EXPECT_EQ(plain.exit_code, 2);
  EXPECT_HOLDS(plain.err,
               "--append: value 'softmax', expected an operator by output, as kind=softmax: the network has "
               "2 outputs: kind, level");
  EXPECT_HOLDS(RunTool("qat-convert", {graph, "--append", "level=softmax", "-o", model}).err,
               "output 'level' is the answer itself");
  EXPECT_HOLDS(RunTool("qat-convert", {graph, "--append", "knd=softmax", "-o", model}).err,
               "names the output 'knd', expected kind, level");
  for (const char* append : {"softmax", "argmax"}) {
    const ProcessResult converted =
        RunTool("qat-convert", {graph, "--append", std::string("kind=") + append, "-o", model});
    ASSERT_EQ(converted.exit_code, 0) << converted.err;
    EXPECT_HOLDS(converted.out, std::string("kind/") + append);
    const ProcessResult compared =
        Compare({"--graph", graph, model, "--min-accuracy", "kind=85", "--max-rmse", "level=10"});
    EXPECT_EQ(compared.exit_code, 0) << append << ": " << compared.out << compared.err;
    const ProcessResult traced = RunTool("qat-eval", {"trace", model, "--graph", graph});
    EXPECT_EQ(traced.exit_code, 0) << traced.out << traced.err;
    EXPECT_HOLDS(traced.out, "converted again");
  }
}

TEST_F(SeveralOutputs, WeighAsTheyAreTold) {
  ASSERT_EQ(Train({"--scheme", "float32", "--output-weights", "level=0", "--holdout", "100"}).exit_code, 0);
  EXPECT_HOLDS(ReadText(dir_ / "run/config.toml"), "output_weights = \"level=0.0\"");
  ASSERT_EQ(Compare({"--checkpoint", dir_ / "run"}).exit_code, 0);
  const json report = Report();
  EXPECT_GT(report["models"][0]["accuracy"]["top1"].get<double>(), 90);
  EXPECT_GT(report["other_outputs"][0]["models"][0]["regression"]["targets"][1]["rmse"].get<double>(), 1)
      << "what is not learned is not known";
}

TEST_F(SeveralOutputs, SayWhatIsWrong) {
  EXPECT_HOLDS(Train({"--output-weights", "levl=2"}).err,
               "names the output 'levl', expected one of kind, level; did you mean 'level'?");
  EXPECT_HOLDS(Train({"--output-weights", "level=-1"}).err, "expected \"none\", or numbers from 0 by output");
  EXPECT_HOLDS(Train({"--output-weights", "kind=0,level=0"}).err, "every output has the weight 0");
  EXPECT_HOLDS(Train({"--task", "kind=number"}).err, "or by output");
  EXPECT_HOLDS(Train({"--task", "knd=classes"}).err, "names the output 'knd'");
  EXPECT_HOLDS(Train({"--task", "reconstruction"}).err, "by a network with one output");
  const ProcessResult digits =
      RunTool("qat-train", {"--data", "digits", "--network", dir_ / "two.toml", "-o", dir_ / "r"});
  EXPECT_EQ(digits.exit_code, 3);
  std::filesystem::remove(std::string(dir_ / "data/level_train.npy"));
  const ProcessResult missing = Train();
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_HOLDS(missing.err, "expected images and y_kind_test.npy, level_test.npy of one split");
  std::filesystem::remove(std::string(dir_ / "data/level_test.npy"));
  EXPECT_HOLDS(Train().err,
               "holds no labels for an output of the network, expected an array named y_level (or with "
               "_train at the end)");
}

TEST_F(SeveralOutputs, LearnFromWhatIsKnown) {
  const testing::TwoInputExamples made = testing::MakeTwoInputExamples(600, 5);
  std::vector<float> levels;
  Bytes kinds = made.labels;
  for (size_t i = 0; i < 600; ++i) {
    const bool known = i % 3 != 0;
    levels.push_back(!known                    ? std::numeric_limits<float>::quiet_NaN()
                     : made.labels[i] % 2 == 0 ? 300.0f
                                               : 340.0f);
    levels.push_back(made.labels[i] < 2 ? -2.0f : 2.0f);
    if (i % 4 == 0) kinds[i] = 9;
  }
  Write("level_", "train", Floats(levels, {600, 2}));
  Write("y_kind_", "train", {DType::kUInt8, {600}, kinds});
  const ProcessResult trained = Train({"--scheme", "float32", "--ignore-label", "9"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err, "numbers are not known and not learned");
  EXPECT_HOLDS(trained.err, "labels are not known and not learned");
  ASSERT_EQ(Compare({"--checkpoint", dir_ / "run"}).exit_code, 0);
  const json report = Report();
  EXPECT_GT(report["models"][0]["accuracy"]["top1"].get<double>(), 90);
  EXPECT_LT(report["other_outputs"][0]["models"][0]["regression"]["targets"][0]["rmse"].get<double>(), 8);
}

TEST_F(SeveralOutputs, ComeFromTheColumnsOfATable) {
  std::string table = "a,b,kind,level_x,level_y,mass\n";
  Random random(3);
  for (int i = 0; i < 400; ++i) {
    const double a = random.Uniform(), b = random.Uniform();
    table += std::to_string(a) + "," + std::to_string(b) + "," + (a > b ? "more" : "less") + "," +
             std::to_string(100 * a) + "," + std::to_string(b - a) + ",1\n";
  }
  testing::WriteText(dir_ / "t.csv", table);
  testing::WriteText(dir_ / "t.toml", R"(name = "table"
outputs = ["kind", "level"]
[input]
shape = [3]
[[layer]]
name = "hidden"
op = "fully_connected"
units = 16
activation = "relu"
[[layer]]
name = "kind"
op = "fully_connected"
units = 2
[[layer]]
name = "level"
op = "fully_connected"
inputs = ["hidden"]
units = 2
)");
  const std::vector<std::string> common = {"--data",     dir_ / "t.csv", "--network", dir_ / "t.toml",
                                           "--steps",    "400",          "--scheme",  "float32",
                                           "--progress", "none",         "--threads", "1"};
  auto train = [&](std::vector<std::string> more) {
    more.insert(more.end(), common.begin(), common.end());
    return RunTool("qat-train", more);
  };
  const ProcessResult trained = train({"-o", dir_ / "t"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err,
               "column 'kind' holds the answers for 'kind', columns 'level_x,level_y' hold the answers for "
               "'level', the other "
               "3 are features");
  const ProcessResult named = train({"-o", dir_ / "n", "--label", "level=level_y,mass", "--steps", "2"});
  EXPECT_HOLDS(named.err, "columns 'level_y,mass' hold the answers for 'level'");
  EXPECT_HOLDS(train({"-o", dir_ / "u", "--label", "level=levl_x"}).err,
               "has no column 'levl_x'; did you mean 'level_x'?");
  EXPECT_HOLDS(train({"-o", dir_ / "u", "--label", "kind"}).err,
               "expected columns by output, as kind=COLUMN");
  const ProcessResult compared =
      RunTool("qat-eval", {"--data", dir_ / "t.csv", "--checkpoint", dir_ / "t", "--repeat", "0",
                           "--progress", "none", "--json", dir_ / "report.json"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  const json report = Report();
  EXPECT_GT(report["models"][0]["accuracy"]["top1"].get<double>(), 85);
  EXPECT_LT(report["other_outputs"][0]["models"][0]["regression"]["targets"][0]["rmse"].get<double>(), 10);
}

}  // namespace
}  // namespace qat
#endif
