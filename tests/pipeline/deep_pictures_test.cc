// Pictures of 16 bits per sample through the four programs, held against NumPy and the TFLite interpreter.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "base/strings.h"
#include "support/places.h"
#include "support/png_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

// Reads the PNG files, whose pixels are not compressed by more than zlib's stored blocks, with NumPy alone;
// white is 65535 in all.
constexpr char kNumpy[] = R"(
import glob, json, struct, sys, zlib
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

def read(path):
    content, at, data = open(path, "rb").read(), 8, b""
    while at < len(content):
        size, kind = struct.unpack(">I4s", content[at:at + 8])
        body = content[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, bits = struct.unpack(">IIB", body[:9])
        if kind == b"IDAT":
            data += body
        at += 12 + size
    kind = ">u2" if bits == 16 else "u1"
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, -1)[:, 1:]
    return rows.tobytes(), np.frombuffer(rows.tobytes(), kind).reshape(height, width, 1).astype(np.float32) * (1 if bits == 16 else 257)

folder, paths = sys.argv[1], sys.argv[2:]
pixels = {path: read(path)[1] for path in paths}
train = np.stack([read(path)[1] for path in glob.glob(folder + "/data/train/*/*.png")]).astype(np.float64)
mean, std = np.float32(train.mean()), np.float32(train.std())
outputs = {}
for name in ("model", "int8"):
    model = Interpreter(folder + "/" + name + ".tflite", experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    model.allocate_tensors()
    tensor = model.get_input_details()[0]
    outputs[name] = []
    for path in paths:
        values = pixels[path]
        if tensor["dtype"] == np.int8:
            scale, zero_point = tensor["quantization"]
            steps = (values - mean) * (1 / std) / np.float32(scale)
            values = np.clip(np.trunc(steps + np.copysign(np.float32(0.5), steps)) + zero_point, -128, 127)
        model.set_tensor(tensor["index"], values[None].astype(tensor["dtype"]))
        model.invoke()
        outputs[name].append(model.get_tensor(model.get_output_details()[0]["index"])[0].tolist())
print(json.dumps({"outputs": outputs, "mean": float(mean), "std": float(std)}))
)";

constexpr char kSpec[] = R"(name = "deep"
classes = 3
[input]
shape = [8, 8, 1]
[[layer]]
name = "conv"
op = "conv_2d"
filters = 4
kernel = 3
stride = 2
activation = "relu"
[[layer]]
name = "logits"
op = "fully_connected"
units = "classes"
)";

// The classes differ by less than a step of bytes, 257: 1000, 1100 and 1200 of 65535, with noise.
Bytes Picture(int32_t kind, int bits, Random& random) {
  testing::PngFile file{.height = 8, .width = 8, .bits = bits, .samples = {}};
  for (int i = 0; i < 64; ++i) {
    const int64_t value = 1000 + 100 * kind + random.Between(-20, 20);
    file.samples.push_back(static_cast<uint16_t>(bits == 16 ? value : (value + 128) / 257));
  }
  return Encoded(file);
}

class DeepPictures : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir();
    Write("data/train", 40, 16, 1);
    Write("data/test", 10, 16, 2);
    Write("bytes/test", 4, 8, 3);
    testing::WriteText(Path("deep.toml"), kSpec);
    train_ = RunTool("qat-train", {"--network", Path("deep.toml"), "--data", Path("data"), "--scheme", "int8",
                                   "--steps", "300", "--quant-delay", "100", "--progress", "none",
                                   "--threads", "1", "-o", Path("run")});
    ASSERT_EQ(train_.exit_code, 0) << train_.err;
    Check({"qat-freeze", Path("run"), "-o", Path("g.qgraph")});
    Check({"qat-convert", Path("g.qgraph"), "-o", Path("model.tflite")});
    Check({"qat-convert", Path("g.qgraph"), "--input-type", "int8", "-o", Path("int8.tflite")});
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string Path(const std::string& name) { return *folder_ / name; }
  static testing::ProcessResult Check(std::vector<std::string> command) {
    const std::string tool = command.front();
    command.erase(command.begin());
    auto result = RunTool(tool, command);
    EXPECT_EQ(result.exit_code, 0) << result.err << result.out;
    return result;
  }

  static void Write(const std::string& split, int count, int bits, uint64_t seed) {
    Random random(seed);
    for (int32_t kind = 0; kind < 3; ++kind) {
      const std::string folder = Path(StrCat(split, "/class", kind));
      std::filesystem::create_directories(folder);
      for (int i = 0; i < count; ++i)
        ASSERT_TRUE(WriteFile(StrCat(folder, "/", i, ".png"), Picture(kind, bits, random)).ok());
    }
  }

  static std::vector<std::string> Files() {
    std::vector<std::string> files;
    for (const char* folder : {"data/test", "bytes/test"}) {
      for (int kind = 0; kind < 3; ++kind)
        for (int i = 0; i < 4; ++i) files.push_back(Path(StrCat(folder, "/class", kind, "/", i, ".png")));
    }
    return files;
  }

  static testing::TempDir* folder_;
  static testing::ProcessResult train_;
};

testing::TempDir* DeepPictures::folder_ = nullptr;
testing::ProcessResult DeepPictures::train_;

TEST_F(DeepPictures, DifferencesBelowAStepOfBytesAreLearnedAndExact) {
  Check({"qat-eval", "--data", Path("data"), "--checkpoint", Path("run"), "--graph", Path("g.qgraph"),
         "--model", Path("model.tflite"), "--model", Path("int8.tflite"), "--litert", "off", "--repeat", "0",
         "--progress", "none", "--json", Path("eval.json")});
  const json report = json::parse(testing::ReadText(Path("eval.json")));
  for (const json& model : report["models"]) EXPECT_GT(model["accuracy"]["top1"], 90) << model["name"];
  int exact = 0;
  for (const json& pair : report["pairs"]) {
    const std::string b = pair["b"];
    if (pair["a"] != "simulated" || !b.ends_with(".tflite")) continue;
    EXPECT_EQ(pair["max_abs_lsb"], 0) << b;
    ++exact;
  }
  EXPECT_EQ(exact, 2);
}

TEST_F(DeepPictures, TheModelSaysWhatWhiteIs) {
  const auto shown = Check({"qat-eval", "inspect", Path("model.tflite")});
  EXPECT_NE(shown.out.find("white is 65535"), std::string::npos) << shown.out;
}

// Of a folder of 8 bits alone only the model knows that its white is 65535.
TEST_F(DeepPictures, BytesComeInAsMultiplesOf257) {
  const auto eval = Check({"qat-eval", "--data", Path("bytes"), "--model", Path("model.tflite"), "--litert",
                           "off", "--repeat", "0", "--progress", "none"});
  EXPECT_NE((eval.out + eval.err).find("12 of 12 pictures have 8 bits per sample and are multiplied by 257"),
            std::string::npos)
      << eval.out << eval.err;
}

TEST_F(DeepPictures, EveryProgramGivesWhatNumpyAndTfliteGive) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  const std::vector<std::string> files = Files();
  std::vector<std::string> command = {testing::kLitertPython, "-c", kNumpy, folder_->path()};
  command.insert(command.end(), files.begin(), files.end());
  const auto python = testing::Run(command);
  ASSERT_EQ(python.exit_code, 0) << python.err;
  const json expected = json::parse(python.out);
  for (const std::string name : {"model", "int8"}) {
    std::vector<std::string> classify = {"qat-eval", "classify", Path(name + ".tflite"), "--topk",
                                         "1",        "--json",   Path("classify.json")};
    classify.insert(classify.end(), files.begin(), files.end());
    Check(classify);
    const json report = json::parse(testing::ReadText(Path("classify.json")));
    ASSERT_EQ(report["pictures"].size(), files.size());
    for (size_t i = 0; i < files.size(); ++i) {
      const json& scores = expected["outputs"][name][i];
      const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
      EXPECT_EQ(report["pictures"][i]["best"][0]["label"], best) << files[i];
      const std::string raw =
          Check({"qat-eval", "run", Path(name + ".tflite"), "--input", files[i], "--progress", "none"}).out;
      std::vector<std::string> texts;
      for (const json& score : scores) texts.push_back(StrCat(score.get<int>()));
      EXPECT_NE(raw.find(Join(texts, " ")), std::string::npos) << files[i] << ": " << raw << Join(texts, " ");
    }
  }
}

}  // namespace
}  // namespace qat
