// onnx_node.h: a node of ONNX's with its inputs' values, for those who convert it.
#ifndef QAT_IMPORT_ONNX_NODE_H_
#define QAT_IMPORT_ONNX_NODE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/onnx_value.h"
#include "onnx/onnx_model.h"

namespace qat {

struct OnnxNode {
  const onnx::Node& node;
  int64_t opset;
  std::vector<OnnxValue> inputs;  ///< one that does not exist is left out

  bool Has(size_t input) const { return input < inputs.size() && inputs[input].exists(); }
  /// Requires Has.
  const OnnxValue& In(size_t input) const { return inputs[input]; }

  int64_t Int(std::string_view attribute, int64_t otherwise) const;
  float Real(std::string_view attribute, float otherwise) const;
  std::string Text(std::string_view attribute, std::string otherwise) const;
  /// Empty: not given.
  std::vector<int64_t> Ints(std::string_view attribute) const;
  bool Gives(std::string_view attribute) const { return node.Find(attribute) != nullptr; }

  /// The integers of a constant input. Errors: kUnsupported, "its `axes` are computed while the network
  /// runs".
  Expected<std::vector<int64_t>> Integers(size_t input, std::string_view what) const;
  /// The reals of a constant input.
  Expected<std::vector<float>> Reals(size_t input, std::string_view what) const;
  /// An attribute of older opsets that is an input of newer ones; nothing: neither is given.
  Expected<std::optional<std::vector<int64_t>>> IntsOrInput(std::string_view name, size_t input) const;
};

/// An axis of [-rank, rank) counted from the first. Errors: kInvalidArgument.
Expected<int32_t> AxisOf(int64_t axis, size_t rank);
Expected<std::vector<int32_t>> AxesOf(const std::vector<int64_t>& axes, size_t rank);
/// As int32. Errors: kUnsupported.
Expected<Shape> ToShape(const std::vector<int64_t>& sizes);

/// What a reshape to `wanted` gives: 0 keeps a size, -1 is what is left.
Expected<Shape> ReshapedShape(const Shape& from, const std::vector<int64_t>& wanted, bool zero_is_zero);
Expected<Shape> SqueezedShape(const Shape& from, const std::optional<std::vector<int64_t>>& axes);
Expected<Shape> UnsqueezedShape(const Shape& from, const std::vector<int64_t>& axes);
Shape FlattenedShape(const Shape& from, int32_t axis);

/// Of each axis where a slice begins, how many it takes, and how far apart.
struct AxisSlices {
  Shape begin, size, step;
};
Expected<AxisSlices> SlicesOf(const OnnxNode& node);
/// The sizes of the parts of a Split.
Expected<std::vector<int32_t>> PartsOf(const OnnxNode& node, int32_t axis);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_NODE_H_
