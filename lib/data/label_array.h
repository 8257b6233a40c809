// label_array.h: labels as an array file has them: classes as numbers, texts or one-hot rows, or real numbers
// to be learned.
#ifndef QAT_DATA_LABEL_ARRAY_H_
#define QAT_DATA_LABEL_ARRAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "data/npy.h"

namespace qat {

/// Labels of one array, not yet turned into classes from 0. One of `values`, `texts` and `numbers` is filled.
struct LabelArray {
  std::string path;  ///< for messages
  int64_t count = 0;
  int32_t height = 1;  ///< 1 and 1: one label per image
  int32_t width = 1;
  std::vector<int64_t> values;     ///< [count, height, width], as stored; of one-hot rows, the index of the 1
  std::vector<std::string> texts;  ///< [count]
  Task task = Task::kClasses;      ///< what they are; of a reconstruction, the classes beside it
  int32_t targets = 0;
  std::vector<float> numbers;   ///< [count, targets], row by row
  int32_t one_hot_classes = 0;  ///< length of one-hot rows; else 0
  /// how the array was understood, where its type or shape left that open; else empty
  std::string note;
};

/// Understands, for the task:
///   classes  integers, bool, or text [count] or [count, 1]; integers or bool [count, H, W], with a last axis
///            of 1 or not; one-hot rows of any type, [count, classes] or [count, H, W, classes]; floats
///            that are whole numbers
///   yes-no   the same, of two classes
///   multi-label  rows of 0 and 1 of any type, [count, labels] or [count], as `values` [count, 1, labels]
///   numbers  floats or integers, [count], [count, numbers] or of more axes
///   reconstruction  as classes, which then say what is an anomaly
/// With Task::kAuto floats are numbers, except one-hot rows and labels per pixel; rows of 0 and 1 that are
/// not one-hot are several labels; floats [count] that are all whole numbers could be either, and are asked
/// about.
/// `gaps`: NaN is a number that is not known, where others are.
/// Errors: kCorrupt (shape, type, a value that is not finite, named by its index), kInvalidArgument (asked
/// about).
Expected<LabelArray> ReadLabelArray(const NpyArray& array, const std::string& path, Task task,
                                    bool gaps = false);

}  // namespace qat

#endif  // QAT_DATA_LABEL_ARRAY_H_
