#include "data/idx.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/strings.h"
#include "support/test_util.h"

namespace qat {
namespace {

// Two images of 2x3, written out by hand.
const Bytes kImages = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

Bytes Gzip(const Bytes& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class Idx : public ::testing::Test {
 protected:
  Expected<IdxArray> Read(const Bytes& bytes) {
    path_ = dir_ / "file";
    if (auto written = WriteFile(path_, bytes); !written.ok()) return std::move(written).error();
    return ReadIdx(path_);
  }
  testing::TempDir dir_;
  std::string path_;
};

TEST_F(Idx, ReadsSizesAndValues) {
  const auto array = Read(kImages);
  QAT_ASSERT_OK(array);
  EXPECT_EQ(array->shape, (Shape{2, 2, 3}));
  EXPECT_EQ(array->values, (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(SerializeIdx(*array), kImages);
}

TEST_F(Idx, TellsGzipFromContentAndTakesSeveralMembers) {
  const auto whole = Read(Gzip(kImages));
  QAT_ASSERT_OK(whole);
  EXPECT_EQ(whole->values.size(), 12u);
  Bytes two = Gzip(Bytes(kImages.begin(), kImages.begin() + 9));
  const Bytes second = Gzip(Bytes(kImages.begin() + 9, kImages.end()));
  two.insert(two.end(), second.begin(), second.end());
  const auto joined = Read(two);
  QAT_ASSERT_OK(joined);
  EXPECT_EQ(joined->values, whole->values);
}

TEST_F(Idx, InflatesFarMoreThanItsInput) {
  Bytes zeros = {0, 0, 8, 1, 0x00, 0x50, 0, 0};
  zeros.resize(zeros.size() + 0x500000);
  const auto array = Read(Gzip(zeros));
  QAT_ASSERT_OK(array);
  EXPECT_EQ(array->values.size(), 0x500000u);
}

TEST_F(Idx, NamesPlaceValueAndExpectationOfEveryFault) {
  struct Case {
    Bytes bytes;
    std::string message;
  };
  Bytes cut(kImages.begin(), kImages.end() - 1), long_one = kImages, floats = kImages, no_dims = kImages;
  long_one.push_back(0);
  floats[2] = 0x0d;
  no_dims[3] = 0;
  Bytes huge = kImages;
  huge[4] = 0x80;
  Bytes overflow = kImages;
  for (int i : {4, 8, 12}) overflow[static_cast<size_t>(i)] = 0x7f;
  const std::vector<Case> cases = {
      {{}, "is an empty file, expected an IDX file"},
      {Bytes{'h', 'e', 'l', 'l', 'o', ' ', 't', 'h', 'e', 'r', 'e', '\n'},
       "is a text file, expected an IDX file"},
      {floats, "offset 2: element type 0x0d (float32), expected 0x08 (unsigned byte)"},
      {no_dims, "offset 3: 0 dimensions, expected 1 to 4"},
      {Bytes(kImages.begin(), kImages.begin() + 10), "ends at byte 10, inside its header of 16 bytes"},
      {huge, "offset 4: size 2147483650, expected less than 2^31"},
      {cut, "is cut off: 11 bytes of values, expected 12 for [2, 2, 3]"},
      {long_one, "offset 28: 1 bytes follow the last value, expected none for [2, 2, 3]"},
      {overflow, "is cut off: 12 bytes of values, expected "},
  };
  for (const Case& c : cases) QAT_EXPECT_ERROR(Read(c.bytes), ErrorCode::kCorrupt, "/file: " + c.message);
}

TEST_F(Idx, RefusesGzipThatIsCutOrDamaged) {
  const Bytes gzip = Gzip(kImages);
  for (size_t size = 2; size < gzip.size(); ++size) {
    QAT_EXPECT_ERROR(Read(Bytes(gzip.begin(), gzip.begin() + static_cast<ptrdiff_t>(size))),
                     ErrorCode::kCorrupt, StrCat("/file: gzip data is cut off after ", size, " bytes"));
  }
  Bytes wrong_crc = gzip;
  wrong_crc[gzip.size() - 8] ^= 1;
  QAT_EXPECT_ERROR(Read(wrong_crc), ErrorCode::kCorrupt, "(incorrect data check)");
  Bytes trailing = gzip;
  trailing.push_back('x');
  EXPECT_FALSE(Read(trailing).ok());
}

// 64 MB of zeros behind an array of twelve bytes: only one of them is ever inflated.
TEST_F(Idx, InflatesNoMoreThanTheHeaderSays) {
  Bytes bomb = kImages;
  bomb.resize(size_t{64} << 20);
  const Bytes gzip = Gzip(bomb);
  QAT_EXPECT_ERROR(Read(gzip), ErrorCode::kCorrupt, "/file: offset 28: 1 bytes follow the last value");
  const auto inflated = Inflated(gzip, "f", 100);
  QAT_ASSERT_OK(inflated);
  EXPECT_EQ(inflated->size(), 100u);
  EXPECT_LE(inflated->capacity(), 4 * gzip.size() + 4096) << "what was not asked for took no memory";
}

TEST_F(Idx, SaysThatAFileIsMissing) {
  QAT_EXPECT_ERROR(ReadIdx(dir_ / "absent"), ErrorCode::kNotFound, "/absent: cannot be read (No such file");
}

}  // namespace
}  // namespace qat
