// qat-train on data that teach nothing, or too little, and what the programs after it make of its runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "model/model.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

#ifdef QAT_HAS_TRAIN
namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;

constexpr char kSpec[] = R"(
name = "small"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "body"
op = "fully_connected"
units = 8
batch_norm = true
activation = "relu"
[[layer]]
name = "head"
op = "fully_connected"
units = 2
)";

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class Training : public ::testing::Test {
 protected:
  // Images of one brightness each, 0 to 255, and what `answer` makes of it.
  template <class Value, class F>
  void Write(const std::string& folder, DType type, const F& answer) {
    std::filesystem::create_directories(dir_ / folder);
    Random random(5);
    for (const auto& [split, count] : {std::pair<const char*, int>{"train", 600}, {"test", 60}}) {
      NpyArray x{DType::kUInt8, {count, 4, 4, 1}, {}},
          y{type, {count}, Bytes(sizeof(Value) * static_cast<size_t>(count))};
      for (int i = 0; i < count; ++i) {
        const int bright = random.Between(0, 255);
        x.values.insert(x.values.end(), 16, static_cast<uint8_t>(bright));
        const Value value = answer(bright, random);
        std::memcpy(y.values.data() + sizeof(Value) * static_cast<size_t>(i), &value, sizeof(Value));
      }
      ASSERT_TRUE(WriteFile(dir_ / (folder + "/x_" + split + ".npy"), Serialize(x)).ok());
      ASSERT_TRUE(WriteFile(dir_ / (folder + "/y_" + split + ".npy"), Serialize(y)).ok());
    }
  }
  void SetUp() override {
    Write<uint8_t>("halves", DType::kUInt8,
                   [](int bright, Random&) { return static_cast<uint8_t>(bright > 127); });
    testing::WriteText(dir_ / "small.toml", kSpec);
    std::string one = kSpec;
    one.replace(one.find("units = 2"), 9, "units = 1");
    testing::WriteText(dir_ / "one.toml", one);
    one.replace(one.find("units = 1"), 9, "units = 3");
    testing::WriteText(dir_ / "three.toml", one);
  }

  ProcessResult Train(const std::string& data, const std::string& run, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--data",
                                          dir_ / data,
                                          "--network",
                                          dir_ / "small.toml",
                                          "--steps",
                                          "120",
                                          "--batch-size",
                                          "32",
                                          "--holdout",
                                          "200",
                                          "--threads",
                                          "1",
                                          "--progress",
                                          "none",
                                          "-o",
                                          dir_ / run,
                                          "--json",
                                          dir_ / (run + ".json"),
                                          "--shift-pixels",
                                          "0",
                                          "--rotate-degrees",
                                          "0",
                                          "--scale-percent",
                                          "0",
                                          "--learning-rate",
                                          "0.01"};
    for (std::string& each : more) {
      const auto given = std::find(arguments.begin(), arguments.end(), each);
      if (each.starts_with("--") && given != arguments.end()) arguments.erase(given, given + 2);
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }
  nlohmann::json WarningsOf(const std::string& run) {
    return nlohmann::json::parse(ReadText(dir_ / (run + ".json")))["warnings"];
  }

  testing::TempDir dir_;
};

TEST_F(Training, OfAGoodRunWarnsOfNothingAndSaysWhatItsSchemeIsFor) {
  const ProcessResult result = Train("halves", "run");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
  EXPECT_TRUE(WarningsOf("run").empty());
  EXPECT_HOLDS(result.out, "scheme      uint8: TFLite on phones");
  EXPECT_HOLDS(result.out, "need --scheme int8");
  const ProcessResult frozen =
      RunTool("qat-freeze", {dir_ / "run", "--strict", "--max-drift", "1", "-o", dir_ / "g.qgraph"});
  EXPECT_EQ(frozen.exit_code, 0) << frozen.err;
  EXPECT_HOLDS(frozen.out, "norms   1, statistics at most ");
}

TEST_F(Training, WarnsAtTheEndWhereAnswersAreWorthNothing) {
  Write<uint8_t>("coins", DType::kUInt8,
                 [](int, Random& random) { return static_cast<uint8_t>(random.Between(0, 1)); });
  ASSERT_EQ(Train("coins", "coins_run").exit_code, 0);
  ASSERT_FALSE(WarningsOf("coins_run").empty());
  EXPECT_HOLDS(WarningsOf("coins_run")[0].get<std::string>(),
               "answers on the holdout are no better than guessing");
  // Kelvin: with no step towards them, far from their mean, and within a few steps of the output.
  Write<float>("kelvin", DType::kFloat32,
               [](int bright, Random&) { return 290.f + 20.f * static_cast<float>(bright) / 255; });
  testing::WriteText(dir_ / "plain.toml", "scale_to_targets = false\n");
  const ProcessResult kelvin =
      Train("kelvin", "kelvin_run", {"--network", dir_ / "one.toml", "--config", dir_ / "plain.toml"});
  ASSERT_EQ(kelvin.exit_code, 0) << kelvin.err;
  EXPECT_HOLDS(WarningsOf("kelvin_run").dump(), "R2 of the target on the holdout is -");
  EXPECT_HOLDS(kelvin.err, "qat-train: warning: R2 of the target");
  // Normalized, they use all of the output's steps.
  testing::WriteText(dir_ / "scaled.toml", "scale_to_targets = true\n");
  ASSERT_EQ(
      Train("kelvin", "scaled", {"--network", dir_ / "one.toml", "--config", dir_ / "scaled.toml"}).exit_code,
      0);
  EXPECT_TRUE(WarningsOf("scaled").empty()) << WarningsOf("scaled");
}

// The same number of values says nothing of their order.
TEST_F(Training, RefusesSeriesWhoseAxesAreInAnotherOrder) {
  const auto write = [&](const std::string& folder, const Shape& example) {
    std::filesystem::create_directories(dir_ / folder);
    Random random(9);
    for (const auto& [split, count] : {std::pair<const char*, int>{"train", 300}, {"test", 40}}) {
      Shape shape = example;
      shape.insert(shape.begin(), count);
      NpyArray x{DType::kFloat32, shape, {}}, y{DType::kUInt8, {count}, {}};
      for (int i = 0; i < count; ++i) {
        y.values.push_back(static_cast<uint8_t>(i % 2));
        for (int k = 0; k < 36; ++k) {
          const float value = random.Uniform() + static_cast<float>(i % 2);
          const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
          x.values.insert(x.values.end(), bytes, bytes + sizeof(value));
        }
      }
      QAT_ASSERT_OK(WriteFile(dir_ / (folder + "/x_" + split + ".npy"), Serialize(x)));
      QAT_ASSERT_OK(WriteFile(dir_ / (folder + "/y_" + split + ".npy"), Serialize(y)));
    }
  };
  // A model of others keeps its axes; those of a spec are put into four.
  const auto model = [&](const std::string& name, const Shape& shape) {
    Graph graph;
    graph.name = name;
    graph.scheme = "float32";
    const Shape axes(shape.begin() + 1, shape.end());
    const std::vector<float> zeros(static_cast<size_t>(axes.back()), 0), ones(zeros.size(), 1);
    graph.contract.input() = {
        1, axes.size() > 1 ? axes[0] : 1, axes.back(), zeros, ones, ValueType::kReal, axes, -1, 3};
    GraphTensor input;
    input.name = "x";
    input.shape = shape;
    graph.inputs = {graph.AddTensor(input)};
    int32_t last = graph.inputs[0];
    if (shape.size() > 2) {
      const int32_t rows = graph.AddConstant("flat/shape", {2}, std::vector<int32_t>{-1, 36});
      last = *graph.AddNode(OpType::kReshape, "flat", ReshapeAttributes{{1, -1}}, {last, rows});
    }
    const int32_t filter = graph.AddConstant("head/filter", {2, 36}, std::vector<float>(72, 0.1f));
    const int32_t bias = graph.AddConstant("head/bias", {2}, std::vector<float>(2));
    graph.outputs = {
        *graph.AddNode(OpType::kFullyConnected, "head", FullyConnectedAttributes(), {last, filter, bias})};
    const auto bytes = WriteTflite(graph, {});
    QAT_ASSERT_OK(bytes);
    QAT_ASSERT_OK(WriteFile(dir_ / (name + ".tflite"), *bytes));
  };
  write("series", {12, 3});
  write("swapped", {3, 12});
  model("steps", {1, 12, 3});
  model("rows", {1, 36});
  testing::WriteText(dir_ / "spec.toml",
                     "name = \"spec\"\n[[input]]\nname = \"x\"\nshape = [12, 3]\n[[layer]]\nname = \"flat\"\n"
                     "op = \"reshape\"\n[[layer]]\nname = \"head\"\nop = \"fully_connected\"\nunits = 2\n");
  for (const char* network : {"steps.tflite", "rows.tflite", "spec.toml"}) {
    const ProcessResult result =
        Train("series", std::string(network) + "_run", {"--network", dir_ / network, "--steps", "20"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  for (const auto& [network, axes] :
       {std::pair("steps.tflite", "are [1, 3, 12], expected [1, 12, 3] as network"),
        std::pair("spec.toml", "are [1, 1, 3, 12], expected [1, 1, 12, 3] as network")}) {
    const ProcessResult refused = Train("swapped", "refused", {"--network", dir_ / network, "--steps", "20"});
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_HOLDS(refused.err, axes);
    EXPECT_HOLDS(refused.err, "x.transpose(0, 2, 1)");
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "refused/checkpoints"));
  const ProcessResult sized = RunTool("qat-train", {"--data", dir_ / "series", "--resolution", "12",
                                                    "--steps", "20", "-o", dir_ / "refused"});
  EXPECT_EQ(sized.exit_code, 2) << sized.err;
  EXPECT_HOLDS(sized.err,
               "holds examples of 1x12x3, which are no pictures; leave it out, or read pictures by --layout");
}

// Filters of 4 bits, or of one scale, are another network than that of the run; its own are held to it.
TEST_F(Training, ModelsOfOtherFiltersThanTheRunsAreNotHeldToItsSteps) {
  ASSERT_EQ(Train("halves", "run", {"--scheme", "int8", "--steps", "60"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph"}).exit_code, 0);
  const std::string model = dir_ / "m.tflite";
  for (const std::string type : {"int8", "int8-per-tensor", "w4a8"}) {
    ASSERT_EQ(RunTool("qat-convert", {dir_ / "g.qgraph", "--type", type, "-o", model}).exit_code, 0);
    const ProcessResult result = RunTool("qat-eval", {"--data", dir_ / "halves", "--checkpoint", dir_ / "run",
                                                      model, "--repeat", "0", "--litert", "off"});
    EXPECT_EQ(result.exit_code, 0) << type << result.out << result.err;
    EXPECT_EQ(result.out.find("FAIL"), std::string::npos) << type << result.out;
    const bool apart =
        result.out.find("its filters have other bits or scales than those of simulated") != std::string::npos;
    EXPECT_EQ(apart, type != "int8") << type << result.out << result.err;
  }
}

TEST_F(Training, AppendsNoArgMaxToANetworkForRealNumbers) {
  Write<float>("numbers", DType::kFloat32,
               [](int bright, Random&) { return static_cast<float>(bright) / 255; });
  ASSERT_EQ(Train("numbers", "run", {"--network", dir_ / "one.toml"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph"}).exit_code, 0);
  for (const char* append : {"argmax", "softmax"}) {
    const ProcessResult refused =
        RunTool("qat-convert", {dir_ / "g.qgraph", "--append", append, "-o", dir_ / "m.tflite"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_HOLDS(refused.err, "the network was trained for a real number");
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "m.tflite"));
}

TEST_F(Training, RefusesARateOfZeroAndStopsAtOneOfAHundred) {
  const ProcessResult zero = Train("halves", "zero", {"--learning-rate", "0"});
  EXPECT_EQ(zero.exit_code, 2);
  EXPECT_HOLDS(zero.err, "learning-rate is 0, expected more");
  const ProcessResult hundred = Train("halves", "hundred", {"--learning-rate", "100", "--steps", "600"});
  EXPECT_EQ(hundred.exit_code, 5) << hundred.out;
  EXPECT_HOLDS(hundred.err, "training diverges: the loss of steps ");
  EXPECT_HOLDS(hundred.err, "layer '");
}

TEST_F(Training, FineTunesAnInt8RunWithAnotherHeadAsInt8) {
  ASSERT_EQ(Train("halves", "first", {"--scheme", "int8"}).exit_code, 0);
  Write<uint8_t>("thirds", DType::kUInt8,
                 [](int bright, Random&) { return static_cast<uint8_t>(bright / 86); });
  const ProcessResult second =
      Train("thirds", "second", {"--network", dir_ / "three.toml", "--init", dir_ / "first"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_HOLDS(second.err,
               "--init: 1 layer is taken over; fresh: head (filter is [2, 8] there, [3, 8] here)\n");
  EXPECT_HOLDS(second.err, "scheme int8, as the run of --init has it; --scheme uint8 changes that\n");
  EXPECT_HOLDS(second.out, "scheme      int8: ");
  const ProcessResult third = Train("halves", "third", {"--init", dir_ / "first", "--scheme", "uint8"});
  EXPECT_HOLDS(third.out, "scheme      uint8: ");
  EXPECT_EQ(third.err.find("scheme int8, as"), std::string::npos);
}

// As a repaired model is fine-tuned: its filters and its scheme are the start.
TEST_F(Training, GoesOnFromAModelOfIntegersWithItsFiltersAndScheme) {
  for (const char* scheme : {"w4a8", "int8-per-tensor", "uint8"}) {
    const auto in = [&](const char* name) { return dir_ / StrCat(scheme, name); };
    const auto convert = [&](const std::string& run, const std::string& model) {
      ASSERT_EQ(RunTool("qat-freeze", {run, "-o", run + ".qgraph"}).exit_code, 0);
      ASSERT_EQ(RunTool("qat-convert", {run + ".qgraph", "-o", model}).exit_code, 0);
    };
    ASSERT_EQ(Train("halves", StrCat(scheme, "_first"), {"--scheme", scheme}).exit_code, 0);
    convert(in("_first"), in("_first.tflite"));
    const ProcessResult second = Train("halves", StrCat(scheme, "_second"),
                                       {"--network", in("_first.tflite"), "--learning-rate", "1e-12",
                                        "--weight-decay", "0", "--quant-delay", "0", "--steps", "2"});
    ASSERT_EQ(second.exit_code, 0) << second.err;
    EXPECT_HOLDS(second.out, StrCat("scheme      ", scheme, ": "));
    const std::string said =
        StrCat("scheme ", scheme, ", as ", in("_first.tflite"), " has it; --scheme uint8 changes that\n");
    EXPECT_EQ(second.err.find(said) != std::string::npos, scheme != std::string("uint8")) << second.err;
    convert(in("_second"), in("_second.tflite"));
    const auto before = Model::Load(in("_first.tflite")), after = Model::Load(in("_second.tflite"));
    QAT_ASSERT_OK(before);
    QAT_ASSERT_OK(after);
    int filters = 0;
    for (const ModelNode& node : (*before)->nodes()) {
      if (node.type != OpType::kFullyConnected) continue;
      const ModelTensor& filter = (*before)->tensors()[static_cast<size_t>(node.inputs[1])];
      const auto& others = (*after)->tensors();
      const auto same = std::find_if(others.begin(), others.end(),
                                     [&](const ModelTensor& each) { return each.name == filter.name; });
      ASSERT_NE(same, others.end()) << filter.name;
      EXPECT_TRUE(std::ranges::equal(filter.constant, same->constant)) << scheme << " " << filter.name;
      ++filters;
    }
    EXPECT_EQ(filters, 2);
  }
}

// A preset decides less than it says: numbers are normalized, and no more is held out than by default.
TEST_F(Training, APresetFitsOtherData) {
  Write<float>("numbers", DType::kFloat32,
               [](int bright, Random&) { return 300 + static_cast<float>(bright) / 25; });
  const std::vector<std::string> flags = {"--data",
                                          dir_ / "numbers",
                                          "--network",
                                          dir_ / "one.toml",
                                          "--preset",
                                          "cifar10",
                                          "--flip",
                                          "false",
                                          "--shift-pixels",
                                          "0",
                                          "--steps",
                                          "60",
                                          "-o",
                                          dir_ / "numbers_run",
                                          "--progress",
                                          "none",
                                          "--resume-if-exists"};
  const ProcessResult numbers = RunTool("qat-train", flags);
  ASSERT_EQ(numbers.exit_code, 0) << numbers.err;
  EXPECT_HOLDS(ReadText(dir_ / "numbers_run/config.toml"), "scale_to_targets = true\n");
  EXPECT_HOLDS(numbers.out, " on 60 examples");
  const ProcessResult again = RunTool("qat-train", flags);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  const ProcessResult refused = RunTool("qat-train", {"--data", dir_ / "numbers", "--preset", "cifar10", "-o",
                                                      dir_ / "no", "--progress", "none"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_HOLDS(
      refused.err,
      "the training examples of " + std::string(dir_ / "numbers") +
          " are [1, 4, 4, 1], expected [1, 32, 32, 3] as network 'resnet8' takes; --network auto is one");
}

TEST_F(Training, GoesOnWithLearnedRangesOfFiltersUnlessToldOtherwise) {
  const ProcessResult refused = Train("halves", "refused", {"--filter-ranges", "learned"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_HOLDS(refused.err,
               "filter-ranges is learned and scheme is uint8, expected a scheme whose filters are symmetric "
               "around 0: int8, ");
  ASSERT_EQ(Train("halves", "first", {"--scheme", "w4a8", "--filter-ranges", "learned"}).exit_code, 0);
  // The scheme comes from the run.
  EXPECT_EQ(Train("halves", "same", {"--init", dir_ / "first", "--filter-ranges", "learned"}).exit_code, 0);
  const ProcessResult second = Train("halves", "second", {"--init", dir_ / "first"});
  EXPECT_HOLDS(
      second.err,
      "filter-ranges learned, as the run of --init has them; --filter-ranges observed changes that\n");
  EXPECT_HOLDS(RunTool("qat-eval", {"inspect", dir_ / "second/checkpoints/0000000120.ckpt"}).out,
               "filter_ranges learned\n");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--filter-ranges", "observed"}, {"--scheme", "int8"}}) {
    std::vector<std::string> all = {"--init", dir_ / "first"};
    all.insert(all.end(), flags.begin(), flags.end());
    const ProcessResult third = Train("halves", "third" + flags[1], all);
    EXPECT_EQ(third.exit_code, 0) << third.err;
    EXPECT_EQ(third.err.find("filter-ranges"), std::string::npos) << third.err;
  }
}

TEST_F(Training, NeverResumesFromNothingWhereItsOnlyStateIsDamaged) {
  ASSERT_EQ(Train("halves", "run", {"--eval-every", "120", "--checkpoint-every", "120"}).exit_code, 0);
  testing::WriteText(TrainerStatePath(dir_ / "run", 120), "damaged");
  for (const char* flag : {"--resume", "--resume-if-exists"}) {
    const ProcessResult resumed = RunTool("qat-train", {flag, "-o", dir_ / "run", "--progress", "none"});
    EXPECT_EQ(resumed.exit_code, 3);
    EXPECT_HOLDS(resumed.err, "0000000120.state");
    EXPECT_HOLDS(resumed.err, "it has no other checkpoint");
  }
}

TEST_F(Training, TakesNoStepWhereOnlyWeightsAreToBeDeployed) {
  ASSERT_EQ(Train("halves", "run", {"--scheme", "float32"}).exit_code, 0);
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "--select", "last", "-o", dir_ / "g.qgraph", "--weights",
                                   dir_ / "w.safetensors"})
                .exit_code,
            0);
  const auto start = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "--data",     dir_ / "halves", "--network", dir_ / "small.toml", "--no-training", "--threads", "1",
        "--progress", "none",          "-o",        dir_ / "start"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  };
  EXPECT_HOLDS(start({}).err, "expected parameters to start from, by --init or --network FILE.tflite");
  EXPECT_HOLDS(start({"--init", dir_ / "w.safetensors", "--scheme", "int8"}).err,
               "qat-convert --calibrate finds them from data");
  const ProcessResult started = start({"--init", dir_ / "w.safetensors"});
  ASSERT_EQ(started.exit_code, 0) << started.err;
  EXPECT_HOLDS(started.out, "no step was taken");
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "start", "-o", dir_ / "s.qgraph"}).exit_code, 0);
  for (const char* name : {"g", "s"}) {
    const std::string path = dir_ / name;
    ASSERT_EQ(
        RunTool("qat-convert", {path + ".qgraph", "--type", "float32", "-o", path + ".tflite"}).exit_code, 0);
  }
  const ProcessResult compared =
      RunTool("qat-eval", {"--data", dir_ / "halves", dir_ / "g.tflite", dir_ / "s.tflite", "--repeat", "0",
                           "--json", dir_ / "same.json"});
  ASSERT_EQ(compared.exit_code, 0) << compared.err;
  const auto pairs = nlohmann::json::parse(ReadText(dir_ / "same.json"))["pairs"];
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_EQ(pairs[0]["max_abs_error"], 0);
  const ProcessResult calibrated = RunTool("qat-convert", {dir_ / "s.qgraph", "--calibrate", dir_ / "halves",
                                                           "--type", "int8", "-o", dir_ / "i.tflite"});
  EXPECT_EQ(calibrated.exit_code, 0) << calibrated.err;
}

// Many whole numbers may be classes or measured: both are possible, so a line says what was taken.
TEST_F(Training, PointsToNumbersWhereManyClassesAreNumbers) {
  Write<uint8_t>("ages", DType::kUInt8, [](int bright, Random&) { return static_cast<uint8_t>(bright / 8); });
  const ProcessResult ages = Train("ages", "ages_run", {"--network", "auto", "--steps", "2"});
  ASSERT_EQ(ages.exit_code, 0) << ages.err;
  EXPECT_HOLDS(ages.err, "labels are 32 different whole numbers, 0 to 31, and learned as classes");
  EXPECT_HOLDS(ages.err, "--task numbers learns them as numbers");
  const ProcessResult halves = Train("halves", "halves_run", {"--network", "auto", "--steps", "2"});
  EXPECT_EQ(halves.err.find("whole numbers"), std::string::npos) << halves.err;
}

// The key `classes` of a spec says nothing of a last layer that does not follow it.
TEST_F(Training, OneOutputIsYesOrNoWhateverTheKeyClassesSays) {
  std::string spec = ReadText(dir_ / "one.toml");
  spec.insert(spec.find("[input]"), "classes = 2\n");
  testing::WriteText(dir_ / "one.toml", spec);
  const ProcessResult yes = Train("halves", "yes", {"--network", dir_ / "one.toml", "--steps", "2"});
  ASSERT_EQ(yes.exit_code, 0) << yes.err;
  EXPECT_HOLDS(yes.err, "task: yes-no, since the labels are of two classes and the network has one output");
  const ProcessResult classes = Train("halves", "no", {"--network", dir_ / "one.toml", "--task", "classes"});
  EXPECT_EQ(classes.exit_code, 2);
  EXPECT_HOLDS(classes.err,
               "write units = \"classes\" there and classes = 2 at the top, or learn yes or no, by one "
               "score: --task yes-no");
}

// What is printed at the end is typed again, whatever the run is called, and counts agree with their words.
TEST_F(Training, PrintsCommandsThatAShellUnderstands) {
  const ProcessResult result = Train("halves", "first run's", {"--steps", "1", "--holdout", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.out, "trained     1 step in ");
  EXPECT_HOLDS(result.err, "only 1 example is held out, so what is measured on it is rough");
  EXPECT_HOLDS(result.out, "next        qat-freeze '" + (dir_ / "first run'\\''s") + "' -o '" +
                               (dir_ / "first run'\\''s/model.qgraph") + "'\n");
}

TEST_F(Training, SaysWhatABudgetAllowed) {
  const ProcessResult nothing = Train("halves", "none", {"--budget", "0s"});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_HOLDS(nothing.err, "--budget: value '0s', expected a time of at least a second");
  const ProcessResult plenty = Train("halves", "plenty", {"--budget", "1h"});
  EXPECT_HOLDS(plenty.err, "budget 1h: all 120 steps fit, about ");
  const ProcessResult little = Train("halves", "little", {"--budget", "1s", "--steps", "1000000"});
  EXPECT_HOLDS(little.err, " of 1000000 steps, about ");
  EXPECT_EQ(little.err.find("as many as"), std::string::npos) << little.err;
}

TEST_F(Training, RefusesFlagsThatTheRestOfTheRecipeMakesIdle) {
  const ProcessResult momentum = Train("halves", "run", {"--momentum", "0.8"});
  EXPECT_EQ(momentum.exit_code, 2);
  EXPECT_HOLDS(momentum.err, "--momentum: is for --optimizer sgd, and the recipe has adam");
  EXPECT_HOLDS(Train("halves", "run", {"--preset", "cifar10", "--milestone-factor", "0.2"}).err,
               "--milestone-factor: is for --schedule step, and the recipe has cosine");
  EXPECT_HOLDS(
      Train("halves", "run", {"--schedule", "step", "--milestones", "0.8,0.5"}).err,
      "--milestones: value '0.8,0.5', expected a number between 0 and 1, or a list of them in rising order");
}

TEST_F(Training, LearnsFromATeacherAndResumesWithIt) {
  ASSERT_EQ(Train("halves", "teacher").exit_code, 0);
  const std::vector<std::string> taught = {"--teacher", dir_ / "teacher", "--teacher-weight", "0.5"};
  const ProcessResult result = Train("halves", "run", taught);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.err, "--teacher: network small of step 120, 0.5 of the loss at temperature 4");
  EXPECT_HOLDS(ReadText(dir_ / "run/config.toml"),
               "teacher = \"" + (dir_ / "teacher") + "\"\nteacher_weight = 0.5\n");
  // It may have been moved.
  std::filesystem::rename(dir_ / "teacher", dir_ / "moved");
  const ProcessResult lost =
      RunTool("qat-train", {"--resume", "--data", dir_ / "halves", "--progress", "none", "-o", dir_ / "run"});
  EXPECT_EQ(lost.exit_code, 3);
  EXPECT_HOLDS(lost.err, "--teacher: ");
  const ProcessResult resumed =
      RunTool("qat-train", {"--resume", "--data", dir_ / "halves", "--teacher", dir_ / "moved", "--progress",
                            "none", "-o", dir_ / "run"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

TEST_F(Training, SaysWhatIsWrongWithATeacher) {
  const ProcessResult model = Train("halves", "run", {"--teacher", dir_ / "m.tflite"});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_HOLDS(model.err, "m.tflite is no run and no checkpoint, which a teacher has to be");
  const ProcessResult none = Train("halves", "run", {"--teacher-temperature", "2"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_HOLDS(none.err, "--teacher-temperature: is for --teacher, and the recipe has none");
  ASSERT_EQ(Train("halves", "three", {"--network", dir_ / "three.toml"}).exit_code, 0);
  const ProcessResult classes = Train("halves", "run", {"--teacher", dir_ / "three"});
  EXPECT_EQ(classes.exit_code, 2);
  EXPECT_HOLDS(classes.err, "--teacher: the teacher ends in [1, 3], expected [1, 2] as network 'small' does");
}

TEST_F(Training, RefusesToMixAnswersThatAreNumbers) {
  Write<float>("measured", DType::kFloat32,
               [](int bright, Random&) { return static_cast<float>(bright) / 10 + 0.5f; });
  const ProcessResult numbers = Train("measured", "run", {"--network", dir_ / "one.toml", "--mixup", "0.2"});
  EXPECT_EQ(numbers.exit_code, 2);
  EXPECT_HOLDS(numbers.err, "--mixup: mixes examples of classes, of yes or no, or of several labels, and ");
  EXPECT_HOLDS(numbers.err, " has the task numbers: leave it out");
  const ProcessResult classes = Train("halves", "mixed", {"--mixup", "0.2"});
  EXPECT_EQ(classes.exit_code, 0) << classes.err;
  EXPECT_HOLDS(classes.err, "random changes as given");
}

TEST_F(Training, SaysTheScheduleThatItTakes) {
  const std::vector<std::string> sgd = {"--optimizer", "sgd", "--nesterov", "true", "--clip-norm", "2"};
  std::vector<std::string> step = sgd, cycle = sgd;
  step.insert(step.end(), {"--schedule", "step", "--milestones", "0.4,0.8"});
  cycle.insert(cycle.end(), {"--schedule", "one-cycle"});
  const ProcessResult at_milestones = Train("halves", "step", step),
                      in_cycle = Train("halves", "cycle", cycle);
  EXPECT_EQ(at_milestones.exit_code, 0) << at_milestones.err;
  EXPECT_HOLDS(at_milestones.err, " times 0.1 at 0.4, 0.8 of the run after ");
  EXPECT_EQ(in_cycle.exit_code, 0) << in_cycle.err;
  const ProcessResult again =
      RunTool("qat-train", {"--resume", "--nesterov", "true", "--progress", "none", "-o", dir_ / "cycle"});
  EXPECT_EQ(again.exit_code, 0) << "the flags are those of the run: " << again.err;
  EXPECT_HOLDS(in_cycle.err, " in one cycle after 36 steps of warm-up");
}

TEST_F(Training, NamesTheFlagThatWasMeant) {
  const ProcessResult model = Train("halves", "run", {"--init", dir_ / "m.tflite"});
  EXPECT_EQ(model.exit_code, 2);
  EXPECT_HOLDS(model.err, "m.tflite is a model, which brings its network: --network ");
  const ProcessResult chosen = Train("halves", "run", {"--network", "residual"});
  EXPECT_EQ(chosen.exit_code, 2);
  EXPECT_HOLDS(chosen.err, "network 'residual' is made to the sizes of the data: --network auto");
  EXPECT_HOLDS(chosen.err, "expected auto, one of ds_cnn, ");
  EXPECT_HOLDS(Train("halves", "run", {"--network", "cifar10"}).err,
               "network 'cifar10' is a recipe: --preset cifar10 takes it");
}

}  // namespace
}  // namespace qat
#endif  // QAT_HAS_TRAIN
