// Measured numbers through the four programs, held against NumPy and the TFLite interpreter.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "base/strings.h"
#include "data/npy.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

// Normalizes and quantizes as the tutorial says an app does, with NumPy alone, and runs TFLite on that and on
// the raw numbers.
constexpr char kNumpy[] = R"(
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

folder = sys.argv[1]
raw = np.load(folder + "/x_test.npy")
train = np.load(folder + "/x_train.npy").astype(np.float64)
mean = train.mean(axis=(0, 1)).astype(np.float32)
std = train.std(axis=(0, 1)).astype(np.float32)

def run(name, values):
    model = Interpreter(folder + "/" + name, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    model.allocate_tensors()
    tensor = model.get_input_details()[0]
    assert list(tensor["shape"]) == [1, 30, 3], tensor["shape"]
    answers = []
    for each in values:
        if tensor["dtype"] == np.int8:
            scale, zero_point = tensor["quantization"]
            each = np.clip(np.round((each - mean) / std / scale) + zero_point, -128, 127).astype(np.int8)
        model.set_tensor(tensor["index"], each[None].astype(tensor["dtype"]))
        model.invoke()
        answers.append(model.get_tensor(model.get_output_details()[0]["index"])[0])
    return np.array(answers)

floats, integers = run("model.tflite", raw.astype(np.float32)), run("int8.tflite", raw.astype(np.float32))
assert floats.dtype == np.int8
# A value halfway between two steps may fall on either side: NumPy divides where the model multiplies.
assert (floats != integers).mean() < 0.02, (floats != integers).mean()
ours = [np.load(folder + "/" + name) for name in ("model.npy", "int8.npy")]
assert (ours[0] == floats).all() and (ours[1] == floats).all()
print((floats.argmax(axis=1) == np.load(folder + "/y_test.npy")).mean())
)";

// 30 steps of 3 channels in different units; the class is in the frequency.
class Reals : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir();
    Write("train", 90, 1);
    Write("test", 45, 2);
    train_ = RunTool("qat-train",
                     {"--data", folder_->path(), "--scheme", "int8", "--steps", "200", "--quant-delay", "80",
                      "--progress", "none", "--threads", "1", "-o", Path("run")});
    ASSERT_EQ(train_.exit_code, 0) << train_.err;
    Check({"qat-freeze", Path("run"), "-o", Path("g.qgraph")});
    Check({"qat-convert", Path("g.qgraph"), "-o", Path("model.tflite")});
    Check({"qat-convert", Path("g.qgraph"), "--input-type", "int8", "-o", Path("int8.tflite")});
    Check({"qat-convert", Path("g.qgraph"), "--type", "float32", "-o", Path("float.tflite")});
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string Path(const std::string& name) { return *folder_ / name; }
  static void Check(std::vector<std::string> command) {
    const std::string tool = command.front();
    command.erase(command.begin());
    const auto result = RunTool(tool, command);
    ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  }

  static void Write(const std::string& split, int32_t count, uint64_t seed) {
    NpyArray x{DType::kFloat64, {count, 30, 3}, {}}, y{DType::kInt64, {count}, {}};
    Random random(seed);
    const auto append = [](const auto& value, Bytes& bytes) {
      const auto* first = reinterpret_cast<const uint8_t*>(&value);
      bytes.insert(bytes.end(), first, first + sizeof(value));
    };
    for (int64_t i = 0; i < count; ++i) {
      const int64_t kind = i % 3;
      append(kind, y.values);
      const double phase = static_cast<double>(random.Between(0, 628)) / 100;
      for (int t = 0; t < 30; ++t) {
        const double wave = std::sin(phase + 0.2 * static_cast<double>(t) * static_cast<double>(kind + 1));
        const double noise = static_cast<double>(random.Between(-100, 100)) / 1000;
        append(300 + 20 * (wave + noise), x.values);
        append(-0.02 + 0.001 * (wave - noise), x.values);
        append(5e4 * noise, x.values);
      }
    }
    ASSERT_TRUE(WriteFile(Path("x_" + split + ".npy"), Serialize(x)).ok());
    ASSERT_TRUE(WriteFile(Path("y_" + split + ".npy"), Serialize(y)).ok());
  }

  static testing::TempDir* folder_;
  static testing::ProcessResult train_;
};

testing::TempDir* Reals::folder_ = nullptr;
testing::ProcessResult Reals::train_;

TEST_F(Reals, SaysWhatItMakesOfTheArrays) {
  EXPECT_NE((train_.out + train_.err).find("read as series of 30 steps in 3 channels"), std::string::npos)
      << train_.err;
  EXPECT_NE(
      (train_.out + train_.err).find("input: real numbers, per channel (value - mean) / std with mean [3"),
      std::string::npos)
      << train_.err;
}

TEST_F(Reals, TheSimulationIsExactWhateverTheModelTakes) {
  Check({"qat-eval",
         "--data",
         folder_->path(),
         "--checkpoint",
         Path("run"),
         "--graph",
         Path("g.qgraph"),
         "--model",
         Path("model.tflite"),
         "--model",
         Path("int8.tflite"),
         "--model",
         Path("float.tflite"),
         "--litert",
         "off",
         "--repeat",
         "0",
         "--progress",
         "none",
         "--json",
         Path("eval.json")});
  const json report = json::parse(testing::ReadText(Path("eval.json")));
  int exact = 0;
  for (const json& pair : report["pairs"]) {
    const std::string b = pair["b"];
    if (pair["a"] == "simulated" && (b == Path("model.tflite") || b == Path("int8.tflite"))) {
      EXPECT_EQ(pair["max_abs_lsb"], 0) << b;
      ++exact;
    }
    if (pair["a"] == "checkpoint" && b == Path("float.tflite")) {
      EXPECT_LT(pair["max_abs_error"], 1e-3);
      ++exact;
    }
  }
  EXPECT_EQ(exact, 3);
  for (const json& model : report["models"]) EXPECT_GT(model["accuracy"]["top1"], 90) << model["name"];
  EXPECT_TRUE(report["warnings"].empty()) << report["warnings"];
  EXPECT_EQ(report["models"][3]["type"], "int8");
}

TEST_F(Reals, RawNumbersGiveWhatNumpyAndTfliteGive) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  for (const char* name : {"model", "int8"}) {
    const auto run =
        RunTool("qat-eval", {"run", Path(std::string(name) + ".tflite"), "--input", Path("x_test.npy"),
                             "--save-outputs", Path(std::string(name) + ".npy"), "--progress", "none"});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_NE(run.err.find(name == std::string("int8") ? "normalized by the input contract and quantized"
                                                       : "become float32"),
              std::string::npos)
        << run.err;
  }
  const auto result = testing::Run({testing::kLitertPython, "-c", kNumpy, folder_->path()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(std::stod(result.out), 0.9);
}

TEST_F(Reals, ModelsAreTracedToTheirGraph) {
  for (const char* name : {"model.tflite", "int8.tflite", "float.tflite"}) {
    const auto result = RunTool("qat-eval", {"trace", Path(name), "--graph", Path("g.qgraph")});
    EXPECT_EQ(result.exit_code, 0) << name << result.out << result.err;
  }
}

TEST_F(Reals, FloatNetworksAreCalibratedOnArraysWithoutLabels) {
  Check({"qat-convert", Path("g.qgraph"), "--type", "uint8", "--calibrate", Path("x_train.npy"), "-o",
         Path("ptq.tflite")});
  Check({"qat-eval", "--data", folder_->path(), "--model", Path("ptq.tflite"), "--litert", "off", "--repeat",
         "0", "--progress", "none", "--json", Path("ptq.json")});
  EXPECT_GT(json::parse(testing::ReadText(Path("ptq.json")))["models"][0]["accuracy"]["top1"], 90);
}

TEST_F(Reals, AModelThatNormalizesByItselfTakesNoOtherMean) {
  const auto result = RunTool("qat-convert", {Path("float.tflite"), "--calibrate", Path("x_train.npy"),
                                              "--type", "int8", "--mean", "5", "-o", Path("none.tflite")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--mean and --std: the model normalizes its input by itself (1x30x3"),
            std::string::npos)
      << result.err;
  EXPECT_FALSE(FileExists(Path("none.tflite")));
}

TEST_F(Reals, RandomChangesOfPicturesAreRefused) {
  const auto result = RunTool(
      "qat-train", {"--data", folder_->path(), "--shift-pixels", "2", "--steps", "2", "-o", Path("no")});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("random changes are those of pictures of bytes"), std::string::npos)
      << result.err;
}

TEST_F(Reals, TablesComeIn) {
  std::string text = "length;width;kind\n";
  for (int i = 0; i < 200; ++i)
    text += StrCat(0.01 * i, ";", 250 + (i * 37) % 100, i < 100 ? ";short\n" : ";long\n");
  testing::WriteText(Path("things.csv"), text);
  const auto train = RunTool("qat-train", {"--data", Path("things.csv"), "--label", "kind", "--steps", "200",
                                           "--progress", "none", "-o", Path("csv-run")});
  ASSERT_EQ(train.exit_code, 0) << train.err;
  Check({"qat-freeze", Path("csv-run"), "-o", Path("csv.qgraph")});
  Check({"qat-convert", Path("csv.qgraph"), "-o", Path("csv.tflite")});
  Check({"qat-eval", "--data", Path("things.csv"), "--model", Path("csv.tflite"), "--litert", "off",
         "--repeat", "0", "--progress", "none", "--json", Path("csv.json")});
  const auto accuracy = [&] {
    return json::parse(testing::ReadText(Path("csv.json")))["models"][0]["accuracy"]["top1"];
  };
  const json as_trained = accuracy();
  EXPECT_GE(as_trained, 90);

  // The same rows with the columns in another order, and one more.
  text = "width,id,kind,length\n";
  for (int i = 0; i < 200; ++i)
    text += StrCat(250 + (i * 37) % 100, ",row", i, i < 100 ? ",short," : ",long,", 0.01 * i, "\n");
  testing::WriteText(Path("turned.csv"), text);
  for (const char* model : {"csv.tflite", "csv.qgraph"}) {
    const auto turned =
        RunTool("qat-eval", {Path(model), "--data", Path("turned.csv"), "--litert", "off", "--repeat", "0",
                             "--progress", "none", "--json", Path("csv.json")});
    ASSERT_EQ(turned.exit_code, 0) << turned.err;
    EXPECT_EQ(accuracy(), as_trained) << model;
    EXPECT_NE((turned.out + turned.err).find("columns stand in another order than the network takes"),
              std::string::npos)
        << turned.out;
  }
  // Each row by itself, and its scores: as right as all of them together.
  Check({"qat-eval", Path("csv.tflite"), "--data", Path("turned.csv"), "--whole", "--litert", "off",
         "--repeat", "0", "--progress", "none", "--json", Path("csv.json")});
  const double whole = accuracy();
  Check({"qat-eval", "classify", Path("csv.tflite"), Path("turned.csv"), "--json", Path("rows.json")});
  Check({"qat-eval", "run", Path("csv.tflite"), "--input", Path("turned.csv"), "-o", Path("rows.npy")});
  const json rows = json::parse(testing::ReadText(Path("rows.json")))["pictures"];
  const auto scores = ReadNpy(Path("rows.npy"));
  QAT_ASSERT_OK(scores);
  ASSERT_EQ(rows.size(), 200u);
  ASSERT_EQ(scores->values.size(), 400u);
  int right = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const json& best = rows[i]["best"][0];
    right += best["name"] == (i < 100 ? "short" : "long");
    const auto label = best["label"].get<size_t>();
    EXPECT_GE(scores->values[2 * i + label], scores->values[2 * i + 1 - label]) << i;
  }
  EXPECT_EQ(right / 2.0, whole);
  // What goes on from the run takes them so, too.
  const auto on =
      RunTool("qat-train", {"--data", Path("turned.csv"), "--label", "kind", "--init", Path("csv-run"),
                            "--steps", "1", "--progress", "none", "-o", Path("csv-on")});
  ASSERT_EQ(on.exit_code, 0) << on.err;
  EXPECT_NE((on.out + on.err).find("left out: id"), std::string::npos) << on.out << on.err;
  testing::WriteText(Path("turned.csv"), "height,kind,length\n1,short,2\n2,long,3\n");
  const auto missing = RunTool("qat-eval", {"--data", Path("turned.csv"), "--model", Path("csv.tflite")});
  EXPECT_EQ(missing.exit_code, 3) << missing.err;
  EXPECT_NE(missing.err.find("has no column 'width', which the network takes"), std::string::npos)
      << missing.err;
}

TEST_F(Reals, NumbersOfRowsComeInTheUnitsOfTheirTargets) {
  std::string text = "a,b,c,wide,tall\n", rows = "c,b,a\n";
  std::vector<double> wide;
  for (int i = 0; i < 300; ++i) {
    const double a = std::sin(i), b = 5000 + 100 * std::cos(1.7 * i), c = std::sin(0.3 * i + 1);
    wide.push_back(1000 * (a + c) + 3);
    text += StrCat(a, ",", b, ",", c, ",", wide.back(), ",", a - 0.01 * (b - 5000), "\n");
    rows += StrCat(c, ",", b, ",", a, "\n");
  }
  testing::WriteText(Path("sizes.csv"), text);
  testing::WriteText(Path("rows.csv"), rows);
  const auto train =
      RunTool("qat-train", {"--data", Path("sizes.csv"), "--label", "wide,tall", "--steps", "600",
                            "--progress", "none", "--threads", "1", "-o", Path("sizes")});
  ASSERT_EQ(train.exit_code, 0) << train.err;
  Check({"qat-freeze", Path("sizes"), "-o", Path("sizes.qgraph")});
  Check({"qat-convert", Path("sizes.qgraph"), "-o", Path("sizes.tflite")});
  Check({"qat-eval", "classify", Path("sizes.tflite"), Path("rows.csv"), "--json", Path("sizes.json")});
  const json pictures = json::parse(testing::ReadText(Path("sizes.json")))["pictures"];
  ASSERT_EQ(pictures.size(), wide.size());
  double squares = 0;
  for (size_t i = 0; i < wide.size(); ++i) {
    const json& numbers = pictures[i]["numbers"];
    ASSERT_EQ(numbers.size(), 2u);
    EXPECT_EQ(numbers[0]["name"], "wide");
    squares += std::pow(numbers[0]["value"].get<double>() - wide[i], 2);
  }
  // A twentieth of what the target varies by.
  EXPECT_LT(std::sqrt(squares / 300), 50);
  const auto text_of = RunTool("qat-eval", {"classify", Path("sizes.tflite"), Path("rows.csv")});
  EXPECT_NE(text_of.out.find("rows.csv[0]\n   wide"), std::string::npos) << text_of.out.substr(0, 200);
}

}  // namespace
}  // namespace qat
