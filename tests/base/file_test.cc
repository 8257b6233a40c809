#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support/test_util.h"

namespace qat {
namespace {

using testing::TempDir;

std::string TextOf(const std::string& path) {
  auto text = ReadTextFile(path);
  return text.ok() ? *text : "error: " + text.error().message;
}

mode_t ModeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

// Runs as "nobody" while it lives; root ignores permissions.
class AsNobody {
 public:
  AsNobody() : root_(::geteuid() == 0) {
    if (root_ && ::seteuid(65534) != 0) ADD_FAILURE() << "seteuid";
  }
  ~AsNobody() {
    if (root_ && ::seteuid(0) != 0) ADD_FAILURE() << "seteuid";
  }

 private:
  bool root_;
};

TEST(ReadFile, ReadsWhatWasWritten) {
  TempDir dir;
  const Bytes bytes = {0, 1, 254, 255, '\n', 0};
  QAT_ASSERT_OK(WriteFile(dir / "f", bytes));
  EXPECT_EQ(*ReadFile(dir / "f"), bytes);
  QAT_ASSERT_OK(WriteFile(dir / "empty", ""));
  EXPECT_TRUE(ReadFile(dir / "empty")->empty());
}

TEST(ReadFile, NamesThePathAndTheReason) {
  TempDir dir;
  QAT_EXPECT_ERROR(ReadFile(dir / "absent"), ErrorCode::kNotFound,
                   "absent: cannot be read (No such file or directory)");
  QAT_EXPECT_ERROR(ReadFile(dir.path()), ErrorCode::kNotFound, ": is a directory, expected a file");
  QAT_ASSERT_OK(WriteFile(dir / "secret", "x"));
  ASSERT_EQ(::chmod((dir / "secret").c_str(), 0), 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  AsNobody nobody;
  QAT_EXPECT_ERROR(ReadFile(dir / "secret"), ErrorCode::kNotFound,
                   "secret: cannot be read (Permission denied)");
}

TEST(ReadFile, ReadsAFifoToItsEnd) {
  TempDir dir;
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::string text(300000, 'q');  // more than a pipe holds
  std::thread writer([&] { EXPECT_TRUE(WriteFile(fifo, text).ok()); });
  EXPECT_EQ(TextOf(fifo), text);
  writer.join();
  EXPECT_EQ(*ListDirectory(dir.path()), std::vector<std::string>{"fifo"}) << "written in place";
}

TEST(OutputFile, PublishesOnCommitOnly) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "f", "old"));
  auto file = OutputFile::Open(dir / "f");
  QAT_ASSERT_OK(file);
  EXPECT_EQ(TextOf(dir / "f"), "old");
  QAT_ASSERT_OK(file->Commit("new"));
  EXPECT_EQ(TextOf(dir / "f"), "new");
  EXPECT_EQ(*ListDirectory(dir.path()), std::vector<std::string>{"f"});
}

TEST(OutputFile, LeavesNothingBehindWhenNeverCommitted) {
  TempDir dir;
  {
    auto file = OutputFile::Open(dir / "f");
    QAT_ASSERT_OK(file);
    OutputFile moved = *std::move(file);
    EXPECT_EQ(moved.path(), dir / "f");
  }
  EXPECT_TRUE(ListDirectory(dir.path())->empty());
}

TEST(OutputFile, LeavesNothingBehindWhenKilled) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "f", "old"));
  const pid_t child = ::fork();
  if (child == 0) {
    const auto file = OutputFile::Open(dir / "f");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(TextOf(dir / "f"), "old");
  // A file system without unnamed files cannot promise more than the line above.
  const int unnamed = ::open(dir.path().c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (unnamed < 0) return;
  ::close(unnamed);
  EXPECT_EQ(*ListDirectory(dir.path()), std::vector<std::string>{"f"});
}

TEST(OutputFile, KeepsTheOldFileWhenTheDiskIsFull) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "f", "old"));
  // A limit on file size stands for the full disk: the write stops in the middle.
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 1 << 20;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = WriteFile(dir / "f", std::string(2 << 20, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old_handler);
  QAT_EXPECT_ERROR(status, ErrorCode::kIoError, "f: cannot be written (File too large)");
  EXPECT_EQ(TextOf(dir / "f"), "old");
  EXPECT_EQ(*ListDirectory(dir.path()), std::vector<std::string>{"f"});
}

TEST(OutputFile, ReportsAFullDevice) {
  QAT_EXPECT_ERROR(WriteFile("/dev/full", "x"), ErrorCode::kIoError,
                   "/dev/full: cannot be written (No space left on device)");
  EXPECT_TRUE(FileExists("/dev/full"));
  QAT_ASSERT_OK(WriteFile("/dev/null", "x"));
}

TEST(OutputFile, DoesNotWaitForEverForTheReaderOfAFifo) {
  TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  QAT_EXPECT_ERROR(WriteFile(dir / "fifo", "x"), ErrorCode::kIoError, "fifo: is a FIFO that nobody reads");
}

TEST(OutputFile, StopsWaitingForASlowReaderWhenInterrupted) {
  TempDir dir;
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDWR);  // there, but it reads nothing
  SetInterruptCheck([] { return true; });
  const Status status = WriteFile(fifo, std::string(1000000, 'q'));
  SetInterruptCheck(nullptr);
  QAT_EXPECT_ERROR(status, ErrorCode::kInterrupted, "interrupted while waiting for the reader of");
  ::close(reader);
}

TEST(OutputFile, FailsBeforeTheLongWork) {
  TempDir dir;
  QAT_EXPECT_ERROR(OutputFile::Open(dir.path()), ErrorCode::kIoError,
                   ": is a directory, expected a file name");
  QAT_EXPECT_ERROR(OutputFile::Open(dir / "no/f"), ErrorCode::kIoError,
                   "no/f: cannot be created (No such file or directory)");
  QAT_ASSERT_OK(MakeDirectories(dir / "locked"));
  ASSERT_EQ(::chmod((dir / "locked").c_str(), 0555), 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  AsNobody nobody;
  QAT_EXPECT_ERROR(OutputFile::Open(dir / "locked/f"), ErrorCode::kIoError,
                   "locked/f: cannot be created (Permission denied)");
}

TEST(OutputFile, RefusesAReadOnlyFileThatARenameWouldReplace) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "f", "precious"));
  ASSERT_EQ(::chmod((dir / "f").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  AsNobody nobody;
  QAT_EXPECT_ERROR(WriteFile(dir / "f", "x"), ErrorCode::kIoError,
                   "f: cannot be written (Permission denied)");
  EXPECT_EQ(TextOf(dir / "f"), "precious");
}

TEST(OutputFile, GivesTheModeThatOpenWould) {
  TempDir dir;
  const mode_t mask = ::umask(027);
  const Status status = WriteFile(dir / "f", "x");
  ::umask(mask);
  QAT_ASSERT_OK(status);
  EXPECT_EQ(ModeOf(dir / "f"), 0640u);
  ASSERT_EQ(::chmod((dir / "f").c_str(), 0600), 0);
  QAT_ASSERT_OK(WriteFile(dir / "f", "y"));
  EXPECT_EQ(ModeOf(dir / "f"), 0600u) << "a file that is replaced keeps its mode";
}

TEST(OutputFile, WritesThroughASymbolicLink) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "real", "old"));
  ASSERT_EQ(::symlink("real", (dir / "link").c_str()), 0);
  QAT_ASSERT_OK(WriteFile(dir / "link", "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_EQ(TextOf(dir / "real"), "new");
}

TEST(OutputFile, MakesWhatADanglingLinkPointsTo) {
  TempDir dir;
  QAT_ASSERT_OK(MakeDirectories(dir / "below"));
  ASSERT_EQ(::symlink("below/second", (dir / "first").c_str()), 0);
  ASSERT_EQ(::symlink("real", (dir / "below/second").c_str()), 0);
  QAT_ASSERT_OK(WriteFile(dir / "first", "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "first"));
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "below/second"));
  EXPECT_EQ(TextOf(dir / "below/real"), "new");
}

TEST(OutputFile, RefusesALinkThatLeadsBackToItself) {
  TempDir dir;
  ASSERT_EQ(::symlink("b", (dir / "a").c_str()), 0);
  ASSERT_EQ(::symlink("a", (dir / "b").c_str()), 0);
  QAT_EXPECT_ERROR(WriteFile(dir / "a", "x"), ErrorCode::kIoError,
                   "a: cannot be written (Too many levels of symbolic links)");
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "a"));
}

TEST(OutputFile, TakesTheLongestNameThatThereIs) {
  testing::TempDir dir;
  const std::string path = dir / std::string(255, 'n');
  QAT_ASSERT_OK(WriteFile(path, std::string_view("long")));
  EXPECT_EQ(*ReadTextFile(path), "long");
  EXPECT_EQ(ListDirectory(dir.path())->size(), 1u);
}

TEST(OutputFile, TakesABareFileName) {
  TempDir dir;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  const Status status = WriteFile("bare", "x");
  std::filesystem::current_path(before);
  QAT_ASSERT_OK(status);
  EXPECT_EQ(TextOf(dir / "bare"), "x");
}

TEST(OutputFile, DashIsStandardOutput) {
  ::testing::internal::CaptureStdout();
  const Status status = WriteFile("-", "{}\n");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "{}\n");
  QAT_ASSERT_OK(status);
  EXPECT_FALSE(std::filesystem::exists("-"));
}

TEST(MakeDirectories, MakesParentsAndIsContentWithWhatIsThere) {
  TempDir dir;
  QAT_ASSERT_OK(MakeDirectories(dir / "a/b/c"));
  QAT_ASSERT_OK(MakeDirectories(dir / "a/b/c"));
  EXPECT_TRUE(IsDirectory(dir / "a/b/c"));
  QAT_ASSERT_OK(WriteFile(dir / "file", "x"));
  QAT_EXPECT_ERROR(MakeDirectories(dir / "file"), ErrorCode::kIoError, "file");
  QAT_EXPECT_ERROR(MakeDirectories(dir / "file/below"), ErrorCode::kIoError, "below");
}

TEST(OutputFolder, LeavesNothingEmptyThatItMade) {
  TempDir dir;
  QAT_ASSERT_OK(MakeDirectories(dir / "old"));
  {
    Expected<OutputFolder> made = OutputFolder::Make(dir / "old/a/b/"),
                           kept = OutputFolder::Make(dir / "old/c/d");
    QAT_ASSERT_OK(made);
    QAT_ASSERT_OK(kept);
    const OutputFolder moved = std::move(*made);
    EXPECT_TRUE(IsDirectory(dir / "old/a/b"));
    QAT_ASSERT_OK(WriteFile(dir / "old/c/file", "x"));
  }
  EXPECT_EQ(*ListDirectory(dir / "old"), std::vector<std::string>{"c"});
  EXPECT_EQ(*ListDirectory(dir / "old/c"), std::vector<std::string>{"file"});
  { QAT_ASSERT_OK(OutputFolder::Make(dir / "old")); }
  EXPECT_TRUE(IsDirectory(dir / "old")) << "was there before";
  QAT_EXPECT_ERROR(OutputFolder::Make(dir / "old/c/file/below"), ErrorCode::kIoError, "below");
}

TEST(ListDirectory, SortsNames) {
  TempDir dir;
  for (const char* name : {"b", "a", "B", ".hidden"}) QAT_ASSERT_OK(WriteFile(dir / name, ""));
  EXPECT_EQ(*ListDirectory(dir.path()), (std::vector<std::string>{".hidden", "B", "a", "b"}));
  QAT_EXPECT_ERROR(ListDirectory(dir / "absent"), ErrorCode::kNotFound, "absent: cannot be listed");
}

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

}  // namespace
}  // namespace qat
