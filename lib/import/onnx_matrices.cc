// Products of matrices: with constants they are dense layers.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

std::string NameOfInput(const OnnxNode& node, size_t input) {
  const std::string& own = node.In(input).constant->name;
  if (!own.empty()) return own;
  return node.node.inputs[input].empty() ? StrCat(node.node.outputs[0], "/filter") : node.node.inputs[input];
}

/// A matrix [I, O] as the filter [O, I]; `turned`: it is [O, I] already.
onnx::Tensor FilterOf(const onnx::Tensor& matrix, bool turned, float factor) {
  onnx::Tensor filter = matrix;
  if (!turned) {
    filter.reals = Permuted(
        matrix.reals, {static_cast<int32_t>(matrix.dims[0]), static_cast<int32_t>(matrix.dims[1])}, {1, 0});
    std::swap(filter.dims[0], filter.dims[1]);
  }
  if (factor != 1) {
    for (float& value : filter.reals) value *= factor;
  }
  return filter;
}

Converted Gemm(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue a = node.In(0);
  const OnnxValue& b = node.In(1);
  const float alpha = node.Real("alpha", 1), beta = node.Real("beta", 1);
  if (a.rank() != 2 || b.rank() != 2)
    return InvalidArgument(StrCat("matrices are ", ToString(a.shape), " and ", ToString(b.shape)));
  const bool turns_a = node.Int("transA", 0) != 0, turns_b = node.Int("transB", 0) != 0;
  if (turns_a && !a.is_constant()) a = c.build.Transpose(a, {1, 0});
  OnnxValue product;
  bool bias_done = !node.Has(2) || beta == 0;
  if (b.is_constant() && !a.is_constant()) {
    const onnx::Tensor filter = FilterOf(*b.constant, turns_b, alpha);
    std::optional<std::vector<float>> bias;
    if (!bias_done && node.In(2).is_constant()) {
      const OnnxValue& d = node.In(2);
      const bool row =
          !d.shape.empty() && d.shape.back() == filter.dims[0] && d.constant->size() == filter.dims[0];
      if (row) {
        bias = d.constant->reals;
        for (float& value : *bias) value *= beta;
        bias_done = true;
      }
    }
    QAT_ASSIGN_OR_RETURN(product, c.build.Dense(a, filter, bias ? &*bias : nullptr, NameOfInput(node, 1)));
  } else {
    OnnxValue left = a, right = b;
    if (turns_a && a.is_constant()) left = MakeConstant(FilterOf(*a.constant, false, 1));
    if (turns_b)
      right = b.is_constant() ? MakeConstant(FilterOf(*b.constant, false, 1)) : c.build.Transpose(b, {1, 0});
    QAT_ASSIGN_OR_RETURN(product, c.build.MatMul(left, right));
    if (alpha != 1) {
      QAT_ASSIGN_OR_RETURN(product, c.build.Binary(OpType::kMul, product, Scalar(alpha)));
    }
  }
  if (bias_done) return One(product);
  OnnxValue summand = node.In(2);
  if (beta != 1) {
    if (summand.is_constant()) {
      onnx::Tensor scaled = *summand.constant;
      for (float& value : scaled.reals) value *= beta;
      summand = MakeConstant(std::move(scaled));
    } else {
      QAT_ASSIGN_OR_RETURN(summand, c.build.Binary(OpType::kMul, summand, Scalar(beta)));
    }
  }
  return One(c.build.Binary(OpType::kAdd, product, summand));
}

/// A vector as a matrix of one row or column.
Expected<OnnxValue> AsMatrix(OnnxConversion& c, const OnnxValue& x, bool row) {
  if (x.rank() != 1) return x;
  const Shape shape = row ? Shape{1, x.shape[0]} : Shape{x.shape[0], 1};
  if (!x.is_constant()) return c.build.Reshape(x, shape);
  onnx::Tensor matrix = *x.constant;
  matrix.dims.assign(shape.begin(), shape.end());
  return MakeConstant(std::move(matrix));
}

Converted MatMul(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue &a = node.In(0), &b = node.In(1);
  if (a.rank() == 0 || b.rank() == 0) return InvalidArgument("multiplies a single number");
  QAT_ASSIGN_OR_RETURN(const OnnxValue left, AsMatrix(c, a, true));
  QAT_ASSIGN_OR_RETURN(const OnnxValue right, AsMatrix(c, b, false));
  if (left.shape.back() != right.shape[right.rank() - 2])
    return InvalidArgument(StrCat("matrices are ", ToString(a.shape), " and ", ToString(b.shape)));
  QAT_ASSIGN_OR_RETURN(Shape shape, Broadcast(Shape(left.shape.begin(), left.shape.end() - 2),
                                              Shape(right.shape.begin(), right.shape.end() - 2)));
  if (a.rank() > 1) shape.push_back(left.shape[left.rank() - 2]);
  if (b.rank() > 1) shape.push_back(right.shape.back());
  const bool dense = right.is_constant() && !left.is_constant() && right.rank() == 2;
  OnnxValue product;
  if (dense) {
    QAT_ASSIGN_OR_RETURN(
        product, c.build.Dense(left, FilterOf(*right.constant, false, 1), nullptr, NameOfInput(node, 1)));
  } else {
    QAT_ASSIGN_OR_RETURN(product, c.build.MatMul(left, right));
  }
  return One(c.build.Reshape(product, shape));
}

constexpr OnnxConverter kConverters[] = {{"Gemm", 2, Gemm}, {"MatMul", 2, MatMul}};

}  // namespace

std::span<const OnnxConverter> MatrixConverters() { return kConverters; }

}  // namespace qat
