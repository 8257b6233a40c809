#include "data/npy.h"

#include <gtest/gtest.h>

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
      {QAT_LITERT_PYTHON, "-c", "import numpy, sys; a = numpy.load(sys.argv[1]); print(a.dtype, a.tolist())",
       folder / "x.npy"});
  EXPECT_EQ(result.out, "int8 [[1, -1], [3, -128]]\n") << result.err;
}

TEST(Npy, RefusesWhatItCannotHold) {
  QAT_EXPECT_ERROR(ParseNpy(BytesOf("PK\x03\x04 a zip file"), "x.npy"), ErrorCode::kCorrupt,
                   "x.npy: has no .npy header");
  QAT_EXPECT_ERROR(ParseNpy(BytesOf(NumpyFile("|u1", "12345")), "x.npy"), ErrorCode::kCorrupt,
                   "holds 5 bytes of values, expected 6 x 1 for the shape [2, 3]");
  QAT_EXPECT_ERROR(ParseNpy(BytesOf(NumpyFile(">f4", "")), "x.npy"), ErrorCode::kUnsupported,
                   "element type '>f4'");
  QAT_EXPECT_ERROR(ParseNpy(BytesOf(NumpyFile("|u1", "123456", "True")), "x.npy"), ErrorCode::kUnsupported,
                   "Fortran");
}

TEST(Npy, EveryCutOfAFileIsRefused) {
  const std::string whole = NumpyFile("|u1", "123456");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseNpy(BytesOf(whole.substr(0, size)), "x.npy").ok()) << size;
  }
}

}  // namespace
}  // namespace qat
