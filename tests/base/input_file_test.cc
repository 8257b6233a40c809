#include "base/input_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "base/file_kind.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::TempDir;

TEST(ReadFile, KeepsWhatItReadWhenTheFileIsCutOffLater) {
  TempDir dir;
  const Bytes bytes(100000, 7);
  QAT_ASSERT_OK(WriteFile(dir / "f", bytes));
  const auto read = ReadFile(dir / "f");
  ASSERT_EQ(::truncate((dir / "f").c_str(), 10), 0);
  EXPECT_EQ(*read, bytes);
}

TEST(ReadFile, RefusesMoreThanTheLimitBeforeItIsInMemory) {
  TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "f", "0123456789"));
  EXPECT_EQ(ReadFile(dir / "f", 10)->size(), 10u);
  QAT_EXPECT_ERROR(ReadFile(dir / "f", 9), ErrorCode::kCorrupt, "f: holds 10 bytes, expected at most 9");
  QAT_EXPECT_ERROR(ReadTextFile("/dev/zero"), ErrorCode::kCorrupt,
                   "/dev/zero: holds more than the 16777216 bytes expected at most");
  // A file of 8 EiB that takes no space.
  ASSERT_EQ(::truncate((dir / "f").c_str(), off_t{1} << 43), 0);
  QAT_EXPECT_ERROR(ReadFile(dir / "f"), ErrorCode::kSystem, "more than the memory of this machine");
  QAT_EXPECT_ERROR(ReadFileOfKind(dir / "f", kTfliteIdentifier), ErrorCode::kCorrupt,
                   "expected a .tflite model");
}

TEST(ReadFile, TellsWhatIsNoFile) {
  TempDir dir;
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (dir / "s").c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  QAT_EXPECT_ERROR(ReadFile(dir / "s"), ErrorCode::kNotFound, "s: is a socket, expected a file");
  ::close(descriptor);
  EXPECT_TRUE(ReadFile("/dev/null")->empty());
}

TEST(ReadFile, DoesNotWaitForEverForTheWriterOfAFifo) {
  TempDir dir;
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  QAT_EXPECT_ERROR(ReadFile(dir / "fifo"), ErrorCode::kNotFound,
                   "fifo: is a FIFO that nobody has written to for 2 seconds, expected a file");
}

TEST(ReadFile, EndsWithAWriterThatLeavesWithoutAWord) {
  TempDir dir;
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread writer([&] { ::close(::open(fifo.c_str(), O_WRONLY)); });
  EXPECT_TRUE(ReadFile(fifo)->empty());
  writer.join();
}

std::atomic<bool> interrupted{false};

TEST(ReadFile, StopsWaitingForAWriterWhenInterrupted) {
  TempDir dir;
  const std::string fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int writer = ::open(fifo.c_str(), O_RDWR);  // there, and silent
  SetInterruptCheck([] { return interrupted.load(); });
  std::thread later([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    interrupted = true;
  });
  QAT_EXPECT_ERROR(ReadFile(fifo), ErrorCode::kInterrupted, "interrupted while reading");
  later.join();
  SetInterruptCheck(nullptr);
  ::close(writer);
}

TEST(ReadFileOfKind, LooksAtTheFirstBytesBeforeItReadsTheRest) {
  TempDir dir;
  Bytes model(1000);
  std::memcpy(&model[4], "TFL3", 4);
  QAT_ASSERT_OK(WriteFile(dir / "m", model));
  EXPECT_EQ(*ReadFileOfKind(dir / "m", kTfliteIdentifier), model);
  QAT_EXPECT_ERROR(ReadFileOfKind(dir / "m", kGraphIdentifier), ErrorCode::kCorrupt,
                   "m: is a .tflite model, expected a frozen graph (.qgraph)");
  QAT_EXPECT_ERROR(ReadFileOfKind("/dev/zero", kGraphIdentifier), ErrorCode::kCorrupt,
                   "/dev/zero: is a file of unknown kind");
}

}  // namespace
}  // namespace qat
