// Einsum and pools with gaps, volumes and wide pads, each against plain loops over ONNX's layouts.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "import/import_onnx.h"
#include "passes/passes.h"
#include "support/imported_onnx.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using namespace testing;

std::vector<float> Wave(int64_t count, float step) {
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(std::sin(static_cast<float>(i) * step + step) * 2);
  return values;
}

void ExpectNear(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << i;
}

struct EinsumCase {
  std::string equation, result;  ///< the result as it would be written out
  std::vector<std::string> terms;
  std::vector<Shape> shapes;
  int constant = -1;  ///< the operand that is one
};

/// The sum over all values of all letters.
std::vector<float> PlainEinsum(const EinsumCase& c, const std::vector<std::vector<float>>& operands) {
  std::map<char, int32_t> size, at;
  for (size_t i = 0; i < c.terms.size(); ++i) {
    for (size_t k = 0; k < c.terms[i].size(); ++k) size[c.terms[i][k]] = c.shapes[i][k];
  }
  const auto place = [&](const std::string& term) {
    int64_t index = 0;
    for (const char letter : term) index = index * size[letter] + at[letter];
    return static_cast<size_t>(index);
  };
  int64_t results = 1, all = 1;
  for (const char letter : c.result) results *= size[letter];
  for (const auto& [letter, count] : size) all *= count;
  std::vector<float> sums(static_cast<size_t>(results));
  for (int64_t n = 0; n < all; ++n) {
    int64_t rest = n;
    for (const auto& [letter, count] : size) {
      at[letter] = static_cast<int32_t>(rest % count);
      rest /= count;
    }
    float product = 1;
    for (size_t i = 0; i < operands.size(); ++i) product *= operands[i][place(c.terms[i])];
    sums[place(c.result)] += product;
  }
  return sums;
}

class EinsumTest : public ::testing::TestWithParam<EinsumCase> {};

TEST_P(EinsumTest, IsThatOfPlainLoops) {
  const EinsumCase& c = GetParam();
  OnnxFile file;
  std::vector<std::string> names;
  std::vector<std::vector<float>> operands, inputs;
  for (size_t i = 0; i < c.terms.size(); ++i) {
    names.push_back("x" + std::to_string(i));
    const std::vector<int64_t> dims(c.shapes[i].begin(), c.shapes[i].end());
    operands.push_back(Wave(FlatSize(c.shapes[i]), 0.7f + 0.2f * static_cast<float>(i)));
    if (static_cast<int>(i) == c.constant) {
      file.Constant(names[i], dims, operands[i]);
    } else {
      file.Input(names[i], dims);
      inputs.push_back(operands[i]);
    }
  }
  // A product keeps inputs of four axes from being taken as pictures.
  for (const std::string& name : names)
    file.Node("Transpose", {name}, {name + "_t"}).Node("Transpose", {name + "_t"}, {name + "_u"});
  std::vector<std::string> used;
  for (const std::string& name : names) used.push_back(name + "_u");
  file.Node("Einsum", used, {"y"}, {OnnxText("equation", c.equation)}).Output("y");
  ExpectNear(RunImported(file, inputs), PlainEinsum(c, operands));
}

INSTANTIATE_TEST_SUITE_P(
    Equations, EinsumTest,
    ::testing::Values(
        EinsumCase{"bij,bjk->bik", "bik", {"bij", "bjk"}, {{1, 3, 4}, {1, 4, 5}}},
        EinsumCase{"bhqd,bhkd->bhqk", "bhqk", {"bhqd", "bhkd"}, {{1, 2, 3, 4}, {1, 2, 5, 4}}},
        EinsumCase{"bhqk,bhkd->bqhd", "bqhd", {"bhqk", "bhkd"}, {{1, 2, 3, 4}, {1, 2, 4, 5}}},
        EinsumCase{"btc,dc->btd", "btd", {"btc", "dc"}, {{1, 5, 8}, {6, 8}}, 1},
        EinsumCase{"hcd, btc -> bthd", "bthd", {"hcd", "btc"}, {{2, 4, 3}, {1, 5, 4}}, 0},
        EinsumCase{"bthd,hdc->btc", "btc", {"bthd", "hdc"}, {{1, 5, 2, 3}, {2, 3, 4}}, 1},
        EinsumCase{"nchw,ndhw->ncd", "ncd", {"nchw", "ndhw"}, {{1, 2, 3, 4}, {1, 5, 3, 4}}},
        EinsumCase{"bc,bc->b", "b", {"bc", "bc"}, {{1, 6}, {1, 6}}},
        EinsumCase{"bi,bj->bij", "bij", {"bi", "bj"}, {{1, 3}, {1, 4}}},
        EinsumCase{"bhij->bhji", "bhji", {"bhij"}, {{1, 2, 3, 4}}},
        EinsumCase{"bij->bj", "bj", {"bij"}, {{1, 3, 4}}},
        EinsumCase{"bij,bjk", "bik", {"bij", "bjk"}, {{1, 3, 4}, {1, 4, 5}}},
        EinsumCase{"...ij,...jk->...ik", "bhik", {"bhij", "bhjk"}, {{1, 2, 3, 4}, {1, 2, 4, 5}}},
        EinsumCase{"bij,bjk,bkl->bil", "bil", {"bij", "bjk", "bkl"}, {{1, 2, 3}, {1, 3, 4}, {1, 4, 2}}},
        EinsumCase{"bij,bjk->bk", "bk", {"bij", "bjk"}, {{1, 3, 4}, {1, 4, 5}}}),
    [](const auto& each) { return "case" + std::to_string(each.index); });

TEST(Einsum, WhatItCannotSayIsRefused) {
  const auto error = [](const std::string& equation) {
    OnnxFile file;
    file.Input("x", {1, 3, 3}).Node("Einsum", {"x"}, {"y"}, {OnnxText("equation", equation)}).Output("y");
    const auto import = Import(file);
    return import.ok() ? std::string() : import.error().message;
  };
  EXPECT_NE(error("bii->bi").find("takes a diagonal"), std::string::npos);
  for (const std::string equation : {"bij->bjz", "bijk->b", "b-j->b", "bij,bjk->bik", "", "bij->bb"})
    EXPECT_NE(error(equation).find("expected letters for the axes of each operand"), std::string::npos)
        << equation;
}

struct AttentionCase {
  int32_t heads, key_heads, queries, keys;
  bool causal;
  int64_t left;
  float cap;
};

class AttentionTest : public ::testing::TestWithParam<AttentionCase> {};

TEST_P(AttentionTest, IsThatOfPlainLoops) {
  const AttentionCase& c = GetParam();
  constexpr int32_t kSize = 4;
  const auto q = Wave(int64_t{c.heads} * c.queries * kSize, 0.7f),
             k = Wave(int64_t{c.key_heads} * c.keys * kSize, 0.9f),
             v = Wave(int64_t{c.key_heads} * c.keys * kSize, 1.1f);
  // [1, steps, heads * 4], as the operator takes three axes.
  std::vector<float> expected(static_cast<size_t>(c.heads * c.queries * kSize));
  for (int32_t h = 0; h < c.heads; ++h) {
    const int32_t own = h / (c.heads / c.key_heads);
    for (int32_t i = 0; i < c.queries; ++i) {
      std::vector<double> weights;
      double sum = 0;
      for (int32_t j = 0; j < c.keys; ++j) {
        double score = 0;
        for (int32_t e = 0; e < kSize; ++e)
          score += double{q[static_cast<size_t>((i * c.heads + h) * kSize + e)]} *
                   k[static_cast<size_t>((j * c.key_heads + own) * kSize + e)] / 2;
        if (c.cap > 0) score = c.cap * std::tanh(score / c.cap);
        const bool hidden = (c.causal && j > i) || (c.left >= 0 && i - j > c.left);
        weights.push_back(hidden ? 0 : std::exp(score));
        sum += weights.back();
      }
      for (int32_t e = 0; e < kSize; ++e) {
        double value = 0;
        for (int32_t j = 0; j < c.keys; ++j)
          value += weights[static_cast<size_t>(j)] / sum *
                   v[static_cast<size_t>((j * c.key_heads + own) * kSize + e)];
        expected[static_cast<size_t>((i * c.heads + h) * kSize + e)] = static_cast<float>(value);
      }
    }
  }
  OnnxFile file(25);
  file.Input("q", {1, c.queries, c.heads * kSize})
      .Input("k", {1, c.keys, c.key_heads * kSize})
      .Input("v", {1, c.keys, c.key_heads * kSize});
  file.Node(
      "Attention", {"q", "k", "v"}, {"y"},
      {OnnxInt("q_num_heads", c.heads), OnnxInt("kv_num_heads", c.key_heads), OnnxInt("is_causal", c.causal),
       OnnxInt("left_window_size", c.left), OnnxFloat("softcap", c.cap)});
  file.Output("y");
  ExpectNear(RunImported(file, {q, k, v}), expected);
}

INSTANTIATE_TEST_SUITE_P(Forms, AttentionTest,
                         ::testing::Values(AttentionCase{2, 2, 3, 5, false, -1, 0},
                                           AttentionCase{2, 2, 5, 5, true, -1, 0},
                                           AttentionCase{4, 2, 3, 3, true, 1, 0},
                                           AttentionCase{3, 1, 3, 4, false, -1, 2}),
                         [](const auto& each) { return "case" + std::to_string(each.index); });

TEST(Attention, WhatItCannotSayIsRefused) {
  OnnxFile file(25);
  file.Input("q", {1, 3, 8}).Input("k", {1, 3, 8}).Input("v", {1, 3, 8});
  file.Node("Attention", {"q", "k", "v"}, {"y"}, {OnnxInt("q_num_heads", 3), OnnxInt("kv_num_heads", 2)})
      .Output("y");
  const auto import = Import(file);
  ASSERT_FALSE(import.ok());
  EXPECT_NE(import.error().message.find("input 0 is [1, 3, 8], `q_num_heads` is 3"), std::string::npos)
      << import.error().message;
}

struct PoolCase {
  int32_t input, kernel, stride, dilation, before, after;
  bool ceil;
};

class MaxPoolTest : public ::testing::TestWithParam<PoolCase> {};

// Rows of negative numbers, of which zeros in the pads would be the largest.
TEST_P(MaxPoolTest, IsThatOfPlainLoops) {
  const PoolCase& c = GetParam();
  std::vector<float> x = Wave(c.input, 1.3f);
  for (float& value : x) value -= 5;
  const int32_t span = c.input + c.before + c.after - (c.kernel - 1) * c.dilation - 1;
  int32_t outputs = span / c.stride + 1;
  if (c.ceil && span % c.stride != 0 && outputs * c.stride < c.input + c.before) ++outputs;
  std::vector<float> expected;
  for (int32_t i = 0; i < outputs; ++i) {
    float largest = -INFINITY;
    for (int32_t k = 0; k < c.kernel; ++k) {
      const int32_t at = i * c.stride - c.before + k * c.dilation;
      if (at >= 0 && at < c.input) largest = std::max(largest, x[static_cast<size_t>(at)]);
    }
    expected.push_back(largest);
  }
  const std::vector<ProtoMessage> attributes = {
      OnnxInts("kernel_shape", {c.kernel}), OnnxInts("strides", {c.stride}),
      OnnxInts("dilations", {c.dilation}), OnnxInts("pads", {c.before, c.after}),
      OnnxInt("ceil_mode", c.ceil)};
  OnnxFile series;
  series.Input("x", {1, 1, c.input}).Node("MaxPool", {"x"}, {"y"}, attributes).Output("y");
  ExpectNear(RunImported(series, {x}), expected);
  // The same over channels, as a volume has it.
  OnnxFile volume;
  volume.Input("x", {1, c.input}).Constant("s", {5}, std::vector<int64_t>{1, 1, c.input, 1, 1});
  volume.Node("Reshape", {"x", "s"}, {"v"});
  volume.Node("MaxPool", {"v"}, {"p"},
              {OnnxInts("kernel_shape", {c.kernel, 1, 1}), OnnxInts("strides", {c.stride, 1, 1}),
               OnnxInts("dilations", {c.dilation, 1, 1}), OnnxInts("pads", {c.before, 0, 0, c.after, 0, 0}),
               OnnxInt("ceil_mode", c.ceil)});
  volume.Node("Flatten", {"p"}, {"y"}).Output("y");
  ExpectNear(RunImported(volume, {x}), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Windows, MaxPoolTest,
    ::testing::Values(PoolCase{8, 3, 2, 1, 1, 1, true},   // PyTorch's ceil_mode
                      PoolCase{8, 5, 1, 1, 4, 4, false},  // pads wider than half of the window
                      PoolCase{9, 2, 2, 3, 0, 0, false},  // gaps
                      PoolCase{9, 3, 1, 2, 2, 2, false},  // gaps and pads
                      PoolCase{10, 3, 3, 2, 1, 2, true},  // gaps, pads and half a window at the end
                      PoolCase{7, 3, 2, 1, 0, 0, false}),
    [](const auto& each) { return "case" + std::to_string(each.index); });

// torch.onnx.export(..., dynamo=True, optimize=False) cuts tensors into lists.
TEST(ImportOnnx, EntriesOfListsAreValues) {
  OnnxFile file;
  file.Input("x", {1, 6})
      .Constant("sizes", {2}, std::vector<int64_t>{4, 2})
      .Constant("two", {}, std::vector<int64_t>{2});
  file.Constant("last", {}, std::vector<int64_t>{-1}).Constant("zero", {}, std::vector<int64_t>{0});
  file.Node("SplitToSequence", {"x", "sizes"}, {"list"}, {OnnxInt("axis", 1)});
  file.Node("SequenceAt", {"list", "last"}, {"b"}).Node("SequenceAt", {"list", "zero"}, {"a"});
  file.Node("SplitToSequence", {"a", "two"}, {"pairs"}, {OnnxInt("axis", 1)});
  file.Node("SequenceAt", {"pairs", "zero"}, {"c"}).Node("Neg", {"b"}, {"n"});
  file.Node("SequenceConstruct", {"n", "c"}, {"both"});
  file.Node("ConcatFromSequence", {"both"}, {"y"}, {OnnxInt("axis", 1)}).Output("y");
  ExpectNear(RunImported(file, {1, 2, 3, 4, 5, 6}), {-5, -6, 1, 2});
  OnnxFile beyond;
  beyond.Input("x", {1, 2})
      .Constant("at", {}, std::vector<int64_t>{7})
      .Node("SequenceConstruct", {"x"}, {"list"});
  beyond.Node("SequenceAt", {"list", "at"}, {"y"}).Output("y");
  const auto import = Import(beyond);
  ASSERT_FALSE(import.ok());
  EXPECT_NE(import.error().message.find("reads entry 7 of 1"), std::string::npos) << import.error().message;
}

// y = x.clone(); y[:, 1] = 10 * x[:, 0]; then two rows of y, as Swin transformers read their tables.
TEST(ImportOnnx, PlacesThatAreKnownAreReadAndWritten) {
  for (const bool constant : {false, true}) {
    OnnxFile file;
    file.Input("x", {1, 6})
        .Constant("shape", {3}, std::vector<int64_t>{1, 3, 2})
        .Constant("ten", {}, std::vector<float>{10});
    const std::string data = constant ? "table" : "rows";
    file.Node("Reshape", {"x", "shape"}, {"rows"});
    if (constant) file.Constant("table", {1, 3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
    file.Constant("at", {1, 1, 2}, std::vector<int64_t>{0, -2});
    file.Constant("from", {1, 1, 2}, std::vector<int64_t>{0, 0});
    file.Node("GatherND", {data, "from"}, {"top"}).Node("Mul", {"top", "ten"}, {"update"});
    file.Node("ScatterND", {data, "at", "update"}, {"written"});
    file.Constant("two", {1, 2, 2}, std::vector<int64_t>{0, 1, 0, 2})
        .Node("GatherND", {"written", "two"}, {"read"});
    file.Constant("flat", {2}, std::vector<int64_t>{1, -1});
    if (constant) {
      file.Node("Reshape", {"read", "flat"}, {"r"});
      file.Constant("part", {4}, std::vector<int64_t>{0, 1, 2, 3})
          .Node("Gather", {"x", "part"}, {"xs"}, {OnnxInt("axis", 1)});
      file.Node("Add", {"xs", "r"}, {"y"}).Output("y");
      ExpectNear(RunImported(file, {0, 0, 0, 0, 7, 7}), {10, 20, 5, 6});
    } else {
      file.Node("Reshape", {"read", "flat"}, {"y"}).Output("y");
      ExpectNear(RunImported(file, {1, 2, 3, 4, 5, 6}), {10, 20, 5, 6});
    }
  }
}

// torch.nn.functional.normalize of a flattened map, and of the channels at each place.
TEST(ImportOnnx, VectorsThatAreDividedByTheirLengthAreOneOperator) {
  for (const bool flat : {false, true}) {
    OnnxFile file;
    file.Input("x", {1, 3, 2, 2}).Node("MaxPool", {"x"}, {"p"}, {OnnxInts("kernel_shape", {1, 1})});
    file.Node("Flatten", {"p"}, {"f"})
        .Constant("axes", {1}, std::vector<int64_t>{1})
        .Constant("least", {}, std::vector<float>{1e-12f});
    const std::string data = flat ? "f" : "p";
    file.Constant("shape", {flat ? 2 : 4},
                  flat ? std::vector<int64_t>{1, 12} : std::vector<int64_t>{1, 3, 2, 2});
    file.Node("ReduceL2", {data, "axes"}, {"n"}, {OnnxInt("keepdims", 1)})
        .Node("Clip", {"n", "least", ""}, {"c"});
    file.Node("Expand", {"c", "shape"}, {"e"})
        .Node("Div", {data, "e"}, {"d"})
        .Node("Relu", {"d"}, {"y"})
        .Output("y");
    const auto import = Import(file);
    ASSERT_TRUE(import.ok()) << import.error().message;
    const auto count = [&](OpType type) {
      return std::count_if(import->graph.nodes.begin(), import->graph.nodes.end(),
                           [&](const GraphNode& node) { return node.type == type; });
    };
    EXPECT_EQ(count(OpType::kL2Normalization), 1);
    EXPECT_EQ(count(OpType::kDiv), 0);
    const std::vector<float> x = Wave(12, 0.8f);  // [C, H * W]
    std::vector<float> first(12), last(12);
    for (size_t place = 0; place < 4; ++place) {
      for (size_t channel = 0; channel < 3; ++channel) {
        double sum = 0;
        for (size_t i = 0; i < 12; ++i) sum += flat || i % 4 == place ? double{x[i]} * x[i] : 0;
        first[channel * 4 + place] = last[place * 3 + channel] =
            static_cast<float>(std::max(x[channel * 4 + place] / std::sqrt(sum), 0.0));
      }
    }
    std::vector<float> pixels;
    for (size_t i = 0; i < 12; ++i) pixels.push_back(x[i % 3 * 4 + i / 3]);
    ExpectNear(RunImported(file, {pixels}), flat ? first : last);
  }
}

// As exports of masked_fill and of an additive mask have causal attention.
TEST(ImportOnnx, WhatHidesScoresFromASoftmaxIsAdded) {
  const float inf = -INFINITY, lowest = std::numeric_limits<float>::lowest();
  const std::vector<float> scores = {1, 5, 2, 3};
  const float second = 1 / (1 + std::exp(1.0f));  // of 2 beside 3
  for (const bool chosen : {false, true}) {
    OnnxFile file;
    file.Input("x", {1, 2, 2});
    if (chosen) {
      file.Constant("m", {2, 2}, std::vector<int64_t>{0, 1, 0, 0})
          .Constant("hide", {}, std::vector<float>{inf});
      file.Node("Cast", {"m"}, {"c"}, {OnnxInt("to", 9)}).Node("Where", {"c", "hide", "x"}, {"s"});
    } else {
      file.Constant("m", {2, 2}, std::vector<float>{0, lowest, 0, 0}).Node("Add", {"x", "m"}, {"s"});
    }
    file.Node("Softmax", {"s"}, {"y"}, {OnnxInt("axis", -1)}).Output("y");
    ExpectNear(RunImported(file, {scores}), {1, 0, second, 1 - second});
    const auto import = Import(file);
    ASSERT_TRUE(import.ok());
    EXPECT_EQ(import->graph.nodes[0].type, OpType::kAdd);
  }
}

TEST(ImportOnnx, TokensKeepTheirOrder) {
  OnnxFile file;
  file.Input("x", {1, 2, 3}).Constant("w", {3, 3}, Wave(9, 1)).Node("MatMul", {"x", "w"}, {"m"});
  file.Node("Transpose", {"m"}, {"y"}, {OnnxInts("perm", {0, 2, 1})}).Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok());
  EXPECT_EQ(import->graph.tensor(import->graph.outputs[0]).shape, (Shape{1, 3, 2}));
}

TEST(MaxPool, AWindowInItsPadsAloneIsRefused) {
  OnnxFile file;
  file.Input("x", {1, 1, 4})
      .Node("MaxPool", {"x"}, {"y"}, {OnnxInts("kernel_shape", {2}), OnnxInts("pads", {2, 0})})
      .Output("y");
  const auto import = Import(file);
  ASSERT_FALSE(import.ok());
  EXPECT_NE(import.error().message.find("a window lies in its pads alone"), std::string::npos)
      << import.error().message;
}

// The transpose is the input with other names of its axes, which must not become those of the input.
TEST(ImportOnnx, AnInputKeepsItsOwnOrderBesideItsTranspose) {
  OnnxFile file;
  file.Input("z", {1, 3, 4}).Node("Transpose", {"z"}, {"a"}, {OnnxInts("perm", {1, 0, 2})});
  file.Node("Relu", {"a"}, {"r"}).Node("Transpose", {"r"}, {"y"}, {OnnxInts("perm", {1, 0, 2})}).Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok()) << import.error().message;
  EXPECT_EQ(import->orders.at("z"), (AxisOrder{0, 1, 2}));
}

}  // namespace
}  // namespace qat
