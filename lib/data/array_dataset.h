// array_dataset.h: a data set of arrays, images and labels apart, whatever files hold them: NumPy's or
// MNIST's.
#ifndef QAT_DATA_ARRAY_DATASET_H_
#define QAT_DATA_ARRAY_DATASET_H_

#include <functional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/array_names.h"
#include "data/dataset.h"
#include "data/npy.h"

namespace qat {

/// Where arrays come from.
struct ArraySource {
  std::string path;                                                 ///< of all of them
  std::function<Expected<NpyArray>(const std::string& name)> read;  ///< one of them
  std::function<std::string(const std::string& name)> path_of;      ///< for messages
  /// that lie beside them; may be empty
  std::vector<std::string> class_names;
  std::string class_names_path;  ///< of those
  std::string advice;            ///< how to have a test split of one's own
};

/// One split. Labels of all splits together say what the classes are, unless the options fix them. Validation
/// examples follow those for training (Dataset::own_holdout). Where `table` has no test split, it is a part
/// of the training split.
/// Requires  a table in which that split, or the training split, is complete.
/// Errors: kCorrupt, kInvalidArgument, those of reading.
Expected<Dataset> OpenArrayDataset(const ArraySource& source, const ArrayTable& table, Split split,
                                   const OpenOptions& options);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_DATASET_H_
