#include "base/file_kind.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/input_file.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kIdentified = {{
    {kTfliteIdentifier, "a .tflite model"},
    {kGraphIdentifier, "a frozen graph (.qgraph)"},
    {kCheckpointIdentifier, "a checkpoint"},
    {kTrainerStateIdentifier, "a trainer state"},
    {kOnnxIdentifier, "an ONNX model"},
}};

/// A kind that is told by the bytes at one place.
struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view kind;
};

using namespace std::string_view_literals;

// Longer magics before those that begin them.
constexpr Magic kMagics[] = {
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (as Keras and h5py write)"},
    {0, "MATLAB 5.0 MAT-file"sv, "a MATLAB file (.mat)"},
    {0, "MATLAB 7.3 MAT-file"sv, "a MATLAB file (.mat)"},
    {0, "\x93NUMPY"sv, "a NumPy array (.npy)"},
    {0, "PAR1"sv, "a Parquet table"},
    {0, "ARROW1"sv, "an Arrow table"},
    {0, "GGUF"sv, "a GGUF model"},
    {4, "ORTM"sv, "an ONNX Runtime model (.ort)"},
    {8, "WAVE"sv, "a WAV recording"},
    {8, "WEBP"sv, "a WebP picture"},
    {0, "\xff\xd8\xff"sv, "a JPEG picture"},
    {0, "\x89PNG\r\n\x1a\n"sv, "a PNG picture"},
    {0, "GIF8"sv, "a GIF picture"},
    {0, "II*\0"sv, "a TIFF picture"},
    {0, "MM\0*"sv, "a TIFF picture"},
    {0, "%PDF"sv, "a PDF document"},
    {0, "fLaC"sv, "a FLAC recording"},
    {0, "OggS"sv, "an Ogg recording"},
    {0, "ID3"sv, "an MP3 recording"},
    {0, "\x1f\x8b"sv, "gzip data"},
    {0, "BZh"sv, "bzip2 data"},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "xz data"},
    {0, "\x28\xb5\x2f\xfd"sv, "Zstandard data"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "version https://git-lfs"sv,
     "a Git LFS pointer instead of the file it stands for ('git lfs pull' fetches that)"},
    // The pickled number with which torch.save began before it wrote ZIP archives.
    {0, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."sv, "a PyTorch file"},
};

std::string_view IdentifierOf(std::span<const uint8_t> bytes) {
  if (bytes.size() < 8) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + 4, 4};
}

// By the names of the first entries, which lie in the first kilobytes.
std::string_view KindOfZip(std::string_view head) {
  const auto holds = [&](std::string_view name) { return head.find(name) != std::string_view::npos; };
  if (holds("/data.pkl") || holds("/constants.pkl")) return "a PyTorch file";
  if (holds("metadata.json") || holds("model.weights.h5")) return "a Keras model (.keras)";
  if (holds(".npy")) return "NumPy arrays (.npz)";
  return "a ZIP archive";
}

// ONNX's ModelProto: field 1 (ir_version), then one of the fields 2 to 8, by their protobuf tags.
bool IsOnnx(std::span<const uint8_t> bytes) {
  constexpr std::string_view kNext = "\x12\x1a\x22\x28\x32\x3a\x42";
  return bytes.size() > 16 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] < 32 &&
         kNext.find(static_cast<char>(bytes[2])) != std::string_view::npos;
}

// The length of a JSON header in eight bytes, little endian, then the header.
bool IsSafetensors(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10 || bytes[8] != '{' || (bytes[9] != '"' && bytes[9] != '}' && bytes[9] != ' '))
    return false;
  return bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0;
}

// TensorFlow's protobufs begin with a message of some length and hold names of operators in plain text.
bool IsTensorFlowGraph(std::string_view head) {
  return head.starts_with('\x0a') &&
         (head.find("Placeholder") != std::string_view::npos || head.find("Const") != std::string_view::npos);
}

// The two letters, and four bytes that are 0.
bool IsBmp(std::string_view head) { return head.starts_with("BM") && head.substr(6, 4) == "\0\0\0\0"sv; }

bool IsText(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte == '\n' || byte == '\r' || byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view KindOfText(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  const size_t begin = head.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "a text file";
  head = head.substr(begin);
  const std::string_view line = head.substr(0, head.find('\n'));
  if (head.starts_with("<!DOCTYPE html") || head.starts_with("<html")) return "a web page (HTML)";
  if (head.starts_with("{\"") || head.starts_with("[{") || head.starts_with("{\n")) return "JSON text";
  if (line.find(" = ") != std::string_view::npos || head.starts_with("[[")) return "TOML text";
  if (line.find(',') != std::string_view::npos || line.find('\t') != std::string_view::npos)
    return "a table as text (CSV)";
  return "a text file";
}

std::optional<std::string_view> KindByMagic(std::string_view head) {
  for (const Magic& magic : kMagics) {
    if (head.size() >= magic.offset && head.substr(magic.offset).starts_with(magic.bytes)) return magic.kind;
  }
  return std::nullopt;
}

std::string_view KindOf(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return "an empty file";
  const std::string_view identifier = IdentifierOf(bytes);
  for (const auto& [known, description] : kIdentified) {
    if (identifier == known && known != kOnnxIdentifier) return description;
  }
  constexpr size_t kHead = 4096;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHead));
  if (head.starts_with("PK\x03\x04")) return KindOfZip(head);
  if (head.size() > 10 && IsBmp(head)) return "a BMP picture";
  if (const auto kind = KindByMagic(head)) return *kind;
  if (bytes.size() >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[3] >= 1 && bytes[3] <= 4)
    return "an IDX file";
  if (IsSafetensors(bytes)) return "a safetensors file";
  if (head.starts_with('\x80') && head.size() > 1 && head[1] >= 2 && head[1] <= 5) return "a Python pickle";
  if (IsText(head)) return KindOfText(head);
  if (IsOnnx(bytes)) return "an ONNX model";
  if (IsTensorFlowGraph(head)) return "a TensorFlow graph (.pb)";
  return "a file of unknown kind";
}

/// What to do with a file of one kind where another is expected.
struct WayOut {
  std::string_view kind;      // begins with this
  std::string_view expected;  // identifier; empty: any
  std::string_view advice;
};

constexpr WayOut kWaysOut[] = {
    {"a frozen graph", kTfliteIdentifier, "qat-convert makes a model of it"},
    {"a frozen graph", kCheckpointIdentifier, "it is frozen already, and qat-convert takes it"},
    {"a checkpoint", kGraphIdentifier, "qat-freeze makes a graph of it"},
    {"a checkpoint", kTfliteIdentifier, "qat-freeze, then qat-convert make a model of it"},
    {"a .tflite model", kGraphIdentifier, "it is converted already, and qat-eval takes it"},
    {"an ONNX model", kGraphIdentifier, "qat-convert makes a .tflite model of it"},
    {"a PyTorch file", kGraphIdentifier, "torch.onnx.export writes an ONNX model, which qat-convert takes"},
    {"a Keras model", kGraphIdentifier, "convert it first with tf.lite.TFLiteConverter.from_keras_model"},
    {"an HDF5 file", kGraphIdentifier, "convert it first with tf.lite.TFLiteConverter.from_keras_model"},
    {"a TensorFlow graph", kGraphIdentifier, "convert it first with tf.lite.TFLiteConverter"},
    {"an ONNX model", kTfliteIdentifier, "qat-convert makes a .tflite model of it"},
    {"an ONNX Runtime", kTfliteIdentifier,
     "qat-convert makes a .tflite model of the ONNX model that it comes from"},
    {"a PyTorch file", kTfliteIdentifier, "torch.onnx.export writes an ONNX model, which qat-convert takes"},
    {"a Keras model", kTfliteIdentifier, "convert it first with tf.lite.TFLiteConverter.from_keras_model"},
    {"an HDF5 file", kTfliteIdentifier, "convert it first with tf.lite.TFLiteConverter.from_keras_model"},
    {"a TensorFlow graph", kTfliteIdentifier, "convert it first with tf.lite.TFLiteConverter"},
    {"gzip data", "", "unpack it first"},
    {"bzip2 data", "", "unpack it first"},
    {"xz data", "", "unpack it first"},
    {"Zstandard data", "", "unpack it first"},
    {"a tar archive", "", "unpack it first"},
    {"a ZIP archive", "", "unpack it first"},
    {"an ONNX model", "", "training takes it as its network, and qat-convert makes a .tflite model of it"},
    {"a PyTorch file", "",
     "safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\") writes weights that training "
     "starts from"},
    {"a safetensors file", "", "if its name ends in .safetensors, qat-train can start from its weights"},
    {"NumPy arrays (.npz)", kCheckpointIdentifier,
     "if they are weights of a network, qat-train can start from them"},
    {"a Keras model", "",
     "numpy.savez(\"weights.npz\", **{w.path: w.numpy() for w in model.weights}) writes weights that "
     "training starts from"},
    {"an HDF5 file", "",
     "numpy.savez(\"weights.npz\", **{w.path: w.numpy() for w in model.weights}) writes weights that "
     "training starts from"},
};

std::string AdviceFor(std::string_view kind, std::string_view expected) {
  for (const WayOut& way : kWaysOut) {
    if (kind.starts_with(way.kind) && (way.expected.empty() || way.expected == expected))
      return StrCat("; ", way.advice);
  }
  return "";
}

Status ExpectKinds(std::span<const uint8_t> bytes, std::span<const std::string_view> identifiers,
                   const std::string& source) {
  std::vector<std::string> expected;
  for (const std::string_view identifier : identifiers) {
    if (IsKind(bytes, identifier)) return {};
    for (const auto& [known, description] : kIdentified) {
      if (known == identifier) expected.emplace_back(description);
    }
  }
  QAT_CHECK(expected.size() == identifiers.size());
  const std::string_view kind = KindOf(bytes);
  const std::string last = expected.back();
  expected.pop_back();
  const std::string others = expected.empty() ? "" : Join(expected) + " or ";
  return Corrupt(StrCat(source, ": is ", kind, ", expected ", others, last, AdviceFor(kind, identifiers[0])));
}

}  // namespace

std::string FolderInsteadOfFile(const std::string& path) {
  if (FileExists(JoinPath(path, "saved_model.pb"))) {
    return "is a TensorFlow SavedModel folder, expected a file; convert it first with "
           "tf.lite.TFLiteConverter.from_saved_model";
  }
  if (IsDirectory(JoinPath(path, "checkpoints")))
    return "is a run directory, expected a file; qat-freeze takes it";
  return "is a directory, expected a file";
}

std::string DescribeKind(std::span<const uint8_t> bytes) { return std::string(KindOf(bytes)); }

bool IsKind(std::span<const uint8_t> bytes, std::string_view identifier) {
  return identifier == kOnnxIdentifier ? KindOf(bytes) == "an ONNX model" : IdentifierOf(bytes) == identifier;
}

Status ExpectKind(std::span<const uint8_t> bytes, std::string_view identifier, const std::string& source) {
  return ExpectKinds(bytes, {&identifier, 1}, source);
}

Status ExpectText(std::span<const uint8_t> bytes, const std::string& source, std::string_view what) {
  const std::string_view kind = KindOf(bytes);
  if (kind.find("text") != std::string_view::npos || kind.ends_with("empty file") ||
      kind.ends_with("unknown kind"))
    return {};
  return Corrupt(StrCat(source, ": is ", kind, ", expected ", what, AdviceFor(kind, kGraphIdentifier)));
}

Expected<Bytes> ReadFileOfKind(const std::string& path, std::string_view identifier) {
  return ReadFileOfKinds(path, {identifier});
}

Expected<Bytes> ReadFileOfKinds(const std::string& path,
                                std::initializer_list<std::string_view> identifiers) {
  constexpr size_t kHead = size_t{64} << 10;
  QAT_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  Bytes bytes(kHead);
  QAT_ASSIGN_OR_RETURN(const size_t count, file.Read(bytes));
  bytes.resize(count);
  QAT_RETURN_IF_ERROR(ExpectKinds(bytes, {identifiers.begin(), identifiers.size()}, path));
  QAT_RETURN_IF_ERROR(file.ReadRest(kLargestTable, bytes));
  return bytes;
}

}  // namespace qat
