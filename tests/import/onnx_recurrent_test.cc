// RNN, GRU and LSTM against plain loops over the equations that ONNX prints for them.
#include <gtest/gtest.h>

#include <cmath>

#include "base/strings.h"
#include "import/import_onnx.h"
#include "support/imported_onnx.h"
#include "support/test_util.h"

namespace qat {
namespace {

using namespace testing;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

constexpr int kIn = 2, kWidth = 3;

std::vector<float> Wave(size_t count, float step, float size = 0.6f) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(std::sin(static_cast<float>(i) * step + step) * size);
  return values;
}

struct RecurrentCase {
  const char* name;
  const char* op;
  const char* direction = "forward";
  int steps = 4;
  bool bias = true, starts = false, peepholes = false, resets_after = false, couples = false,
       batch_first = false;
  float clip = 0;

  int gates() const { return op[0] == 'L' ? 4 : op[0] == 'G' ? 3 : 1; }
  int directions() const { return std::string(direction) == "bidirectional" ? 2 : 1; }
  size_t rows() const { return static_cast<size_t>(gates() * kWidth); }
  size_t Times(size_t size) const { return static_cast<size_t>(directions()) * size; }
  std::vector<float> W() const { return Wave(Times(rows() * kIn), 0.7f); }
  std::vector<float> R() const { return Wave(Times(rows() * kWidth), 1.3f); }
  std::vector<float> B() const { return Wave(Times(2 * rows()), 0.37f, bias ? 0.5f : 0); }
  std::vector<float> P() const { return Wave(Times(3 * kWidth), 0.9f, peepholes ? 0.8f : 0); }
  std::vector<float> StartH() const { return Wave(Times(kWidth), 0.5f, starts ? 0.7f : 0); }
  std::vector<float> StartC() const { return Wave(Times(kWidth), 0.8f, starts ? 0.9f : 0); }
  std::vector<float> X() const { return Wave(static_cast<size_t>(steps * kIn), 1.1f, 1.5f); }
};

std::ostream& operator<<(std::ostream& out, const RecurrentCase& c) { return out << c.name; }

/// Y [steps, directions, values], then Y_h and Y_c [directions, values].
struct States {
  std::vector<double> all, h, c;
};

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

class PlainLoops {
 public:
  PlainLoops(const RecurrentCase& c, int direction) : c_(c), d_(static_cast<size_t>(direction)) {
    const auto start = [&](const std::vector<float>& all) {
      return std::vector<double>(all.begin() + static_cast<int64_t>(d_ * kWidth),
                                 all.begin() + static_cast<int64_t>((d_ + 1) * kWidth));
    };
    h = start(c.StartH());
    cell = start(c.StartC());
  }

  void Step(const float* x) {
    const std::vector<double> before = h, cell_before = cell;
    for (size_t j = 0; j < kWidth; ++j) {
      if (c_.gates() == 1) h[j] = std::tanh(Clipped(In(x, 0, j) + State(before, 0, j)));
      if (c_.gates() == 3) h[j] = Gru(x, before, j);
      if (c_.gates() == 4) Lstm(x, before, cell_before[j], j);
    }
  }

  std::vector<double> h, cell;

 private:
  size_t Row(size_t gate, size_t j) const { return d_ * c_.rows() + gate * kWidth + j; }
  double In(const float* x, size_t gate, size_t j) const {
    double sum = c_.B()[d_ * 2 * c_.rows() + gate * kWidth + j];
    for (size_t i = 0; i < kIn; ++i) sum += double{x[i]} * c_.W()[Row(gate, j) * kIn + i];
    return sum;
  }
  double State(const std::vector<double>& state, size_t gate, size_t j) const {
    double sum = c_.B()[(d_ * 2 + 1) * c_.rows() + gate * kWidth + j];
    for (size_t i = 0; i < kWidth; ++i) sum += state[i] * c_.R()[Row(gate, j) * kWidth + i];
    return sum;
  }
  double Clipped(double x) const {
    return c_.clip > 0 ? std::clamp(x, -double{c_.clip}, double{c_.clip}) : x;
  }
  double Peephole(size_t gate, size_t j) const { return c_.P()[(d_ * 3 + gate) * kWidth + j]; }

  double Gru(const float* x, const std::vector<double>& before, size_t j) const {
    const auto gate = [&](size_t which, size_t k) {
      return Sigmoid(Clipped(In(x, which, k) + State(before, which, k)));
    };
    std::vector<double> reset = before;
    for (size_t k = 0; k < kWidth; ++k) reset[k] *= gate(1, k);
    const double from_state = c_.resets_after ? gate(1, j) * State(before, 2, j) : State(reset, 2, j);
    const double fresh = std::tanh(Clipped(In(x, 2, j) + from_state)), update = gate(0, j);
    return (1 - update) * fresh + update * before[j];
  }

  void Lstm(const float* x, const std::vector<double>& before, double cell_before, size_t j) {
    const auto sum = [&](size_t which) { return In(x, which, j) + State(before, which, j); };
    const double input = Sigmoid(Clipped(sum(0) + Peephole(0, j) * cell_before));
    const double forget = c_.couples ? 1 - input : Sigmoid(Clipped(sum(2) + Peephole(2, j) * cell_before));
    cell[j] = forget * cell_before + input * std::tanh(Clipped(sum(3)));
    h[j] = Sigmoid(Clipped(sum(1) + Peephole(1, j) * cell[j])) * std::tanh(cell[j]);
  }

  const RecurrentCase& c_;
  size_t d_;
};

States Expected(const RecurrentCase& c) {
  States states;
  const std::vector<float> x = c.X();
  states.all.resize(c.Times(static_cast<size_t>(c.steps * kWidth)));
  for (int direction = 0; direction < c.directions(); ++direction) {
    const bool backwards = direction == 1 || std::string(c.direction) == "reverse";
    PlainLoops loops(c, direction);
    for (int i = 0; i < c.steps; ++i) {
      const int t = backwards ? c.steps - 1 - i : i;
      loops.Step(&x[static_cast<size_t>(t * kIn)]);
      for (size_t j = 0; j < kWidth; ++j)
        states.all[static_cast<size_t>(t * c.directions() + direction) * kWidth + j] = loops.h[j];
    }
    states.h.insert(states.h.end(), loops.h.begin(), loops.h.end());
    states.c.insert(states.c.end(), loops.cell.begin(), loops.cell.end());
  }
  return states;
}

/// A model with one recurrent node whose output `output` is the model's.
OnnxFile ModelOf(const RecurrentCase& c, size_t output) {
  OnnxFile file;
  const int64_t d = c.directions(), rows = static_cast<int64_t>(c.rows()), steps = c.steps;
  file.Input("x", c.batch_first ? std::vector<int64_t>{1, steps, kIn} : std::vector<int64_t>{steps, 1, kIn});
  file.Constant("w", {d, rows, kIn}, c.W()).Constant("r", {d, rows, kWidth}, c.R());
  std::vector<std::string> inputs = {"x", "w", "r", "", "", "", "", ""};
  const std::vector<int64_t> state =
      c.batch_first ? std::vector<int64_t>{1, d, kWidth} : std::vector<int64_t>{d, 1, kWidth};
  if (c.bias) file.Constant(inputs[3] = "b", {d, 2 * rows}, c.B());
  if (c.starts) file.Constant(inputs[5] = "h0", state, c.StartH());
  if (c.starts && c.gates() == 4) file.Constant(inputs[6] = "c0", state, c.StartC());
  if (c.peepholes) file.Constant(inputs[7] = "p", {d, 3 * kWidth}, c.P());
  std::vector<ProtoMessage> attributes = {OnnxText("direction", c.direction), OnnxInt("hidden_size", kWidth)};
  if (c.resets_after) attributes.push_back(OnnxInt("linear_before_reset", 1));
  if (c.couples) attributes.push_back(OnnxInt("input_forget", 1));
  if (c.batch_first) attributes.push_back(OnnxInt("layout", 1));
  if (c.clip > 0) attributes.push_back(OnnxFloat("clip", c.clip));
  std::vector<std::string> outputs(output, "");
  outputs.push_back("y");
  // The name of a node is that of its first output, which here may have none.
  file.Node(c.op, inputs, outputs, attributes).Output("y");
  return file;
}

class Recurrent : public ::testing::TestWithParam<RecurrentCase> {};

TEST_P(Recurrent, ComputesOnnxsEquations) {
  const RecurrentCase& c = GetParam();
  const States expected = Expected(c);
  const std::vector<double>* const outputs[] = {&expected.all, &expected.h, &expected.c};
  for (size_t output = 0; output < (c.gates() == 4 ? 3u : 2u); ++output) {
    const std::vector<float> found = RunImported(ModelOf(c, output), c.X());
    ASSERT_EQ(found.size(), outputs[output]->size()) << output;
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], (*outputs[output])[i], 2e-6) << "output " << output << ", value " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Recurrent,
    ::testing::Values(
        RecurrentCase{"rnn", "RNN"},
        RecurrentCase{"rnn_backwards_from_a_state", "RNN", "reverse", 4, false, true},
        RecurrentCase{"rnn_both_ways_clipped", "RNN", "bidirectional", 3, true, true, false, false, false,
                      true, 0.4f},
        RecurrentCase{"gru", "GRU"},
        RecurrentCase{"gru_resets_after", "GRU", "forward", 5, true, false, false, true},
        RecurrentCase{"gru_both_ways_from_states", "GRU", "bidirectional", 3, true, true, false, true},
        RecurrentCase{"gru_backwards_without_bias", "GRU", "reverse", 4, false, true},
        RecurrentCase{"gru_of_one_step", "GRU", "forward", 1, true, false, false, true},
        RecurrentCase{"lstm", "LSTM"}, RecurrentCase{"lstm_of_one_step", "LSTM", "forward", 1},
        RecurrentCase{"lstm_peepholes_from_states", "LSTM", "forward", 4, true, true, true},
        RecurrentCase{"lstm_both_ways", "LSTM", "bidirectional", 4, true, false, true},
        RecurrentCase{"lstm_coupled_backwards", "LSTM", "reverse", 4, true, true, false, false, true},
        RecurrentCase{"lstm_batch_first_clipped", "LSTM", "forward", 4, true, true, false, false, false, true,
                      0.5f}),
    [](const auto& each) { return std::string(each.param.name); });

// The steps read one filter, so that a model grows by nodes and not by weights, and training finds one.
TEST(RecurrentImport, AllStepsReadOneFilter) {
  const auto import = Import(ModelOf({"gru", "GRU", "forward", 6, true, false, false, true}, 1));
  QAT_ASSERT_OK(import);
  int64_t products = 0, filters = 0;
  for (const GraphNode& node : import->graph.nodes) products += node.type == OpType::kFullyConnected;
  for (const GraphTensor& tensor : import->graph.tensors)
    filters += tensor.shape == Shape{3 * kWidth, kWidth};
  EXPECT_EQ(products, 6) << "one for all inputs, and one for each state but the first, which is 0";
  EXPECT_EQ(filters, 1);
}

TEST(RecurrentImport, StepsInFrontAreTakenBatchFirst) {
  std::vector<std::string> notes;
  const auto import = Import(ModelOf({"lstm", "LSTM"}, 1), &notes);
  QAT_ASSERT_OK(import);
  EXPECT_EQ(import->graph.tensor(import->graph.inputs[0]).shape, (Shape{1, 4, kIn}));
  EXPECT_EQ(notes.at(0), "input 'x' takes [1, 4, 2], the batch first; the source takes [4, 1, 2]");
}

// As PyTorch writes a bidirectional layer with `batch_first`: training takes what keeps the batch in front,
// and nothing else.
TEST(RecurrentImport, BothDirectionsJoinWithTheBatchInFront) {
  const RecurrentCase c = {"gru", "GRU", "bidirectional", 4, true, false, false, true};
  OnnxFile file;
  const auto rows = static_cast<int64_t>(c.rows());
  file.Input("x", {1, 4, kIn}).Constant("w", {2, rows, kIn}, c.W()).Constant("r", {2, rows, kWidth}, c.R());
  file.Constant("b", {2, 2 * rows}, c.B()).Constant("sizes", {3}, std::vector<int64_t>{0, 0, -1});
  file.Node("Transpose", {"x"}, {"steps"}, {OnnxInts("perm", {1, 0, 2})});
  file.Node("GRU", {"steps", "w", "r", "b"}, {"all"},
            {OnnxText("direction", c.direction), OnnxInt("linear_before_reset", 1)});
  file.Node("Transpose", {"all"}, {"pairs"}, {OnnxInts("perm", {0, 2, 1, 3})});
  file.Node("Reshape", {"pairs", "sizes"}, {"joined"})
      .Node("Transpose", {"joined"}, {"y"}, {OnnxInts("perm", {1, 0, 2})})
      .Output("y");
  const auto import = Import(file);
  QAT_ASSERT_OK(import);
  for (const GraphNode& node : import->graph.nodes) {
    EXPECT_NE(node.type, OpType::kTranspose) << node.name;
    EXPECT_NE(node.type, OpType::kReshape) << node.name;
    for (const int32_t output : node.outputs)
      EXPECT_EQ(import->graph.tensor(output).shape[0], 1) << node.name;
  }
  const std::vector<float> found = RunImported(file, c.X());
  const States expected = Expected(c);
  ASSERT_EQ(found.size(), expected.all.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected.all[i], 2e-6) << i;
}

TEST(RecurrentImport, ActivationsUseUpTheirNumbersInOrder) {
  OnnxFile file;
  file.Input("x", {1, 1, 1})
      .Constant("w", {2, 1, 1}, std::vector<float>{1, 1})
      .Constant("r", {2, 1, 1}, std::vector<float>{0, 0});
  file.Node("RNN", {"x", "w", "r"}, {"", "y"},
            {OnnxText("direction", "bidirectional"), OnnxTexts("activations", {"LeakyRelu", "scaledtanh"}),
             OnnxFloats("activation_alpha", {0.5f, 3}), OnnxFloats("activation_beta", {2})});
  file.Output("y");
  const std::vector<float> found = RunImported(file, std::vector<float>{-0.25f});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FLOAT_EQ(found[0], -0.125f);
  EXPECT_NEAR(found[1], 3 * std::tanh(-0.5f), 1e-6);
}

TEST(RecurrentImport, SaysWhatCannotBeWrittenOut) {
  EXPECT_HOLDS(ErrorOf(ModelOf({"long", "LSTM", "bidirectional", 1000}, 1), ErrorCode::kUnsupported),
               "has 1000 steps in both directions, which are 24000 nodes when written out one by one (24000 "
               "with the recurrent layers before, "
               "expected at most 20000); export the network for shorter sequences");
  OnnxFile lengths;
  lengths.Input("x", {4, 1, kIn}).Constant("w", {1, 3, kIn}, Wave(6, 1)).Constant("r", {1, 3, 3}, Wave(9, 1));
  lengths.Constant("n", {1}, std::vector<int64_t>{3})
      .Node("RNN", {"x", "w", "r", "", "n"}, {"", "y"})
      .Output("y");
  EXPECT_HOLDS(
      ErrorOf(lengths, ErrorCode::kUnsupported),
      "`sequence_lens` holds 3, its input has 4 steps; export the network for sequences of one length");
  OnnxFile computed;
  computed.Input("x", {4, 1, kIn}).Input("w", {1, 3, kIn}).Constant("r", {1, 3, 3}, Wave(9, 1));
  computed.Node("RNN", {"x", "w", "r"}, {"", "y"}).Output("y");
  EXPECT_HOLDS(ErrorOf(computed, ErrorCode::kUnsupported),
               "its `W` is computed while the network runs, expected a constant");
  OnnxFile unknown;
  unknown.Input("x", {4, 1, kIn}).Constant("w", {1, 3, kIn}, Wave(6, 1)).Constant("r", {1, 3, 3}, Wave(9, 1));
  unknown.Node("RNN", {"x", "w", "r"}, {"", "y"}, {OnnxTexts("activations", {"Affine"})}).Output("y");
  EXPECT_HOLDS(ErrorOf(unknown, ErrorCode::kUnsupported),
               "has the activation 'Affine' without its `activation_alpha` and `activation_beta`, whose "
               "defaults are not the same everywhere");
}

TEST(RecurrentImport, RefusesShapesThatContradictEachOther) {
  for (const std::vector<int64_t>& dims : {std::vector<int64_t>{1, 4, 2}, {2, 3, 2}, {1, 3, 3}, {3, 2}}) {
    OnnxFile file;
    file.Input("x", {4, 1, kIn})
        .Constant("w", dims,
                  Wave(static_cast<size_t>(dims[0] * dims[1] * (dims.size() > 2 ? dims[2] : 1)), 1));
    file.Constant("r", {1, 3, 3}, Wave(9, 1)).Node("RNN", {"x", "w", "r"}, {"", "y"}).Output("y");
    EXPECT_HOLDS(ErrorOf(file, ErrorCode::kCorrupt), "expected [1, 3, 2]");
  }
}

TEST(RecurrentImport, RefusesFiltersOfIntegers) {
  OnnxFile file;
  file.Input("x", {4, 1, kIn}).Constant("w", {1, 3, kIn}, std::vector<int64_t>(6, 1));
  file.Constant("r", {1, 3, 3}, std::vector<int64_t>(9, 1))
      .Node("RNN", {"x", "w", "r"}, {"", "y"})
      .Output("y");
  EXPECT_HOLDS(ErrorOf(file, ErrorCode::kUnsupported), "RNN: its input 1 is int64, expected real numbers");
}

// Of a layer whose outputs are read in part, too.
TEST(RecurrentImport, OfAConstantIsComputedOnce) {
  const RecurrentCase c = {"lstm", "LSTM"};
  OnnxFile file;
  file.Input("x", {1, 1, kWidth})
      .Constant("k", {4, 1, kIn}, c.X())
      .Constant("w", {1, 12, kIn}, c.W())
      .Constant("r", {1, 12, kWidth}, c.R());
  file.Constant("b", {1, 24}, c.B())
      .Node("LSTM", {"k", "w", "r", "b"}, {"", "h"})
      .Node("Add", {"h", "x"}, {"y"})
      .Output("y");
  const std::vector<float> found = RunImported(file, std::vector<float>{1, 2, 3});
  const States expected = Expected(c);
  ASSERT_EQ(found.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected.h[i] + static_cast<double>(i) + 1, 2e-6);
}

// PyTorch writes [steps, values], an example without a batch, as an Unsqueeze before the layer: what looks
// like a batch are its steps.
TEST(RecurrentImport, RefusesStepsWithoutABatch) {
  OnnxFile file;
  file.Input("x", {4, kIn})
      .Constant("one", {1}, std::vector<int64_t>{1})
      .Constant("w", {1, 3, kIn}, Wave(6, 1));
  file.Constant("r", {1, 3, 3}, Wave(9, 1))
      .Node("Unsqueeze", {"x", "one"}, {"steps"})
      .Node("RNN", {"steps", "w", "r"}, {"", "y"})
      .Output("y");
  EXPECT_HOLDS(ErrorOf(file, ErrorCode::kUnsupported),
               "input 'x': holds the steps of one example and has no batch; export the network with one");
}

}  // namespace
}  // namespace qat
