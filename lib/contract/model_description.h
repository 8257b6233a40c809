// model_description.h: what a .tflite says of itself in TFLite's standard metadata: normalization of the
// input, names of the classes. TensorFlow Lite Support, MediaPipe and Android Studio read it; models of
// others carry it in place of our own input contract.
#ifndef QAT_CONTRACT_MODEL_DESCRIPTION_H_
#define QAT_CONTRACT_MODEL_DESCRIPTION_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/shape.h"
#include "contract/contract.h"

namespace qat {

/// Name of the metadata entry that holds the description, and of the label file in the ZIP archive appended
/// to the model.
inline constexpr char kDescriptionMetadataName[] = "TFLITE_METADATA";
inline constexpr char kLabelFileName[] = "labels.txt";

enum class ColorSpace { kUnknown = 0, kRgb = 1, kGrayscale = 2 };
/// What the lines of a label file name: positions along the last axis, or values in the tensor (an argmax).
enum class LabelUse { kNone = 0, kAxis = 2, kValue = 3 };

/// An input or output. Lists have one entry, or one per channel; empty: not said.
struct TensorDescription {
  std::string name;
  ColorSpace colors = ColorSpace::kUnknown;
  std::vector<float> mean, std;  ///< normalized = (byte - mean) / std
  std::vector<float> min, max;   ///< of the values in the tensor
  LabelUse labels = LabelUse::kNone;
  std::string label_file;  ///< name in the archive; empty: no labels
  /// the same labels in words for people, where label_file holds ids of a machine; else empty
  std::string display_file;
  bool operator==(const TensorDescription&) const = default;
};

/// Inputs and outputs in the model's order.
struct ModelDescription {
  std::string name;
  std::vector<TensorDescription> inputs, outputs;
  bool operator==(const ModelDescription&) const = default;
};

/// FlatBuffer bytes (schemas/tflite_metadata.fbs) and back. Nothing if the bytes are of another version of
/// the format; parts that are not described here are skipped. Errors of reading: kCorrupt.
std::vector<uint8_t> Serialize(const ModelDescription& description);
Expected<std::optional<ModelDescription>> ParseModelDescription(std::span<const uint8_t> bytes);

/// The contract of an input [1, H, W, C] with this description and these labels; nothing where it does not
/// say what a byte means to each of C channels.
std::optional<Contract> ContractOf(const TensorDescription& input, const Shape& shape,
                                   std::vector<std::string> labels);

/// A label file: one label per line. Line breaks within a label become spaces, so that no other label moves.
std::string LabelFileText(std::span<const std::string> labels);
/// Takes line ends of either kind; the last may be missing.
std::vector<std::string> ParseLabelFile(std::string_view text);

}  // namespace qat

#endif  // QAT_CONTRACT_MODEL_DESCRIPTION_H_
