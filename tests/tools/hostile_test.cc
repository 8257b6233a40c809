// Situations that a stranger's folder, shell or machine brings about: each tool keeps its inputs, runs
// nothing that it was not asked to run, waits for nobody without an end, and says in one sentence what was
// wrong.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/envelope.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

namespace fs = std::filesystem;
using testing::ReadText;
using testing::ToolPath;
using testing::WriteText;

class Hostile : public ::testing::Test {
 protected:
  Hostile() { EXPECT_TRUE(WriteFile(At("a.ckpt"), Serialize(testing::TinyCheckpoint())).ok()); }
  std::string At(const std::string& name) const { return files_ / name; }

  // A shell that has the folder of the files as its own.
  testing::ProcessResult Shell(const std::string& script) const {
    return testing::Run({"/bin/sh", "-c", "cd '" + files_.path() + "' && " + script});
  }

  // Every file below the folder with the hash of what it holds.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::recursive_directory_iterator(files_.path())) {
      if (entry.is_regular_file()) contents[entry.path()] = Sha256(ReadText(entry.path()));
    }
    return contents;
  }

  testing::TinyFiles files_;
};

// Warnings on standard error once became the first bytes of the model.
TEST_F(Hostile, MissingStandardStreamsAreNobodysFile) {
  ASSERT_EQ(testing::RunTool("qat-convert", {files_.graph(), "--type", "int8", "-o", At("good")}).exit_code,
            0);
  const std::string good = ReadText(At("good"));
  for (int missing = 1; missing < 8; ++missing) {
    const bool out = (missing & 2) != 0;
    const std::string closed =
        std::string(missing & 1 ? " <&-" : "") + (out ? " >&-" : "") + (missing & 4 ? " 2>&-" : "");
    fs::remove(At("o.tflite"));
    fs::remove(At("o.json"));
    const auto result =
        Shell(ToolPath("qat-convert") + " g.qgraph --type int8 -o o.tflite --json o.json" + closed);
    // Results that could not be printed are a failure; the files are right all the same.
    EXPECT_EQ(result.exit_code, out ? 6 : 0) << closed << result.err;
    EXPECT_EQ(ReadText(At("o.tflite")), good) << closed;
    EXPECT_FALSE(nlohmann::json::parse(ReadText(At("o.json")), nullptr, false).is_discarded()) << closed;
  }
}

TEST_F(Hostile, NoOutputTakesThePlaceOfAnInput) {
  fs::create_symlink("g.qgraph", At("link"));
  fs::create_hard_link(At("uint8.tflite"), At("hard"));
  fs::create_directories(At("run/checkpoints"));
  fs::copy_file(At("a.ckpt"), At("run/checkpoints/0000000900.ckpt"));
  WriteText(At("run/config.toml"), "steps = 900\n");
  const NpyArray tensor{DType::kUInt8, {1, 4, 4, 1}, Bytes(16, 9)};
  ASSERT_TRUE(WriteFile(At("x.npy"), Serialize(tensor)).ok());
  const auto before = Contents();
  const std::vector<std::string> commands = {
    "qat-convert g.qgraph -o g.qgraph",
    "qat-convert g.qgraph -o link",
    "qat-convert link -o ./data/../g.qgraph",
    "qat-convert g.qgraph -o new --json g.qgraph",
    "qat-convert g.qgraph -o new --json new",
    "qat-freeze a.ckpt -o a.ckpt",
    "qat-freeze run -o run/checkpoints/0000000900.ckpt",
    "qat-freeze run -o run/config.toml",
    "qat-eval --data data --model uint8.tflite --json uint8.tflite",
    "qat-eval --data data --model uint8.tflite --json hard",
    "qat-eval --data data --model uint8.tflite --bogus --json uint8.tflite",
    "qat-eval --data data --model=uint8.tflite --html uint8.tflite",
    "qat-eval --data data --graph g.qgraph --predictions g.qgraph",
    "qat-eval --data data --model uint8.tflite --html new --junit ./new",
    "qat-eval --data data --model uint8.tflite --html - --junit -",
    "qat-eval --data data --model uint8.tflite --predictions data/t10k-labels-idx1-ubyte",
    "qat-eval run uint8.tflite --input x.npy --save-outputs x.npy",
    "qat-eval compare uint8.tflite --data data --json uint8.tflite",
    "qat-eval trace uint8.tflite --markdown uint8.tflite",
    "qat-eval --data data --model uint8.tflite > uint8.tflite.txt --json uint8.tflite.txt",
#if QAT_HAS_TRAIN
    "qat-train --data data --network spec.toml -o data",
    "qat-train --data digits -o run2 --json run2/metrics.ndjson",
    "qat-train --config run/config.toml --data digits -o run --json new",
    "qat-train --data digits --config run/config.toml --json run/config.toml -o run2",
#endif
  };
  for (const std::string& command : commands) {
    const auto result = Shell("PATH=" + std::string(testing::kBinaryDir) + "/bin:$PATH; " + command);
    EXPECT_EQ(result.exit_code, 2) << command << ": " << result.err;
    for (const char* output : {"uint8.tflite.txt", "new"}) fs::remove(At(output));
    EXPECT_EQ(Contents(), before) << command;
  }
}

TEST_F(Hostile, AFifoIsReadOnceOrRefusedButNeverWaitedForWithoutAnEnd) {
  const std::string eval = ToolPath("qat-eval"), convert = ToolPath("qat-convert");
  // What a shell's <(…) is.
  const auto converted = Shell("mkfifo f; cat g.qgraph > f & " + convert + " f -o o.tflite");
  EXPECT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_EQ(Shell(convert + " g.qgraph -o p.tflite").exit_code, 0);
  EXPECT_EQ(ReadText(At("o.tflite")), ReadText(At("p.tflite")));
  const auto evaluated =
      Shell("mkfifo m; cat uint8.tflite > m & " + eval + " --data data --model m --litert off --repeat 0");
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const auto frozen = Shell("mkfifo c; cat a.ckpt > c & " + ToolPath("qat-freeze") + " c -o o.qgraph");
  EXPECT_EQ(frozen.exit_code, 0) << frozen.err;
  const auto alone = Shell("mkfifo n; " + eval + " --data data --model n");
  EXPECT_EQ(alone.exit_code, 3) << alone.err;
  EXPECT_NE(alone.err.find("n: is a FIFO that nobody has written to for 2 seconds"), std::string::npos)
      << alone.err;
  // A writer that says nothing: the first signal ends it.
  const int writer = ::open(At("n").c_str(), O_RDWR);
  const testing::Process process({eval, "--data", files_.data(), "--model", At("n"), "--log-level", "debug"});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().exit_code, 143);
  ::close(writer);
}

TEST_F(Hostile, EndlessAndHugeFilesAreRefusedBeforeTheyAreInMemory) {
  ASSERT_EQ(::truncate((WriteText(At("huge"), "x"), At("huge")).c_str(), off_t{1} << 40), 0);
  for (const std::string& file : {std::string("/dev/zero"), At("huge")}) {
    for (const std::string& arguments :
         {"qat-convert " + file + " -o o", "qat-freeze " + file + " -o o",
          "qat-eval --data data --model " + file, "qat-convert g.qgraph -o o --config " + file,
          "qat-eval report " + file}) {
      const auto result =
          Shell("ulimit -v 3000000; " + std::string(testing::kBinaryDir) + "/bin/" + arguments);
      EXPECT_EQ(result.exit_code, 3) << arguments << ": " << result.err;
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
  }
}

// Class names stand in the model itself.
TEST_F(Hostile, ClassNamesAreShownAndNotObeyed) {
  Graph graph = testing::TinyGraph();
  graph.contract.set_labels({"\x1b[2Jzero", "o\rne", "\xe2\x80\xaetwo"});
  ASSERT_TRUE(WriteFile(At("g.qgraph"), Serialize(graph)).ok());
  ASSERT_EQ(Shell(ToolPath("qat-convert") + " g.qgraph -o m.tflite").exit_code, 0);
  fs::copy_file(std::string(testing::kSourceDir) + "/tests/data/pictures/grey.jpg", At("a.jpg"));
  const auto result = Shell(ToolPath("qat-eval") + " classify m.tflite a.jpg --topk 3");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const std::string shown : {"\\x1b[2Jzero", "o\\rne", "\\u202etwo"}) {
    EXPECT_NE(result.out.find(shown), std::string::npos) << result.out;
  }
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

// A thousand threads do not fit into so little memory: fewer do the work, or a sentence says that it cannot
// be done.
TEST_F(Hostile, LittleMemoryEndsInASentenceOrInTheAnswer) {
  for (const int kilobytes : {60000, 90000, 150000, 400000}) {
    const auto result = Shell("ulimit -v " + std::to_string(kilobytes) + "; " + ToolPath("qat-eval") +
                              " --data data --model uint8.tflite --litert off --threads 1000 --repeat 1");
    // 127: the dynamic linker had not even enough for the libraries.
    const bool good = result.exit_code == 0 || result.exit_code == 6 || result.exit_code == 127;
    EXPECT_TRUE(good) << kilobytes << ": " << result.exit_code << " " << result.err;
    EXPECT_EQ(result.err.find("terminate called"), std::string::npos) << result.err;
  }
}

#ifdef QAT_HAS_TRAIN
// OpenBLAS tries forever where there is no memory for a thread's buffer (128 MiB): that is found out before.
// With less, LibTorch cannot be loaded, whose libraries throw before main.
TEST_F(Hostile, TrainingInLittleMemoryEnds) {
  for (const int kilobytes : {600000, 700000, 800000, 900000, 1000000}) {
    const auto result = Shell("ulimit -v " + std::to_string(kilobytes) + "; rm -rf r; timeout -k 5 60 " +
                              ToolPath("qat-train") +
                              " --data digits --network mlp --steps 3 --threads 2 --progress none -o r");
    EXPECT_NE(result.exit_code, 124) << kilobytes << ": " << result.err;
    EXPECT_NE(result.exit_code, 137) << kilobytes << ": had to be killed; " << result.err;
    EXPECT_EQ(result.err.find("terminate called"), std::string::npos) << kilobytes << ": " << result.err;
    if (result.exit_code == 6) {
      EXPECT_NE(result.err.find("out of memory"), std::string::npos) << result.err;
    }
  }
}
#endif

// A program that leaves a mark, so that it shows whether it was started.
class HostileFolder : public Hostile {
 protected:
  void PutProgram(const std::string& path) const {
    fs::create_directories(fs::path(At(path)).parent_path());
    WriteText(At(path), "#!/bin/sh\ntouch '" + At("mark") + "'\n");
    fs::permissions(At(path), fs::perms::owner_all);
  }
  testing::ProcessResult Eval(const std::string& before, const std::string& flags = "") const {
    return Shell(before + " " + ToolPath("qat-eval") + " --data data --model uint8.tflite --repeat 0 " +
                 flags);
  }
  bool Marked() const { return fs::exists(At("mark")); }
};

// Python looks into the current folder first, and where PYTHONPATH says.
TEST_F(HostileFolder, ModulesInItAreNotExecuted) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  for (const char* module :
       {"csv", "struct", "os", "importlib", "numpy", "ai_edge_litert", "sitecustomize", "usercustomize"}) {
    WriteText(At(StrCat(module, ".py")), "open('" + At("mark") + "', 'w')\n");
  }
  const auto result =
      Eval("PYTHONPATH=. PYTHONSTARTUP=csv.py", std::string("--litert ") + testing::kLitertPython);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(Marked());
  EXPECT_NE(result.out.find(std::string(" in ") + testing::kLitertPython), std::string::npos) << result.out;
}

TEST_F(HostileFolder, ThePythonInItIsNotStartedUnasked) {
  PutProgram("venv/bin/python3");
  for (const std::string& path :
       {At("venv/bin"), std::string("venv/bin"), std::string(".:venv/bin"), std::string("")}) {
    const auto result = Eval("PATH=" + path);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_FALSE(Marked()) << path;
    const bool said =
        result.out.find("lies below the current folder and is not started unasked") != std::string::npos;
    EXPECT_EQ(said, path == At("venv/bin")) << path << ": " << result.out;
  }
  const auto asked = Eval("", "--litert venv/bin/python3");
  EXPECT_EQ(asked.exit_code, 4) << asked.err;
  EXPECT_TRUE(Marked()) << "who names it gets it, though it runs elsewhere: " << asked.err;
}

}  // namespace
}  // namespace qat
