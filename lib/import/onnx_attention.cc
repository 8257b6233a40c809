// Attention, which PyTorch's exporter writes from opset 23 on: products of matrices around a softmax, under
// masks.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

constexpr float kHidden = -1e4f;  // e^-1e4 is 0 in float32, and no infinity

enum Inputs : size_t { kQuery, kKey, kValue, kMask, kPastKey, kPastValue, kLengths };

/// What the attributes and constants say of which query sees which key.
struct Sight {
  bool causal = false;
  int64_t left = -1, right = -1;  ///< how far back and ahead a query sees; -1: to the end
  int64_t offset = 0;             ///< keys of the past come first

  bool everything() const { return !causal && left < 0 && right < 0; }
  bool Sees(int64_t query, int64_t key) const {
    const int64_t behind = query + offset - key;
    return (!causal || behind >= 0) && (left < 0 || behind <= left) && (right < 0 || -behind <= right);
  }
};

class AttentionWriter {
 public:
  AttentionWriter(OnnxConversion& c, const OnnxNode& node) : c_(c), node_(node) {}

  Converted Run() {
    if (node_.Has(kLengths))
      return Unsupported("`nonpad_kv_seqlen` says sizes while the network runs; export it without a cache");
    QAT_ASSIGN_OR_RETURN(OnnxValue query, Heads(kQuery, "q_num_heads"));
    QAT_ASSIGN_OR_RETURN(OnnxValue key, Heads(kKey, "kv_num_heads"));
    QAT_ASSIGN_OR_RETURN(OnnxValue value, Heads(kValue, "kv_num_heads"));
    QAT_RETURN_IF_ERROR(AddPast(kPastKey, key));
    QAT_RETURN_IF_ERROR(AddPast(kPastValue, value));
    const OnnxValue present_key = key, present_value = value;
    QAT_RETURN_IF_ERROR(Repeat(query.shape[1], key));
    QAT_RETURN_IF_ERROR(Repeat(query.shape[1], value));
    if (query.shape[3] != key.shape[3] || key.shape[2] != value.shape[2])
      return InvalidArgument(StrCat("operands are ", ToString(query.shape), ", ", ToString(key.shape),
                                    " and ", ToString(value.shape)));
    const float scale = node_.Real("scale", 1 / std::sqrt(static_cast<float>(query.shape[3])));
    QAT_ASSIGN_OR_RETURN(query, c_.build.Binary(OpType::kMul, query, Scalar(scale)));
    QAT_ASSIGN_OR_RETURN(OnnxValue scores, c_.build.MatMul(query, c_.build.Transpose(key, {0, 1, 3, 2})));
    OnnxValue shown = scores;  // the fourth output
    const int64_t mode = node_.Int("qk_matmul_output_mode", 0);
    const float cap = node_.Real("softcap", 0);
    if (cap > 0) {
      QAT_ASSIGN_OR_RETURN(scores, c_.build.Binary(OpType::kMul, scores, Scalar(1 / cap)));
      QAT_ASSIGN_OR_RETURN(scores, c_.build.Unary(OpType::kTanh, std::monostate(), scores));
      QAT_ASSIGN_OR_RETURN(scores, c_.build.Binary(OpType::kMul, scores, Scalar(cap)));
    }
    if (mode == 1) shown = scores;
    QAT_ASSIGN_OR_RETURN(scores, Masked(scores));
    if (mode == 2) shown = scores;
    QAT_ASSIGN_OR_RETURN(
        const OnnxValue weights,
        c_.build.AlongAxis(OpType::kSoftmax, DefinitionOf(OpType::kSoftmax).default_attributes, scores, 3));
    if (mode == 3) shown = weights;
    QAT_ASSIGN_OR_RETURN(OnnxValue result, c_.build.MatMul(weights, value));
    if (node_.In(kQuery).rank() == 3) {
      const Shape s = result.shape;
      QAT_ASSIGN_OR_RETURN(
          result, c_.build.Reshape(c_.build.Transpose(result, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]}));
    }
    return std::vector<OnnxValue>{result, present_key, present_value, shown};
  }

 private:
  /// [N, heads, steps, values].
  Expected<OnnxValue> Heads(size_t input, std::string_view attribute) {
    OnnxValue x = node_.In(input);
    if (x.is_constant()) {
      QAT_ASSIGN_OR_RETURN(x, c_.build.ToPlain(x));
    }
    if (x.rank() == 4) return x;
    const int64_t heads = node_.Int(attribute, 0);
    if (x.rank() != 3 || heads < 1 || x.shape[2] % heads != 0)
      return InvalidArgument(
          StrCat("input ", input, " is ", ToString(x.shape), ", `", attribute, "` is ", heads));
    const auto count = static_cast<int32_t>(heads);
    QAT_ASSIGN_OR_RETURN(x, c_.build.Reshape(x, {x.shape[0], x.shape[1], count, x.shape[2] / count}));
    return c_.build.Transpose(x, {0, 2, 1, 3});
  }

  Status AddPast(size_t input, OnnxValue& x) {
    if (!node_.Has(input)) return {};
    const OnnxValue& past = node_.In(input);
    Shape expected = x.shape;
    if (past.rank() == 4) expected[2] = past.shape[2];
    if (past.shape != expected)
      return InvalidArgument(StrCat("the past is ", ToString(past.shape), ", expected ", ToString(expected)));
    past_ = past.shape[2];
    QAT_ASSIGN_OR_RETURN(x, c_.build.Concat({past, x}, 2));
    return {};
  }

  /// As many heads as the queries have: each of `x` several times.
  Status Repeat(int32_t heads, OnnxValue& x) {
    if (x.shape[1] == heads) return {};
    if (x.shape[1] < 1 || heads % x.shape[1] != 0)
      return InvalidArgument(StrCat(heads, " heads of queries and ", x.shape[1], " of keys"));
    std::vector<int32_t> indices;
    for (int32_t head = 0; head < heads; ++head) indices.push_back(head / (heads / x.shape[1]));
    QAT_ASSIGN_OR_RETURN(x, c_.build.Gather(x, 1, indices));
    return {};
  }

  Expected<OnnxValue> Masked(OnnxValue scores) {
    const Sight sight = {node_.Int("is_causal", 0) != 0, node_.Int("left_window_size", -1),
                         node_.Int("right_window_size", -1), past_};
    const bool has_mask = node_.Has(kMask), constant = has_mask && node_.In(kMask).is_constant();
    if (has_mask && (node_.In(kMask).rank() < 1 || node_.In(kMask).shape.back() != scores.shape[3]))
      return Unsupported(StrCat("its mask is ", ToString(node_.In(kMask).shape), ", expected one for ",
                                scores.shape[3], " keys"));
    if (has_mask && !constant) {
      const OnnxValue& mask = node_.In(kMask);
      QAT_ASSIGN_OR_RETURN(scores, mask.type == DType::kBool ? c_.build.Select(mask, scores, Scalar(kHidden))
                                                             : c_.build.Binary(OpType::kAdd, scores, mask));
    }
    if (!constant && sight.everything()) return scores;
    QAT_ASSIGN_OR_RETURN(
        const OnnxValue bias,
        ConstantMask(sight, constant ? node_.In(kMask).constant.get() : nullptr, scores.shape));
    return c_.build.Binary(OpType::kAdd, scores, bias);
  }

  /// What is added to scores: of a constant mask, true is 0; what is not seen is hidden.
  Expected<OnnxValue> ConstantMask(const Sight& sight, const onnx::Tensor* mask, const Shape& scores) const {
    const int64_t queries = scores[2], keys = scores[3];
    Shape shape = {scores[2], scores[3]};
    int64_t blocks = 1, rows = queries;
    if (mask != nullptr && mask->dims.size() > 2) {
      shape = {};
      for (const int64_t dim : mask->dims) shape.push_back(static_cast<int32_t>(dim));
      if (shape[shape.size() - 2] != 1 && shape[shape.size() - 2] != queries)
        return InvalidArgument(StrCat("its mask is ", ToString(shape), " for scores ", ToString(scores)));
      rows = shape[shape.size() - 2];
      shape[shape.size() - 2] = scores[2];
      blocks = FlatSize(shape) / (queries * keys);
    } else if (mask != nullptr) {
      rows = mask->dims.size() == 2 ? mask->dims[0] : 1;
      if (rows != 1 && rows != queries)
        return InvalidArgument(StrCat("its mask has ", rows, " rows for ", queries, " queries"));
    }
    if (CheckedFlatSize(shape) < 0 || FlatSize(shape) > kMostMadeValues)
      return Unsupported(
          StrCat("needs a mask of ", ToString(shape), ", expected ", kMostMadeValues, " values at most"));
    std::vector<float> values;
    for (int64_t i = 0; i < blocks * queries; ++i) {
      const int64_t query = i % queries, row = rows == 1 ? i / queries : i;
      bool any = false;
      for (int64_t key = 0; key < keys; ++key) {
        const float own = mask == nullptr ? 0 : ValueOf(*mask, static_cast<size_t>(row * keys + key));
        const bool seen = sight.Sees(query, key) && own != -INFINITY;
        values.push_back(seen ? own : kHidden);
        any = any || seen;
      }
      if (!any) return Unsupported("its mask hides every key from a query; leave such queries out");
    }
    return MakeReals(shape, std::move(values));
  }

  static float ValueOf(const onnx::Tensor& mask, size_t place) {
    if (onnx::IsReal(mask.type)) return mask.reals[place];
    return mask.integers[place] != 0 ? 0 : -INFINITY;
  }

  OnnxConversion& c_;
  const OnnxNode& node_;
  int64_t past_ = 0;
};

Converted Attention(OnnxConversion& c, const OnnxNode& node) { return AttentionWriter(c, node).Run(); }

constexpr OnnxConverter kConverters[] = {{"Attention", 3, Attention}};

}  // namespace

std::span<const OnnxConverter> AttentionConverters() { return kConverters; }

}  // namespace qat
