#include "base/zip.h"

#include <gtest/gtest.h>

#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

Bytes TwoFilesAfter(const std::string& front) {
  Bytes bytes = BytesOf(front);
  const std::vector<ZipFile> files = {{"a.txt", BytesOf("one\ntwo\n")}, {"empty", {}}};
  AppendZip(files, bytes);
  return bytes;
}

TEST(Zip, ReadsWhatItWroteAfterOtherBytes) {
  const Bytes bytes = TwoFilesAfter("in front");
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 8), "in front");
  const auto entries = ListZip(bytes);
  QAT_ASSERT_OK(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ(entries->at(0).name, "a.txt");
  const auto content = ExtractZip(bytes, entries->at(0), 100);
  QAT_ASSERT_OK(content);
  EXPECT_EQ(*content, BytesOf("one\ntwo\n"));
  EXPECT_TRUE(ExtractZip(bytes, entries->at(1), 100)->empty());
}

// Python's zipfile is the other side of both directions.
TEST(Zip, IsReadByPythonAsItIs) {
  QAT_NEEDS_PYTHON("zipfile");
  const testing::TempDir folder;
  ASSERT_TRUE(WriteFile(folder / "z", TwoFilesAfter("xyz")).ok());
  const auto result = testing::Run({testing::kLitertPython, "-c",
                                    "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); "
                                    "print(z.testzip(), z.namelist(), z.read('a.txt'))",
                                    folder / "z"});
  EXPECT_EQ(result.out, "None ['a.txt', 'empty'] b'one\\ntwo\\n'\n") << result.err;
}

TEST(Zip, ReadsStoredAndDeflatedFilesOfPython) {
  QAT_NEEDS_PYTHON("zipfile");
  const testing::TempDir folder;
  const auto result = testing::Run({testing::kLitertPython, "-c",
                                    "import sys, zipfile\n"
                                    "z = zipfile.ZipFile(sys.argv[1], 'w')\n"
                                    "z.writestr('s', b'12', zipfile.ZIP_STORED)\n"
                                    "z.writestr('d', b'ab' * 5000, zipfile.ZIP_DEFLATED)\n"
                                    "z.comment = b'with a comment'\n"
                                    "z.close()",
                                    folder / "z"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  Bytes bytes = *ReadFile(folder / "z");
  // Offsets count from the archive; what lies in front of it must not disturb.
  bytes.insert(bytes.begin(), 37, uint8_t{7});
  const auto entries = ListZip(bytes);
  QAT_ASSERT_OK(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ(*ExtractZip(bytes, entries->at(0), 2), BytesOf("12"));
  const auto deflated = ExtractZip(bytes, entries->at(1), 10000);
  QAT_ASSERT_OK(deflated);
  EXPECT_EQ(deflated->size(), 10000u);
  EXPECT_EQ(deflated->at(9999), 'b');
  QAT_EXPECT_ERROR(ExtractZip(bytes, entries->at(1), 9999), ErrorCode::kUnsupported,
                   "'d' has 10000 bytes, expected at most 9999");
}

TEST(Zip, SaysWhereThereIsNone) {
  QAT_EXPECT_ERROR(ListZip({}), ErrorCode::kNotFound, "no ZIP archive");
  QAT_EXPECT_ERROR(ListZip(BytesOf("PK\5\6 and more that is none")), ErrorCode::kNotFound, "no ZIP archive");
}

TEST(Zip, NamesAWrongChecksum) {
  Bytes bytes = TwoFilesAfter("");
  const auto entries = ListZip(bytes);
  QAT_ASSERT_OK(entries);
  bytes[35] ^= 1;  // the first byte of a.txt: behind a header of 30 and a name of 5
  QAT_EXPECT_ERROR(ExtractZip(bytes, entries->at(0), 100), ErrorCode::kCorrupt,
                   "'a.txt' differs from its checksum");
}

// Claimed by the sanitizers: no access outside the bytes, whatever they say.
TEST(Zip, RefusesOrReadsWhereverOneByteIsWrong) {
  const Bytes good = TwoFilesAfter("front");
  for (size_t i = 0; i < good.size(); ++i) {
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      Bytes bytes = good;
      bytes[i] ^= flip;
      const auto entries = ListZip(bytes);
      if (!entries.ok()) continue;
      for (const ZipEntry& entry : *entries) {
        if (const auto content = ExtractZip(bytes, entry, 1000); content.ok()) {
          EXPECT_LE(content->size(), 8u);
        }
      }
    }
  }
}

}  // namespace
}  // namespace qat
