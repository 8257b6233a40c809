#include "base/file_kind.h"

#include "base/file.h"
#include "support/test_util.h"

namespace qat {
namespace {

Bytes BytesOf(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes Identified(const std::string& identifier) { return BytesOf(std::string("\x1c\0\0\0", 4) + identifier); }

TEST(DescribeKind, KnowsOurFormatsAndWhatPeoplePassByMistake) {
  EXPECT_EQ(DescribeKind(Identified("TFL3")), "a .tflite model");
  EXPECT_EQ(DescribeKind(Identified("QGR1")), "a frozen graph (.qgraph)");
  EXPECT_EQ(DescribeKind(Identified("QCK1")), "a checkpoint");
  EXPECT_EQ(DescribeKind(Identified("QTS1")), "a trainer state");
  EXPECT_EQ(DescribeKind({}), "an empty file");
  EXPECT_EQ(DescribeKind(Bytes{0x1f, 0x8b, 8, 0}), "gzip data");
  EXPECT_EQ(DescribeKind(Bytes{0, 0, 8, 3, 0, 0}), "an IDX file");
  EXPECT_EQ(DescribeKind(BytesOf("[[layer]]\nname = \"conv1\"\n")), "TOML text");
  EXPECT_EQ(DescribeKind(Bytes{0x90, 0x02, 'c', 0}), "a file of unknown kind");
}

TEST(DescribeKind, KnowsTheFilesOfOthers) {
  using namespace std::string_view_literals;
  const auto zip = [](std::string_view name) {
    std::string head = "PK\x03\x04\x14" + std::string(21, '\0');
    head += std::string{static_cast<char>(name.size()), 0, 0, 0};
    return head + std::string(name);
  };
  const std::vector<std::pair<std::string, std::string>> kinds = {
      {std::string("\x08\x07\x12\x07pytorch\x1a\x05\x32.1.0:\x90\x01"), "an ONNX model"},
      {std::string("\x58\0\0\0\0\0\0\0{\"conv1.weight\":{}}"sv), "a safetensors file"},
      {zip("archive/data.pkl"), "a PyTorch file"},
      {std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M"), "a PyTorch file"},
      {std::string("\x80\x04\x95\x10\0\0\0"sv), "a Python pickle"},
      {zip("metadata.json"), "a Keras model (.keras)"},
      {zip("x_train.npy"), "NumPy arrays (.npz)"},
      {zip("readme"), "a ZIP archive"},
      {std::string("\x89HDF\r\n\x1a\n\0\0"sv), "an HDF5 file (as Keras and h5py write)"},
      {"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file (.mat)"},
      {std::string("PAR1\x15\0"sv), "a Parquet table"},
      {std::string("RIFF\x24\0\0\0WAVEfmt "sv), "a WAV recording"},
      {"\xff\xd8\xff\xe0", "a JPEG picture"},
      {std::string("BM\x36\x04\0\0\0\0\0\0\x36\0"sv), "a BMP picture"},
      {"sepal,petal,label\n1,2,ant\n", "a table as text (CSV)"},
      {"{\"schema\": 1}\n", "JSON text"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
       "a Git LFS pointer instead of the file it stands for ('git lfs pull' fetches that)"},
      {"caf\xc3\xa9 au lait\n", "a text file"},
  };
  for (const auto& [bytes, kind] : kinds) EXPECT_EQ(DescribeKind(BytesOf(bytes)), kind);
}

TEST(DescribeKind, SevenBytesHoldNoIdentifier) {
  Bytes cut = Identified("TFL3");
  cut.pop_back();
  EXPECT_EQ(DescribeKind(cut), "a file of unknown kind");
  EXPECT_FALSE(ExpectKind(cut, kTfliteIdentifier, "m.tflite").ok());
}

TEST(ExpectKind, SaysWhatTheFileIsInstead) {
  QAT_ASSERT_OK(ExpectKind(Identified("TFL3"), kTfliteIdentifier, "m.tflite"));
  const Status wrong = ExpectKind(Identified("QCK1"), kTfliteIdentifier, "m.tflite");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(
      wrong.error().message,
      "m.tflite: is a checkpoint, expected a .tflite model; qat-freeze, then qat-convert make a model of it");
  QAT_EXPECT_ERROR(ExpectKind(Identified("TFL3"), kGraphIdentifier, "g"), ErrorCode::kCorrupt,
                   "g: is a .tflite model, expected a frozen graph (.qgraph); it is converted already");
  QAT_EXPECT_ERROR(
      ExpectKind(BytesOf("\x08\x07\x12\x07pytorch\x1a\x05\x32.1.0:\x90\x01"), kTfliteIdentifier, "m"),
      ErrorCode::kCorrupt,
      "m: is an ONNX model, expected a .tflite model; qat-convert makes a .tflite model of it");
}

TEST(ExpectText, SaysWhatTheFileIsInsteadAndWhatToDo) {
  for (const char* text : {"name = \"net\"", "", "\x01\x02 of no kind"})
    EXPECT_TRUE(ExpectText(BytesOf(std::string(text)), "n.toml", "a network").ok()) << text;
  QAT_EXPECT_ERROR(ExpectText(BytesOf("\x89HDF\r\n\x1a\n"), "n.h5", "a network as text (TOML)"),
                   ErrorCode::kCorrupt, "n.h5: is an HDF5 file");
  QAT_EXPECT_ERROR(
      ExpectText(BytesOf("\x89HDF\r\n\x1a\n"), "n.h5", "a network as text (TOML)"), ErrorCode::kCorrupt,
      "expected a network as text (TOML); convert it first with tf.lite.TFLiteConverter.from_keras_model");
}

TEST(FolderInsteadOfFile, NamesTheFoldersThatPeoplePassByMistake) {
  testing::TempDir dir;
  QAT_EXPECT_ERROR(ReadFile(dir.path()), ErrorCode::kNotFound, ": is a directory, expected a file");
  QAT_ASSERT_OK(WriteFile(dir / "saved_model.pb", std::string_view("x")));
  QAT_EXPECT_ERROR(ReadFile(dir.path()), ErrorCode::kNotFound,
                   ": is a TensorFlow SavedModel folder, expected a file; convert it first with tf.lite");
}

}  // namespace
}  // namespace qat
