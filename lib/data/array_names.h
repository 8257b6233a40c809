// array_names.h: what an array is for, by its name: Keras' x_train, MedMNIST's val_labels, scikit-learn's data and target, …
#ifndef QAT_DATA_ARRAY_NAMES_H_
#define QAT_DATA_ARRAY_NAMES_H_

#include <optional>
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

/// The role of "x_train", "X_test.npy", "trainY", "val_images", "target", …: a word for images or labels with at most one for
/// a split, in either order, in upper or lower case. None: another name.
std::optional<ArrayRole> RoleOf(std::string_view name);

/// The split that a folder's or an array's word stands for: "train", "Training", "val", "validation", "valid", "test", …
std::optional<ArraySplit> SplitNamed(std::string_view word);

/// The names of a split's images and labels; empty where there are none.
struct ArrayPair {
  std::string images;
  std::string labels;
  bool complete() const { return !images.empty() && !labels.empty(); }
  bool operator==(const ArrayPair&) const = default;
};

/// Which arrays make which split.
struct ArrayTable {
  ArrayPair train;    ///< without arrays for training, those whose names say no split
  ArrayPair holdout;  ///< for validation, where there is another test split
  ArrayPair test;     ///< without arrays for testing, those for validation; else empty: a part of `train`
  std::vector<std::string> unused;  ///< arrays that nothing is done with
};

/// Sorts the names of arrays into splits. One that lacks its other half counts as unused.
/// Errors: kCorrupt, two arrays for one role.
Expected<ArrayTable> SortArrays(const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_NAMES_H_
