// Whatever flags a model was converted with, `qat-eval trace` makes it again byte for byte; and no flag of
// qat-convert is forgotten.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/strings.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/tiny_files.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;
using Strings = std::vector<std::string>;

enum class Effect {
  kRecorded,  // other bytes, which a trace makes again
  kNone,      // on the bytes of the model
  kOfOthers,  // refused for a .qgraph: it reads networks that no graph is beside
  kStops,     // something is printed instead
};

struct FlagCase {
  std::string flag;
  Effect effect;
  Strings arguments;     // DIR/ stands for the folder of the test
  Strings without = {};  // what they are compared with, beside the network
};

// A flag may stand here several times, and every flag of qat-convert has to.
const std::vector<FlagCase>& FlagCases() {
  static const Strings kData = {"--calibrate", "DIR/data", "--type", "int8"};
  static const Strings kLimit = {"--calibrate", "DIR/data", "--type", "int8", "--calibration-limit", "7"};
  const auto with_data = [](Strings more) {
    more.insert(more.begin(), kData.begin(), kData.end());
    return more;
  };
  static const std::vector<FlagCase> kCases = {
      {"--type", Effect::kRecorded, {"--type", "int8"}},
      {"--type", Effect::kRecorded, {"--type", "int8-per-tensor"}},
      {"--type", Effect::kRecorded, {"--type", "int16x8"}},
      {"--type", Effect::kRecorded, {"--type", "w4a8"}},
      {"--type", Effect::kRecorded, {"--type", "float32"}},
      {"--type", Effect::kRecorded, {"--type", "float16"}},
      {"--type", Effect::kRecorded, {"--type", "dynamic"}},
      {"--type", Effect::kRecorded, {"--type", "dynamic4"}},
      {"--inference-type", Effect::kRecorded, {"--inference-type", "FLOAT"}},
      {"--input-type", Effect::kRecorded, {"--input-type", "int8"}},
      {"--inference-input-type", Effect::kRecorded, {"--inference-input-type", "float32"}},
      {"--output-type", Effect::kRecorded, {"--output-type", "float32"}},
      {"--inference-output-type", Effect::kRecorded, {"--inference-output-type", "int8"}},
      {"--append", Effect::kRecorded, {"--append", "softmax"}},
      {"--append",
       Effect::kRecorded,
       {"--append", "argmax", "--output-type", "uint8", "--skip-pass", "output-type"}},
      {"--argmax-type",
       Effect::kRecorded,
       {"--append", "argmax", "--argmax-type", "int64"},
       {"--append", "argmax"}},
      {"--input-names", Effect::kRecorded, {"--input-names", "picture"}},
      {"--input-arrays", Effect::kRecorded, {"--input-arrays", "picture"}},
      {"--output-names", Effect::kRecorded, {"--output-names", "scores"}},
      {"--output-arrays", Effect::kRecorded, {"--output-arrays", "scores"}},
      {"--keep-float", Effect::kRecorded, {"--keep-float", "f\\w|nothing"}},
      {"--keep-float",
       Effect::kRecorded,
       {"--type", "int8", "--keep-float", "conv", "--output-type", "float32"}},
      {"--int16", Effect::kRecorded, {"--type", "int8", "--int16", "conv|pool"}, {"--type", "int8"}},
      {"--fully-connected-scales",
       Effect::kRecorded,
       {"--type", "int8", "--fully-connected-scales", "tensor"},
       {"--type", "int8"}},
      {"--input-stats", Effect::kRecorded, {"--input-stats", "128,127.5"}},
      {"--input-stats", Effect::kRecorded, {"--input-stats", "128,127.5", "--input-type", "float32"}},
      {"--quantized-input-stats", Effect::kRecorded, {"--quantized-input-stats", "1,3"}},
      {"--mean-value", Effect::kRecorded, {"--mean-value", "7", "--std-dev-value", "0.3"}},
      {"--std-dev-value", Effect::kRecorded, {"--mean-value", "0", "--std-dev-value", "3"}},
      {"--default-range",
       Effect::kRecorded,
       {"DIR/bare.qgraph", "--default-range", "-0.1,6.3"},
       {"DIR/bare.qgraph"}},
      {"--default-ranges-stats",
       Effect::kRecorded,
       {"DIR/bare.qgraph", "--default-ranges-stats", "0,6"},
       {"DIR/bare.qgraph"}},
      {"--default-ranges-min",
       Effect::kRecorded,
       {"DIR/bare.qgraph", "--default-ranges-min", "-1", "--default-ranges-max", "1"},
       {"DIR/bare.qgraph"}},
      {"--default-ranges-max",
       Effect::kRecorded,
       {"DIR/bare.qgraph", "--default-ranges-min", "-1", "--default-ranges-max", "2"},
       {"DIR/bare.qgraph"}},
      {"--twins",
       Effect::kRecorded,
       {"DIR/symmetric.qgraph", "--twins", "DIR/twin.tflite"},
       {"DIR/symmetric.qgraph"}},
      {"--plan", Effect::kRecorded, {"--plan", "DIR/plan.toml"}},
      {"--calibrate", Effect::kRecorded, {"--calibrate", "DIR/data"}},
      {"--calibration-limit", Effect::kRecorded, kLimit, kData},
      {"--observer", Effect::kRecorded, with_data({"--observer", "mse"}), kData},
      {"--observer", Effect::kRecorded, with_data({"--observer", "conv=percentile,fc=moving-average"}),
       kData},
      {"--observer", Effect::kRecorded, with_data({"--observer", "auto"}), with_data({"--observer", "mse"})},
      {"--repair", Effect::kRecorded, with_data({"--repair", "equalize,adaround,bias"}), kData},
      {"--repair", Effect::kRecorded, with_data({"--repair", "adaround"}), kData},
      {"--repair",
       Effect::kRecorded,
       {"--calibrate", "DIR/data", "--type", "int8-per-tensor", "--repair", "auto"},
       kData},
      {"--skip-pass", Effect::kRecorded,
       with_data({"--append", "softmax", "--skip-pass", "append", "--skip-pass", "calibrate"}), kData},
      {"graph", Effect::kRecorded, {"DIR/symmetric.qgraph"}},
      {"--output", Effect::kNone, {}},
      {"--print", Effect::kNone, {"--print"}},
      {"--target", Effect::kNone, {"--target", "tflite"}},
      {"--emit-micro", Effect::kNone, {"--type", "int8", "--emit-micro", "DIR/app"}, {"--type", "int8"}},
      {"--write-plan", Effect::kNone, {"--write-plan", "DIR/written.toml"}},
      {"--threads", Effect::kNone, with_data({"--threads", "2"}), kData},
      {"--json", Effect::kNone, {"--json", "DIR/r.json"}},
      {"--config", Effect::kNone, {"--config", "DIR/convert.toml"}},
      {"--progress", Effect::kNone, {"--progress", "none"}},
      {"--log-level", Effect::kNone, {"--log-level", "error"}},
      {"--input-layout", Effect::kOfOthers, {"--input-layout", "nchw"}},
      {"--mean", Effect::kOfOthers, {"--mean", "1"}},
      {"--std", Effect::kOfOthers, {"--std", "2"}},
      {"--fit", Effect::kOfOthers, {"--fit", "pad"}},
      {"--signature", Effect::kOfOthers, {"--signature", "serving_default"}},
      {"--input-shape", Effect::kOfOthers, {"--input-shape", "1,4,4,1"}},
      {"--verify", Effect::kNone, {"--verify", "DIR/x.npy", "DIR/y.npy"}},
      {"--verify-tolerance", Effect::kNone, {"--verify-tolerance", "0.5"}},
      {"--list-passes", Effect::kStops, {"--list-passes"}},
      {"--print-config", Effect::kStops, {"--print-config"}},
      {"--help-as", Effect::kStops, {"--help-as", "man"}},
      {"-h", Effect::kStops, {"-h"}},
      {"--help", Effect::kStops, {"--help"}},
      {"--version", Effect::kStops, {"--version"}},
  };
  return kCases;
}

/// The tiny network in three forms, data to calibrate with, and files that flags name.
class Remake : public ::testing::Test {
 protected:
  Remake() {
    Graph graph = testing::TinyGraph(), bare = testing::TinyGraph(/*with_ranges=*/false);
    graph.provenance.clear();
    bare.provenance.clear();
    EXPECT_TRUE(WriteFile(At("g.qgraph"), Serialize(graph)).ok());
    EXPECT_TRUE(WriteFile(At("bare.qgraph"), Serialize(bare)).ok());
    graph.scheme = "int8-per-tensor";
    EXPECT_TRUE(WriteFile(At("symmetric.qgraph"), Serialize(graph)).ok());
    testing::WriteTinyData(At("data"), 60, 60);
    for (const char* what : {"images-idx3", "labels-idx1"})
      std::filesystem::rename(StrCat(At("data/t10k-"), what, "-ubyte"),
                              StrCat(At("data/train-"), what, "-ubyte"));
    EXPECT_TRUE(WriteFile(At("convert.toml"), "type = \"uint8\"\n").ok());
    EXPECT_EQ(RunTool("qat-convert", {At("g.qgraph"), "--type", "int8", "--keep-float", "pool",
                                      "--write-plan", At("plan.toml")})
                  .exit_code,
              0);
  }

  std::string At(const std::string& name) const { return folder_ / name; }

  Strings Resolved(Strings arguments, const std::string& output) const {
    for (std::string& text : arguments) {
      if (text.starts_with("DIR/")) text = At(text.substr(4));
    }
    if (arguments.empty() || !arguments.front().ends_with(".qgraph"))
      arguments.insert(arguments.begin(), At("g.qgraph"));
    arguments.insert(arguments.end(), {"-o", output});
    return arguments;
  }

  /// Of the model as the program wrote it; empty: it refused.
  std::string Converted(const Strings& arguments) const {
    const ProcessResult run = RunTool("qat-convert", Resolved(arguments, At("m.tflite")));
    return run.exit_code == 0 ? ReadText(At("m.tflite")) : "";
  }

  void ExpectMadeAgain(const std::string& model, const std::string& of) const {
    const ProcessResult trace = RunTool("qat-eval", {"trace", model, "--data", At("data")});
    EXPECT_NE(trace.out.find("model, converted again  matches"), std::string::npos) << of << "\n"
                                                                                    << trace.out << trace.err;
  }

  testing::TempDir folder_;
};

std::string Text(const Strings& arguments) { return Join(arguments, " "); }

/// The first of each row's names, as the program's own page has them.
std::set<std::string> FlagsOfConvert() {
  std::set<std::string> flags = {"graph"};
  for (const std::string& line : SplitText(RunTool("qat-convert", {"--help-as", "markdown"}).out, '\n')) {
    if (!line.starts_with("| `-")) continue;
    std::string name = line.substr(3, line.find_first_of(" ,`", 3) - 3);
    if (name == "-o") name = "--output";
    flags.insert(name);
  }
  return flags;
}

TEST_F(Remake, NoFlagOfQatConvertIsForgotten) {
  std::set<std::string> known;
  for (const FlagCase& each : FlagCases()) known.insert(each.flag);
  const std::set<std::string> flags = FlagsOfConvert();
  EXPECT_GT(flags.size(), 40u);
  for (const std::string& flag : flags)
    EXPECT_TRUE(known.contains(flag))
        << flag << ": is new: record it (lib/convert/record.h) where it changes a model, and say so here";
  for (const std::string& flag : known)
    EXPECT_TRUE(flags.contains(flag)) << flag << ": is no flag of qat-convert";
}

TEST_F(Remake, WhatAFlagChangesATraceMakesAgain) {
  for (const FlagCase& each : FlagCases()) {
    if (each.effect != Effect::kRecorded) continue;
    const std::string plain = Converted(each.without), model = Converted(each.arguments);
    ASSERT_FALSE(model.empty()) << Text(each.arguments);
    EXPECT_FALSE(model == plain) << Text(each.arguments) << ": changes nothing, so this test says nothing";
    ExpectMadeAgain(At("m.tflite"), Text(each.arguments));
  }
}

TEST_F(Remake, OtherFlagsChangeNoByte) {
  for (const FlagCase& each : FlagCases()) {
    if (each.effect != Effect::kNone || each.flag == "--verify")
      continue;  // tests/import/verify_source_test.cc has what that needs
    const std::string plain = Converted(each.without);
    ASSERT_FALSE(plain.empty());
    EXPECT_TRUE(Converted(each.arguments) == plain) << Text(each.arguments);
  }
}

TEST_F(Remake, FlagsForNetworksOfOthersAreRefusedForAGraph) {
  for (const FlagCase& each : FlagCases()) {
    if (each.effect == Effect::kOfOthers) {
      EXPECT_TRUE(Converted(each.arguments).empty()) << Text(each.arguments);
    }
  }
}

TEST_F(Remake, BothTwinsAreMadeAgainWithOtherBordersToo) {
  ASSERT_FALSE(Converted({"DIR/symmetric.qgraph", "--twins", "DIR/twin.tflite", "--input-type", "float32",
                          "--output-type", "float32"})
                   .empty());
  ExpectMadeAgain(At("m.tflite"), "int8");
  ExpectMadeAgain(At("twin.tflite"), "uint8");
}

TEST_F(Remake, EveryPassCanBeLeftOut) {
  const Strings all = {"--calibrate",  "DIR/data", "--type",        "int8-per-tensor",
                       "--append",     "softmax",  "--keep-float",  "pool",
                       "--observer",   "mse",      "--repair",      "equalize,adaround,bias",
                       "--input-type", "float32",  "--output-type", "float32"};
  for (const std::string& line : SplitText(RunTool("qat-convert", {"--list-passes"}).out, '\n')) {
    const std::string pass = line.substr(0, line.find(' '));
    if (pass.empty() || pass == "quantize") continue;
    Strings arguments = all;
    arguments.insert(arguments.end(), {"--skip-pass", pass});
    ASSERT_FALSE(Converted(arguments).empty()) << pass;
    ExpectMadeAgain(At("m.tflite"), pass);
  }
}

TEST_F(Remake, APlanWithRepairsAndLayersOfTheirOwnIsMadeAgain) {
  ASSERT_EQ(RunTool("qat-convert", Resolved({"--calibrate", "DIR/data", "--type", "int8", "--repair",
                                             "equalize", "--int16", "conv", "--write-plan", "DIR/mixed.toml"},
                                            At("first.tflite")))
                .exit_code,
            0);
  ASSERT_FALSE(Converted({"--plan", "DIR/mixed.toml"}).empty());
  ExpectMadeAgain(At("m.tflite"), "a plan alone");
  ASSERT_FALSE(
      Converted({"--plan", "DIR/mixed.toml", "--calibrate", "DIR/data", "--repair", "bias"}).empty());
  ExpectMadeAgain(At("m.tflite"), "a plan and data");
}

TEST_F(Remake, SaysWhatIsMissing) {
  ASSERT_FALSE(Converted({"--plan", "DIR/plan.toml"}).empty());
  std::filesystem::remove(At("plan.toml"));
  const ProcessResult no_plan = RunTool("qat-eval", {"trace", At("m.tflite")});
  EXPECT_EQ(no_plan.exit_code, 0) << no_plan.out;
  EXPECT_NE(no_plan.out.find("does not lie beside it"), std::string::npos) << no_plan.out;
  ASSERT_FALSE(Converted({"--calibrate", "DIR/data"}).empty());
  const ProcessResult shown =
      RunTool("qat-eval", {"trace", At("m.tflite"), "--data", At("data"), "--progress", "plain"});
  EXPECT_NE(shown.err.find("converting again, calibrate: "), std::string::npos) << shown.err;
  const ProcessResult no_data = RunTool("qat-eval", {"trace", At("m.tflite")});
  EXPECT_EQ(no_data.exit_code, 0) << no_data.out;
  EXPECT_NE(no_data.out.find("its ranges come from images (calibration) that are not here"),
            std::string::npos)
      << no_data.out;
}

TEST_F(Remake, AModelMadeOfAnotherModelIsNotHeldAgainstTheGraphOfThatOne) {
  ASSERT_FALSE(Converted({"--type", "float32"}).empty());
  ASSERT_EQ(RunTool("qat-convert",
                    {At("m.tflite"), "--calibrate", At("data"), "--type", "int8", "-o", At("again.tflite")})
                .exit_code,
            0);
  const ProcessResult trace = RunTool("qat-eval", {"trace", At("again.tflite"), "--data", At("data")});
  EXPECT_EQ(trace.exit_code, 0) << trace.out;
  EXPECT_NE(trace.out.find("made of " + At("m.tflite") + " and not of the graph; to check it, convert " +
                           At("m.tflite") + " again with the same flags"),
            std::string::npos)
      << trace.out;
  const ProcessResult given = RunTool("qat-eval", {"trace", At("again.tflite"), "--graph", At("m.tflite")});
  EXPECT_EQ(given.exit_code, 2) << given.err;
  EXPECT_NE(given.err.find("--graph: " + At("m.tflite") + " is a model, expected the frozen graph (.qgraph)"),
            std::string::npos)
      << given.err;
  std::filesystem::remove(At("m.tflite"));
  const ProcessResult gone = RunTool("qat-eval", {"trace", At("again.tflite")});
  EXPECT_NE(gone.out.find("made of a model that is not beside it (sha256 "), std::string::npos) << gone.out;
}

}  // namespace
}  // namespace qat
