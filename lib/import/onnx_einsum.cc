// Einsum: sums and transposes of each operand, and products of two of them at a time, which are products of
// matrices.
#include <algorithm>
#include <cctype>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

/// An operand, and a letter for each of its axes.
struct Lettered {
  OnnxValue value;
  std::string axes;
};

struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

bool Holds(const std::string& text, char letter) { return text.find(letter) != std::string::npos; }

/// "..." of so many axes as digits, the last of which is '9': they line up at their end, as in broadcasting.
Expected<std::string> WithoutEllipsis(std::string term, size_t axes) {
  constexpr size_t kMost = 10;
  const size_t at = term.find("...");
  if (at == std::string::npos) return term;
  if (axes > kMost) return Unsupported(StrCat("'...' stands for ", axes, " axes"));
  return term.replace(at, 3, std::string("0123456789").substr(kMost - axes));
}

Error Malformed(const std::string& text) {
  return Unsupported(
      StrCat("`equation` is '", text, "', expected letters for the axes of each operand, as 'bij,bjk->bik'"));
}

Expected<Equation> Parse(const OnnxNode& node) {
  const std::string text = node.Text("equation", "");
  std::string plain;
  std::copy_if(text.begin(), text.end(), std::back_inserter(plain), [](char c) { return c != ' '; });
  const size_t arrow = plain.find("->");
  Equation equation;
  equation.operands = SplitText(plain.substr(0, arrow), ',');
  if (equation.operands.size() != node.inputs.size()) return Malformed(text);
  size_t most = 0;
  for (size_t i = 0; i < equation.operands.size(); ++i) {
    std::string& term = equation.operands[i];
    const size_t rank = node.In(i).rank(),
                 letters = term.size() - (term.find("...") == std::string::npos ? 0 : 3);
    if (letters > rank) return Malformed(text);
    most = std::max(most, rank - letters);
    QAT_ASSIGN_OR_RETURN(term, WithoutEllipsis(term, rank - letters));
    if (term.size() != rank) return Malformed(text);
  }
  if (arrow != std::string::npos) {
    QAT_ASSIGN_OR_RETURN(equation.result, WithoutEllipsis(plain.substr(arrow + 2), most));
  } else {
    const std::string all = Join(equation.operands, "");
    for (const char letter : std::string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
      const auto count = std::count(all.begin(), all.end(), letter);
      if (count == 1 || (count > 1 && std::isdigit(static_cast<unsigned char>(letter))))
        equation.result += letter;
    }
  }
  for (const std::string& term : equation.operands) {
    for (const char letter : term) {
      if (!std::isalnum(static_cast<unsigned char>(letter))) return Malformed(text);
      if (std::count(term.begin(), term.end(), letter) > 1)
        return Unsupported(StrCat("`equation` '", text,
                                  "' takes a diagonal, which has no kernel in TFLite; "
                                  "multiply by a constant of ones and zeros and sum"));
    }
  }
  for (const char letter : equation.result) {
    const bool known = std::any_of(equation.operands.begin(), equation.operands.end(),
                                   [&](const auto& term) { return Holds(term, letter); });
    if (!known || std::count(equation.result.begin(), equation.result.end(), letter) > 1)
      return Malformed(text);
  }
  return equation;
}

class Contraction {
 public:
  explicit Contraction(OnnxConversion& c, std::string name) : c_(c), name_(std::move(name)) {}

  /// Sums over the axes that are not in `kept`.
  Expected<Lettered> Summed(const Lettered& x, const std::string& kept) {
    std::vector<int32_t> axes;
    Lettered result = {x.value, ""};
    for (size_t i = 0; i < x.axes.size(); ++i) {
      if (Holds(kept, x.axes[i]))
        result.axes += x.axes[i];
      else
        axes.push_back(static_cast<int32_t>(i));
    }
    if (axes.empty()) return x;
    if (x.value.is_constant())
      return Unsupported("sums over an axis that a constant alone has; sum it in the network before");
    QAT_ASSIGN_OR_RETURN(result.value, c_.build.Reduce(OpType::kSum, x.value, axes, false));
    return result;
  }

  /// Its axes in this order. Requires all of them.
  OnnxValue Ordered(const Lettered& x, const std::string& axes) {
    std::vector<int32_t> permutation;
    for (const char letter : axes) permutation.push_back(static_cast<int32_t>(x.axes.find(letter)));
    if (!x.value.is_constant()) return c_.build.Transpose(x.value, permutation);
    const Shape shape = InOrder(x.value.shape, permutation);
    onnx::Tensor moved = *x.value.constant;
    moved.reals = Permuted(moved.reals, x.value.shape, permutation);
    moved.dims.assign(shape.begin(), shape.end());
    return MakeConstant(std::move(moved));
  }

  Expected<OnnxValue> Reshaped(const OnnxValue& x, const Shape& shape) {
    if (!x.is_constant()) return c_.build.Reshape(x, shape);
    onnx::Tensor same = *x.constant;
    same.dims.assign(shape.begin(), shape.end());
    return MakeConstant(std::move(same));
  }

  /// The product of two operands, of which the axes in `kept` are left.
  Expected<Lettered> Product(Lettered a, Lettered b, const std::string& kept) {
    QAT_ASSIGN_OR_RETURN(a, Summed(a, StrCat(kept, b.axes)));
    QAT_ASSIGN_OR_RETURN(b, Summed(b, StrCat(kept, a.axes)));
    if (a.value.is_constant()) std::swap(a, b);  // constants are what is multiplied by, as filters are
    std::string batch, summed, rows, columns;
    for (const char letter : a.axes)
      (!Holds(b.axes, letter) ? rows : Holds(kept, letter) ? batch : summed) += letter;
    for (const char letter : b.axes) {
      if (!Holds(a.axes, letter)) columns += letter;
    }
    const auto sizes = [](const Lettered& x, const std::string& letters) {
      Shape shape;
      for (const char letter : letters) shape.push_back(x.value.shape[x.axes.find(letter)]);
      return shape;
    };
    const Shape of_rows = sizes(a, rows), of_columns = sizes(b, columns);
    if (sizes(a, summed) != sizes(b, summed))
      return InvalidArgument(
          StrCat("operands are ", ToString(a.value.shape), " and ", ToString(b.value.shape)));
    QAT_ASSIGN_OR_RETURN(const Shape of_batch, Broadcast(sizes(a, batch), sizes(b, batch)));
    const auto depth = static_cast<int32_t>(FlatSize(sizes(a, summed)));
    const auto with = [](Shape front, int32_t first, int32_t second) {
      front.insert(front.end(), {first, second});
      return front;
    };
    Shape shape = of_batch;
    shape.insert(shape.end(), of_rows.begin(), of_rows.end());
    shape.insert(shape.end(), of_columns.begin(), of_columns.end());
    const auto row_count = static_cast<int32_t>(FlatSize(of_rows)),
               column_count = static_cast<int32_t>(FlatSize(of_columns));
    OnnxValue product;
    if (b.value.is_constant() && batch.empty()) {
      QAT_ASSIGN_OR_RETURN(const OnnxValue filter,
                           Reshaped(Ordered(b, columns + summed), {column_count, depth}));
      // Rows stay apart, so that a batch in front stays open.
      QAT_ASSIGN_OR_RETURN(const OnnxValue left, Reshaped(Ordered(a, rows + summed), [&] {
                             Shape each = of_rows.empty() ? Shape{1} : of_rows;
                             each.push_back(depth);
                             return each;
                           }()));
      QAT_ASSIGN_OR_RETURN(product, c_.build.Dense(left, *filter.constant, nullptr, name_));
    } else {
      QAT_ASSIGN_OR_RETURN(const OnnxValue left, Reshaped(Ordered(a, batch + rows + summed),
                                                          with(sizes(a, batch), row_count, depth)));
      QAT_ASSIGN_OR_RETURN(const OnnxValue right, Reshaped(Ordered(b, batch + summed + columns),
                                                           with(sizes(b, batch), depth, column_count)));
      QAT_ASSIGN_OR_RETURN(product, summed.empty() ? c_.build.Binary(OpType::kMul, left, right)
                                                   : c_.build.MatMul(left, right));
    }
    Lettered result;
    QAT_ASSIGN_OR_RETURN(result.value, c_.build.Reshape(product, shape));
    result.axes = batch + rows + columns;
    return result;
  }

 private:
  OnnxConversion& c_;
  std::string name_;
};

Converted Einsum(OnnxConversion& c, const OnnxNode& node) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.Has(i)) return InvalidArgument(StrCat("has no input ", i));
  }
  QAT_ASSIGN_OR_RETURN(const Equation equation, Parse(node));
  Contraction contraction(c, StrCat(node.node.outputs[0], "/filter"));
  Lettered sum = {node.In(0), equation.operands[0]};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    std::string kept = equation.result;
    for (size_t k = i + 1; k < node.inputs.size(); ++k) kept += equation.operands[k];
    QAT_ASSIGN_OR_RETURN(sum, contraction.Product(sum, {node.In(i), equation.operands[i]}, kept));
  }
  QAT_ASSIGN_OR_RETURN(sum, contraction.Summed(sum, equation.result));
  return One(contraction.Ordered(sum, equation.result));
}

constexpr OnnxConverter kConverters[] = {{"Einsum", 1, Einsum}};

}  // namespace

std::span<const OnnxConverter> EinsumConverters() { return kConverters; }

}  // namespace qat
