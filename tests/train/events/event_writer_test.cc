#include "train/events/event_writer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/strings.h"
#include "support/test_util.h"

namespace qat {
namespace {

// Points (tag "train/loss", value step / 4) of the steps behind `resume_step` up to `last`.
void WriteRun(const std::string& directory, int64_t resume_step, int64_t last) {
  auto writer = EventWriter::Open(directory, resume_step);
  QAT_ASSERT_OK(writer);
  for (int64_t step = resume_step + 1; step <= last; ++step) {
    QAT_ASSERT_OK((*writer)->AddScalar("train/loss", step, static_cast<double>(step) / 4));
  }
  QAT_ASSERT_OK((*writer)->Flush());
}

std::string LossLines(int64_t last) {
  std::string lines;
  for (int64_t step = 1; step <= last; ++step) {
    const std::string value = NumberText(static_cast<double>(step) / 4);
    lines += StrCat("train/loss ", step, " ", value, value.find('.') == std::string::npos ? ".0" : "", "\n");
  }
  return lines;
}

// What TensorBoard's own reader finds; `code` is its exit status.
std::string ReadWithTensorBoard(const std::string& directory, int& code) {
  testing::TempDir scratch;
  const std::string command = StrCat("TF_CPP_MIN_LOG_LEVEL=3 '", testing::kLitertPython, "' '",
                                     testing::kSourceDir, "/tests/train/events/read_with_tensorboard.py' '",
                                     directory, "' > '", scratch / "out", "' 2> '", scratch / "err", "'");
  code = WEXITSTATUS(std::system(command.c_str()));
  const std::string err = *ReadTextFile(scratch / "err");
  return *ReadTextFile(scratch / "out") + (code == 0 ? "" : err);
}

#define QAT_READ_WITH_TENSORBOARD(text, directory)                                   \
  QAT_NEEDS_FILE(qat::testing::kLitertPython)                                        \
  int tensorboard_code = 0;                                                          \
  const std::string text = ReadWithTensorBoard(directory, tensorboard_code);         \
  if (tensorboard_code == 77 && !testing::RequireEverything()) GTEST_SKIP() << text; \
  ASSERT_EQ(tensorboard_code, 0) << text

TEST(EventWriter, WritesWhatTensorBoardReads) {
  testing::TempDir dir;
  {
    auto writer = EventWriter::Open(dir / "events", 0);
    QAT_ASSERT_OK(writer);
    QAT_ASSERT_OK((*writer)->AddScalar("train/loss", 100, 0.5));
    QAT_ASSERT_OK((*writer)->AddScalar("holdout/accuracy", 100, 97.25));
    QAT_ASSERT_OK((*writer)->AddScalar("train/loss", 5'000'000'000, -0.25));
    QAT_ASSERT_OK((*writer)->AddScalar("range/relu/min", 100, 0));
  }
  QAT_READ_WITH_TENSORBOARD(text, dir / "events");
  EXPECT_EQ(text,
            "holdout/accuracy 100 97.25\nrange/relu/min 100 0.0\ntrain/loss 100 0.5\ntrain/loss 5000000000 "
            "-0.25\n");
}

// Field 2 of a value stands there even where it is 0: TensorBoard shows no point without it.
TEST(EventWriter, WritesTheNumber0) {
  testing::TempDir dir;
  {
    auto writer = EventWriter::Open(dir / "events", 0);
    QAT_ASSERT_OK(writer);
    QAT_ASSERT_OK((*writer)->AddScalar("zero", 1, 0));
  }
  const auto names = ListDirectory(dir / "events");
  QAT_ASSERT_OK(names);
  const auto bytes = ReadTextFile(JoinPath(dir / "events", names->front()));
  QAT_ASSERT_OK(bytes);
  EXPECT_NE(bytes->find(std::string("zero\x15\0\0\0\0", 9)), std::string::npos);
}

TEST(EventWriter, AResumedRunShowsEveryStepOnceInTensorBoard) {
  testing::TempDir dir;
  WriteRun(dir.path(), 0, 12);
  WriteRun(dir.path(), 8,
           11);  // the checkpoint of step 8 is resumed: 9…12 were written, and are written again
  WriteRun(dir.path(), 10, 15);
  QAT_READ_WITH_TENSORBOARD(text, dir.path());
  EXPECT_EQ(text, LossLines(15));
}

// The same without TensorBoard's help: no step is on the disk twice.
TEST(EventWriter, CutsWhatIsAfterTheResumedStep) {
  testing::TempDir dir;
  WriteRun(dir.path(), 0, 8);
  const auto names = ListDirectory(dir.path());
  QAT_ASSERT_OK(names);
  ASSERT_EQ(names->size(), 1u);
  const auto size_at_8 = std::filesystem::file_size(dir / names->front());
  testing::TempDir longer;
  WriteRun(longer.path(), 0, 12);
  const std::string name = ListDirectory(longer.path())->front();
  ASSERT_GT(std::filesystem::file_size(longer / name), size_at_8);
  WriteRun(longer.path(), 8, 8);
  EXPECT_EQ(std::filesystem::file_size(longer / name), size_at_8);
}

TEST(EventWriter, CutsARecordThatAKilledRunLeftHalfWritten) {
  testing::TempDir dir;
  WriteRun(dir.path(), 0, 8);
  const std::string path = dir / ListDirectory(dir.path())->front();
  const auto whole = std::filesystem::file_size(path);
  std::ofstream(path, std::ios::app | std::ios::binary) << "torn";
  WriteRun(dir.path(), 8, 9);
  EXPECT_EQ(std::filesystem::file_size(path), whole);
}

TEST(EventWriter, NamesFilesInTheOrderOfTheRuns) {
  testing::TempDir dir;
  WriteFile(dir / "events.out.tfevents.9999999999.000041.qat", std::string_view("")).ok();
  WriteRun(dir.path(), 0, 1);
  const auto names = ListDirectory(dir.path());
  QAT_ASSERT_OK(names);
  ASSERT_EQ(names->size(), 2u);
  EXPECT_EQ(names->back(), "events.out.tfevents.9999999999.000042.qat");
}

TEST(EventWriter, SaysWhyADirectoryCannotBeWritten) {
  QAT_EXPECT_ERROR(EventWriter::Open("/proc/no/events", 0), ErrorCode::kIoError,
                   "/proc/no/events: cannot be created");
}

}  // namespace
}  // namespace qat
