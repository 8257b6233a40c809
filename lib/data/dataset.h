// dataset.h: labelled images as raw bytes, whatever files they came from, in memory or read when they are
// needed.
#ifndef QAT_DATA_DATASET_H_
#define QAT_DATA_DATASET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"
#include "base/work_hooks.h"
#include "contract/contract.h"

namespace qat {

enum class Split { kTrain, kTest };

/// What the axes of an array of real numbers are, where its rank leaves it open.
enum class ArrayLayout { kAuto, kPictures, kSeries, kFeatures };

/// "auto", "pictures", "series", "features".
std::optional<ArrayLayout> LayoutFromName(std::string_view name);

/// One input of an example: [H, W, C], bytes or float32, whose bytes are little endian; a series of T steps
/// is 1 x T x C, a row of features 1 x 1 x F.
struct ExampleInput {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  ValueType values = ValueType::kByte;
  Shape shape = {};       ///< as the data have it, without the count: [F], [T, C]; empty: [H, W, C]
  std::string name = {};  ///< of several inputs
  /// of a table: the names of its columns, in the order of the values
  std::vector<std::string> features = {};

  bool operator==(const ExampleInput&) const = default;  ///< the name, too
  int64_t ValueCount() const { return int64_t{height} * width * channels; }
  int64_t Size() const { return ValueCount() * static_cast<int64_t>(SizeOf(values)); }  ///< bytes
};

/// Images that are too many for the memory.
class ImageStream {
 public:
  virtual ~ImageStream() = default;
  /// As Dataset::Read, which has checked the sizes.
  virtual Status Read(std::span<const int32_t> examples, std::span<uint8_t> out,
                      std::span<const int32_t> next) const = 0;
};

/// What one output of a network is held against. Labels in [0, classes): [count], or one per pixel,
/// [count, label_height, label_width]; of several labels at once [count, 1, K], each 0 or 1; or real numbers
/// instead of labels, [count, targets].
struct OutputLabels {
  std::string output = {};   ///< of several outputs: its name
  std::string label_column;  ///< of a table; empty: no table
  std::vector<std::string> class_names;
  int32_t label_height = 1;  ///< 1 and 1: one label an image
  int32_t label_width = 1;
  std::vector<int32_t> labels;
  Task task = Task::kClasses;  ///< what the labels or numbers are; never kAuto
  /// Real numbers an example; 0: it has labels. Of a reconstruction, which has labels too, the values of the
  /// input.
  int32_t targets = 0;
  /// [count, targets]; of a reconstruction once FillTargets has run; NaN: not known
  std::vector<float> numbers;
  std::optional<int64_t> ignored;  ///< the stored label that became kIgnoredLabel

  int64_t LabelsPerImage() const { return int64_t{label_height} * label_width; }
  /// [label_height, label_width] of one image.
  std::span<const int32_t> LabelsOf(int64_t index) const;
  /// [targets] of one image.
  std::span<const float> NumbersOf(int64_t index) const;
};

/// Of a reconstruction the class that is normal: that of all examples; of examples of both of two, "0" where
/// it is called so. Empty: not known.
std::string NormalClassOf(const OutputLabels& data);

/// Examples, each the bytes of its inputs, one input after the other, and what the first output should give;
/// what further outputs should is in `others`.
struct Dataset : OutputLabels {
  std::string name;                                                 ///< "digits", or the path as given
  std::vector<ExampleInput> inputs = std::vector<ExampleInput>(1);  ///< at least one
  std::vector<OutputLabels> others;           ///< of the outputs after the first, in the order of the network
  bool of_pictures = false;                   ///< of files of any size, which were made to fit
  int32_t white = 0;                          ///< of pictures as real numbers: what white is, 255 or 65535
  bool labelled = true;                       ///< false: every label is 0 and means nothing
  Bytes images;                               ///< all of them; empty where there is a stream
  std::shared_ptr<const ImageStream> stream;  ///< null: in memory
  /// So many of the last examples are those that a training split of its own keeps for validation (val/,
  /// x_val).
  int64_t own_holdout = 0;
  std::string fingerprint;  ///< where reading has found it already
  /// Of a sample: where its examples lie in the split, or, where the split is a part of one array, in that;
  /// ascending. Empty: all of them, in order.
  std::vector<int32_t> indices;
  /// examples of the split that a sample was taken from; 0: this is no sample
  int64_t available = 0;
  std::string warning;             ///< sentences on what was left out, one per line; empty: nothing
  std::vector<std::string> notes;  ///< sentences on what was understood, or done unasked

  int64_t size() const {
    if (targets > 0 && labels.empty()) return static_cast<int64_t>(numbers.size()) / targets;
    return static_cast<int64_t>(labels.size()) / LabelsPerImage();
  }
  int64_t IndexOf(int64_t example) const {
    return indices.empty() ? example : indices[static_cast<size_t>(example)];
  }
  size_t output_count() const { return 1 + others.size(); }
  const OutputLabels& output_labels(size_t index) const { return index == 0 ? *this : others[index - 1]; }
  const ExampleInput& input() const { return inputs.front(); }
  ExampleInput& input() { return inputs.front(); }
  /// Whether an input is a picture: it has rows and columns. Else examples are series, features, rows of a
  /// table.
  bool HoldsImages() const;
  /// Bytes of one example, all of its inputs.
  int64_t ImageSize() const {
    int64_t size = 0;
    for (const ExampleInput& input : inputs) size += input.Size();
    return size;
  }
  /// Bytes of each input of one example.
  std::vector<int64_t> InputSizes() const;

  /// Copies examples to `out`, ImageSize bytes each. Where they are streamed, reading of `next` begins and
  /// goes on behind the caller's back; the bytes never depend on it.
  /// Errors: a stream's, where a file has changed since it was opened.
  Status Read(std::span<const int32_t> examples, std::span<uint8_t> out,
              std::span<const int32_t> next = {}) const;

  /// One image. Requires that they are in memory.
  std::span<const uint8_t> Image(int64_t index) const;
};

/// The same examples with what one output should give, for all that looks at one output. Requires that
/// `dataset` outlives it.
Dataset ForOutput(const Dataset& dataset, size_t output);

/// `count` examples in their order, a batch at a time, the next one always under way.
/// Errors: the stream's, those of `use`.
using UseBatch = std::function<Status(int64_t first, int64_t count, std::span<const uint8_t> images)>;
Status ForEachBatch(const Dataset& dataset, int64_t batch, const UseBatch& use);

/// Values of examples, bytes or reals, as real numbers: what a reconstruction is held against.
void AppendValues(ValueType values, std::span<const uint8_t> examples, std::vector<float>& numbers);

/// The numbers of a reconstruction, all of them in memory. Errors: kUnsupported where they are too many, the
/// stream's.
Status FillTargets(Dataset& dataset);

/// Adds a sentence to its warning.
void Warn(const std::string& sentence, Dataset& dataset);

/// Keeps these examples of data in memory, in the order given.
void Keep(std::span<const int32_t> examples, Dataset& dataset);

/// What one of several inputs of a network takes.
struct InputRequest {
  std::string name;
  int32_t height = 0, width = 0, channels = 0;
  std::optional<ValueType> values = std::nullopt;  ///< none: as the data have them
};

/// What one of several outputs of a network learns.
struct OutputRequest {
  std::string name;
  std::string columns = {};                   ///< of a table; empty: those called as it is, or "name_…"
  std::vector<std::string> class_names = {};  ///< as OpenOptions::class_names
  Task task = Task::kAuto;
};

struct OpenOptions {
  int64_t limit = 0;  ///< a sample of so many examples (data/sample.h); 0: all
  uint64_t seed = 1;  ///< of the sample
  /// the first so many instead: what models were calibrated with before there were samples
  bool prefix = false;
  /// What a network takes: pictures are converted, resized and cropped to it; 0: a size that fits them, their
  /// own channels.
  /// Other formats are taken as they are.
  int32_t height = 0, width = 0, channels = 0;
  /// What its values are; none: as the data have them. Bytes become real numbers where a network takes these.
  std::optional<ValueType> values = std::nullopt;
  /// Of a network with several inputs: all of them, instead of the fields above. Arrays are found by their
  /// names.
  std::vector<InputRequest> inputs = {};
  Fit fit = Fit::kCrop;  ///< of pictures
  /// of pictures as real numbers: what white is; 0: 65535 if one of them has 16 bits per sample, else 255
  int32_t white = 0;
  ArrayLayout layout = ArrayLayout::kAuto;  ///< of arrays, where no network says it
  std::string label = {};  ///< the column of a table that holds the answers; empty: the one with a usual name
  std::string leave_out = {};  ///< columns of a table that are neither answers nor features, by commas
  /// the columns of a table that a network takes, in its order; empty: all others
  std::vector<std::string> features = {};
  /// Class names in label order, where a model or another split has fixed them; empty: the data's own.
  std::vector<std::string> class_names = {};
  /// there is a model, but without names: numbers are the indices of its outputs
  bool label_indices = false;
  /// Of a network without names that is trained on: how many scores it gives. Labels that are whole numbers
  /// below it are their indices.
  int32_t scores = 0;
  Task task = Task::kAuto;
  /// Of a network with several outputs: all of them, instead of `label`, `class_names` and `task`. Their
  /// labels are found by names.
  std::vector<OutputRequest> outputs = {};
  /// Of labels a pixel: the stored label of places without one; empty: 255 where it can be no class.
  std::optional<int64_t> ignore_label = std::nullopt;
  bool whole = false;       ///< of data without a test split, all examples are it, instead of a tenth
  bool unlabelled = false;  ///< images are enough: labels may be missing, and what they mean does not matter
  bool strict = false;      ///< a broken picture is an error instead of being left out
  int64_t cache_bytes = int64_t{1} << 30;  ///< decoded pictures stay in memory where all of them fit
  int threads = 0;                         ///< that decode; 0: all cores
  WorkHooks hooks = {};                    ///< "read pictures"
};

/// Reads for a network that takes this.
void SetInput(const InputContract& input, OpenOptions& options);
/// The same for all inputs of a contract.
void SetInputs(const Contract& contract, OpenOptions& options);

/// Asks for what the outputs of a contract should give: the column of one, each of several by its name,
/// columns and task; and the label that is ignored. The task of one output is the caller's.
void SetOutputs(const Contract& contract, OpenOptions& options);

/// The options for one input out of several; those of a network with one as they are.
OpenOptions ForInput(const OpenOptions& options, size_t input);

/// Sizes and types of the data are those that a contract says: of every input. `owner`: whose contract, for
/// the message.
/// Errors: kCorrupt, "digits: images are 28x28x1, expected 32x32x3 (input contract of model.tflite)".
Status CheckInputs(const Dataset& dataset, const Contract& contract, std::string_view owner);

/// "digits" (generated, nothing is read) or a path whose format is detected from what lies there
/// (docs/data.md): IDX files, CIFAR's binary files, NumPy arrays, or pictures in one folder per class.
/// Errors: kNotFound, kCorrupt: path, place, value, what was expected; kInterrupted.
Expected<Dataset> OpenDataset(const std::string& data, Split split, const OpenOptions& options = {});

/// SHA-256 over sizes, images and labels or numbers: the identity of what was read, wherever it lies.
/// Errors: the stream's.
Expected<std::string> Fingerprint(const Dataset& dataset);

}  // namespace qat

#endif  // QAT_DATA_DATASET_H_
