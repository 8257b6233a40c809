// What goes wrong around a program: disks that are full or read-only, limits, closed descriptors, a second
// writer, damaged files and data, and reports that can no longer be written when the work is done. No program
// ends by a signal, loses what it had, or leaves half a file.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <cstring>
#include <filesystem>

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
using testing::FilesIn;
using testing::ReadText;
using testing::ToolPath;
using testing::WriteText;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class Faults : public ::testing::Test {
 protected:
  Faults() { EXPECT_TRUE(WriteFile(At("a.ckpt"), Serialize(testing::TinyCheckpoint())).ok()); }
  std::string At(const std::string& name) const { return files_ / name; }

  // In the folder of the files, programs found by their names.
  testing::ProcessResult Shell(const std::string& script) const {
    return testing::Run(
        {"/bin/sh", "-c",
         StrCat("PATH=", testing::kBinaryDir, "/bin:$PATH; cd '", files_.path(), "' && ", script)});
  }

  testing::TinyFiles files_;
};

// The limit ends a write in its middle, as a full disk does; its signal would end the program. What is
// printed goes through a pipe, since files take nothing.
TEST_F(Faults, WhereFilesMayNotGrowTheOldOnesStay) {
  WriteText(At("old"), "old");
  const auto before = FilesIn(files_.path());
  for (const std::string command :
       {"qat-convert g.qgraph -o old", "qat-freeze a.ckpt -o old", "qat-convert g.qgraph --write-plan old",
        "qat-eval --data data uint8.tflite --litert off --repeat 0 --html old",
        "qat-eval --data data uint8.tflite --litert off --repeat 0 --predictions old"}) {
    const auto result = Shell("(ulimit -f 0; " + command + " 2>&1; echo exit $?) | cat");
    EXPECT_HOLDS(result.out, "exit 6");
    EXPECT_HOLDS(result.out, "old: cannot be written (File too large)");
    EXPECT_EQ(ReadText(At("old")), "old") << command;
    EXPECT_EQ(FilesIn(files_.path()), before) << command;
  }
}

// /proc takes no files from anybody, root included.
TEST_F(Faults, AFolderThatTakesNoFilesIsFoundBeforeTheWork) {
  for (const std::string command : {"qat-convert none -o /proc/x.tflite", "qat-freeze none -o /proc/x.qgraph",
                                    "qat-eval --data data none --html /proc/x.html"}) {
    const auto result = Shell(command);
    const bool first = result.exit_code == 3;  // the input is not there, which may be said first
    EXPECT_TRUE(result.exit_code == 6 || first) << command << ": " << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  const auto result = Shell("qat-convert g.qgraph -o /proc/x.tflite");
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_HOLDS(result.err, "--output: /proc/x.tflite: cannot be created");
}

TEST_F(Faults, NoneOfTheStandardStreamsIsNeededToMakeAFile) {
  for (const auto& [program, command] :
       {std::pair<std::string, std::string>{"qat-freeze", "qat-freeze a.ckpt -o out.qgraph"},
        {"qat-convert", "qat-convert g.qgraph -o out.tflite"}}) {
    for (const std::string closed : {"<&-", "2>&-", "<&- 2>&-"}) {
      const auto result = Shell(command + " " + closed);
      EXPECT_EQ(result.exit_code, 0) << program << closed << ": " << result.err;
    }
    EXPECT_EQ(Shell(command + " <&- >&- 2>&-").exit_code, 6) << "its results could not be printed";
  }
}

// With so few descriptors not even the libraries can be loaded, or a file cannot be opened; neither is a
// signal.
TEST_F(Faults, TooFewDescriptorsEndInASentence) {
  for (int descriptors = 3; descriptors <= 8; ++descriptors) {
    for (const std::string command : {"qat-convert g.qgraph -o out.tflite", "qat-eval inspect uint8.tflite",
                                      "qat-freeze a.ckpt -o out.qgraph"}) {
      const auto result = Shell(StrCat("ulimit -n ", descriptors, "; ", command));
      const bool good =
          result.exit_code == 0 || result.exit_code == 3 || result.exit_code == 6 || result.exit_code == 127;
      EXPECT_TRUE(good) << descriptors << ", " << command << ": " << result.exit_code << " " << result.err;
    }
  }
}

// The work is done, and its results are seen, whatever becomes of the files that were to hold them.
TEST_F(Faults, AReportThatCanNoLongerBeWrittenIsPrintedAllTheSame) {
  const std::string compare = "qat-eval --data data uint8.tflite --litert off --repeat 0 ";
  for (const std::string flag : {"--json", "--html", "--junit", "--markdown", "--predictions"}) {
    const auto full = Shell(compare + flag + " /dev/full");
    EXPECT_EQ(full.exit_code, 6) << flag;
    EXPECT_HOLDS(full.out, "uint8.tflite");
    EXPECT_HOLDS(full.err, "/dev/full: cannot be written (No space left on device)");
  }
  const auto one = Shell(compare + "--html /dev/full --junit r.xml --json r.json");
  EXPECT_EQ(one.exit_code, 6);
  EXPECT_HOLDS(ReadText(At("r.xml")), "<testsuite");
  EXPECT_HOLDS(ReadText(At("r.json")), "\"error\": \"/dev/full: cannot be written");
}

// The folder goes while the work is under way.
TEST_F(Faults, AFolderThatGoesAwayTakesNoResultsWithIt) {
  fs::create_directories(At("gone"));
  const testing::Process process({ToolPath("qat-eval"), "bench", files_.uint8_model(), "--repeat", "200",
                                  "--progress", "plain", "--json", At("gone/r.json"), "--html",
                                  At("gone/r.html")});
  ASSERT_TRUE(process.WaitForMessage("rounds", 60));
  fs::remove_all(At("gone"));
  const auto result = process.Wait();
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_HOLDS(result.out, "uint8.tflite");
  EXPECT_HOLDS(result.err, "gone/r.html: cannot be written");
  EXPECT_HOLDS(result.err, "gone/r.json: cannot be written");
}

// A run whose last checkpoint was cut off is frozen from the one before.
TEST_F(Faults, ADamagedLastCheckpointFallsBackToTheOneBeforeAndSaysSo) {
  fs::create_directories(At("run/checkpoints"));
  Checkpoint checkpoint = testing::TinyCheckpoint();
  for (const int64_t step : {900, 950}) {
    checkpoint.step = step;
    ASSERT_TRUE(WriteFile(CheckpointPath(At("run"), step), Serialize(checkpoint)).ok());
  }
  fs::resize_file(CheckpointPath(At("run"), 950), 500);
  const auto result = Shell("qat-freeze run -o out.qgraph");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_HOLDS(result.err, "0000000950.ckpt: is cut short");
  EXPECT_HOLDS(result.err, "it is left out, and the checkpoint of step 900 taken");
  EXPECT_HOLDS(result.out, "step 900");
  EXPECT_EQ(Shell("qat-freeze run --select last -o out.qgraph").exit_code, 3);
  fs::resize_file(CheckpointPath(At("run"), 900), 500);
  const auto none = Shell("qat-freeze run -o none.qgraph");
  EXPECT_EQ(none.exit_code, 3) << none.err;
  EXPECT_FALSE(fs::exists(At("none.qgraph")));
}

// The place of the value, and no model of it.
TEST_F(Faults, NumbersThatAreNoneAreNamed) {
  WriteText(At("t.csv"), "a,b,label\n1,2,0\n3,nan,1\n");
  const auto table = Shell("qat-convert g.qgraph --calibrate t.csv -o out.tflite");
  EXPECT_EQ(table.exit_code, 3) << table.err;
  EXPECT_HOLDS(table.err, "t.csv: line 3, column 'b'");
  Checkpoint checkpoint = testing::TinyCheckpoint();
  checkpoint.tensors["fc/bias"].values[1] = NAN;
  ASSERT_TRUE(WriteFile(At("nan.ckpt"), Serialize(checkpoint)).ok());
  const auto frozen = Shell("qat-freeze nan.ckpt -o out.qgraph");
  EXPECT_EQ(frozen.exit_code, 5) << frozen.err;
  EXPECT_HOLDS(frozen.err, "fc/bias");
  EXPECT_FALSE(fs::exists(At("out.qgraph")));
}

#ifdef QAT_HAS_TRAIN
class TrainingFaults : public Faults {
 protected:
  // Bright and dark pictures, for a run of a few steps.
  TrainingFaults() {
    fs::create_directories(At("pictures"));
    for (const auto& [split, count] : {std::pair<const char*, int32_t>{"train", 64}, {"test", 16}}) {
      NpyArray x{DType::kUInt8, {count, 4, 4, 1}, {}}, y{DType::kUInt8, {count}, {}};
      for (int32_t i = 0; i < count; ++i) {
        x.values.insert(x.values.end(), 16, static_cast<uint8_t>(i % 3 * 100 + i));
        y.values.push_back(static_cast<uint8_t>(i % 3));
      }
      EXPECT_TRUE(WriteFile(At(StrCat("pictures/x_", split, ".npy")), Serialize(x)).ok());
      EXPECT_TRUE(WriteFile(At(StrCat("pictures/y_", split, ".npy")), Serialize(y)).ok());
    }
    WriteText(At("tiny.toml"), testing::kTinySpec);
  }

  std::string Train(int steps, const std::string& more) const {
    return StrCat(
        "qat-train --data pictures --network tiny.toml --holdout 8 --batch-size 8 --progress none --threads "
        "1 --steps ",
        steps, " --eval-every 10 --checkpoint-every 10 ", more);
  }
};

// Half a checkpoint is none, and the run goes on once there is room.
TEST_F(TrainingFaults, AFullDiskEndsARunThatCanBeResumed) {
  const auto full = Shell("ulimit -f 4; " + Train(30, "-o run"));
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_HOLDS(full.err, "cannot be written (File too large)");
  if (fs::exists(At("run/checkpoints"))) {
    for (const std::string& name : FilesIn(At("run/checkpoints")))
      EXPECT_TRUE(name.ends_with(".ckpt") || name.ends_with(".state")) << name;
  }
  const auto resumed = Shell(Train(30, "-o run --resume-if-exists"));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(fs::exists(CheckpointPath(At("run"), 30)));
}

TEST_F(TrainingFaults, ASecondWriterOfARunIsRefusedAndTheFirstGoesOn) {
  const testing::Process first({"/bin/sh", "-c",
                                StrCat("PATH=", testing::kBinaryDir, "/bin:$PATH; cd '", files_.path(),
                                       "' && exec ", Train(100000, "-o run"))});
  ASSERT_TRUE(first.WaitForMessage("held out", 60));
  while (!fs::exists(CheckpointPath(At("run"), 10)) && fs::exists(At("run")))
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto second = Shell(Train(100000, "-o run --resume-if-exists"));
  EXPECT_EQ(second.exit_code, 2) << second.err;
  EXPECT_HOLDS(second.err, "run: is being written by another process");
  first.Signal(SIGINT);
  EXPECT_EQ(first.Wait().exit_code, 130);
}

// A damaged .ckpt, as the .state of trainer_resume_test.cc.
TEST_F(TrainingFaults, ResumesFromTheCheckpointBeforeADamagedOneAndSaysSo) {
  ASSERT_EQ(Shell(Train(20, "-o run")).exit_code, 0);
  fs::resize_file(CheckpointPath(At("run"), 20), 300);
  const auto resumed = Shell("qat-train --resume --progress none -o run");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_HOLDS(resumed.err, "0000000020.ckpt: is cut short");
  EXPECT_HOLDS(resumed.err, "resuming from step 10 instead of 20");
  EXPECT_EQ(Shell("qat-freeze run --select 20 -o out.qgraph").exit_code, 0) << "it was written again";
}

TEST_F(TrainingFaults, ARunWhoseReportCannotBeWrittenHasPrintedItsResults) {
  const auto result = Shell(Train(20, "-o run --json /dev/full"));
  EXPECT_EQ(result.exit_code, 6) << result.err;
  EXPECT_HOLDS(result.out, "trained");
  EXPECT_HOLDS(result.err, "/dev/full: cannot be written (No space left on device)");
  EXPECT_TRUE(fs::exists(CheckpointPath(At("run"), 20)));
}

TEST_F(TrainingFaults, NumbersThatAreNoneAreNamedBeforeTraining) {
  WriteText(At("t.csv"), "a,b,label\n1,2,0\n3,nan,1\n");
  const auto result = Shell("qat-train --data t.csv --network mlp --steps 5 --progress none -o run");
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_HOLDS(result.err, "t.csv: line 3, column 'b'");
  EXPECT_FALSE(fs::exists(At("run")));
}
#endif

}  // namespace
}  // namespace qat
