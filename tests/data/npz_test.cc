#include "data/npz.h"

#include <gtest/gtest.h>

#include <string>

#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

const std::string kArrays = std::string(testing::kSourceDir) + "/tests/data/arrays/";

void Put(Bytes& bytes, uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes.push_back(i < 8 ? static_cast<uint8_t>(value >> (8 * i)) : 0);
}

// One stored entry "a" of `text`, with 64-bit sizes in the directory and a 64-bit end record.
Bytes Zip64Of(const std::string& text, uint32_t crc) {
  Bytes bytes;
  Put(bytes, 0x04034b50, 4);
  Put(bytes, 45, 2);
  Put(bytes, 0, 8);  // flags, method, time, date
  Put(bytes, crc, 4);
  Put(bytes, text.size(), 4);
  Put(bytes, text.size(), 4);
  Put(bytes, 1, 2);
  Put(bytes, 0, 2);
  bytes.push_back('a');
  bytes.insert(bytes.end(), text.begin(), text.end());
  const size_t directory = bytes.size();
  Put(bytes, 0x02014b50, 4);
  Put(bytes, 45 | 45 << 16, 4);
  Put(bytes, 0, 8);
  Put(bytes, crc, 4);
  Put(bytes, 0xffffffff, 4);
  Put(bytes, 0xffffffff, 4);
  Put(bytes, 1, 2);
  Put(bytes, 28, 2);
  Put(bytes, 0, 10);  // comment, disk, attributes
  Put(bytes, 0xffffffff, 4);
  bytes.push_back('a');
  Put(bytes, 1, 2);
  Put(bytes, 24, 2);
  Put(bytes, text.size(), 8);
  Put(bytes, text.size(), 8);
  Put(bytes, 0, 8);
  const size_t end = bytes.size();
  Put(bytes, 0x06064b50, 4);
  Put(bytes, 44, 8);
  Put(bytes, 45 | 45 << 16, 4);
  Put(bytes, 0, 8);
  Put(bytes, 1, 8);
  Put(bytes, 1, 8);
  Put(bytes, end - directory, 8);
  Put(bytes, directory, 8);
  Put(bytes, 0x07064b50, 4);
  Put(bytes, 0, 4);
  Put(bytes, end, 8);
  Put(bytes, 1, 4);
  Put(bytes, 0x06054b50, 4);
  Put(bytes, 0, 4);
  Put(bytes, 0xffff, 2);
  Put(bytes, 0xffff, 2);
  Put(bytes, 0xffffffff, 4);
  Put(bytes, 0xffffffff, 4);
  Put(bytes, 3, 2);
  for (const char c : {'e', 'n', 'd'}) bytes.push_back(static_cast<uint8_t>(c));
  return bytes;
}

TEST(NpzFile, GivesTheSameEntriesStoredAndDeflated) {
  const auto stored = NpzFile::Open(kArrays + "stored.npz");
  const auto deflated = NpzFile::Open(kArrays + "deflated.npz");
  QAT_ASSERT_OK(stored);
  QAT_ASSERT_OK(deflated);
  EXPECT_EQ(stored->names(),
            (std::vector<std::string>{"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"}));
  for (const std::string& name : stored->names()) EXPECT_EQ(*stored->Read(name), *deflated->Read(name));
  QAT_EXPECT_ERROR(stored->Read("z.npy"), ErrorCode::kNotFound,
                   "stored.npz: holds no 'z.npy', only x_train.npy,");
}

TEST(NpzFile, Reads64BitSizesAndSkipsAComment) {
  testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "a.zip", Zip64Of("123456789", 0xcbf43926)));  // the check value of CRC-32
  const auto zip = NpzFile::Open(dir / "a.zip");
  QAT_ASSERT_OK(zip);
  const std::string text = "123456789";
  EXPECT_EQ(*zip->Read("a"), Bytes(text.begin(), text.end()));
  QAT_ASSERT_OK(WriteFile(dir / "b.zip", Zip64Of("123456780", 0xcbf43926)));
  QAT_EXPECT_ERROR(NpzFile::Open(dir / "b.zip")->Read("a"), ErrorCode::kCorrupt, "/b.zip: 'a': is damaged");
}

TEST(NpzFile, SaysThatAFileIsNoArchiveOrCutOff) {
  testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "text.npz", std::string_view("hello")));
  QAT_EXPECT_ERROR(NpzFile::Open(dir / "text.npz"), ErrorCode::kCorrupt,
                   "/text.npz: is a text file, expected NumPy arrays, as np.savez writes them");
  Bytes cut = *ReadFile(kArrays + "deflated.npz");
  cut.resize(cut.size() - 30);
  QAT_ASSERT_OK(WriteFile(dir / "cut.npz", cut));
  QAT_EXPECT_ERROR(NpzFile::Open(dir / "cut.npz"), ErrorCode::kCorrupt,
                   "/cut.npz: is cut off: a ZIP archive ends in its directory");
}

// Any byte changed: an error, or the same contents; never other bytes, never a crash.
TEST(NpzFile, NeverGivesDamagedContents) {
  testing::TempDir dir;
  const Bytes whole = *ReadFile(kArrays + "deflated.npz");
  const NpzFile sound = *NpzFile::Open(kArrays + "deflated.npz");
  for (size_t i = 0; i < whole.size(); ++i) {
    Bytes damaged = whole;
    damaged[i] ^= 0xff;
    QAT_ASSERT_OK(WriteFile(dir / "d.npz", damaged));
    const auto zip = NpzFile::Open(dir / "d.npz");
    if (!zip.ok()) continue;
    for (const std::string& name : sound.names()) {
      const auto bytes = zip->Read(name);
      if (bytes.ok()) {
        EXPECT_EQ(*bytes, *sound.Read(name)) << "byte " << i;
      }
    }
  }
}

}  // namespace
}  // namespace qat
