// RNN, GRU and LSTM over a number of steps that is known: written out step by step. All steps read the same
// filters.
//
//   projected = x W' + b of all steps at once; per step, from the state h (and, of an LSTM, the cell c)
//   before:
//   RNN   h = f(projected + h R')
//   GRU   z, r = f(projected + h R');  n = g(projected + r (h R' + b)), or g(projected + (r h) R');
//         h = n + z (h - n)
//   LSTM  i, o, f = f(projected + h R' + p c);  c = f c + i g(projected + h R');  h = o h(c)
//
// Values have ONNX's axes [steps, N, values] and lie batch first; a state that is 0, as the first one mostly
// is, costs nothing.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.h"
#include "import/onnx_convert.h"
#include "import/onnx_recurrent_activations.h"

namespace qat {
namespace {

/// Of all recurrent nodes of a model together: importing and running so many takes seconds, training minutes
/// per hundred steps.
constexpr int64_t kMostNodes = 20000;
const AxisOrder kBatchFirst = {1, 0, 2};

enum Inputs : size_t { kX, kW, kR, kB, kLengths, kStartH, kStartC, kPeepholes };

struct Cell {
  std::string_view op;
  int32_t gates;
  int64_t nodes;  ///< of a step, at least
  std::vector<std::string> activations;
};
const std::array kCells = {Cell{"RNN", 1, 3, {"Tanh"}}, Cell{"GRU", 3, 13, {"Sigmoid", "Tanh"}},
                           Cell{"LSTM", 4, 12, {"Sigmoid", "Tanh", "Tanh"}}};

using Value = Expected<OnnxValue>;

class RecurrentWriter {
 public:
  RecurrentWriter(OnnxConversion& c, const OnnxNode& node)
      : c_(c), node_(node), cell_(*std::find_if(kCells.begin(), kCells.end(), [&](const Cell& each) {
          return each.op == node.node.op;
        })) {
    const auto& outputs = node.node.outputs;
    base_ = *std::find_if(outputs.begin(), outputs.end() - 1,
                          [](const std::string& name) { return !name.empty(); });
  }

  Converted Run() {
    QAT_RETURN_IF_ERROR(ReadOptions());
    QAT_RETURN_IF_ERROR(ReadShapes());
    QAT_RETURN_IF_ERROR(CheckLength());
    QAT_ASSIGN_OR_RETURN(activations_, ReadActivations(node_, cell_.activations, directions_));
    std::vector<std::vector<OnnxValue>> states;
    std::vector<OnnxValue> last_h, last_c;
    for (direction_ = 0; direction_ < directions_; ++direction_) {
      QAT_RETURN_IF_ERROR(BeginDirection());
      QAT_ASSIGN_OR_RETURN(states.emplace_back(), Steps());
      last_h.push_back(h_);
      last_c.push_back(c_state_);
    }
    c_.build.Begin(base_);
    OnnxValue all, h, c;
    if (Reads(0)) {
      QAT_ASSIGN_OR_RETURN(all, AllStates(states));
    }
    if (Reads(1)) {
      QAT_ASSIGN_OR_RETURN(h, LastStates(std::move(last_h)));
    }
    if (Reads(2)) {
      QAT_ASSIGN_OR_RETURN(c, LastStates(std::move(last_c)));
    }
    return std::vector<OnnxValue>{all, h, c};
  }

 private:
  bool Reads(size_t output) const {
    const auto& outputs = node_.node.outputs;
    return output < outputs.size() && !outputs[output].empty();
  }

  Status ReadOptions() {
    const std::string direction = node_.Text("direction", "forward");
    if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
      return InvalidArgument(
          StrCat("`direction` is '", direction, "', expected forward, reverse or bidirectional"));
    backwards_ = direction == "reverse";
    directions_ = direction == "bidirectional" ? 2 : 1;
    batch_first_ = node_.Int("layout", 0) != 0;
    clip_ = node_.Real("clip", 0);
    if (node_.Gives("clip") && !(clip_ > 0))
      return InvalidArgument(StrCat("`clip` is ", clip_, ", expected more than 0"));
    return {};
  }

  Status ReadShapes() {
    x_ = batch_first_ && node_.In(kX).rank() == 3 ? c_.build.Transpose(node_.In(kX), kBatchFirst)
                                                  : node_.In(kX);
    if (x_.rank() != 3)
      return InvalidArgument(StrCat("its input is ", ToString(x_.shape), ", expected [steps, N, values]"));
    for (const auto& [input, name] : {std::pair(kW, "W"), {kR, "R"}, {kB, "B"}, {kPeepholes, "P"}}) {
      if (node_.Has(input) && !node_.In(input).is_constant())
        return Unsupported(
            StrCat("its `", name, "` is computed while the network runs, expected a constant"));
    }
    for (const size_t input : {kX, kW, kR, kB, kStartH, kStartC, kPeepholes}) {
      if (node_.Has(input) && node_.In(input).type != DType::kFloat32)
        return Unsupported(
            StrCat("its input ", input, " is ", NameOf(node_.In(input).type), ", expected real numbers"));
    }
    const Shape& r = node_.In(kR).shape;
    if (r.size() != 3 || r[2] < 1)
      return InvalidArgument(StrCat("`R` is ", ToString(r), ", expected [directions, gates, values]"));
    width_ = r[2];
    if (node_.Int("hidden_size", width_) != width_)
      return InvalidArgument(
          StrCat("`hidden_size` is ", node_.Int("hidden_size", width_), ", `R` is ", ToString(r)));
    const int32_t rows = cell_.gates * width_;
    const Shape state =
        batch_first_ ? Shape{x_.shape[1], directions_, width_} : Shape{directions_, x_.shape[1], width_};
    const bool is_lstm = cell_.gates == 4;
    const std::pair<size_t, Shape> expected[] = {{kW, {directions_, rows, x_.shape[2]}},
                                                 {kR, {directions_, rows, width_}},
                                                 {kB, {directions_, 2 * rows}},
                                                 {kStartH, state},
                                                 {kStartC, state},
                                                 {kPeepholes, {directions_, 3 * width_}}};
    for (const auto& [input, shape] : expected) {
      if (!node_.Has(input) || (!is_lstm && input > kStartH) || node_.In(input).shape == shape) continue;
      return InvalidArgument(
          StrCat("input ", input, " is ", ToString(node_.In(input).shape), ", expected ", ToString(shape)));
    }
    return {};
  }

  Status CheckLength() {
    const int32_t steps = x_.shape[0];
    if (node_.Has(kLengths)) {
      QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> lengths, node_.Integers(kLengths, "sequence_lens"));
      for (const int64_t length : lengths) {
        if (length != steps)
          return Unsupported(StrCat("`sequence_lens` holds ", length, ", its input has ", steps,
                                    " steps; export the network for sequences of one length"));
      }
    }
    const int64_t nodes = cell_.nodes * steps * directions_;
    c_.unrolled_nodes += nodes;
    if (c_.unrolled_nodes <= kMostNodes) return {};
    return Unsupported(StrCat("has ", steps, " steps", directions_ == 2 ? " in both directions" : "",
                              ", which are ", nodes, " nodes when written out one by one (",
                              c_.unrolled_nodes, " with the recurrent layers before, expected at most ",
                              kMostNodes,
                              "); export the network for shorter sequences, or let a convolution with a "
                              "stride shorten them first"));
  }

  /// The `index`-th activation of this direction. As ONNX Runtime does it, `clip` limits what gates and new
  /// values are made of, and not an LSTM's cell.
  Value Activated(size_t index, const OnnxValue& x) {
    const float limit = index < 2 ? clip_ : 0;
    return Apply(activations_[static_cast<size_t>(direction_) * cell_.activations.size() + index], limit, x,
                 c_, node_.opset);
  }

  /// The filters of this direction, the projections of all its steps, and the states that it starts from.
  Status BeginDirection() {
    c_.build.Begin(directions_ == 2 ? StrCat(base_, direction_ == 0 ? "/forward" : "/backward") : base_);
    const std::string name =
        node_.In(kR).constant->name.empty() ? StrCat(base_, "/R") : node_.In(kR).constant->name;
    const int32_t rows = cell_.gates * width_;
    recurrent_ = Part(kR, 0, rows * width_);
    std::vector<float> bias(static_cast<size_t>(rows)), after;
    if (node_.Has(kB)) {
      bias = Part(kB, 0, rows);
      const std::vector<float> own = Part(kB, rows, rows);
      // What is multiplied by the reset gate cannot be added before.
      const size_t inside = ResetsAfter() ? static_cast<size_t>(2 * width_) : bias.size();
      for (size_t i = 0; i < inside; ++i) bias[i] += own[i];
      for (size_t i = inside; i < bias.size(); ++i) after.push_back(own[i]);
    }
    recurrent_bias_.clear();
    if (std::any_of(after.begin(), after.end(), [](float value) { return value != 0; })) {
      recurrent_bias_.assign(bias.size(), 0);
      std::copy(after.begin(), after.end(), recurrent_bias_.end() - width_);
    }
    filter_ = bias_ = reset_filter_ = -1;
    filter_name_ = directions_ == 2 ? StrCat(name, direction_ == 0 ? "/forward" : "/backward") : name;
    peepholes_ =
        node_.Has(kPeepholes) && cell_.gates == 4 ? Part(kPeepholes, 0, 3 * width_) : std::vector<float>();
    QAT_ASSIGN_OR_RETURN(h_, StartOf(kStartH));
    if (cell_.gates == 4) {
      QAT_ASSIGN_OR_RETURN(c_state_, StartOf(kStartC));
    }
    return Project(bias);
  }

  /// Values of a constant with the directions in front.
  std::vector<float> Part(size_t input, int32_t from, int32_t count) const {
    const onnx::Tensor& tensor = *node_.In(input).constant;
    const size_t all = tensor.reals.size() / static_cast<size_t>(directions_);
    const auto begin = tensor.reals.begin() + static_cast<int64_t>(all) * direction_ + from;
    return {begin, begin + count};
  }

  /// A state [1, N, values]; one that does not exist is 0.
  Value StartOf(size_t input) {
    if (!node_.Has(input)) return OnnxValue();
    OnnxValue state = node_.In(input);
    const int32_t axis = batch_first_ ? 1 : 0, examples = x_.shape[1];
    if (state.is_constant()) {
      const std::vector<float>& all = state.constant->reals;
      std::vector<float> own;
      for (size_t n = 0; n < static_cast<size_t>(examples); ++n) {
        const auto at = static_cast<size_t>(direction_), width = static_cast<size_t>(width_);
        const size_t row =
            batch_first_ ? n * static_cast<size_t>(directions_) + at : at * static_cast<size_t>(examples) + n;
        own.insert(own.end(), all.begin() + static_cast<int64_t>(row * width),
                   all.begin() + static_cast<int64_t>((row + 1) * width));
      }
      if (std::all_of(own.begin(), own.end(), [](float value) { return value == 0; })) return OnnxValue();
      return MakeReals({1, examples, width_}, std::move(own));
    }
    if (directions_ == 2) {
      Shape begin(3, 0), size = state.shape;
      begin[static_cast<size_t>(axis)] = direction_;
      size[static_cast<size_t>(axis)] = 1;
      QAT_ASSIGN_OR_RETURN(state, c_.build.Slice(state, begin, size, {1, 1, 1}));
    }
    if (batch_first_) state = c_.build.Transpose(state, kBatchFirst);
    return BatchFirst(state);
  }

  Value BatchFirst(const OnnxValue& x) {
    return x.order == kBatchFirst ? Value(x) : c_.build.ToOrder(x, kBatchFirst);
  }

  Status Project(const std::vector<float>& bias) {
    const int32_t rows = cell_.gates * width_, values = x_.shape[2];
    onnx::Tensor filter;
    filter.type = onnx::ElementType::kFloat;
    filter.dims = {rows, values};
    filter.reals = Part(kW, 0, rows * values);
    const std::string& own = node_.In(kW).constant->name;
    const std::string name = own.empty() ? StrCat(base_, "/W") : own;
    QAT_ASSIGN_OR_RETURN(const OnnxValue x, BatchFirst(x_));
    QAT_ASSIGN_OR_RETURN(
        const OnnxValue all,
        c_.build.Dense(x, filter, &bias,
                       directions_ == 2 ? StrCat(name, direction_ == 0 ? "/forward" : "/backward") : name));
    QAT_ASSIGN_OR_RETURN(projected_,
                         c_.build.Split(all, 0, std::vector<int32_t>(static_cast<size_t>(x_.shape[0]), 1)));
    return {};
  }

  /// The state after each step, in the order of the steps.
  Expected<std::vector<OnnxValue>> Steps() {
    const bool reversed = backwards_ || direction_ == 1;
    const size_t count = projected_.size();
    std::vector<OnnxValue> states(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = reversed ? count - 1 - i : i;
      c_.build.Begin(StrCat(base_,
                            directions_ == 1  ? ""
                            : direction_ == 0 ? "/forward"
                                              : "/backward",
                            "/step_", at));
      QAT_RETURN_IF_ERROR(cell_.gates == 4   ? LstmStep(projected_[at])
                          : cell_.gates == 3 ? GruStep(projected_[at])
                                             : RnnStep(projected_[at]));
      states[at] = h_;
    }
    return states;
  }

  Status RnnStep(const OnnxValue& projected) {
    QAT_ASSIGN_OR_RETURN(const OnnxValue sum, WithState(projected));
    QAT_ASSIGN_OR_RETURN(h_, Activated(0, sum));
    return {};
  }

  Status LstmStep(const OnnxValue& projected) {
    QAT_ASSIGN_OR_RETURN(const OnnxValue sum, WithState(projected));
    QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> gates,
                         c_.build.Split(sum, 2, {width_, width_, width_, width_}));
    QAT_ASSIGN_OR_RETURN(OnnxValue input, Peeped(gates[0], c_state_, 0));
    QAT_ASSIGN_OR_RETURN(input, Activated(0, input));
    QAT_ASSIGN_OR_RETURN(OnnxValue cell, Activated(1, gates[3]));
    QAT_ASSIGN_OR_RETURN(cell, c_.build.Binary(OpType::kMul, input, cell));
    if (c_state_.exists()) {
      OnnxValue forget;
      if (node_.Int("input_forget", 0) != 0) {
        QAT_ASSIGN_OR_RETURN(forget, c_.build.Binary(OpType::kSub, Scalar(1), input));
      } else {
        QAT_ASSIGN_OR_RETURN(forget, Peeped(gates[2], c_state_, 2));
        QAT_ASSIGN_OR_RETURN(forget, Activated(0, forget));
      }
      QAT_ASSIGN_OR_RETURN(forget, c_.build.Binary(OpType::kMul, forget, c_state_));
      QAT_ASSIGN_OR_RETURN(cell, c_.build.Binary(OpType::kAdd, forget, cell));
    }
    c_state_ = cell;
    QAT_ASSIGN_OR_RETURN(OnnxValue output, Peeped(gates[1], c_state_, 1));
    QAT_ASSIGN_OR_RETURN(output, Activated(0, output));
    QAT_ASSIGN_OR_RETURN(cell, Activated(2, cell));
    QAT_ASSIGN_OR_RETURN(h_, c_.build.Binary(OpType::kMul, output, cell));
    return {};
  }

  Status GruStep(const OnnxValue& projected) {
    QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> in,
                         c_.build.Split(projected, 2, {width_, width_, width_}));
    OnnxValue update = in[0], reset = in[1], fresh = in[2], from_state;
    if (h_.exists()) {
      QAT_ASSIGN_OR_RETURN(const OnnxValue product, ResetsAfter()
                                                        ? TimesFilter(h_, cell_.gates * width_, filter_)
                                                        : TimesFilter(h_, 2 * width_, filter_));
      std::vector<int32_t> parts(ResetsAfter() ? 3 : 2, width_);
      QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> state, Cut(product, parts));
      QAT_ASSIGN_OR_RETURN(update, c_.build.Binary(OpType::kAdd, update, state[0]));
      QAT_ASSIGN_OR_RETURN(reset, c_.build.Binary(OpType::kAdd, reset, state[1]));
      if (ResetsAfter()) from_state = state[2];
    } else if (ResetsAfter() && !recurrent_bias_.empty()) {
      from_state = MakeReals({1, 1, width_}, {recurrent_bias_.end() - width_, recurrent_bias_.end()});
    }
    QAT_ASSIGN_OR_RETURN(update, Activated(0, update));
    const bool resets = from_state.exists() || (h_.exists() && !ResetsAfter());
    if (resets) {
      QAT_ASSIGN_OR_RETURN(reset, Activated(0, reset));
      QAT_ASSIGN_OR_RETURN(from_state, c_.build.Binary(OpType::kMul, reset, ResetsAfter() ? from_state : h_));
      if (!ResetsAfter()) {
        QAT_ASSIGN_OR_RETURN(from_state, TimesFilter(from_state, width_, reset_filter_));
      }
      QAT_ASSIGN_OR_RETURN(fresh, c_.build.Binary(OpType::kAdd, fresh, from_state));
    }
    QAT_ASSIGN_OR_RETURN(fresh, Activated(1, fresh));
    OnnxValue change;
    if (!h_.exists()) {
      QAT_ASSIGN_OR_RETURN(change, c_.build.Binary(OpType::kMul, update, fresh));
      QAT_ASSIGN_OR_RETURN(h_, c_.build.Binary(OpType::kSub, fresh, change));
      return {};
    }
    QAT_ASSIGN_OR_RETURN(change, c_.build.Binary(OpType::kSub, h_, fresh));
    QAT_ASSIGN_OR_RETURN(change, c_.build.Binary(OpType::kMul, update, change));
    QAT_ASSIGN_OR_RETURN(h_, c_.build.Binary(OpType::kAdd, fresh, change));
    return {};
  }

  /// A GRU whose reset gate is applied to h R' + b, as PyTorch's is, and not to h.
  bool ResetsAfter() const { return cell_.gates == 3 && node_.Int("linear_before_reset", 0) != 0; }

  /// + h R'.
  Value WithState(const OnnxValue& projected) {
    if (!h_.exists()) return projected;
    QAT_ASSIGN_OR_RETURN(const OnnxValue product, TimesFilter(h_, cell_.gates * width_, filter_));
    return c_.build.Binary(OpType::kAdd, projected, product);
  }

  /// + the peephole weights number `gate` times the cell.
  Value Peeped(const OnnxValue& gate_sum, const OnnxValue& cell, int gate) {
    if (peepholes_.empty() || !cell.exists()) return gate_sum;
    const auto begin = peepholes_.begin() + gate * width_;
    const std::vector<float> weights(begin, begin + width_);
    OnnxValue seen;
    if (cell.is_constant()) {
      seen = cell;
      std::vector<float> products = cell.constant->reals;
      for (size_t i = 0; i < products.size(); ++i) products[i] *= weights[i % weights.size()];
      seen = MakeReals(cell.shape, std::move(products));
    } else {
      QAT_ASSIGN_OR_RETURN(seen, c_.build.Binary(OpType::kMul, cell, MakeReals({1, 1, width_}, weights)));
    }
    return c_.build.Binary(OpType::kAdd, gate_sum, seen);
  }

  /// x times the transposed filter of `rows` rows: the first of R, or, for what the reset gate went over, the
  /// last. `tensor` keeps it, so that all steps read one.
  Value TimesFilter(const OnnxValue& x, int32_t rows, int32_t& tensor) {
    const bool last = &tensor == &reset_filter_;
    const auto begin = last ? recurrent_.end() - rows * width_ : recurrent_.begin();
    const std::vector<float> filter(begin, begin + rows * width_);
    if (x.is_constant()) return ConstantProduct(*x.constant, filter, rows);
    if (tensor < 0)
      tensor =
          c_.build.AddReals(last ? StrCat(filter_name_, "/reset") : filter_name_, {rows, width_}, filter);
    std::vector<int32_t> operands = {x.tensor, tensor};
    if (!recurrent_bias_.empty()) {
      if (bias_ < 0) bias_ = c_.build.AddReals(StrCat(filter_name_, "/bias"), {rows}, recurrent_bias_);
      operands.push_back(bias_);
    }
    FullyConnectedAttributes attributes;
    attributes.units = rows;
    attributes.keep_num_dims = true;
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         c_.build.Emit(OpType::kFullyConnected, attributes, std::move(operands)));
    return c_.build.Computed(output, {1, x.shape[1], rows}, kBatchFirst);
  }

  OnnxValue ConstantProduct(const onnx::Tensor& x, const std::vector<float>& filter, int32_t rows) const {
    const auto width = static_cast<size_t>(width_);
    const size_t examples = x.reals.size() / width;
    std::vector<float> products;
    for (size_t n = 0; n < examples; ++n) {
      for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
        double sum = recurrent_bias_.empty() ? 0 : recurrent_bias_[row];
        for (size_t i = 0; i < width; ++i) sum += double{x.reals[n * width + i]} * filter[row * width + i];
        products.push_back(static_cast<float>(sum));
      }
    }
    return MakeReals({1, static_cast<int32_t>(examples), rows}, std::move(products));
  }

  /// Parts of the last axis, of a constant, too.
  Expected<std::vector<OnnxValue>> Cut(const OnnxValue& x, const std::vector<int32_t>& parts) {
    if (!x.is_constant()) return c_.build.Split(x, 2, parts);
    std::vector<OnnxValue> values;
    const auto all = static_cast<size_t>(x.shape[2]);
    size_t from = 0;
    for (const int32_t part : parts) {
      std::vector<float> own;
      for (size_t i = 0; i < x.constant->reals.size(); ++i) {
        if (i % all >= from && i % all < from + static_cast<size_t>(part))
          own.push_back(x.constant->reals[i]);
      }
      from += static_cast<size_t>(part);
      values.push_back(MakeReals({1, x.shape[1], part}, std::move(own)));
    }
    return values;
  }

  /// Y: [steps, directions, N, values], or [N, steps, directions, values].
  Value AllStates(const std::vector<std::vector<OnnxValue>>& states) {
    const auto steps = static_cast<int32_t>(states[0].size()), examples = x_.shape[1];
    std::vector<OnnxValue> rows;
    for (size_t i = 0; i < states[0].size(); ++i) {
      if (directions_ == 1) {
        rows.push_back(states[0][i]);
        continue;
      }
      QAT_ASSIGN_OR_RETURN(rows.emplace_back(), c_.build.Concat({states[0][i], states[1][i]}, 2));
    }
    QAT_ASSIGN_OR_RETURN(OnnxValue all, c_.build.Concat(std::move(rows), 0));
    QAT_ASSIGN_OR_RETURN(all, c_.build.Reshape(all, {steps, examples, directions_, width_}));
    return c_.build.Transpose(
        all, batch_first_ ? std::vector<int32_t>{1, 0, 2, 3} : std::vector<int32_t>{0, 2, 1, 3});
  }

  /// Y_h, Y_c: [directions, N, values], or [N, directions, values].
  Value LastStates(std::vector<OnnxValue> states) {
    OnnxValue all = states[0];
    if (directions_ == 2) {
      QAT_ASSIGN_OR_RETURN(all, c_.build.Concat(std::move(states), 0));
    }
    return batch_first_ ? c_.build.Transpose(all, kBatchFirst) : all;
  }

  OnnxConversion& c_;
  const OnnxNode& node_;
  const Cell& cell_;
  std::string base_;
  bool backwards_ = false, batch_first_ = false;
  int32_t directions_ = 1, width_ = 0;
  float clip_ = 0;
  std::vector<RecurrentActivation> activations_;
  OnnxValue x_;  ///< [steps, N, values]

  // Of the direction that is being written.
  int32_t direction_ = 0;
  std::vector<float> recurrent_, recurrent_bias_, peepholes_;  ///< of all gates; an empty bias is 0
  std::string filter_name_;
  int32_t filter_ = -1, bias_ = -1, reset_filter_ = -1;  ///< tensors
  std::vector<OnnxValue> projected_;                     ///< of each step
  OnnxValue h_, c_state_;
};

Converted Recurrent(OnnxConversion& c, const OnnxNode& node) { return RecurrentWriter(c, node).Run(); }

constexpr OnnxConverter kConverters[] = {
    {"RNN", 3, Recurrent}, {"GRU", 3, Recurrent}, {"LSTM", 3, Recurrent}};

}  // namespace

std::span<const OnnxConverter> RecurrentConverters() { return kConverters; }

}  // namespace qat
