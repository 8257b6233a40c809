// source_arrays.h: arrays of another framework, by name, as real numbers in our layout.
#ifndef QAT_IMPORT_SOURCE_ARRAYS_H_
#define QAT_IMPORT_SOURCE_ARRAYS_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "base/shape.h"
#include "import/onnx_value.h"

namespace qat {

struct SourceArray {
  std::string name;  ///< in an .npz; empty: the only one of an .npy
  Shape shape;
  std::vector<float> values;  ///< row-major
};

/// All arrays of an .npy or .npz. Errors: those of the readers; kCorrupt (values that are not finite, no
/// arrays), kUnsupported (text).
Expected<std::vector<SourceArray>> ReadSourceArrays(const std::string& path);

/// Brings [N, …] into the layout of a tensor of shape [1, …] (or […], where its first size is not 1): as it
/// is; with the channels last where they are first; or, for outputs of any other form with as many values, as
/// the values stand. Returns how many examples there are; `transposed` says whether channels were moved.
/// Errors: kCorrupt, both shapes named.
Expected<int64_t> FitExamples(const Shape& tensor, SourceArray& array, bool& transposed);

/// The same of a tensor whose axes are ordered so: [N, …] in the order of the source, where the tensor's
/// first axis is a batch of 1, or one example. The examples lie along the axis that is the tensor's first.
/// Errors: kCorrupt, both shapes named.
Expected<int64_t> FitOrderedExamples(const Shape& tensor, const AxisOrder& order, SourceArray& array);

}  // namespace qat

#endif  // QAT_IMPORT_SOURCE_ARRAYS_H_
