// onnx_builder.h: ONNX's operators in ONNX's axes, as nodes of our graph. Each value carries the order in
// which its tensor has the axes, so a transpose of ONNX's moves nothing, and operators that need the channels
// last find them there. Where a value comes in an order that an operator cannot take, one transpose is added
// and counted.
#ifndef QAT_IMPORT_ONNX_BUILDER_H_
#define QAT_IMPORT_ONNX_BUILDER_H_

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "import/onnx_value.h"
#include "ir/graph.h"

namespace qat {

class OnnxBuilder {
 public:
  Graph& graph() { return graph_; }

  /// What nodes and tensors are named after until the next call.
  void Begin(const std::string& base) {
    base_ = base;
    first_tensor_ = graph_.tensors.size();
  }
  /// Gives the tensor of a value that was made since Begin the name `name`, and its node, too.
  void NameResult(const OnnxValue& value, const std::string& name);
  std::string FreeName(const std::string& wanted);
  /// The same for a tensor of any age, whoever has the name.
  void Rename(int32_t tensor, const std::string& name);
  /// Drops nodes whose outputs nothing reads.
  void RemoveUnusedNodes();

  OnnxValue AddInput(const std::string& name, const Shape& shape, const AxisOrder& order);

  // All of these take and give ONNX's axes. Errors are those of shape rules: kInvalidArgument and
  // kUnsupported, without the node.
  Expected<OnnxValue> Unary(OpType type, const OpAttributes& attributes, const OnnxValue& x);
  /// Two operands, of which one is computed, or both. The result of comparisons is bool.
  Expected<OnnxValue> Binary(OpType type, const OnnxValue& a, const OnnxValue& b);
  Expected<OnnxValue> Select(const OnnxValue& condition, const OnnxValue& a, const OnnxValue& b);
  /// Mean, Sum, ReduceMax, …
  Expected<OnnxValue> Reduce(OpType type, const OnnxValue& x, const std::vector<int32_t>& axes, bool keep);
  Expected<OnnxValue> Reshape(const OnnxValue& x, const Shape& shape);
  OnnxValue Transpose(const OnnxValue& x, const std::vector<int32_t>& permutation);
  Expected<OnnxValue> Concat(std::vector<OnnxValue> parts, int32_t axis);
  Expected<std::vector<OnnxValue>> Split(const OnnxValue& x, int32_t axis, const std::vector<int32_t>& sizes);
  /// Of every axis `size` values from `begin` on, each `step`-th; negative steps go backwards.
  Expected<OnnxValue> Slice(const OnnxValue& x, const Shape& begin, const Shape& size, const Shape& step);
  enum class PadMode { kConstant, kReflect, kEdge, kSymmetric };
  Expected<OnnxValue> Pad(const OnnxValue& x, const Shape& before, const Shape& after, PadMode mode,
                          float value);
  Expected<OnnxValue> Gather(const OnnxValue& x, int32_t axis, const std::vector<int32_t>& indices);
  /// Slices of a constant along `axis` by indices that are computed, as of an embedding.
  Expected<OnnxValue> Lookup(const OnnxValue& table, int32_t axis, const OnnxValue& indices,
                             const std::string& name);
  Expected<OnnxValue> Expand(const OnnxValue& x, const Shape& shape);
  Expected<OnnxValue> Tile(const OnnxValue& x, const std::vector<int32_t>& multiples);
  /// Softmax, LogSoftmax, L2Normalization: of the vectors along `axis`.
  Expected<OnnxValue> AlongAxis(OpType type, const OpAttributes& attributes, const OnnxValue& x,
                                int32_t axis);
  /// Rows of the last axis times `filter` [O, I], named `name`. `bias` may be null.
  Expected<OnnxValue> Dense(const OnnxValue& x, const onnx::Tensor& filter, const std::vector<float>* bias,
                            const std::string& name);
  Expected<OnnxValue> MatMul(const OnnxValue& a, const OnnxValue& b);

  /// The same value with its axes so; a transpose only where axes of more than one element change places.
  Expected<OnnxValue> ToOrder(const OnnxValue& x, const AxisOrder& order);
  /// [N, C, H, W] as [N, H, W, C], [N, C, W] as [N, 1, W, C].
  Expected<OnnxValue> ToImage(const OnnxValue& x) { return ToOrder(x, ChannelsLast(x.rank(), true)); }
  /// ONNX's own order.
  Expected<OnnxValue> ToPlain(const OnnxValue& x) { return ToOrder(x, IdentityOrder(x.rank())); }
  /// A constant as a tensor with its axes so, sizes of 1 in front where it has fewer.
  Expected<int32_t> ConstantOperand(const OnnxValue& x, const AxisOrder& order, DType type,
                                    const FlattenedAxis* flattened = nullptr);

  int32_t AddReals(const std::string& name, const Shape& shape, const std::vector<float>& values);
  int32_t AddIndices(const std::string& suffix, const Shape& shape, const std::vector<int32_t>& values);
  /// A node named after Begin's base, and its first output.
  Expected<int32_t> Emit(OpType type, const OpAttributes& attributes, std::vector<int32_t> inputs);
  /// The same value in a tensor of its own.
  Expected<OnnxValue> Copied(const OnnxValue& x);
  /// The value of a tensor that a node made.
  OnnxValue Computed(int32_t tensor, Shape shape, AxisOrder order) const;

  /// Of every transpose that had to be added, the node that wanted it.
  const std::vector<std::string>& transposed() const { return transposed_; }

 private:
  Expected<OnnxValue> EmitReshape(const OnnxValue& x, const Shape& tensor_shape, Shape shape,
                                  AxisOrder order);
  Expected<std::vector<OnnxValue>> SliceApart(const OnnxValue& x, int32_t axis,
                                              const std::vector<int32_t>& sizes);
  Expected<OnnxValue> Unflatten(const OnnxValue& x);
  Expected<OnnxValue> WithRank(const OnnxValue& x, size_t rank);
  AxisOrder CommonOrder(std::span<const OnnxValue> values, size_t rank) const;
  Expected<OnnxValue> Elementwise(OpType type, const OpAttributes& attributes,
                                  std::vector<OnnxValue> operands);

  Graph graph_;
  std::string base_;
  size_t first_tensor_ = 0;
  std::set<std::string> names_;
  std::map<int32_t, int32_t> reshape_of_;  // output of a reshape: its input
  struct Turned {
    AxisOrder from, to;
    int32_t tensor;
  };
  std::multimap<int32_t, Turned> turned_;  // by tensor: its transposes so far
  std::vector<std::string> transposed_;
};

/// The sizes that two shapes broadcast to. Errors: kInvalidArgument.
Expected<Shape> Broadcast(const Shape& a, const Shape& b);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_BUILDER_H_
