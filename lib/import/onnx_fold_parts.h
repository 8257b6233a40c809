// onnx_fold_parts.h: what the folds of constants share. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_FOLD_PARTS_H_
#define QAT_IMPORT_ONNX_FOLD_PARTS_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/onnx_node.h"

namespace qat::fold {

using Results = Expected<std::vector<OnnxValue>>;

struct Entry {
  std::string_view op;
  size_t inputs;  ///< at least
  Results (*fold)(const OnnxNode& node);
};

/// What moves, cuts, joins and makes values.
std::span<const Entry> MovingFolds();
/// What reads and writes them at single places.
std::span<const Entry> PlaceFolds();
/// What computes them.
std::span<const Entry> ArithmeticFolds();

/// Errors: kUnsupported, for a constant of many more values than the `read` ones that it is made of.
Status ExpectSize(const Shape& shape, int64_t read);

inline bool IsReal(const onnx::Tensor& tensor) { return onnx::IsReal(tensor.type); }
inline std::vector<OnnxValue> One(onnx::Tensor tensor) { return {MakeConstant(std::move(tensor))}; }

/// Zeros. Errors: those of ExpectSize.
Expected<onnx::Tensor> Empty(onnx::ElementType type, const Shape& shape, int64_t read);
/// For each element of `shape`, in order, where it lies in a tensor of `from`, which broadcasts to it.
std::vector<size_t> BroadcastPlaces(const Shape& from, const Shape& shape);
/// The elements at `places` of a constant, as a tensor of `shape`.
Expected<onnx::Tensor> Picked(const onnx::Tensor& from, const std::vector<size_t>& places,
                              const Shape& shape);

}  // namespace qat::fold

#endif  // QAT_IMPORT_ONNX_FOLD_PARTS_H_
