#include "data/npy.h"

#include <gtest/gtest.h>

#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

// numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], dtype), byte for byte.
std::string NumpyFile(const std::string& descr, const std::string& values,
                      const std::string& order = "False") {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': (2, 3), }";
  header.append(117 - header.size(), ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + values;
}

TEST(Npy, ReadsWhatNumpyWrites) {
  const std::string values = {1, 2, 3, 4, 5, 6};
  const auto array = ParseNpy(BytesOf(NumpyFile("|u1", values)), "x.npy");
  QAT_ASSERT_OK(array);
  EXPECT_EQ(array->type, DType::kUInt8);
  EXPECT_EQ(array->shape, (Shape{2, 3}));
  EXPECT_EQ(array->values, BytesOf(values));
}

TEST(Npy, ReadsBackWhatItWrote) {
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 4}, Shape{2, 1, 5}}) {
    NpyArray array{DType::kInt32, shape, {}};
    for (int64_t i = 0; i < FlatSize(shape) * 4; ++i) array.values.push_back(static_cast<uint8_t>(7 * i));
    const Bytes bytes = Serialize(array);
    const auto read = ParseNpy(bytes, "x.npy");
    QAT_ASSERT_OK(read);
    EXPECT_EQ(read->shape, shape);
    EXPECT_EQ(read->values, array.values);
    EXPECT_EQ((bytes.size() - array.values.size()) % 64, 0u);
  }
}

TEST(Npy, NumpyReadsWhatItWrote) {
  QAT_NEEDS_PYTHON("numpy");
  testing::TempDir folder;
  QAT_ASSERT_OK(WriteFile(folder / "x.npy", Serialize(NpyArray{DType::kInt8, {2, 2}, {1, 255, 3, 128}})));
  const auto result = testing::Run(
      {testing::kLitertPython, "-c",
       "import numpy, sys; a = numpy.load(sys.argv[1]); print(a.dtype, a.tolist())", folder / "x.npy"});
  EXPECT_EQ(result.out, "int8 [[1, -1], [3, -128]]\n") << result.err;
}

TEST(Npy, BringsOtherOrdersIntoOurs) {
  const auto fortran = ParseNpy(BytesOf(NumpyFile("|u1", {1, 2, 3, 4, 5, 6}, "True")), "x.npy");
  QAT_ASSERT_OK(fortran);
  EXPECT_EQ(fortran->values, (Bytes{1, 3, 5, 2, 4, 6}));
  const auto big = ParseNpy(BytesOf(NumpyFile(">i2", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 6})), "x.npy");
  QAT_ASSERT_OK(big);
  EXPECT_EQ(big->type, DType::kInt16);
  EXPECT_EQ(big->values, (Bytes{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1}));
  const auto wide = ParseNpy(BytesOf(NumpyFile(">u2", std::string(11, '\0') + "\xff", "True")), "x.npy");
  QAT_ASSERT_OK(wide);
  EXPECT_EQ(wide->type, DType::kInt32);
  EXPECT_EQ(wide->shape, (Shape{2, 3}));
  EXPECT_EQ(wide->values[20], 0xff);
}

// Every order and type of NumPy's against the same values as NumPy itself writes them in C order and
// little-endian.
TEST(Npy, ReadsEveryOrderAsNumpyDoes) {
  QAT_NEEDS_PYTHON("numpy");
  testing::TempDir folder;
  const std::string program =
      "import numpy as np, sys\n"
      "a = np.arange(60).reshape(3, 4, 5) * 3 + 200\n"
      "for t, plain in (('f4', '<f4'), ('f8', '<f8'), ('i4', '<i4'), ('i8', '<i8'), ('u2', '<i4'), ('u4', "
      "'<i8')):\n"
      "  for o in '<>':\n"
      "    b = np.asfortranarray(a.astype(o + t))\n"
      "    np.save(f'{sys.argv[1]}/{o}{t}.npy', b)\n"
      "    np.save(f'{sys.argv[1]}/{o}{t}.plain.npy', np.ascontiguousarray(b).astype(plain))\n";
  const auto result = testing::Run({testing::kLitertPython, "-c", program, folder.path()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* type : {"f4", "f8", "i4", "i8", "u2", "u4"}) {
    for (const char* order : {"<", ">"}) {
      const std::string name = std::string(order) + type;
      const auto read = ReadNpy(folder / (name + ".npy"));
      const auto plain = ReadNpy(folder / (name + ".plain.npy"));
      QAT_ASSERT_OK(read);
      QAT_ASSERT_OK(plain);
      EXPECT_EQ(read->type, plain->type) << name;
      EXPECT_EQ(read->shape, plain->shape) << name;
      EXPECT_EQ(read->values, plain->values) << name;
    }
  }
}

TEST(Npy, ReadsTextAsUtf8) {
  std::string utf32(6 * 2 * 4, '\0');  // six elements of two characters each
  utf32[0] = 'a';
  utf32[8] = '\xe9';  // U+00E9
  utf32[12] = 'x';
  utf32[16] = '\x42';  // U+1F642
  utf32[17] = '\xf6';
  utf32[18] = '\x01';
  utf32[40] = '\xff';  // no Unicode
  utf32[43] = '\xff';
  const auto text = ParseNpy(BytesOf(NumpyFile("<U2", utf32)), "x.npy");
  QAT_ASSERT_OK(text);
  EXPECT_EQ(text->type, DType::kString);
  EXPECT_EQ(text->texts,
            (std::vector<std::string>{"a", "\xc3\xa9x", "\xf0\x9f\x99\x82", "", "", "\xef\xbf\xbd"}));
  const auto bytes = ParseNpy(BytesOf(NumpyFile("|S2", std::string("abc\0d\0e\0f\0g\0", 12))), "x.npy");
  QAT_ASSERT_OK(bytes);
  EXPECT_EQ(bytes->texts, (std::vector<std::string>{"ab", "c", "d", "e", "f", "g"}));
  QAT_EXPECT_ERROR(ParseNpy(BytesOf(NumpyFile("<U2", "abc")), "x.npy"), ErrorCode::kCorrupt,
                   "holds 3 bytes of values, expected 6 x 8 for the shape [2, 3]");
}

TEST(Npy, RefusesWhatItCannotHold) {
  QAT_EXPECT_ERROR(
      ParseNpy(BytesOf(NumpyFile("|O", "")), "x.npy"), ErrorCode::kUnsupported,
      "x.npy: element type '|O' (Python objects), expected numbers or text, as of array.astype(int)");
  QAT_EXPECT_ERROR(ParseNpy(BytesOf("PK\x03\x04 a zip file"), "x.npy"), ErrorCode::kCorrupt,
                   "x.npy: has no .npy header");
  QAT_EXPECT_ERROR(ParseNpy(BytesOf(NumpyFile("|u1", "12345")), "x.npy"), ErrorCode::kCorrupt,
                   "holds 5 bytes of values, expected 6 x 1 for the shape [2, 3]");
  for (const char* type : {"<u8", "<c8", "<U0", "|V1", "<i16"}) {
    QAT_EXPECT_ERROR(
        ParseNpy(BytesOf(NumpyFile(type, "")), "x.npy"), ErrorCode::kUnsupported,
        std::string("x.npy: element type '") + type + "', expected float, bool, text, signed integers");
  }
}

TEST(Npy, EveryCutOfAFileIsRefused) {
  const std::string whole = NumpyFile("|u1", "123456");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseNpy(BytesOf(whole.substr(0, size)), "x.npy").ok()) << size;
  }
}

}  // namespace
}  // namespace qat
