#include "eval/evaluate.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "data/npy.h"
#include "passes/passes.h"
#include "support/bytes_of.h"
#include "support/model_builder.h"
#include "support/test_util.h"
#include "support/tiny_files.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

class EvaluateTest : public ::testing::Test {
 protected:
  EvalRequest Request(std::vector<std::string> models) const {
    EvalRequest request;
    request.data = files_.data();
    request.rows.graph = files_.graph();
    request.rows.models = std::move(models);
    return request;
  }
  testing::TinyFiles files_;
};

TEST_F(EvaluateTest, GraphAndItsFloatModelAgreeOnEveryImage) {
  Report report;
  QAT_ASSERT_OK(Evaluate(Request({files_.float_model()}), {}, report));
  ASSERT_EQ(report.models.size(), 2u);
  EXPECT_EQ(report.models[0].name, "graph");
  EXPECT_EQ(report.models[0].type, "float32");
  EXPECT_EQ(report.models[1].name, files_.float_model());
  EXPECT_EQ(report.models[0].accuracy->correct, report.models[1].accuracy->correct);
  ASSERT_EQ(report.pairs.size(), 1u);
  EXPECT_EQ(report.pairs[0].total_flips, 0);
  EXPECT_EQ(report.pairs[0].max_abs_error, 0.0);
  for (const ModelResult& model : report.models) {
    EXPECT_EQ(model.classification->topk_correct.at(1), model.accuracy->correct);
    EXPECT_EQ(model.classification->topk_correct.count(5), 0u);  // of three classes
    EXPECT_EQ(model.classification->confusion.size(), 3u);
  }
}

TEST_F(EvaluateTest, DescribesFilesAndTimesEveryRow) {
  Report report;
  EvalRequest request = Request({files_.uint8_model()});
  request.repeat = 3;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  const ModelResult& model = report.models[1];
  const auto bytes = ReadFile(files_.uint8_model());
  EXPECT_EQ(model.bytes, static_cast<int64_t>(bytes->size()));
  EXPECT_EQ(model.sha256, Sha256(*bytes));
  EXPECT_EQ(model.type, "uint8");
  EXPECT_GT(model.arena_bytes, 0);
  EXPECT_EQ(model.latency_us->runs, 180);
  EXPECT_EQ(model.latency_us->rounds, 3);
  EXPECT_LE(model.latency_us->min, model.latency_us->p50);
  EXPECT_LE(model.latency_us->p90, model.latency_us->p99);
  EXPECT_EQ(report.data_examples, 60);
  ASSERT_EQ(report.pairs.size(), 1u);
  ASSERT_TRUE(report.pairs[0].speedup_interval.has_value());
  EXPECT_LE(report.pairs[0].speedup_interval->low, report.pairs[0].speedup.value());
  EXPECT_LE(report.pairs[0].speedup.value(), report.pairs[0].speedup_interval->high);
  ASSERT_TRUE(report.timing.has_value());
  EXPECT_TRUE(report.timing->pinned_cpu.has_value());
  EXPECT_GT(report.timing->calibration_us, 0);
}

TEST_F(EvaluateTest, ReferenceAndFastKernelsGiveTheSamePredictions) {
  Report reference, fast;
  EvalRequest request = Request({files_.uint8_model()});
  request.rows.interpreter.kernels = KernelSet::kReference;
  const auto by_reference = Evaluate(request, {}, reference);
  request.rows.interpreter.kernels = KernelSet::kFast;
  const auto by_fast = Evaluate(request, {}, fast);
  QAT_ASSERT_OK(by_reference);
  QAT_ASSERT_OK(by_fast);
  EXPECT_EQ(*by_reference, *by_fast);
  EXPECT_EQ(reference.environment["kernels"], "reference");
  EXPECT_EQ(reference.environment.count("isa"), 0u);
  EXPECT_EQ(fast.environment["isa"], NameOf(*ChooseIsa()));
}

TEST_F(EvaluateTest, PredictionsHaveOneColumnPerRowAndOneLinePerImage) {
  Report report;
  EvalRequest request = Request({files_.uint8_model()});
  request.limit = 5;
  const auto csv = Evaluate(request, {}, report);
  QAT_ASSERT_OK(csv);
  EXPECT_EQ(csv->rfind("index,label,graph," + files_.uint8_model() + "\n", 0), 0u) << *csv;
  EXPECT_EQ(std::count(csv->begin(), csv->end(), '\n'), 6);
}

TEST_F(EvaluateTest, AFailedGateIsAStatusAndNoError) {
  Report report;
  EvalRequest request = Request({files_.uint8_model()});
  request.gates.max_size = 10;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  EXPECT_EQ(report.status, "gate-failed");
}

TEST_F(EvaluateTest, CountsFlipsAgainstTheRowThatWasNamed) {
  EvalRequest request = Request({files_.float_model(), files_.uint8_model()});
  request.gates.max_flips = 0;
  request.gates.flips_against = "graph";
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  ASSERT_EQ(report.gates.size(), 3u);  // and max-changed-ranges of the integer model
  EXPECT_EQ(report.gates[0].model, files_.float_model());
  EXPECT_EQ(report.gates[0].reference, "graph");
  EXPECT_TRUE(report.gates[0].pass);
  request.gates.flips_against = "simulated";
  QAT_EXPECT_ERROR(Evaluate(request, {}, report), ErrorCode::kInvalidArgument,
                   "there is no row 'simulated', expected one of graph, ");
}

TEST_F(EvaluateTest, ShowsTheRangesThatTrainingChose) {
  Report report;
  QAT_ASSERT_OK(Evaluate(Request({}), {}, report));
  ASSERT_EQ(report.ranges.size(), 4u);
  for (const LayerRange& range : report.ranges) {
    if (range.layer != "fc") continue;
    EXPECT_NEAR(range.scale, 8.0 / 255, 1e-6);  // [-3, 5]
    EXPECT_EQ(range.zero_point, 96);            // 3 / 8 of 255 is 95.6
  }
}

TEST_F(EvaluateTest, WarnsOfContractsThatDiffer) {
  Contract contract = testing::TinyGraph().contract;
  contract.input().std = {1};
  QAT_ASSERT_OK(WriteFile(files_ / "other.tflite", testing::TinyModel(DType::kUInt8, &contract)));
  Report report;
  EvalRequest request = Request({files_ / "other.tflite"});
  request.repeat = 0;  // a busy machine is another warning
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  ASSERT_EQ(report.warnings.size(), 2u) << "and what its answers are worth";
  EXPECT_NE(report.warnings[0].find("other.tflite: its input contract (4x4x1, real = (byte - 0) / 1"),
            std::string::npos)
      << report.warnings[0];
  EXPECT_NE(report.warnings[0].find("real = (byte - 0) / 255"), std::string::npos);
}

TEST_F(EvaluateTest, RefusesImagesThatContradictTheContract) {
  EvalRequest request = Request({files_.uint8_model()});
  request.data = "digits";
  request.limit = 3;
  Report report;
  QAT_EXPECT_ERROR(Evaluate(request, {}, report), ErrorCode::kCorrupt,
                   "digits: images are 28x28x1, expected 4x4x1");
}

TEST_F(EvaluateTest, ABaselineOfOtherImagesSaysNothingOfAccuracy) {
  Report earlier;
  QAT_ASSERT_OK(Evaluate(Request({files_.uint8_model()}), {}, earlier));
  earlier.data_sha256 = std::string(64, '0');
  QAT_ASSERT_OK(WriteFile(files_ / "earlier.json", ToJson(earlier)));
  EvalRequest request = Request({files_.uint8_model()});
  request.baseline = files_ / "earlier.json";
  request.gates.max_drop = 0;
  request.repeat = 0;
  Report report;
  QAT_EXPECT_ERROR(Evaluate(request, {}, report), ErrorCode::kInvalidArgument,
                   "so `max_drop` and `max_error_rise` would say nothing; measure it again on these");
  // Ranges of layers can be compared all the same.
  request.gates.max_drop.reset();
  request.gates.max_layer_loss = 6;
  Report without;
  QAT_ASSERT_OK(Evaluate(request, {}, without));
  EXPECT_EQ(without.status, "ok");
  EXPECT_NE(without.warnings.at(0).find("was measured on other data"), std::string::npos);
}

TEST(CheckRequest, SaysWhatIsMissing) {
  EvalRequest request;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "nothing to evaluate");
  request.rows.models = {"m.tflite"};
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "`data` is missing");
  request.data = "digits";
  QAT_ASSERT_OK(CheckRequest(request));
  request.gates.max_flips = 0;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "compare a model with another one");
  request.gates.max_flips.reset();
  request.gates.min_speedup = 2;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument,
                   "compare a model with the float model");
  request.gates.min_speedup.reset();
  request.baseline = "report.json";
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument,
                   "`baseline`: needs `max_drop`, `max_error_rise`, `min_speedup`, `max_latency_ratio` or ");
  request.baseline.clear();
  request.gates.significance = 0.05;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "`significance`: needs `max_drop`");
  request.gates.max_drop = 1;
  request.baseline = "report.json";
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "leave out `baseline`");
  request.gates.significance = 1;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "`significance`: value 1");
  request.gates = {};
  request.baseline.clear();
  request.gates.max_latency = 100;
  request.repeat = 0;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "need times, but `repeat` is 0");
  request.repeat = 1;
  request.topk = {1, 0};
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "`topk`: value 0");
  request.topk = {1};
  request.repeat = 1001;
  QAT_EXPECT_ERROR(CheckRequest(request), ErrorCode::kInvalidArgument, "`repeat`: value 1001");
}

// A float model of pictures that says nothing of itself: arrays of real numbers are what it takes, bytes have
// to be asked for.
TEST(EvaluateSilentModel, TakesTheRealNumbersOfTheData) {
  const testing::TempDir dir;
  testing::ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {1, 4}, DType::kFloat32);
  builder.AddReshape(input, {1, 4}, output);
  QAT_ASSERT_OK(WriteFile(dir / "silent.tflite", builder.Finish({input}, {output})));
  const std::vector<float> x = {0.1f, 0.2f, 9, 0.3f, -1, -2, -3, -0.5f};
  const auto write = [&](const std::string& folder, const NpyArray& images) {
    QAT_ASSERT_OK(MakeDirectories(dir / folder));
    QAT_ASSERT_OK(WriteFile(dir / (folder + "/x_test.npy"), Serialize(images)));
    QAT_ASSERT_OK(WriteFile(dir / (folder + "/y_test.npy"), Serialize(NpyArray{DType::kUInt8, {2}, {2, 3}})));
  };
  write("reals", {DType::kFloat32, {2, 1, 2, 2}, testing::BytesOf(x)});
  write("bytes", {DType::kUInt8, {2, 1, 2, 2}, Bytes(8)});
  EvalRequest request;
  request.rows.models = {dir / "silent.tflite"};
  request.data = dir / "reals";
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  EXPECT_EQ(report.models[0].accuracy->correct, 2);
  EXPECT_NE(report.warnings.at(0).find("real numbers are taken as they are"), std::string::npos);
  request.data = dir / "bytes";
  QAT_EXPECT_ERROR(Evaluate(request, {}, report), ErrorCode::kCorrupt, "has no input contract");
}

/// [1, 4, 4, 1] of reals -> a convolution of one tap to two numbers per pixel, as int8 in `path`.
void WriteMapModel(const std::string& path, float weight) {
  Graph graph;
  graph.name = "map";
  graph.scheme = "int8";
  graph.contract.input() = {4, 4, 1, {0}, {1}, ValueType::kReal, {4, 4, 1}, -4, 4};
  graph.contract.outputs.resize(1);
  graph.contract.outputs[0].task = Task::kNumbers;
  GraphTensor input;
  input.name = "x";
  input.shape = {1, 4, 4, 1};
  graph.inputs = {graph.AddTensor(input)};
  const int32_t filter = graph.AddConstant("conv/filter", {2, 1, 1, 1}, std::vector<float>{weight, 1});
  const int32_t bias = graph.AddConstant("conv/bias", {2}, std::vector<float>{0, 0});
  graph.outputs = {
      *graph.AddNode(OpType::kConv2D, "conv", Conv2DAttributes(), {graph.inputs[0], filter, bias})};
  GraphTensor& output = graph.tensor(graph.outputs[0]);
  output.has_range = true;
  output.range = {-4, 4};
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  const auto bytes = WriteTflite(graph, {});
  QAT_ASSERT_OK(bytes);
  QAT_ASSERT_OK(WriteFile(path, *bytes));
}

// The first difference lies in the last pixel of the first of two maps.
TEST(EvaluateMaps, FindsTheExampleOfTheFirstDifference) {
  const testing::TempDir dir;
  WriteMapModel(dir / "a.tflite", 1);
  WriteMapModel(dir / "b.tflite", 0.5f);
  std::vector<float> x(32), y(64);
  x[15] = x[31] = 3;
  QAT_ASSERT_OK(MakeDirectories(dir / "data"));
  QAT_ASSERT_OK(WriteFile(dir / "data/x_test.npy",
                          Serialize(NpyArray{DType::kFloat32, {2, 4, 4, 1}, testing::BytesOf(x)})));
  QAT_ASSERT_OK(WriteFile(dir / "data/y_test.npy",
                          Serialize(NpyArray{DType::kFloat32, {2, 4, 4, 2}, testing::BytesOf(y)})));
  EvalRequest request;
  request.rows.models = {dir / "a.tflite", dir / "b.tflite"};
  request.data = dir / "data";
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  ASSERT_EQ(report.pairs.size(), 1u);
  EXPECT_EQ(report.pairs[0].equal_outputs, 0);
  ASSERT_TRUE(report.pairs[0].first_difference.has_value());
  EXPECT_EQ(report.pairs[0].first_difference->example, 0);
  EXPECT_EQ(report.pairs[0].first_difference->layer, "conv");
}

}  // namespace
}  // namespace qat
