// array_names.h: what an array is for, by its name: Keras' x_train, MedMNIST's val_labels, scikit-learn's
// data and target, …
#ifndef QAT_DATA_ARRAY_NAMES_H_
#define QAT_DATA_ARRAY_NAMES_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"

namespace qat {

enum class ArraySplit { kTrain, kTest, kValidation, kWhole };  ///< kWhole: the name says no split

struct ArrayRole {
  ArraySplit split = ArraySplit::kWhole;
  bool labels = false;  ///< else images
  bool operator==(const ArrayRole&) const = default;
};

/// The role of "x_train", "X_test.npy", "trainY", "val_images", "target", …: a word for images or labels with
/// at most one for a split, in either order, in upper or lower case. None: another name.
std::optional<ArrayRole> RoleOf(std::string_view name);

/// The split that a folder's or an array's word stands for: "train", "Training", "val", "validation",
/// "valid", "test", …
std::optional<ArraySplit> SplitNamed(std::string_view word);

/// Whether an array holds this input of several, and of which split: its name beside at most one word for
/// images and one for a split, in any order, as "left", "x_left_train", "test-left". Upper or lower case and
/// the signs between words do not matter.
std::optional<ArraySplit> SplitOfInput(std::string_view array, std::string_view input);

/// The same for the labels of an output out of several: "class", "y_class_train", "test-class-labels".
std::optional<ArraySplit> SplitOfOutput(std::string_view array, std::string_view output);

/// The names of a split's arrays; empty where there are none.
struct ArrayPair {
  std::vector<std::string> inputs;       ///< of several inputs one for each, which may be missing ("")
  std::string labels;                    ///< of the first output
  std::vector<std::string> others = {};  ///< labels of each output after the first, which may be missing ("")
  bool has_inputs() const;
  bool has_labels() const;  ///< of every output
  bool complete() const { return has_inputs() && has_labels(); }
  /// Of an output.
  const std::string& labels_of(size_t output) const { return output == 0 ? labels : others[output - 1]; }
  bool operator==(const ArrayPair&) const = default;
};

/// Which arrays make which split.
struct ArrayTable {
  ArrayPair train;    ///< without arrays for training, those whose names say no split
  ArrayPair holdout;  ///< for validation, where there is another test split
  ArrayPair test;     ///< without arrays for testing, those for validation; else empty: a part of `train`
  std::vector<std::string> unused;  ///< arrays that nothing is done with
};

/// Sorts the names of arrays into splits. One that lacks its other half counts as unused. `inputs`,
/// `outputs`: their names, where a network has several.
/// Errors: kCorrupt, two arrays for one role.
Expected<ArrayTable> SortArrays(const std::vector<std::string>& names,
                                std::span<const std::string> inputs = {},
                                std::span<const std::string> outputs = {});

/// The first split, in the order train, whole, validation, test, whose inputs are all there; empty: none.
/// Errors: kCorrupt, two arrays for one role.
Expected<std::vector<std::string>> InputArrays(const std::vector<std::string>& names,
                                               std::span<const std::string> inputs);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_NAMES_H_
