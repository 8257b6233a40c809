// file_kind.h: what a file is, from its first bytes, for messages about a file of the wrong kind.
#ifndef QAT_BASE_FILE_KIND_H_
#define QAT_BASE_FILE_KIND_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

// FlatBuffer identifiers of our formats: bytes 4..7. ONNX has none; its first fields tell it.
inline constexpr std::string_view kTfliteIdentifier = "TFL3";
inline constexpr std::string_view kGraphIdentifier = "QGR1";
inline constexpr std::string_view kCheckpointIdentifier = "QCK1";
inline constexpr std::string_view kTrainerStateIdentifier = "QTS1";
inline constexpr std::string_view kOnnxIdentifier = "ONNX";

/// "a .tflite model", "a frozen graph (.qgraph)", "a checkpoint", "a trainer state", "an IDX file"; formats
/// of other frameworks ("an ONNX model", "a PyTorch file", "a safetensors file", "a Keras model (.keras)",
/// "an HDF5 file (…)"), of tables, arrays, pictures, recordings and archives; "TOML text", "JSON text", "a
/// table as text (CSV)", "a text file"; "an empty file"; "a file of unknown kind".
std::string DescribeKind(std::span<const uint8_t> bytes);

/// Checks bytes 4..7. Errors: kCorrupt, "SOURCE: is a checkpoint, expected a .tflite model; qat-freeze, then
/// qat-convert make a model of it".
Status ExpectKind(std::span<const uint8_t> bytes, std::string_view identifier, const std::string& source);

/// Checks that it is text, or of no kind that is known. Errors: kCorrupt, "SOURCE: is a PyTorch file,
/// expected WHAT; torch.onnx.export writes an ONNX model, which qat-convert takes".
Status ExpectText(std::span<const uint8_t> bytes, const std::string& source, std::string_view what);

/// Whether the file is of that kind.
bool IsKind(std::span<const uint8_t> bytes, std::string_view identifier);

/// Most that a FlatBuffer takes: its offsets are signed and have 32 bits.
inline constexpr uint64_t kLargestTable = (uint64_t{1} << 31) - 1;

/// Reads a file whose kind is told by its first bytes, before the rest is read. Errors: those of ReadFile and
/// ExpectKind.
Expected<Bytes> ReadFileOfKind(const std::string& path, std::string_view identifier);
/// The same for a file of one of several kinds, the one to advise first.
Expected<Bytes> ReadFileOfKinds(const std::string& path, std::initializer_list<std::string_view> identifiers);

/// "is a directory, expected a file"; of a TensorFlow SavedModel and of a run with what to do with it.
std::string FolderInsteadOfFile(const std::string& path);

}  // namespace qat

#endif  // QAT_BASE_FILE_KIND_H_
