// qat-freeze and qat-convert as a user meets them: files, streams and exit codes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/strings.h"
#include "data/npy.h"
#include "ir/graph.h"
#include "model/model.h"
#include "support/bytes_of.h"
#include "support/model_builder.h"
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
using FreezeTool = qat::testing::Tools;
using qat::testing::Tools;

TEST_F(FreezeTool, WritesTheGraphOfTheBestCheckpointAndSaysSo) {
  const ProcessResult result = Freeze({dir_ / "run", "-o", dir_ / "out.qgraph"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(
      result.err,
      "run: takes the checkpoint of step 600, the best on the holdout (99.00 %), not the last, of step 900 "
      "(98.00 %); --select last takes that one\n");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_HOLDS(result.out, "frozen  tiny, step 600 -> ");
  EXPECT_HOLDS(result.out, "layers  4 kept, 1 gone (dropout)");
  EXPECT_HOLDS(result.out, "folded  none");
  EXPECT_HOLDS(result.out, "ranges  4, largest drift 0.02 (fc)");
  const auto graph = ReadGraph(dir_ / "out.qgraph");
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->tensors, TinyGraph().tensors);
}

TEST_F(FreezeTool, SelectsTheBestTheLastOrAStep) {
  const ProcessResult last = Freeze({dir_ / "run", "--select", "last", "-o", dir_ / "o"});
  EXPECT_HOLDS(last.out, "step 900");
  EXPECT_EQ(last.err, "");
  EXPECT_HOLDS(Freeze({dir_ / "run", "--select", "best", "-o", dir_ / "o"}).out, "step 600");
  EXPECT_HOLDS(Freeze({dir_ / "run", "--select=300", "-o", dir_ / "o"}).out, "step 300");
  EXPECT_REFUSED(Freeze({dir_ / "run", "--select=301", "-o", dir_ / "none"}), 3,
                 "has no checkpoint of step 301, only of 300, 600, 900");
}

TEST_F(FreezeTool, GivesTheSameBytesTwice) {
  Freeze({dir_ / "run", "-o", dir_ / "a"});
  Freeze({dir_ / "run", "-o", dir_ / "b"});
  EXPECT_EQ(ReadText(dir_ / "a"), ReadText(dir_ / "b"));
}

TEST_F(FreezeTool, PrintsTheGraphOnStandardOutput) {
  const ProcessResult result = Freeze({dir_ / "run", "--print"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.out, "fully_connected");
  EXPECT_HOLDS(result.out, "input contract: 4x4x1");
}

TEST_F(FreezeTool, WarnsOfUnsettledRangesAndRefusesThemWhenStrict) {
  Checkpoint checkpoint = TinyCheckpoint();
  checkpoint.ranges["conv"].drift = 0.3f;
  ASSERT_TRUE(WriteFile(dir_ / "x.ckpt", Serialize(checkpoint)).ok());
  const ProcessResult loose = Freeze({dir_ / "x.ckpt", "-o", dir_ / "x.qgraph", "--json", dir_ / "x.json"});
  EXPECT_EQ(loose.exit_code, 0);
  EXPECT_HOLDS(loose.err, "qat-freeze: warning: ");
  EXPECT_HOLDS(loose.err, "conv (0.3)");
  EXPECT_HOLDS(ReadText(dir_ / "x.json"), "conv (0.3)");
  EXPECT_REFUSED(Freeze({dir_ / "x.ckpt", "--strict", "-o", dir_ / "y.qgraph"}), 5, "conv (0.3)");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "y.qgraph"));
}

TEST_F(FreezeTool, WarnsOfUnsettledBatchNormsAndRefusesThemWhenStrict) {
  Checkpoint checkpoint = TinyCheckpoint();
  std::string spec = testing::kTinySpec;
  spec.replace(spec.find("kernel = 3"), 10, "kernel = 3\nbatch_norm = true");
  checkpoint.network = testing::NetworkOf(spec);
  checkpoint.tensors.erase("conv/bias");
  for (const char* name : {"gamma", "beta", "moving_mean", "moving_variance"}) {
    checkpoint.tensors[std::string("conv/") + name] = {{2}, {1, 1}};
  }
  checkpoint.batch_norm_gaps = {{"conv", 0.0625}};
  ASSERT_TRUE(WriteFile(dir_ / "x.ckpt", Serialize(checkpoint)).ok());
  const ProcessResult settled = Freeze({dir_ / "x.ckpt", "--strict", "-o", dir_ / "x.qgraph"});
  EXPECT_EQ(settled.exit_code, 0) << settled.err;
  EXPECT_HOLDS(settled.out, "norms   1, statistics at most 0.062 deviations from other batches' (conv)\n");
  checkpoint.batch_norm_gaps = {{"conv", 0.75}};
  ASSERT_TRUE(WriteFile(dir_ / "x.ckpt", Serialize(checkpoint)).ok());
  const ProcessResult loose = Freeze({dir_ / "x.ckpt", "-o", dir_ / "x.qgraph", "--json", dir_ / "x.json"});
  EXPECT_EQ(loose.exit_code, 0);
  EXPECT_HOLDS(loose.err, "warning: ");
  EXPECT_HOLDS(ReadText(dir_ / "x.json"), "conv (0.75)");
  EXPECT_REFUSED(Freeze({dir_ / "x.ckpt", "--strict", "-o", dir_ / "y.qgraph"}), 5, "conv (0.75)");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "y.qgraph"));
}

TEST_F(FreezeTool, NamesWhatIsWrongWithItsInput) {
  EXPECT_REFUSED(Freeze({dir_ / "nowhere", "-o", dir_ / "o"}), 3, "neither a checkpoint nor a run directory");
  EXPECT_REFUSED(Freeze({dir_ / "g.qgraph", "-o", dir_ / "o"}), 3,
                 "is a frozen graph (.qgraph), expected a checkpoint");
  const std::string whole = ReadText(CheckpointPath(dir_ / "run", 900));
  WriteText(dir_ / "half.ckpt", whole.substr(0, whole.size() / 2));
  EXPECT_REFUSED(Freeze({dir_ / "half.ckpt", "-o", dir_ / "o"}), 3, "half.ckpt: is cut short");
  EXPECT_REFUSED(Freeze({"-o", dir_ / "o"}), 2, "expected a run directory or a checkpoint");
  EXPECT_REFUSED(Freeze({dir_ / "run"}), 2, "--output: expected the graph to write");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "o"));
}

TEST_F(ConvertTool, WritesUint8WhereTheGraphWasTrainedForItAndFloat32Elsewhere) {
  const ProcessResult quantized = Convert({dir_ / "g.qgraph", "-o", dir_ / "g.tflite"});
  EXPECT_EQ(quantized.exit_code, 0) << quantized.err;
  EXPECT_EQ(quantized.err, "");
  EXPECT_HOLDS(quantized.out, "uint8");
  EXPECT_HOLDS(quantized.out, "input      input uint8 [1, 4, 4, 1], scale 0.003921569, zero point 0");
  EXPECT_HOLDS(quantized.out, "output     fc uint8 [1, 3]");
  const ProcessResult real = Convert({dir_ / "f.qgraph", "-o", dir_ / "f.tflite"});
  EXPECT_EQ(real.exit_code, 0) << real.err;
  EXPECT_HOLDS(real.out, "output     fc float32 [1, 3]");
  EXPECT_EQ(ReadText(dir_ / "f.tflite").substr(4, 4), "TFL3");
}

TEST_F(ConvertTool, GivesTheSameBytesTwice) {
  Convert({dir_ / "g.qgraph", "-o", dir_ / "a"});
  Convert({dir_ / "g.qgraph", "-o", dir_ / "b"});
  EXPECT_EQ(ReadText(dir_ / "a"), ReadText(dir_ / "b"));
  EXPECT_GT(ReadText(dir_ / "a").size(), 1000u);
}

TEST_F(ConvertTool, AppendsArgMaxUnderTheNamesAskedFor) {
  const ProcessResult result =
      Convert({dir_ / "g.qgraph", "--append", "argmax", "--argmax-type", "int64", "--input-names", "inputs",
               "--output-names", "predictions", "-o", dir_ / "m.tflite"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.out, "input      inputs uint8");
  EXPECT_HOLDS(result.out, "output     predictions int64 [1]");
}

TEST_F(ConvertTool, AppendsNothingThatChoosesAmongRealNumbers) {
  Graph graph = TinyGraph();
  graph.provenance["task"] = "numbers";
  ASSERT_TRUE(WriteFile(dir_ / "r.qgraph", Serialize(graph)).ok());
  for (const char* append : {"argmax", "softmax"}) {
    EXPECT_REFUSED(Convert({dir_ / "r.qgraph", "--append", append, "-o", dir_ / "m"}), 2,
                   "the network was trained for 3 real numbers");
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "m"));
}

TEST_F(ConvertTool, TakesTheClassicConvertersNames) {
  const ProcessResult classic = Convert({dir_ / "f.qgraph", "--inference_type=QUANTIZED_UINT8",
                                         "--mean_values=0", "--std_dev_values=255", "--default_ranges_min=0",
                                         "--default_ranges_max=6", "--input_arrays=x", "-o", dir_ / "a"});
  EXPECT_EQ(classic.exit_code, 0) << classic.err;
  const ProcessResult ours = Convert({dir_ / "f.qgraph", "--type", "uint8", "--input-stats", "0,255",
                                      "--default-range", "0,6", "--input-names", "x", "-o", dir_ / "b"});
  EXPECT_EQ(ours.exit_code, 0) << ours.err;
  EXPECT_EQ(ReadText(dir_ / "a"), ReadText(dir_ / "b"));
}

TEST_F(ConvertTool, WarnsLoudlyOfInputStatsThatContradictTheContract) {
  const ProcessResult result = Convert(
      {dir_ / "g.qgraph", "--input-stats", "0,1", "-o", dir_ / "m.tflite", "--json", dir_ / "r.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.err, "qat-convert: warning: ");
  EXPECT_HOLDS(result.err, "scale 1, zero point 0");
  EXPECT_HOLDS(result.err, "scale 0.003921569, zero point 0");
  EXPECT_HOLDS(result.err, "only 2 remain distinct");
  EXPECT_HOLDS(ReadText(dir_ / "r.json"), "only 2 remain distinct");
  EXPECT_HOLDS(result.out, "contract   4x4x1, real = (byte - 0) / 255");
}

TEST_F(ConvertTool, PassesAreListedAndCanBeLeftOut) {
  const std::string data = CalibrationData(dir_), graph = dir_ / "f.qgraph";
  const ProcessResult list = Convert({"--list-passes"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_HOLDS(list.out, "equalize                cross-layer equalization");
  EXPECT_LT(list.out.find("\ncalibrate "), list.out.find("\nadaround "));
  const auto convert = [&](std::vector<std::string> flags, const std::string& out) {
    flags.insert(flags.begin(), {graph, "--type", "w4a8", "--calibrate", data, "-o", out});
    const ProcessResult result = Convert(flags);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return ReadText(out);
  };
  const std::string plain = convert({"--skip-pass", "bias"}, dir_ / "plain.tflite");
  EXPECT_NE(convert({"--repair", "bias"}, dir_ / "bias.tflite"), plain);
  EXPECT_EQ(convert({"--repair", "bias", "--skip-pass", "bias"}, dir_ / "skipped.tflite"), plain);
}

TEST_F(ConvertTool, NamesWhatIsWrongWithTheCommandLine) {
  const std::string g = dir_ / "g.qgraph";
  const std::string o = dir_ / "o";
  EXPECT_REFUSED(Convert({"-o", o}), 2, "expected a frozen graph");
  EXPECT_REFUSED(Convert({g}), 2, "--output: expected the model to write");
  EXPECT_REFUSED(Convert({g, "-o", o, "--type", "uint9"}), 2,
                 "--type: value 'uint9', expected uint8, int8, int8-per-tensor, int16x8, w4a8, float32, "
                 "float16, dynamic or dynamic4");
  EXPECT_REFUSED(Convert({g, "-o", o, "--append", "relu"}), 2, "--append: value 'relu'");
  EXPECT_REFUSED(Convert({g, "-o", o, "--append=argmax", "--argmax-type=float"}), 2,
                 "--argmax-type: value 'float'");
  EXPECT_REFUSED(Convert({g, "-o", o, "--input-stats", "0"}), 2,
                 "--input-stats: value '0', expected MEAN,STD");
  EXPECT_REFUSED(Convert({g, "-o", o, "--input-stats", "0,0"}), 2, "std is 0, expected more than 0");
  EXPECT_REFUSED(Convert({g, "-o", o, "--default-range", "6,0"}), 2, "6 to 0, expected MIN below MAX");
  EXPECT_REFUSED(Convert({g, "-o", o, "--mean-values", "0"}), 2, "--mean-values and --std-dev-values");
  EXPECT_REFUSED(Convert({g, "-o", o, "--output-names", "a,b"}), 2, "2 output names for 1 outputs");
  EXPECT_REFUSED(Convert({g, "-o", o, "--outptu", "x"}), 2, "--output");
  EXPECT_FALSE(std::filesystem::exists(o));
}

TEST_F(ConvertTool, NamesWhatIsWrongWithItsInput) {
  const std::string checkpoint = CheckpointPath(dir_ / "run", 900);
  EXPECT_REFUSED(Convert({checkpoint, "-o", dir_ / "o"}), 3,
                 "is a checkpoint, expected a frozen graph (.qgraph)");
  EXPECT_REFUSED(Convert({dir_ / "run", "-o", dir_ / "o"}), 3,
                 "is a run directory, expected a file; qat-freeze takes it");
  EXPECT_REFUSED(Convert({dir_ / "none", "-o", dir_ / "o"}), 3, "cannot be read");
  std::string damaged = ReadText(dir_ / "g.qgraph");
  damaged[damaged.size() / 2] ^= 1;
  WriteText(dir_ / "damaged.qgraph", damaged);
  EXPECT_REFUSED(Convert({dir_ / "damaged.qgraph", "-o", dir_ / "o"}), 3, "does not match its SHA-256");
}

TEST_F(ConvertTool, LeavesNothingBehindWhereTheOutputCannotBeWritten) {
  EXPECT_REFUSED(Convert({dir_ / "g.qgraph", "-o", dir_ / "no/such/folder/m"}), 6, "no/such/folder/m");
  EXPECT_REFUSED(Convert({dir_ / "g.qgraph", "-o", "/dev/full"}), 6, "/dev/full");
  EXPECT_EQ(FilesIn(dir_.path()), (std::vector<std::string>{"f.qgraph", "g.qgraph", "run"}));
}

TEST_F(ConvertTool, WritesTheModelToStandardOutputAlone) {
  const ProcessResult piped = Convert({dir_ / "g.qgraph", "-o", "-"});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  Convert({dir_ / "g.qgraph", "-o", dir_ / "m.tflite"});
  EXPECT_EQ(piped.out, ReadText(dir_ / "m.tflite"));
}

// A pipeline of the two programs, with no file between them.
TEST_F(Tools, ReadFromStandardInputWhatTheyWriteToStandardOutput) {
  const std::string checkpoint = CheckpointPath(dir_ / "run", 900);
  const auto shell = [](const std::string& line) { return testing::Run({"/bin/sh", "-c", line}); };
  const std::string freeze = testing::ToolPath("qat-freeze"), convert = testing::ToolPath("qat-convert");
  const auto piped =
      shell(freeze + " - -o - < " + checkpoint + " | " + convert + " - -o " + (dir_ / "piped.tflite"));
  ASSERT_EQ(piped.exit_code, 0) << piped.err;
  ASSERT_EQ(Freeze({checkpoint, "-o", dir_ / "filed.qgraph"}).exit_code, 0);
  ASSERT_EQ(Convert({dir_ / "filed.qgraph", "-o", dir_ / "filed.tflite"}).exit_code, 0);
  EXPECT_EQ(ReadText(dir_ / "piped.tflite"), ReadText(dir_ / "filed.tflite"));
  const auto wrong = shell(convert + " - -o " + (dir_ / "x.tflite") + " < " + checkpoint);
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_HOLDS(wrong.err,
               "-: is a checkpoint, expected a frozen graph (.qgraph), a .tflite model or an ONNX model; "
               "qat-freeze makes a graph of it");
}

}  // namespace
}  // namespace qat
