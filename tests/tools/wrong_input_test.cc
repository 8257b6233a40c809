// What a new user gets wrong. Each time: one sentence that names the file and what was expected, the exit
// code of docs/design.md, nothing on standard output, and no file that was not there before.
#include <gtest/gtest.h>

#include "checkpoint/checkpoint.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

class WrongInput : public ::testing::Test {
 protected:
  void SetUp() override {
    Damage(files_.uint8_model(), "cut.tflite", [](Bytes& bytes) { bytes.resize(bytes.size() / 2); });
    // The offset of the root table, far outside.
    Damage(files_.uint8_model(), "damaged.tflite", [](Bytes& bytes) { bytes[2] = 0x7f; });
    Damage(files_.graph(), "cut.qgraph", [](Bytes& bytes) { bytes.resize(bytes.size() / 2); });
    Damage(files_.graph(), "damaged.qgraph", [](Bytes& bytes) { bytes[bytes.size() - 9] ^= 0x10; });
    Checkpoint checkpoint;
    checkpoint.scheme = "uint8";
    checkpoint.network = testing::NetworkOf(testing::kTinySpec);
    checkpoint.contract = testing::TinyGraph().contract;
    checkpoint.tensors["fc/bias"] = {{3}, {1, 2, 3}};
    QAT_ASSERT_OK(WriteFile(files_ / "a.ckpt", Serialize(checkpoint)));
    Damage(files_ / "a.ckpt", "cut.ckpt", [](Bytes& bytes) { bytes.resize(bytes.size() / 2); });
    testing::WriteTinyData(files_ / "uneven", 6, 5);
    testing::WriteTinyData(files_ / "short", 6, 6);
    Damage(files_ / "short/t10k-images-idx3-ubyte", "short/t10k-images-idx3-ubyte",
           [](Bytes& bytes) { bytes.resize(bytes.size() - 7); });
    std::filesystem::create_directories(files_ / "empty");
    testing::WriteText(files_ / "text.json", "no report");
  }

  template <class Change>
  void Damage(const std::string& from, const std::string& to, const Change& change) {
    auto bytes = ReadFile(from);
    QAT_ASSERT_OK(bytes);
    change(*bytes);
    QAT_ASSERT_OK(WriteFile(files_ / to, *bytes));
  }

  // `messages`: all of them must be in the one sentence.
  void Expect(const std::string& tool, const std::vector<std::string>& arguments, int exit_code,
              const std::vector<std::string>& messages) {
    const auto before = AllFiles();
    const auto result = testing::RunTool(tool, arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err.rfind(tool + ": ", 0), 0u) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string& message : messages) {
      EXPECT_NE(result.err.find(message), std::string::npos) << "'" << message << "' in " << result.err;
    }
    EXPECT_EQ(AllFiles(), before);
  }

  // qat-eval on good data.
  void ExpectEval(std::vector<std::string> arguments, int exit_code,
                  const std::vector<std::string>& messages) {
    arguments.insert(arguments.begin(), {"--data", files_.data()});
    Expect("qat-eval", arguments, exit_code, messages);
  }

  std::vector<std::string> AllFiles() const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(files_.path()))
      paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  testing::TinyFiles files_;
};

TEST_F(WrongInput, AnUnknownFlagNamesTheNearest) {
  ExpectEval({"--modell", files_.uint8_model()}, 2, {"--modell", "did you mean '--model'"});
}

TEST_F(WrongInput, NothingToDoSaysWhatToGive) {
  Expect("qat-eval", {}, 2, {"nothing to evaluate: give --float, --checkpoint, --graph or --model"});
  Expect("qat-eval", {"--model", files_.uint8_model()}, 2, {"--data is missing", "digits"});
}

TEST_F(WrongInput, AMissingFileIsNamed) {
  ExpectEval({"--model", files_ / "none.tflite"}, 3, {"none.tflite: cannot be read"});
  ExpectEval({"--graph", files_ / "none.qgraph"}, 3, {"none.qgraph: cannot be read"});
  ExpectEval({"--checkpoint", files_ / "none"}, 3, {"--checkpoint: ", "none"});
  Expect("qat-eval", {"--data", files_ / "none", "--model", files_.uint8_model()}, 3, {"--data: ", "none"});
}

TEST_F(WrongInput, AFileOfAnotherKindIsNamedAsWhatItIs) {
  ExpectEval({"--model", files_.graph()}, 3,
             {"g.qgraph: is a frozen graph (.qgraph), expected a .tflite model"});
  ExpectEval({"--model", files_ / "a.ckpt"}, 3, {"a.ckpt: is a checkpoint, expected a .tflite model"});
  ExpectEval({"--graph", files_.uint8_model()}, 3, {"is a .tflite model, expected a frozen graph (.qgraph)"});
  ExpectEval({"--checkpoint", files_.uint8_model()}, 3, {"is a .tflite model, expected a checkpoint"});
  ExpectEval({"--model", files_ / "empty"}, 3, {"is a directory"});
}

TEST_F(WrongInput, DamagedFilesAreRefused) {
  ExpectEval({"--model", files_ / "cut.tflite"}, 3, {"cut.tflite: "});
  ExpectEval({"--model", files_ / "damaged.tflite"}, 3, {"damaged.tflite: "});
  ExpectEval({"--graph", files_ / "cut.qgraph"}, 3, {"cut.qgraph: "});
  ExpectEval({"--graph", files_ / "damaged.qgraph"}, 3, {"damaged.qgraph: "});
  ExpectEval({"--checkpoint", files_ / "cut.ckpt"}, 3, {"cut.ckpt: "});
}

TEST_F(WrongInput, DataThatContradictsItselfIsRefused) {
  const auto eval = [&](const std::string& data, const std::vector<std::string>& messages) {
    Expect("qat-eval", {"--data", files_ / data, "--model", files_.uint8_model()}, 3, messages);
  };
  eval("uneven", {"5", "6"});
  eval("short", {"t10k-images-idx3-ubyte"});
  eval("empty", {"empty"});
  eval("a.ckpt", {"a.ckpt"});
}

TEST_F(WrongInput, DataOfAnotherSizeNamesBothSizes) {
  Expect("qat-eval", {"--data", "digits", "--limit", "2", "--model", files_.uint8_model()}, 3,
         {"digits: images are 28x28x1, expected 4x4x1"});
}

TEST_F(WrongInput, ValuesOutsideTheirRangeAreUsageErrors) {
  ExpectEval({"--model", files_.uint8_model(), "--repeat", "-1"}, 2, {"--repeat", "-1"});
  ExpectEval({"--model", files_.uint8_model(), "--repeat", "many"}, 2, {"--repeat", "many", "whole number"});
  ExpectEval({"--model", files_.uint8_model(), "--kernels", "turbo"}, 2,
             {"--kernels", "turbo", "reference or fast"});
  ExpectEval({"--model", files_.uint8_model(), "--max-drop", "0.1"}, 2, {"compare a model with another one"});
  ExpectEval({"--model", files_.uint8_model(), "--model", files_.uint8_model()}, 2, {"given twice"});
}

TEST_F(WrongInput, ABaselineThatIsNoReportIsRefused) {
  ExpectEval({"--model", files_.uint8_model(), "--max-drop", "0", "--baseline", files_ / "text.json"}, 3,
             {"text.json: is no JSON at byte"});
}

TEST_F(WrongInput, FreezeTakesCheckpointsOnly) {
  const auto freeze = [&](const std::string& input, int exit_code, const std::vector<std::string>& messages) {
    Expect("qat-freeze", {files_ / input, "-o", files_ / "out.qgraph"}, exit_code, messages);
  };
  freeze("none", 3, {"none"});
  freeze("empty", 3, {"empty"});
  freeze("cut.ckpt", 3, {"cut.ckpt: "});
  freeze("uint8.tflite", 3, {"uint8.tflite: is a .tflite model, expected a checkpoint"});
  freeze("g.qgraph", 3, {"g.qgraph: is a frozen graph (.qgraph), expected a checkpoint"});
  Expect("qat-freeze", {files_ / "a.ckpt"}, 2, {"-o"});
  Expect("qat-freeze", {files_ / "a.ckpt", "-o", files_ / "nowhere/out.qgraph"}, 6, {"nowhere/out.qgraph"});
  Expect("qat-freeze", {files_ / "a.ckpt", "--ouput", files_ / "out.qgraph"}, 2, {"did you mean '--output'"});
}

TEST_F(WrongInput, ConvertTakesFrozenGraphsAndModels) {
  const auto convert = [&](const std::string& input, int exit_code,
                           const std::vector<std::string>& messages) {
    Expect("qat-convert", {files_ / input, "-o", files_ / "out.tflite"}, exit_code, messages);
  };
  convert("none.qgraph", 3, {"none.qgraph: cannot be read"});
  convert("cut.qgraph", 3, {"cut.qgraph: "});
  convert("damaged.qgraph", 3, {"damaged.qgraph: "});
  convert("cut.tflite", 3, {"cut.tflite: "});
  convert("damaged.tflite", 3, {"damaged.tflite: "});
  convert("a.ckpt", 3,
          {"a.ckpt: is a checkpoint, expected a frozen graph (.qgraph), a .tflite model or an ONNX model"});
  Expect("qat-convert", {files_.graph(), "-o", "/dev/full"}, 6, {"/dev/full", "No space left"});
  Expect("qat-convert", {files_.graph(), "-o", files_ / "out.tflite", "--type", "uint9"}, 2,
         {"--type", "uint9"});
}

// The kind of file is right, but it is what a checkpoint holds of a network, without values and contract.
TEST_F(WrongInput, ANetworkThatWasNeverTrainedIsNoFrozenGraph) {
  const std::string network = files_ / "network.qgraph";
  QAT_ASSERT_OK(WriteFile(network, Serialize(testing::NetworkOf(testing::kTinySpec))));
  const std::string message = network + ": is a network that has not been trained, expected a frozen graph";
  Expect("qat-convert", {network, "-o", files_ / "out.tflite"}, 2, {message});
  ExpectEval({"--graph", network}, 2, {message});
  Expect("qat-eval", {"trace", network}, 2, {message});
}

#if QAT_HAS_TRAIN
TEST_F(WrongInput, TrainSaysWhatIsWrongBeforeItTrains) {
  const auto train = [&](std::vector<std::string> arguments, int exit_code,
                         const std::vector<std::string>& messages) {
    arguments.insert(arguments.end(), {"-o", files_ / "run"});
    Expect("qat-train", arguments, exit_code, messages);
  };
  train({"--data", files_ / "none"}, 3, {"none"});
  train({"--data", files_ / "empty"}, 3, {"empty"});
  train({"--network", "lenett"}, 2, {"lenett", "did you mean 'lenet'"});
  train({"--network", files_ / "none.toml"}, 3, {"none.toml"});
  train({"--preset", "lenet-artikle"}, 2, {"lenet-artikle", "did you mean 'lenet-article'"});
  train({"--batch-size", "0"}, 2, {"batch"});
  train({"--warmup-steps", "3", "--warmup-fraction", "0.5"}, 2,
        {"--warmup-steps", "--warmup-fraction", "say the same, expected one of them"});
  train({"--steps", "30", "--epochs", "2"}, 2, {"--steps", "--epochs", "say the same"});
  train({"--resume"}, 3, {"has no checkpoint to resume"});
  Expect("qat-train", {"--data", "digits"}, 2, {"-o RUN"});
  Expect("qat-train", {"--data", "digits", "-o", files_ / "m.tflite"}, 2, {"but a run directory is written"});
  Expect("qat-train", {"--data", "digits", "-o", files_.graph()}, 2,
         {"is a file, expected the directory of the run"});
}

// What no spec can have has the exit code of the unsupported; with a mistake beside it, that of a wrong
// configuration.
TEST_F(WrongInput, ASpecIsToldEverythingThatIsWrongWithIt) {
  const std::string head = "name = \"n\"\n[input]\nheight = 8\nwidth = 8\nchannels = 1\n";
  const std::string elu = "[[layer]]\nname = \"a\"\nop = \"selu\"\n";
  testing::WriteText(files_ / "elu.toml", head + elu);
  Expect("qat-train", {"--network", files_ / "elu.toml", "--print-network"}, 4,
         {"elu.toml:8:6: layer 'a': selu has no integer form in TFLite; use leaky_relu"});
  testing::WriteText(files_ / "two.toml",
                     head + elu + "[[layer]]\nname = \"b\"\nop = \"conv_2d\"\nkernel = 3\n");
  const auto two = testing::RunTool("qat-train", {"--network", files_ / "two.toml", "--print-network"});
  EXPECT_EQ(two.exit_code, 2);
  EXPECT_EQ(std::count(two.err.begin(), two.err.end(), '\n'), 2) << two.err;
  EXPECT_NE(two.err.find("two.toml:9:1: layer 'b': key 'filters' of conv_2d is missing"), std::string::npos);
}

TEST_F(WrongInput, ANetworkThatCannotLearnFromTheLabelsSaysWhy) {
  for (const char* file : {"images-idx3-ubyte", "labels-idx1-ubyte"}) {
    std::filesystem::copy_file(files_.data() + "/t10k-" + file, files_.data() + "/train-" + file);
  }
  const std::string head =
      "name = \"n\"\n[input]\nheight = 4\nwidth = 4\nchannels = 1\n[[layer]]\nname = \"a\"\n";
  testing::WriteText(files_ / "mean.toml", head + "op = \"mean\"\n");
  testing::WriteText(files_ / "map.toml",
                     head + "op = \"conv_2d\"\nfilters = 3\nkernel = 4\npadding = \"valid\"\n");
  const auto train = [&](const std::string& spec) {
    return std::vector<std::string>{"--data",    files_.data(), "--holdout", "9",
                                    "--network", files_ / spec, "-o",        files_ / "run"};
  };
  Expect("qat-train", train("mean.toml"), 2,
         {"network 'n' has no parameters, expected a layer that can learn"});
  Expect("qat-train", train("map.toml"), 2,
         {"network 'n' ends in [1, 1, 1, 3], expected [1, classes]", "; a mean or reshape layer after it"});
}
#endif

TEST_F(WrongInput, AnOutputThatCannotBeMadeIsFoundBeforeTheWork) {
  ExpectEval({"--model", files_ / "none.tflite", "--html", files_ / "nowhere/r.html"}, 6, {"nowhere/r.html"});
}

}  // namespace
}  // namespace qat
