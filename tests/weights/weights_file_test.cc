#include "weights/weights_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/places.h"
#include "support/safetensors_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::SafetensorsOf;

constexpr char kTwo[] =
    R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})";

std::string Floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), 4 * values.size()};
}

TEST(WeightsFile, ReadsSafetensorsByName) {
  const auto file = WeightsFile::Parse(SafetensorsOf(kTwo, Floats({3, 1, 2})), "w.safetensors");
  QAT_ASSERT_OK(file);
  ASSERT_EQ(file->tensors().size(), 2u);
  EXPECT_EQ(file->tensors()[0].name, "a");
  EXPECT_EQ(file->tensors()[0].shape, (Shape{1, 1}));
  EXPECT_EQ(file->Values(0).value(), (std::vector<float>{3}));
  EXPECT_EQ(file->Values(1).value(), (std::vector<float>{1, 2}));
}

// The bytes of safetensors.torch.save, version 0.8.0, for these tensors.
TEST(WeightsFile, WritesTheBytesOfTheFormatsOwnLibrary) {
  const ElementType* const f32 = FindElementType("float32");
  const float b[] = {1, 2}, a[] = {3};
  const auto bytes_of = [](const auto& values) {
    const auto* begin = reinterpret_cast<const uint8_t*>(values);
    return Bytes(begin, begin + sizeof(values));
  };
  const StoredTensor tensors[] = {{"b.weight", f32, {2}, bytes_of(b)},
                                  {"a.count", FindElementType("int64"), {}, {7, 0, 0, 0, 0, 0, 0, 0}},
                                  {"a.weight", f32, {1, 1}, bytes_of(a)},
                                  {"h", FindElementType("float16"), {1}, {0, 0x3e}}};
  const Bytes written =
      SerializeWeights(WeightsFile::Format::kSafetensors, tensors, {{"format", "pt"}}).value();
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a.count":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"a.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},"b.weight":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},"h":{"dtype":"F16","shape":[1],"data_offsets":[20,22]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(written, SafetensorsOf(padded, std::string("\7\0\0\0\0\0\0\0", 8) + Floats({3, 1, 2}) +
                                               std::string("\0\x3e", 2)));
}

struct ElementCase {
  const char* dtype;
  std::string bytes;
  float value;
};

// Values by the definition of each format.
TEST(WeightsFile, ReadsEveryElementType) {
  const ElementCase cases[] = {
      {"F64", std::string("\0\0\0\0\0\0\x04\xc0", 8), -2.5f},
      {"F16", "\x01\xc1", -2.501953125f},
      {"F16", std::string("\1\0", 2), 0x1p-24f},
      {"BF16", "\xa0\x40", 5.0f},
      {"F8_E5M2", "\x45", 5.0f},
      {"F8_E4M3", "\x4a", 5.0f},
      {"F8_E4M3", "\x81", -0x1p-9f},
      {"F8_E4M3", "\x7e", 448.0f},
      {"I8", "\xfe", -2.0f},
      {"U8", "\xfe", 254.0f},
      {"I16", "\xfe\xff", -2.0f},
      {"U16", "\xfe\xff", 65534.0f},
      {"I32", "\xfe\xff\xff\xff", -2.0f},
      {"U32", "\xff\xff\xff\xff", 4294967296.0f},
      {"I64", "\xfe\xff\xff\xff\xff\xff\xff\xff", -2.0f},
      {"U64", std::string("\3\0\0\0\0\0\0\0", 8), 3.0f},
      {"BOOL", "\x01", 1.0f},
  };
  for (const ElementCase& each : cases) {
    const std::string header = std::string(R"({"t":{"dtype":")") + each.dtype +
                               R"(","shape":[1],"data_offsets":[0,)" + std::to_string(each.bytes.size()) +
                               "]}}";
    const auto file = WeightsFile::Parse(SafetensorsOf(header, each.bytes), "w");
    QAT_ASSERT_OK(file);
    EXPECT_EQ(file->Values(0).value(), (std::vector<float>{each.value})) << each.dtype;
  }
}

TEST(WeightsFile, RefusesValuesThatAreNotFinite) {
  const char header[] = R"({"t":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})";
  const auto file = WeightsFile::Parse(SafetensorsOf(header, std::string("\0\0\0\0\0\0\xf0\x7f", 8)), "w");
  QAT_ASSERT_OK(file);
  EXPECT_EQ(file->Values(0).error().message, "w: tensor 't': value 0 is inf, expected finite numbers");
}

struct DamagedCase {
  std::string header;
  size_t value_bytes;
  const char* message;
};

TEST(WeightsFile, RefusesDamagedHeaders) {
  const std::string a = R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  const DamagedCase cases[] = {
      {"{" + a + "," + a + "}", 4, "names tensor 'a' twice"},
      {"{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})", 6,
       "tensor 'b': begins at byte 2 of the values, inside the tensor before it"},
      {"{" + a + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})", 12,
       "tensor 'b': begins at byte 8 of the values, after a gap, expected 4"},
      {"{" + a + "}", 9, "holds 9 bytes of values, expected the 4 of its tensors"},
      {"{" + a + "}", 3, "tensor 'a': lies at bytes 0 to 4 of the values, which have 3"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4,
       "has 4 bytes, expected 2 x 4 for F32 [2]"},
      {R"({"a":{"dtype":"F32","shape":[4294967296],"data_offsets":[0,4]}})", 4,
       "expected sizes of 0 to 2147483647"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "expected sizes of 0 to 2147483647"},
      {R"({"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}})", 4,
       "has 4 bytes, expected"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "lies at bytes 4 to 0"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "has no data_offsets"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "has no shape"},
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "has no dtype"},
      {R"({"a":7})", 0, "its entry is no JSON object"},
      {R"({"a":[[[[[[[]]]]]]]})", 0, "nested deeper"},
      {R"({"__metadata__":{"a":7}})", 0, "'a' is no text"},
      {R"({"a")", 0, "no JSON object"},
      {R"({"\n)", 0, "no JSON object"},
  };
  for (const DamagedCase& each : cases) {
    const auto file =
        WeightsFile::Parse(SafetensorsOf(each.header, std::string(each.value_bytes, '\0')), "w");
    ASSERT_FALSE(file.ok()) << each.header;
    EXPECT_EQ(file.error().code, ErrorCode::kCorrupt) << each.header;
    EXPECT_NE(file.error().message.find(each.message), std::string::npos) << file.error().message;
  }
}

TEST(WeightsFile, ListsTheTypesItKnowsForOneThatItDoesNot) {
  const auto file =
      WeightsFile::Parse(SafetensorsOf(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", "x"), "w");
  EXPECT_EQ(file.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(file.error().message.find("tensor 'a': dtype is 'F4', expected one of F32, F64"),
            std::string::npos);
}

TEST(WeightsFile, RefusesEveryCut) {
  const Bytes whole = SafetensorsOf(kTwo, Floats({3, 1, 2}));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(
        WeightsFile::Parse(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)), "w").ok())
        << size;
  }
}

// Whatever one byte is changed to, reading ends; nothing else is claimed.
TEST(WeightsFile, SurvivesEveryChangedByte) {
  const Bytes whole = SafetensorsOf(kTwo, Floats({3, 1, 2}));
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
      Bytes changed = whole;
      changed[at] = static_cast<uint8_t>(changed[at] ^ flip);
      const auto file = WeightsFile::Parse(changed, "w");
      if (!file.ok()) continue;
      for (size_t i = 0; i < file->tensors().size(); ++i)
        EXPECT_TRUE(file->Values(i).ok() || !file->Values(i).ok());
    }
  }
}

TEST(WeightsFile, HugeHeaderLengthsAreRefusedBeforeTheyAreRead) {
  Bytes bytes = SafetensorsOf(kTwo, Floats({3, 1, 2}));
  bytes[3] = 2;  // 32 MiB
  EXPECT_NE(WeightsFile::Parse(bytes, "w").error().message.find("expected at most 16777216"),
            std::string::npos);
}

TEST(WeightsFile, SaysWhatOtherFilesAreAndHowToLeave) {
  const auto error =
      WeightsFile::Parse({0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 0, 0, 0, 0}, "m.h5").error();
  EXPECT_NE(error.message.find("is an HDF5 file"), std::string::npos);
  EXPECT_NE(error.message.find("numpy.savez"), std::string::npos);
}

TEST(WeightsFile, NamesCountByTheValueOfTheirNumbers) {
  std::vector<std::string> names = {"a10", "a2", "a2.b", "a", "b1", "a02"};
  std::sort(names.begin(), names.end(), NaturallyBefore);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "a02", "a2", "a2.b", "a10", "b1"}));
}

TEST(WeightsFile, ArchivesThatRepeatANameAreRefused) {
  const StoredTensor one[] = {{"a", FindElementType("float32"), {1}, {0, 0, 0, 0}},
                              {"a", FindElementType("float32"), {1}, {0, 0, 0, 0}}};
  const Bytes bytes = SerializeWeights(WeightsFile::Format::kNpz, one, {}).value();
  EXPECT_EQ(WeightsFile::Parse(bytes, "w.npz").error().message, "w.npz: 'a.npy' comes twice");
}

TEST(WeightsFile, NumPyReadsWhatIsWrittenAndTheOtherWayRound) {
  QAT_NEEDS_PYTHON("numpy");
  const testing::TempDir folder;
  const StoredTensor tensors[] = {
      {"conv/kernel", FindElementType("float32"), {1, 2}, {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}}};
  QAT_ASSERT_OK(
      WriteFile(folder / "out.npz", SerializeWeights(WeightsFile::Format::kNpz, tensors, {}).value()));
  const std::string code =
      "import numpy as np, sys\n"
      "found = np.load(sys.argv[1])\n"
      "assert found.files == ['conv/kernel'] and found['conv/kernel'].tolist() == [[1.0, -2.0]], "
      "found.files\n"
      "np.savez_compressed(sys.argv[2], b=np.arange(6, dtype='>f8').reshape(2, 3).T, a=np.float16(0.5))\n";
  const auto run = testing::Run({testing::kLitertPython, "-c", code, folder / "out.npz", folder / "in.npz"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto file = WeightsFile::Read(folder / "in.npz");
  QAT_ASSERT_OK(file);
  EXPECT_EQ(file->tensors()[0].name, "b");  // the order of the archive
  EXPECT_EQ(file->Values(0).value(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(file->tensors()[1].type->name, "float16");
  EXPECT_EQ(file->Values(1).value(), (std::vector<float>{0.5f}));
}

}  // namespace
}  // namespace qat
