// What qat-convert makes of a network: types, ranges, repairs, plans and borders.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/strings.h"
#include "data/npy.h"
#include "ir/graph.h"
#include "model/model.h"
#include "runtime/kernels/isa.h"
#include "support/bytes_of.h"
#include "support/model_builder.h"
#include "support/rows.h"
#include "support/tiny_files.h"
#include "support/wide_graph.h"
#include "tools/convert_fixture.h"

namespace qat {
namespace {

using qat::testing::CalibrationData;
using qat::testing::FilesIn;
using qat::testing::Holds;
using qat::testing::ProcessResult;
using qat::testing::ReadText;
using qat::testing::RunTool;
using qat::testing::TinyCheckpoint;
using qat::testing::TinyGraph;
using qat::testing::WriteText;
using ConvertTool = qat::testing::Tools;

TEST_F(ConvertTool, ADefaultRangeMakesAFloatGraphUint8AndWarns) {
  const ProcessResult result =
      Convert({dir_ / "f.qgraph", "--default-range", "-6,6", "-o", dir_ / "m.tflite"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.out, "output     fc uint8 [1, 3]");
  EXPECT_HOLDS(result.err, "default range [-6, 6] used for: conv, fc");
}

// A damaged file may say so: the ratio of both scales is more than a multiplier of TFLite holds.
TEST_F(ConvertTool, WritesNoModelThatWouldNotRun) {
  Graph graph = qat::testing::RowGraph(4, -1e12f, 1e12f);
  MeanAttributes keep;
  keep.keep_dims = true;
  const int32_t axis = graph.AddConstant("axis", {1}, std::vector<int32_t>{1});
  graph.outputs = {*graph.AddNode(OpType::kMean, "mean", keep, {graph.inputs[0], axis})};
  QAT_ASSERT_OK(WriteFile(dir_ / "ratio.qgraph", Serialize(graph)));
  const ProcessResult result = Convert(
      {dir_ / "ratio.qgraph", "--type", "int8", "--default-range", "-1,2", "-o", dir_ / "ratio.tflite"});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_HOLDS(result.err, "the model would not run: ");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "ratio.tflite"));
}

TEST_F(ConvertTool, CalibratesAGraphThatWasTrainedInFloat) {
  const std::string data = CalibrationData(dir_);
  const ProcessResult result = Convert({dir_ / "f.qgraph", "--calibrate", data, "--calibration-limit", "50",
                                        "-o", dir_ / "m.tflite", "--json", dir_ / "r.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.out, "output     fc uint8 [1, 3]");
  EXPECT_HOLDS(result.err, "calibrate: 50/50");
  EXPECT_HOLDS(ReadText(dir_ / "r.json"), "\"examples\": 50");
  EXPECT_HOLDS(ReadText(dir_ / "m.tflite"), "calibration=");
  EXPECT_HOLDS(ReadText(dir_ / "m.tflite"), "\ncalibration_images=50\n");
  Convert({dir_ / "f.qgraph", "--calibrate", data, "--calibration-limit", "50", "-o", dir_ / "again.tflite"});
  EXPECT_EQ(ReadText(dir_ / "m.tflite"), ReadText(dir_ / "again.tflite"));
}

TEST_F(ConvertTool, NamesWhatIsWrongWithTheDataToCalibrateWith) {
  const std::string data = CalibrationData(dir_);
  const std::string graph = dir_ / "f.qgraph", out = dir_ / "o";
  EXPECT_REFUSED(Convert({graph, "--calibrate", dir_ / "nowhere", "-o", out}), 3, "--calibrate: ");
  EXPECT_REFUSED(
      Convert({graph, "--calibrate", data, "--type", "float32", "-o", out}), 2,
      "--calibrate: finds ranges, of which --type float32, float16, dynamic and dynamic4 have none");
  // What flags alone say is refused before anything is read.
  const std::string nowhere = dir_ / "nowhere.onnx";
  EXPECT_REFUSED(Convert({nowhere, "--calibrate", data, "--type", "dynamic", "-o", out}), 2,
                 "--calibrate: finds ranges, of which");
  EXPECT_REFUSED(Convert({nowhere, "--repair", "bias", "-o", out}), 2, "--repair: changes filters");
  EXPECT_REFUSED(Convert({nowhere, "--observer", "mse", "-o", out}), 2,
                 "--observer: says how ranges are found in data");
  EXPECT_REFUSED(Convert({nowhere, "--type", "int9", "-o", out}), 2, "--type: value 'int9'");
  EXPECT_REFUSED(Convert({graph, "--calibrate", data, "--calibration-limit", "-1", "-o", out}), 2,
                 "--calibration-limit: value -1");
  EXPECT_REFUSED(Convert({graph, "--calibrate", "digits", "--calibration-limit", "5", "-o", out}), 3,
                 "f.qgraph: digits: images are 28x28x1, expected 4x4x1");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(ConvertTool, LayersThatShareAFilterAreKeptInFloatTogether) {
  Graph graph = TinyGraph();
  const int32_t filter = graph.AddConstant("twice", {3, 3}, std::vector<float>(9, 0.25f));
  for (const char* name : {"one", "two"}) {
    graph.outputs = {*graph.AddNode(OpType::kFullyConnected, name, FullyConnectedAttributes(),
                                    {graph.outputs[0], filter})};
    qat::testing::SetRange(graph, graph.outputs[0], {-4, 4}, kUInt8Limits);
  }
  QAT_ASSERT_OK(WriteFile(dir_ / "shared.qgraph", Serialize(graph)));
  const auto keep = [&](const std::string& layers) {
    return Convert({dir_ / "shared.qgraph", "--keep-float", layers, "-o", dir_ / "m.tflite"});
  };
  EXPECT_REFUSED(
      keep("two"), 2,
      "--keep-float: chooses two, which share the filter 'twice' with one; expected all of them or none");
  const ProcessResult both = keep("one|two");
  EXPECT_EQ(both.exit_code, 0) << both.err;
}

TEST_F(ConvertTool, RepairsWhatHelpsAndSaysWhat) {
  const std::string data = CalibrationData(dir_), graph = dir_ / "f.qgraph";
  const ProcessResult result =
      Convert({graph, "--type", "w4a8", "--calibrate", data, "--repair", "auto", "--observer", "mse", "-o",
               dir_ / "m.tflite", "--json", dir_ / "r.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.err, "repairs by their error on examples held out: none ");
  EXPECT_HOLDS(ReadText(dir_ / "r.json"), "held_out_error_adaround");
  const ProcessResult each =
      Convert({graph, "--type", "w4a8", "--calibrate", data, "--repair", "adaround,bias", "--observer",
               "conv=kl,fc=percentile", "-o", dir_ / "each.tflite"});
  EXPECT_EQ(each.exit_code, 0) << each.err;
  EXPECT_HOLDS(each.err, "adaround: conv, fc; the error of their sums fell to ");
  EXPECT_HOLDS(each.err, "bias: conv, fc");
}

// Ranges and repairs come from float kernels, whose sums are the same in every vector width.
TEST_F(ConvertTool, GivesTheSameBytesOnEveryMachineWithVectors) {
  const std::string data = CalibrationData(dir_), graph = dir_ / "wide.qgraph";
  QAT_ASSERT_OK(WriteFile(graph, Serialize(qat::testing::WideGraph())));
  for (const std::string type : {"int8", "w4a8"}) {
    std::string first;
    for (const Isa isa : AvailableIsas()) {
      if (isa == Isa::kPortable) continue;
      ASSERT_EQ(setenv("QAT_FORCE_ISA", std::string(NameOf(isa)).c_str(), 1), 0);
      const std::string out = dir_ / StrCat(type, ".", NameOf(isa), ".tflite");
      const ProcessResult run = Convert(
          {graph, "--type", type, "--calibrate", data, "--repair", "equalize,adaround,bias", "-o", out});
      unsetenv("QAT_FORCE_ISA");
      EXPECT_EQ(run.exit_code, 0) << run.err;
      if (first.empty()) first = ReadText(out);
      EXPECT_FALSE(first.empty());
      EXPECT_EQ(ReadText(out), first) << NameOf(isa);
    }
  }
}

TEST_F(ConvertTool, AModelSaysByWhatItWasCalibratedAndRepaired) {
  const std::vector<std::string> usual = {dir_ / "f.qgraph", "--calibrate", CalibrationData(dir_),
                                          "--progress", "none"};
  const auto text_with = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), usual.begin(), usual.end());
    flags.insert(flags.end(), {"-o", dir_ / "m.tflite"});
    const ProcessResult run = Convert(flags);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return ReadText(dir_ / "m.tflite");
  };
  const std::string plain = text_with({});
  EXPECT_FALSE(Holds(plain, "\nobservers=")) << "the usual ones";
  EXPECT_FALSE(Holds(plain, "\nrepairs="));
  EXPECT_FALSE(Holds(plain, "\nplan="));
  const std::string repaired = text_with({"--observer", "conv=mse", "--repair", "bias,equalize,adaround"});
  EXPECT_HOLDS(repaired, "\nobservers=minmax,conv=mse\n");
  EXPECT_HOLDS(repaired, "\nrepairs=equalize,adaround,bias\n");  // in the order in which they are made
  EXPECT_HOLDS(text_with({"--observer", "kl"}), "\nobservers=kl\n");
}

// A plan that left out which layers were equalized would be of ranges that its filters do not have.
TEST_F(ConvertTool, APlanOfEqualizedLayersNamesThem) {
  const std::string plan = dir_ / "p.toml", data = CalibrationData(dir_);
  const ProcessResult run = Convert({dir_ / "f.qgraph", "--calibrate", data, "--repair", "equalize",
                                     "--write-plan", plan, "-o", dir_ / "m.tflite"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_HOLDS(ReadText(plan), "\nequalize = [\"conv\"]\n");
  const ProcessResult again = Convert(
      {dir_ / "f.qgraph", "--plan", plan, "-o", dir_ / "again.tflite", "--write-plan", dir_ / "p2.toml"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  const std::string model = ReadText(dir_ / "again.tflite");
  EXPECT_HOLDS(model, "\nplan=");
  EXPECT_HOLDS(model, "\nrepairs=equalize-plan\n");
  EXPECT_HOLDS(ReadText(dir_ / "p2.toml"), "\nequalize = [\"conv\"]\n");
  // The scales of the filters, which follow from their values, are the same.
  const auto scale_in = [](const std::string& text) {
    const size_t scale = text.find("scale ", text.find("\"fc/filter\""));
    return text.substr(scale, text.find(';', scale) - scale);
  };
  EXPECT_EQ(scale_in(ReadText(dir_ / "p2.toml")), scale_in(ReadText(plan)));
  const ProcessResult rounded =
      Convert({dir_ / "f.qgraph", "--calibrate", data, "--repair", "adaround", "--write-plan", plan});
  EXPECT_HOLDS(rounded.err, "not how adaround rounded filters");
  EXPECT_EQ(rounded.out, "plan       " + plan + ", " + std::to_string(ReadText(plan).size()) + " bytes\n");
  const ProcessResult shown = Convert({dir_ / "f.qgraph", "--calibrate", data, "--write-plan", "-"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_HOLDS(shown.out, "\n[activations]\n");
  EXPECT_EQ(shown.out.find("plan  "), std::string::npos) << shown.out;
}

TEST_F(ConvertTool, NamesWhatIsWrongWithRepairsObserversAndPasses) {
  const std::string data = CalibrationData(dir_), graph = dir_ / "f.qgraph", out = dir_ / "o";
  EXPECT_REFUSED(Convert({graph, "--repair", "bias", "-o", out}), 2, "expected --calibrate DATA too");
  EXPECT_REFUSED(
      Convert({graph, "--calibrate", data, "--repair", "bias,equalise", "-o", out}), 2,
      "--repair: value 'bias,equalise', expected none, auto, or some of equalize, adaround and bias");
  EXPECT_REFUSED(Convert({graph, "--observer", "mse", "-o", out}), 2,
                 "--observer: says how ranges are found");
  EXPECT_REFUSED(Convert({graph, "--calibrate", data, "--observer", "median", "-o", out}), 2,
                 "--observer: value 'median', expected minmax, moving-average, percentile, mse, kl or auto");
  EXPECT_REFUSED(Convert({graph, "--calibrate", data, "--observer", "conw=mse", "-o", out}), 2,
                 "unknown activation 'conw'; did you mean 'conv'?");
  EXPECT_REFUSED(Convert({graph, "--skip-pass", "quantise", "-o", out}), 2,
                 "--skip-pass: unknown pass 'quantise'; did you mean 'quantize'?");
  EXPECT_REFUSED(Convert({graph, "--skip-pass", "quantize", "-o", out}), 2,
                 "nothing can be written without 'quantize'");
  EXPECT_REFUSED(
      Convert({graph, "--calibrate", data, "--calibration-limit", "6", "--repair", "auto", "-o", out}), 2,
      "--repair: auto holds one of 5 examples out, and there are 6; expected 10 or more");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(ConvertTool, ChangesTheBordersOfAFinishedModelAndNothingElse) {
  const std::string data = CalibrationData(dir_), done = dir_ / "done.tflite";
  EXPECT_EQ(Convert({dir_ / "f.qgraph", "--type", "int8", "--calibrate", data, "-o", done}).exit_code, 0);
  const ProcessResult floats =
      Convert({done, "--input-type", "float32", "--output-type", "float32", "-o", dir_ / "floats.tflite"});
  EXPECT_EQ(floats.exit_code, 0) << floats.err;
  EXPECT_HOLDS(floats.out, "its integers as they were");
  EXPECT_HOLDS(floats.out, "output     fc float32 [1, 3]");
  const ProcessResult back = Convert(
      {dir_ / "floats.tflite", "--input-type", "int8", "--output-type", "int8", "-o", dir_ / "back.tflite"});
  EXPECT_EQ(back.exit_code, 0) << back.err;
  EXPECT_HOLDS(back.out, "input      input int8 [1, 4, 4, 1]");
  const ProcessResult same =
      Convert({dir_ / "back.tflite", "--input-type", "int8", "-o", dir_ / "same.tflite"});
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_HOLDS(same.err, "its inputs and outputs have these types already; nothing changes");
  EXPECT_REFUSED(Convert({done, "--output-type", "int64", "-o", dir_ / "o"}), 2,
                 "--output-type: value 'int64'");
}

/// By name: type, scales, and of constants the bytes.
using TensorTexts = std::map<std::string, std::string>;
TensorTexts TensorsOf(const std::string& path) {
  TensorTexts texts;
  const auto model = Model::Load(path);
  EXPECT_TRUE(model.ok());
  for (const ModelTensor& tensor : (*model)->tensors()) {
    std::string& text = texts[tensor.name];
    text = StrCat(NameOf(tensor.type), " ", ToString(tensor.shape));
    for (size_t i = 0; i < tensor.scale.size(); ++i)
      text += StrCat(", ", tensor.scale[i], " from ", tensor.zero_point[i]);
    if (tensor.is_constant) text.append(tensor.constant.begin(), tensor.constant.end());
  }
  return texts;
}

TEST_F(ConvertTool, KeepsTheWeightsOfAFinishedModelAsTheyAreStored) {
  QAT_ASSERT_OK(WriteFile(dir_ / "wide.qgraph", Serialize(qat::testing::WideGraph())));
  for (const std::string type : {"float16", "dynamic", "dynamic4"}) {
    const std::string done = dir_ / (type + ".tflite"), changed = dir_ / "changed.tflite";
    EXPECT_EQ(Convert({dir_ / "wide.qgraph", "--type", type, "-o", done}).exit_code, 0);
    const ProcessResult run =
        Convert({done, "--input-type", "float32", "--output-type", "float32", "-o", changed});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_HOLDS(run.out, "its weights as they were");
    EXPECT_EQ(TensorsOf(changed), TensorsOf(done)) << type;
    // Whatever else is asked for, they have as many bits.
    const ProcessResult more = Convert({done, "--append", "softmax", "-o", changed});
    EXPECT_EQ(more.exit_code, 0) << more.err;
    EXPECT_HOLDS(more.out, StrCat("changed.tflite, ", type, ", "));
    EXPECT_REFUSED(Convert({done, "--input-type", "int8", "-o", changed}), 4,
                   "the network takes float32, so its input cannot be int8");
  }
}

/// A picture of real numbers, of which an imported file does not say that it takes none but bytes.
TEST_F(ConvertTool, TakesThePlanOfAPictureOfRealNumbersBack) {
  qat::testing::ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4, 4, 2}, DType::kFloat32);
  const int32_t filter = builder.AddConstant("conv/filter", {3, 1, 1, 2},
                                             std::vector<float>{1, -0.5f, 0.25f, 0.75f, -1, 0.125f});
  const int32_t bias = builder.AddConstant("conv/bias", {3}, std::vector<float>{0, 1, -1});
  const int32_t output = builder.AddTensor("y", {1, 4, 4, 3}, DType::kFloat32);
  builder.AddConv2D(input, filter, bias, output, Conv2DAttributes());
  const std::string model = dir_ / "x.tflite", plan = dir_ / "p.toml";
  QAT_ASSERT_OK(WriteFile(model, builder.Finish({input}, {output})));
  std::vector<float> values;
  for (int i = 0; i < 20 * 32; ++i) values.push_back(static_cast<float>(i * 29 % 83 - 40) / 16);
  std::filesystem::create_directories(dir_ / "reals");
  const NpyArray x{DType::kFloat32, {20, 4, 4, 2}, qat::testing::BytesOf(values)};
  QAT_ASSERT_OK(WriteFile(dir_ / "reals/x_train.npy", Serialize(x)));
  const ProcessResult with_data = Convert({model, "--type", "int8", "--calibrate", dir_ / "reals",
                                           "--write-plan", plan, "-o", dir_ / "a.tflite"});
  ASSERT_EQ(with_data.exit_code, 0) << with_data.err;
  const ProcessResult by_plan = Convert({model, "--plan", plan, "-o", dir_ / "b.tflite"});
  ASSERT_EQ(by_plan.exit_code, 0) << by_plan.err;
  EXPECT_HOLDS(by_plan.err, "the plan has a range of input 'x', so real numbers go into the network");
  EXPECT_EQ(TensorsOf(dir_ / "a.tflite"), TensorsOf(dir_ / "b.tflite"));
  const auto contract = [&](const std::string& name) { return *(*Model::Load(dir_ / name))->contract(); };
  EXPECT_EQ(contract("a.tflite"), contract("b.tflite"));
  EXPECT_REFUSED(
      Convert({model, "--plan", plan, "--mean", "0", "--std", "255", "-o", dir_ / "c.tflite"}), 2,
      "p.toml: inputs: 'x' takes bytes, of which mean and std say what they stand for, expected no "
      "range of it; where the plan is of real numbers, leave out --mean and --std");
}

TEST_F(ConvertTool, WritesTwinsOfUInt8AndInt8) {
  const ProcessResult run = Convert(
      {dir_ / "g.qgraph", "-o", dir_ / "i.tflite", "--twins", dir_ / "u.tflite", "--json", dir_ / "r.json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_HOLDS(run.out, "i.tflite, int8-per-tensor, ");
  EXPECT_HOLDS(run.out, "u.tflite, uint8, its twin, ");
  EXPECT_HOLDS(run.out, "input      input int8 [1, 4, 4, 1], scale 0.003921569, zero point -128\n");
  EXPECT_HOLDS(run.out, "input      input uint8 [1, 4, 4, 1], scale 0.003921569, zero point 0\n");
  EXPECT_HOLDS(ReadText(dir_ / "r.json"), "\"twin\": ");
  // Of both the same real numbers come out, and the borders are those asked for.
  const ProcessResult reals = Convert({dir_ / "g.qgraph", "-o", dir_ / "fi.tflite", "--twins",
                                       dir_ / "fu.tflite", "--output-type", "float32"});
  EXPECT_EQ(reals.exit_code, 0) << reals.err;
  EXPECT_EQ(std::count(reals.out.begin(), reals.out.end(), '\n'), 8) << reals.out;
  EXPECT_HOLDS(reals.out, "output     fc float32 [1, 3]\n");
}

// The oracle is a conversion with the data: ranges are the same, whoever asks for the layers.
TEST_F(ConvertTool, LayersNamedInAPlanHaveItsRangesWithoutData) {
  const std::string data = CalibrationData(dir_), graph = dir_ / "f.qgraph", plan = dir_ / "p.toml";
  ASSERT_EQ(Convert({graph, "--type", "int8", "--calibrate", data, "--write-plan", plan}).exit_code, 0);
  const auto without_reasons = [](std::string text) {
    std::string out;
    for (size_t at = 0, end; at < text.size(); at = end + 1) {
      end = text.find('\n', at);
      out += text.substr(at, std::min(end, text.find("; ", at)) - at) + "\n";
    }
    return out;
  };
  for (const std::string list : {"keep_float", "int16"}) {
    for (const std::string layer : {"conv", "pool", "fc"}) {
      const std::string asked = dir_ / "asked.toml", edited = dir_ / "edited.toml",
                        taken = dir_ / "taken.toml";
      const std::string flag = list == "int16" ? "--int16" : "--keep-float";
      const ProcessResult with_data =
          Convert({graph, "--type", "int8", "--calibrate", data, flag, layer, "--write-plan", asked});
      ASSERT_EQ(with_data.exit_code, 0) << with_data.err;
      std::string text = ReadText(plan);
      text.replace(text.find("keep_float = []"), 15, list + " = [\"" + layer + "\"]");
      WriteText(edited, text);
      const ProcessResult by_plan = Convert({graph, "--plan", edited, "--write-plan", taken});
      ASSERT_EQ(by_plan.exit_code, 0) << list << " " << layer << ": " << by_plan.err;
      EXPECT_EQ(without_reasons(ReadText(taken)), without_reasons(ReadText(asked))) << list << " " << layer;
      const ProcessResult by_flag = Convert({graph, "--plan", plan, flag, layer, "--write-plan", taken});
      ASSERT_EQ(by_flag.exit_code, 0) << flag << " " << layer << ": " << by_flag.err;
      EXPECT_EQ(without_reasons(ReadText(taken)), without_reasons(ReadText(asked))) << flag << " " << layer;
    }
  }
}

TEST_F(ConvertTool, NamedLayersHave16Bits) {
  const std::string data = CalibrationData(dir_), plan = dir_ / "p.toml", graph = dir_ / "f.qgraph";
  const ProcessResult run = Convert({graph, "--type", "int8", "--calibrate", data, "--int16", "conv|po.l",
                                     "--write-plan", plan, "-o", dir_ / "m.tflite"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_HOLDS(run.err, "computed with 16-bit activations, between QUANTIZE nodes, as asked: conv, pool\n");
  EXPECT_HOLDS(ReadText(plan), "\nint16 = [\"conv\", \"pool\"]\n");
  const ProcessResult again = Convert({graph, "--plan", plan, "--write-plan", dir_ / "p2.toml"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_HOLDS(ReadText(dir_ / "p2.toml"), "\nint16 = [\"conv\", \"pool\"]\n");
  const std::string o = dir_ / "o.tflite";
  EXPECT_REFUSED(
      Convert({graph, "--type", "uint8", "--default-range", "0,6", "--int16", "conv", "-o", o}), 2,
      "--int16: chooses layers beside activations of int8, expected --type int8, int8-per-tensor or w4a8");
  EXPECT_REFUSED(Convert({graph, "--type", "int8", "--default-range", "0,6", "--int16", "con", "-o", o}), 2,
                 "--int16: no layer has a name that 'con' describes");
  WriteText(plan, "version = 1\ntype = \"int8\"\nint16 = [\"konv\"]\n");
  EXPECT_REFUSED(Convert({graph, "--plan", plan, "-o", o}), 2,
                 "p.toml: int16: unknown layer 'konv'; did you mean 'conv'?");
  EXPECT_REFUSED(
      Convert({graph, "--default-range", "0,6", "--int16", "conv", "-o", o, "--twins", dir_ / "u.tflite"}), 2,
      "--int16: not beside --twins: TFLite has no QUANTIZE from uint8 to int16");
  EXPECT_FALSE(std::filesystem::exists(o));
}

TEST_F(ConvertTool, FullyConnectedLayersHaveOneScaleWhereAskedFor) {
  const auto scales = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> all = {dir_ / "g.qgraph", "--fully-connected-scales", "tensor", "-o",
                                    dir_ / "m.tflite"};
    all.insert(all.end(), flags.begin(), flags.end());
    EXPECT_EQ(Convert(all).exit_code, 0);
    const auto model = Model::Load(dir_ / "m.tflite");
    EXPECT_TRUE(model.ok());
    std::map<OpType, size_t> found;
    for (const ModelNode& node : (*model)->nodes()) {
      const int32_t filter = node.inputs.size() > 1 ? node.inputs[1] : -1;
      if (filter >= 0) found[node.type] = (*model)->tensors()[static_cast<size_t>(filter)].scale.size();
    }
    return std::pair(found[OpType::kConv2D], found[OpType::kFullyConnected]);
  };
  for (const char* type : {"int8", "w4a8", "int16x8"})
    EXPECT_EQ(scales({"--type", type}), std::pair(size_t{2}, size_t{1})) << type;
  // A plan knows better of a single filter; one that says nothing of its scales does not.
  testing::WriteText(dir_ / "bits.toml",
                     "version = 1\ntype = \"int8\"\n[filters]\n\"fc/filter\" = { bits = 4 }\n");
  EXPECT_EQ(scales({"--plan", dir_ / "bits.toml"}).second, 1u);
  testing::WriteText(dir_ / "scales.toml",
                     "version = 1\ntype = \"int8\"\n[filters]\n\"fc/filter\" = { scales = \"channel\" }\n");
  EXPECT_GT(scales({"--plan", dir_ / "scales.toml"}).second, 1u);
  for (const auto& [value, type, piece] :
       {std::tuple("both", "int8", "--fully-connected-scales: value 'both', expected channel or tensor"),
        std::tuple("tensor", "float32", "a model of real numbers has none of filters")}) {
    const ProcessResult refused = Convert(
        {dir_ / "f.qgraph", "--type", type, "--fully-connected-scales", value, "-o", dir_ / "no.tflite"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_HOLDS(refused.err, piece);
  }
}

TEST_F(ConvertTool, NamesWhatIsWrongWithTwins) {
  const std::string g = dir_ / "g.qgraph", i = dir_ / "i.tflite", u = dir_ / "u.tflite";
  EXPECT_REFUSED(Convert({g, "--twins", u}), 2,
                 "--twins: is the model of uint8 beside the one of int8, expected -o FILE too");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", i}), 2, "i.tflite");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", "-"}), 2, "--twins: value '-', expected a file");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", dir_ / "u.png"}), 2, "--twins");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", u, "--type", "uint8"}), 2,
                 "--type: value 'uint8', but both models of --twins have the filters of int8-per-tensor; "
                 "leave --type out");
  WriteText(dir_ / "p.toml", "version = 1\ntype = \"int8\"\n");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", u, "--plan", dir_ / "p.toml"}), 2,
                 "is for int8, expected one for int8-per-tensor");
  EXPECT_REFUSED(Convert({g, "-o", i, "--twins", dir_ / "no/such/u.tflite"}), 6, "no/such/u.tflite");
  EXPECT_FALSE(std::filesystem::exists(i));
  EXPECT_FALSE(std::filesystem::exists(u));
}

TEST_F(ConvertTool, ListsWhatLacksARange) {
  EXPECT_REFUSED(Convert({dir_ / "f.qgraph", "--type", "uint8", "-o", dir_ / "m"}), 4, "missing: conv, fc;");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "m"));
}

}  // namespace
}  // namespace qat
