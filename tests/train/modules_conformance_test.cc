// Every operator of a spec, alone or behind what makes its inputs differ: what its module simulates is, byte
// for byte, what the frozen and converted model computes in the runtime's reference kernels; training's fake
// quantization is close to it; gradients are those of the reals.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <set>
#include <tuple>

#include "base/random.h"
#include "base/strings.h"
#include "contract/input_params.h"
#include "spec/build_graph.h"
#include "support/test_util.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/network.h"

namespace qat {
namespace {

using testing::ValuesInNhwc;

/// What a case can be computed on, besides reals.
enum class On { kBoth, kInt8, kReals };

struct Case {
  std::string name;
  std::string layers;
  On on = On::kBoth;
  bool rounds_alike = true;  ///< false: the integers are not the rounded reals
};

// A [[layer]] block; `keys` are lines.
std::string Layer(const std::string& name, const std::string& op, const std::string& keys = "",
                  const std::string& inputs = "") {
  return "[[layer]]\nname = \"" + name + "\"\nop = \"" + op + "\"\n" +
         (inputs.empty() ? "" : "inputs = [" + inputs + "]\n") + keys + "\n";
}

constexpr int32_t kHeight = 5, kWidth = 7, kChannels = 6;

// Channels `begin` to `begin + size` of the image, under a range of their own.
std::string Part(const std::string& name, int begin, int size) {
  return Layer(name + "_raw", "slice", StrCat("begin = [0, 0, ", begin, "]\nsize = [-1, -1, ", size, "]"),
               "\"input\"") +
         Layer(name, "quantize");
}

std::string Ranged() { return Layer("ranged", "quantize"); }

// The image and its halves under three ranges, then one operator on them.
Case Unary(const std::string& op, const std::string& keys = "") {
  return {op + (keys.empty() ? "" : " " + keys), Ranged() + Layer("out", op, keys)};
}
Case Pair(const std::string& op, const std::string& keys = "") {
  return {"pair " + op + " " + keys,
          Part("a", 0, 3) + Part("b", 3, 3) + Layer("out", op, keys, "\"a\", \"b\"")};
}
Case OnInt8(Case each) { return {each.name, each.layers, On::kInt8}; }
// One that only the last layer of a network cannot be, or that makes rows of the image.
Case Then(const Case& first, const std::string& more) {
  return {first.name + " then " + more.substr(0, 60), first.layers + more};
}

std::vector<Case> BinaryCases() {
  std::vector<Case> cases;
  for (const std::string op : {"add", "sub", "mul"}) {
    cases.push_back(Pair(op));
    for (const std::string activation : {"relu", "relu6", "relu_n1_to_1"}) {
      cases.push_back(Pair(op, "activation = \"" + activation + "\""));
    }
    const std::string wide = Part("a", 0, 3) + Part("b", 3, 3);
    cases.push_back(
        {op + " broadcasts an image of 1x1", wide + Layer("small", "mean", "keep_dims = true", "\"b\"") +
                                                 Layer("out", op, "", "\"a\", \"small\"")});
    cases.push_back({op + " broadcasts one channel and one row",
                     wide + Layer("channel", "slice", "begin = [0, 0, 1]\nsize = [-1, -1, 1]", "\"a\"") +
                         Layer("row", "slice", "begin = [2, 0, 0]\nsize = [1, -1, -1]", "\"b\"") +
                         Layer("out", op, "", "\"channel\", \"row\"")});
    if (op == "sub") continue;
    cases.push_back(
        {op + " of one tensor with itself", Ranged() + Layer("out", op, "", "\"ranged\", \"ranged\"")});
  }
  for (const std::string op : {"maximum", "minimum"}) cases.push_back(Pair(op));
  cases.push_back(Unary("prelu"));
  cases.push_back(Unary("prelu", "slope = -0.6"));
  cases.push_back(
      {"prelu of rows", Ranged() + Layer("rows", "reshape", "shape = [35, 6]") + Layer("out", "prelu")});
  return cases;
}

std::vector<Case> UnaryCases() {
  std::vector<Case> cases;
  for (const std::string op :
       {"relu", "relu6", "relu_n1_to_1", "hard_swish", "logistic", "tanh", "quantize", "reshape"}) {
    cases.push_back(Unary(op));
  }
  for (const std::string alpha : {"0.0", "0.01", "0.3", "1.0"})
    cases.push_back(Unary("leaky_relu", "alpha = " + alpha));
  for (const std::string keys : {"", "beta = 0.25", "beta = 4"}) {
    cases.push_back(Then(Unary("softmax", keys), Layer("rows", "reshape")));
  }
  cases.push_back({"softmax of many", Ranged() + Layer("many", "reshape") + Layer("soft", "softmax") +
                                          Layer("out", "reshape", "shape = [7, 30]")});
  for (const std::string axes : {"[1, 2]", "[1]", "[3]", "[-1]", "[2, 3]", "[1, 2, 3]"}) {
    cases.push_back(Unary("mean", "axes = " + axes));
    cases.push_back(Unary("mean", "axes = " + axes + "\nkeep_dims = true"));
    cases.push_back(Unary("reduce_max", "axes = " + axes));
    cases.push_back(Unary("reduce_max", "axes = " + axes + "\nkeep_dims = true"));
  }
  return cases;
}

std::vector<Case> MovingCases() {
  const std::string three = Part("a", 0, 1) + Part("b", 1, 2) + Part("c", 3, 3);
  std::vector<Case> cases = {
      {"concatenation", three + Layer("out", "concatenation", "", "\"c\", \"a\", \"b\", \"a\"")},
      {"concatenation of rows",
       Part("a", 0, 3) + Part("b", 3, 3) + Layer("out", "concatenation", "axis = 1", "\"b\", \"a\"")},
      {"concatenation of rank 2", Part("a", 0, 3) + Layer("x", "mean") + Part("b", 2, 4) +
                                      Layer("y", "mean") + Layer("out", "concatenation", "", "\"x\", \"y\"")},
      {"concatenation with the image",
       Part("a", 0, 3) + Layer("out", "concatenation", "", "\"a\", \"input\"")},
      {"concatenation with fixed ranges", Part("a", 0, 3) + Layer("x", "logistic") +
                                              Layer("y", "tanh", "", "\"a\"") +
                                              Layer("out", "concatenation", "", "\"x\", \"y\", \"a\"")},
      Unary("pad", "pads = [1, 2, 0, 3]"),
      Unary("pad", "pads = [0, 1, 2, 0, 1, 1]"),
      Then(Unary("mean"), Layer("padded", "pad", "pads = [2, 1]")),
      Unary("slice", "begin = [1, 0, 2]\nsize = [-1, 3, 2]"),
      Unary("strided_slice", "begin = [1, -6, 0]\nend = [5, -1, 6]\nstrides = [2, 3, 4]"),
      Unary("transpose", "perm = [0, 2, 1, 3]"),
      Unary("transpose", "perm = [0, 3, 1, 2]"),
      {"transpose of rank 3", Ranged() + Layer("rows", "reshape", "shape = [35, 6]") +
                                  Layer("out", "transpose", "perm = [0, 2, 1]")},
      {"transpose of rank 5", Ranged() + Layer("rows", "reshape", "shape = [5, 7, 2, 3]") +
                                  Layer("out", "transpose", "perm = [0, 4, 2, 1, 3]")},
      Then(Unary("mean", "keep_dims = true"), Layer("flat", "squeeze", "axes = [1, 2]")),
      Then(Unary("mean", "axes = [1]\nkeep_dims = true"), Layer("flat", "squeeze", "axes = [-3]")),
      Then(Unary("mean", "axes = [1]"), Layer("deep", "expand_dims", "axis = 2")),
      Then(Unary("mean"), Layer("deep", "expand_dims", "axis = -1")),
      {"split into equal parts", Ranged() + Layer("cut", "split", "parts = 3") +
                                     Layer("out", "concatenation", "", "\"cut:2\", \"cut:0\", \"cut:1\"")},
      {"split of rows into given sizes",
       Ranged() + Layer("cut", "split", "parts = [1, -1, 2]\naxis = 2") +
           Layer("out", "concatenation", "axis = 2", "\"cut:2\", \"cut:0\", \"cut:1\"")},
  };
  for (const std::string op : {"resize_bilinear", "resize_nearest_neighbor"}) {
    for (const std::string where :
         {"", "half_pixel_centers = true\n", "half_pixel_centers = false\n", "align_corners = true\n"}) {
      for (const std::string size : {"scale = 2", "size = [3, 11]", "size = [1, 4]", "size = [13, 2]"}) {
        cases.push_back(Unary(op, where + size));
      }
    }
  }
  return cases;
}

std::vector<Case> FilterCases() {
  const std::string transposed = "filters = 4\n";
  return {
      Unary("conv_2d", "filters = 4\nkernel = [3, 2]\nstride = [2, 1]\nactivation = \"relu6\""),
      Unary("conv_2d", "filters = 4\nkernel = 3\ngroups = 2"),
      Unary("conv_2d", "filters = 3\nkernel = 3\npadding = [2, 0, 1, 1]\nstride = 2"),
      Unary("conv_2d", "filters = 4\nkernel = 3\nbatch_norm = true\nactivation = \"relu\""),
      Unary("depthwise_conv_2d", "kernel = 3\nmultiplier = 2\nstride = 2"),
      Unary("depthwise_conv_2d", "kernel = [2, 3]\npadding = \"valid\"\nbatch_norm = true"),
      Unary("transpose_conv", transposed + "kernel = 3\nstride = 2"),
      Unary("transpose_conv", transposed + "kernel = [3, 2]\nstride = [1, 2]\npadding = \"valid\""),
      Unary("transpose_conv", transposed + "kernel = 2\nstride = 3\npadding = \"valid\""),
      Unary("transpose_conv", transposed + "kernel = 1\nstride = 2"),
      Unary("transpose_conv", transposed + "kernel = 4\nstride = 2\nactivation = \"relu\""),
      Unary("fully_connected", "units = 5\nactivation = \"relu_n1_to_1\""),
      Unary("fully_connected", "units = 5\nbatch_norm = true"),
      Unary("max_pool_2d", "window = 3\nstride = 2\npadding = \"same\""),
      Unary("average_pool_2d", "window = [3, 2]\nstride = 1\npadding = \"same\""),
  };
}

// A function of numbers above zero.
Case Positive(const std::string& op) {
  return {op + " of numbers above zero", Ranged() + Layer("positive", "logistic") + Layer("out", op)};
}

std::vector<Case> FunctionCases() {
  std::vector<Case> cases = {
      Unary("gelu"),
      Unary("gelu", "approximate = true"),
      Unary("log_softmax"),
      Unary("l2_normalization"),
      {"log_softmax of many", Ranged() + Layer("many", "reshape") + Layer("out", "log_softmax")},
      {"l2_normalization of many", Ranged() + Layer("many", "reshape") + Layer("out", "l2_normalization")},
      OnInt8(Unary("exp")),
      OnInt8(Unary("abs")),
      OnInt8(Unary("elu")),
      OnInt8(Positive("log")),
      OnInt8(Positive("sqrt")),
      OnInt8(Positive("rsqrt")),
      OnInt8(Pair("squared_difference")),
      OnInt8(Pair("batch_matmul", "adjoint_b = true")),
      OnInt8(Pair("batch_matmul", "adjoint_a = true"))};
  for (const std::string axes : {"[1, 2]", "[1]", "[3]", "[-1]", "[2, 3]"}) {
    for (const std::string keep : {"", "\nkeep_dims = true"}) {
      cases.push_back(Unary("sum", "axes = " + axes + keep));
      cases.push_back(Unary("reduce_min", "axes = " + axes + keep));
    }
  }
  const std::string two = Part("a", 0, 3) + Part("b", 3, 3);
  const std::string row = Layer("row", "slice", "begin = [2, 0, 0]\nsize = [1, -1, -1]", "\"b\"");
  cases.push_back(OnInt8({"batch_matmul broadcasts one matrix",
                          two + row + Layer("out", "batch_matmul", "adjoint_b = true", "\"a\", \"row\"")}));
  cases.push_back(OnInt8({"batch_matmul of rows",
                          Ranged() + Layer("rows", "reshape", "shape = [35, 6]") + Layer("m", "quantize") +
                              Layer("out", "batch_matmul", "adjoint_a = true", "\"rows\", \"m\"")}));
  cases.push_back(OnInt8({"squared_difference broadcasts",
                          two + row + Layer("out", "squared_difference", "", "\"a\", \"row\"")}));
  // TFLite's integer div takes small quotients for large ones (lib/runtime/kernels/reference/quotient.h).
  const std::string divisor = Part("a", 0, 3) + Part("b", 3, 3) + Layer("positive", "logistic");
  for (const std::string keys : {"", "activation = \"relu\""}) {
    cases.push_back(
        {"div " + keys, divisor + Layer("out", "div", keys, "\"a\", \"positive\""), On::kBoth, false});
  }
  return cases;
}

std::vector<Case> MoreMovingCases() {
  const std::string even = Ranged() + Layer("even", "pad", "pads = [0, 1, 1, 0]");
  std::vector<Case> cases = {
      {"space_to_depth", even + Layer("out", "space_to_depth")},
      {"depth_to_space", Ranged() + Layer("four", "slice", "begin = [0, 0, 1]\nsize = [-1, -1, 4]") +
                             Layer("out", "depth_to_space")},
      {"depth_to_space of three", Part("a", 0, 6) + Part("b", 1, 3) +
                                      Layer("nine", "concatenation", "", "\"a\", \"b\"") +
                                      Layer("out", "depth_to_space", "block = 3")},
      Unary("tile", "multiples = [2, 1, 3]"),
      Then(Unary("mean"), Layer("more", "tile", "multiples = [4]")),
      {"broadcast_to", Ranged() + Layer("one", "slice", "begin = [0, 2, 0]\nsize = [-1, 1, -1]") +
                           Layer("out", "broadcast_to", "shape = [5, 4, 6]")},
      Unary("gather", "indices = [5, 0, 0, 3]"),
      Unary("gather", "indices = [4, 1]\naxis = 1"),
      Unary("reverse_v2", "axes = [1]"),
      Unary("reverse_v2", "axes = [-1, 2]"),
      Unary("mirror_pad", "pads = [1, 2, 0, 3]"),
      Unary("mirror_pad", "pads = [1, 5, 0, 2, 3, 0]\nmode = \"symmetric\""),
      Then(Unary("mean", "axes = [1]"), Layer("turned", "reverse_v2", "axes = [1]")),
      Then(Unary("mean", "axes = [1]"), Layer("framed", "mirror_pad", "pads = [2, 6, 5, 1]")),
  };
  for (const std::string axis : {"1", "-1", "3"}) cases.push_back(Pair("pack", "axis = " + axis));
  cases.push_back({"pack of rows", Part("a", 0, 3) + Layer("x", "mean", "axes = [1]") + Part("b", 3, 3) +
                                       Layer("y", "mean", "axes = [1]") +
                                       Layer("out", "pack", "axis = 2", "\"x\", \"y\"")});
  return cases;
}

std::vector<Case> RealCases() {
  std::vector<Case> cases = {Unary("square"),
                             Unary("neg"),
                             Unary("sin"),
                             Unary("cos"),
                             Unary("reduce_prod", "axes = [2]"),
                             Unary("reduce_prod", "axes = [3, 1]\nkeep_dims = true"),
                             Unary("cumsum"),
                             Unary("cumsum", "axis = 1\nexclusive = true"),
                             Unary("cumsum", "axis = 2\nreverse = true"),
                             Unary("cumsum", "exclusive = true\nreverse = true"),
                             {"pow", Part("a", 0, 3) + Layer("base", "logistic") + Part("b", 3, 3) +
                                         Layer("out", "pow", "", "\"base\", \"b\"")}};
  for (Case& each : cases) each.on = On::kReals;
  return cases;
}

std::vector<Case> AllCases() {
  std::vector<Case> all;
  for (const auto& some :
       {BinaryCases(), UnaryCases(), MovingCases(), FilterCases(), FunctionCases(), MoreMovingCases()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<std::tuple<Case, Scheme>> WithSchemes(const std::vector<Case>& cases) {
  std::vector<std::tuple<Case, Scheme>> all;
  for (const Case& each : cases) {
    if (each.on == On::kBoth) all.emplace_back(each, Scheme::kUInt8);
    all.emplace_back(each, Scheme::kInt8);
  }
  return all;
}

std::vector<Case> CasesOnReals() {
  std::vector<Case> all = AllCases();
  for (const Case& each : RealCases()) all.push_back(each);
  return all;
}

std::string PlainName(std::string name, size_t index) {
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return StrCat(name, "_", index);
}

// A network of one case whose parameters, ranges and input are drawn by `seed`; scales from 1e-3 to 1e3. In a
// tame one real values are about 1, the ranges in front of the operator are the image's, and later steps are
// not finer: a value rounded differently on the way is no more than a step in the end.
class Drawn {
 public:
  Drawn(const Case& each, Scheme scheme, uint64_t seed, bool tame = false)
      : scheme_(scheme), tame_(tame), random_(seed) {
    checkpoint_.scheme = NameOf(scheme);
    text_ = StrCat("name = \"drawn\"\n[input]\nheight = ", kHeight, "\nwidth = ", kWidth,
                   "\nchannels = ", kChannels, "\n", each.layers);
    const auto mean = static_cast<float>(random_.Between(0, 255));
    if (!tame) magnitude_ = std::pow(10.0f, static_cast<float>(random_.Between(-30, 30)) / 10);
    checkpoint_.contract = {kHeight,
                            kWidth,
                            kChannels,
                            std::vector<float>(kChannels, mean),
                            std::vector<float>(kChannels, 128 / magnitude_),
                            {}};
    bytes_.resize(static_cast<size_t>(kBatch * kHeight * kWidth * kChannels));
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random_.Between(0, 255));
  }

  // Errors: those of the spec and of Network::Create.
  Status Build() {
    QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, ParseNetworkSpec(text_, "drawn.toml"));
    QAT_ASSIGN_OR_RETURN(checkpoint_.network, BuildGraph(spec));
    QAT_ASSIGN_OR_RETURN(
        network_, Network::Create(checkpoint_.network, {.seed = 3, .precisions = PrecisionsOf(scheme_)}));
    network_->SetInputs(checkpoint_.contract);
    const at::NoGradGuard no_gradients;
    for (const Parameter& parameter : network_->parameters()) DrawParameter(parameter);
    for (const NamedObserver& each : network_->observers()) {
      const bool filter = each.name.ends_with("/filter");
      const bool copies_input =
          tame_ && scheme_ != Scheme::kFloat32 && !filter && (each.name == "ranged" || each.name.size() == 1);
      each.observer->Fix(copies_input ? InputRange() : DrawRange(filter ? 1 : magnitude_ * (tame_ ? 32 : 1)));
    }
    network_->Save(checkpoint_);
    return {};
  }

  SimulatedTensor Simulated() { return network_->Simulate({QuantizedInput()}).front(); }

  // Through freezing, converting and the reference kernels.
  Expected<std::vector<double>> Deployed() {
    QAT_ASSIGN_OR_RETURN(const auto interpreter, testing::Deploy(checkpoint_, scheme_));
    return testing::RunImages(scheme_, *interpreter, QuantizedInput());
  }

  // The same for reals.
  Expected<std::vector<double>> DeployedReals() {
    std::vector<std::string> warnings;
    QAT_ASSIGN_OR_RETURN(const auto interpreter, testing::Deploy(checkpoint_, Scheme::kFloat32));
    return testing::RunImages<float>(*interpreter, {RealInput(), {}});
  }

  Network& network() { return *network_; }
  at::Tensor RealInput() const {
    return RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), bytes_);
  }
  SimulatedTensor QuantizedInput() const {
    return QuantizedImages(checkpoint_.contract.input(), PrecisionsOf(scheme_).activations, bytes_);
  }
  float magnitude() const { return magnitude_; }

 private:
  static constexpr int32_t kBatch = 2;

  void DrawParameter(const Parameter& parameter) {
    using Role = ParameterSpec::Role;
    float* values = parameter.value.data_ptr<float>();
    for (int64_t i = 0; i < parameter.value.numel(); ++i) {
      const auto draw = static_cast<float>(random_.Uniform() * 2 - 1);
      if (parameter.role == Role::kFilter) continue;
      if (parameter.role == Role::kGamma || parameter.role == Role::kMovingVariance) {
        values[i] = 1 + 0.7f * draw;
      } else if (parameter.role == Role::kSlope) {
        values[i] += 0.3f * draw;
      } else {
        values[i] = draw * magnitude_;
      }
    }
  }

  Range InputRange() const {
    return RepresentableRange(InputParams(checkpoint_.contract.input(), scheme_),
                              ActivationLimitsOf(scheme_));
  }

  // Two-sided, one-sided, or nearly so; up to 16 times narrower or wider than `size`.
  Range DrawRange(float size) {
    const auto end = [&] { return size * std::pow(2.0f, static_cast<float>(random_.Between(-40, 40)) / 10); };
    const int32_t kind = random_.Between(0, 3);
    const float low = end(), high = end();
    return {kind == 0 ? 0 : -low, kind == 1 ? 0 : high};
  }

  Scheme scheme_;
  bool tame_;
  Random random_;
  std::string text_;
  Checkpoint checkpoint_;
  float magnitude_ = 1;  // of real values
  Bytes bytes_;
  std::unique_ptr<Network> network_;
};

class EveryModule : public ::testing::TestWithParam<std::tuple<Case, Scheme>> {};

INSTANTIATE_TEST_SUITE_P(Cases, EveryModule, ::testing::ValuesIn(WithSchemes(AllCases())),
                         [](const auto& drawn) {
                           return StrCat(PlainName(std::get<0>(drawn.param).name, drawn.index), "_",
                                         NameOf(std::get<1>(drawn.param)));
                         });

TEST_P(EveryModule, SimulatesTheDeployedBytes) {
  const auto& [each, scheme] = GetParam();
  std::set<double> seen;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(StrCat(each.name, ", seed ", seed));
    Drawn drawn(each, scheme, seed);
    QAT_ASSERT_OK(drawn.Build());
    const auto deployed = drawn.Deployed();
    QAT_ASSERT_OK(deployed);
    ASSERT_EQ(ValuesInNhwc(drawn.Simulated().values), *deployed);
    seen.insert(deployed->begin(), deployed->end());
  }
  // A maximum over whole images is one byte of each.
  EXPECT_GT(seen.size(), 4u) << "the outputs are all alike";
}

// Rounding differently a value that lies half way between two steps is allowed, and what follows from it.
TEST_P(EveryModule, FakeQuantizesCloseToTheIntegers) {
  const auto& [each, scheme] = GetParam();
  if (!each.rounds_alike) return;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(StrCat(each.name, ", seed ", seed));
    Drawn drawn(each, scheme, seed, /*tame=*/true);
    QAT_ASSERT_OK(drawn.Build());
    const at::NoGradGuard no_gradients;
    const std::vector<double> fake =
        ValuesInNhwc(drawn.network().Forward({drawn.RealInput()}, {.fake_quantize = true}).front());
    const SimulatedTensor simulated = drawn.Simulated();
    const std::vector<double> integers = ValuesInNhwc(simulated.values);
    ASSERT_EQ(fake.size(), integers.size());
    size_t near = 0;
    for (size_t i = 0; i < fake.size(); ++i) {
      const double steps = fake[i] / double{simulated.params.scale} + simulated.params.zero_point;
      near += std::abs(steps - integers[i]) <= 1.01 ? 1 : 0;
    }
    EXPECT_GE(near, fake.size() * 95 / 100) << near << " of " << fake.size();
  }
}

class EveryModuleOnReals : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Cases, EveryModuleOnReals, ::testing::ValuesIn(CasesOnReals()),
                         [](const auto& drawn) { return PlainName(drawn.param.name, drawn.index); });

TEST_P(EveryModuleOnReals, IsWhatTheFloatModelComputes) {
  Drawn drawn(GetParam(), Scheme::kFloat32, 12, /*tame=*/true);
  QAT_ASSERT_OK(drawn.Build());
  const auto deployed = drawn.DeployedReals();
  QAT_ASSERT_OK(deployed);
  const at::NoGradGuard no_gradients;
  const std::vector<double> ours = ValuesInNhwc(drawn.network().Forward({drawn.RealInput()}, {}).front());
  ASSERT_EQ(ours.size(), deployed->size());
  double largest = 1;
  for (const double value : ours) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], (*deployed)[i], 1e-5 * largest) << i;
}

// The slope of weighted outputs along a random direction of the input and of all parameters.
TEST_P(EveryModuleOnReals, HasTheirGradient) {
  Drawn drawn(GetParam(), Scheme::kFloat32, 11, /*tame=*/true);
  QAT_ASSERT_OK(drawn.Build());
  Random random(5);
  const auto direction_of = [&](const at::Tensor& tensor, double size) {
    at::Tensor direction = at::zeros_like(tensor, at::MemoryFormat::Contiguous);
    for (int64_t i = 0; i < direction.numel(); ++i) {
      direction.data_ptr<float>()[i] = static_cast<float>((random.Uniform() * 2 - 1) * size);
    }
    return direction;
  };
  std::vector<at::Tensor> points = {drawn.RealInput().set_requires_grad(true)};
  std::vector<at::Tensor> directions = {direction_of(points[0], drawn.magnitude())};
  for (const Parameter& parameter : drawn.network().parameters()) {
    if (!parameter.IsTrained()) continue;
    points.push_back(parameter.value);
    const double size = parameter.role == ParameterSpec::Role::kBias ? drawn.magnitude() : 1;
    directions.push_back(direction_of(parameter.value, size));
  }
  const at::Tensor output = drawn.network().Forward({points[0]}, {}).front();
  const at::Tensor weights = direction_of(output, 1);
  output.backward(weights);
  double slope = 0, size = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const at::Tensor part = points[i].grad().mul(directions[i]).to(at::kDouble);
    slope += part.sum().item<double>();
    size += part.abs().sum().item<double>();
  }
  const at::NoGradGuard no_gradients;
  const auto along = [&](double step) {
    for (size_t i = 0; i < points.size(); ++i) points[i].add_(directions[i], step);
    const double value =
        drawn.network().Forward({points[0]}, {}).front().to(at::kDouble).mul(weights).sum().item<double>();
    for (size_t i = 0; i < points.size(); ++i) points[i].sub_(directions[i], step);
    return value;
  };
  constexpr double kStep = 1.0 / 256;
  EXPECT_GT(size, 0);
  EXPECT_NEAR((along(kStep) - along(-kStep)) / (2 * kStep), slope, 0.02 * size);
}

// Floor, ceil and round have no slope of their own.
TEST(StepFunctions, PassTheGradientAsIfTheyWereNotThere) {
  for (const std::string op : {"floor", "ceil", "round"}) {
    SCOPED_TRACE(op);
    Drawn drawn(Unary(op), Scheme::kFloat32, 3);
    QAT_ASSERT_OK(drawn.Build());
    const at::Tensor input = drawn.RealInput().set_requires_grad(true);
    const at::Tensor output = drawn.network().Forward({input}, {}).front();
    output.sum().backward();
    EXPECT_TRUE(input.grad().eq(1).all().item<bool>());
    const auto deployed = drawn.DeployedReals();
    QAT_ASSERT_OK(deployed);
    EXPECT_EQ(ValuesInNhwc(output), *deployed);
  }
}

// Zeros among rounded values give an end of the range, not an infinity.
TEST(PositiveFunctions, StayFiniteWhereTheGridHasZeros) {
  for (const std::string op : {"log", "sqrt", "rsqrt", "div"}) {
    SCOPED_TRACE(op);
    const std::string positive = Ranged() + Layer("positive", "relu");
    Drawn drawn({op, positive + Layer("out", op, "", op == "div" ? "\"input\", \"positive\"" : "")},
                Scheme::kInt8, 4,
                /*tame=*/true);
    QAT_ASSERT_OK(drawn.Build());
    const at::Tensor input = drawn.RealInput().set_requires_grad(true);
    const at::Tensor output = drawn.network().Forward({input}, {.fake_quantize = true}).front();
    output.sum().backward();
    EXPECT_TRUE(output.isfinite().all().item<bool>());
    EXPECT_TRUE(input.grad().isfinite().all().item<bool>());
    const auto deployed = drawn.Deployed();
    QAT_ASSERT_OK(deployed);
    EXPECT_EQ(ValuesInNhwc(drawn.Simulated().values), *deployed);
  }
}

// LibTorch 1.13's own gelu reads memory that nobody wrote where a gradient lies in memory otherwise than its
// values: behind one input channel, in front of a dense layer.
TEST(Gelu, HasOneGradientForEveryCopyOfAnExample) {
  for (const std::string keys : {"", "approximate = true"}) {
    const std::string layers = Layer("c", "conv_2d", "filters = 8\nkernel = 3") + Layer("g", "gelu", keys) +
                               Layer("out", "fully_connected", "units = 5");
    Drawn drawn({"gelu", layers}, Scheme::kFloat32, 6, /*tame=*/true);
    QAT_ASSERT_OK(drawn.Build());
    const at::Tensor one = drawn.RealInput().narrow(0, 0, 1);
    for (int round = 0; round < 20; ++round) {
      const at::Tensor input = one.contiguous().repeat({64, 1, 1, 1}).set_requires_grad(true);
      const at::Tensor output = drawn.network().Forward({input}, {}).front();
      output.mul(output.detach()).sum().backward();
      ASSERT_TRUE(input.grad().isfinite().all().item<bool>()) << keys << ", round " << round;
      const at::Tensor apart = input.grad().sub(input.grad().narrow(0, 0, 1)).abs().max();
      ASSERT_LE(apart.item<double>(), 1e-5 * input.grad().abs().max().item<double>())
          << keys << ", round " << round;
    }
  }
}

// Vectors of zeros, which roundings and a relu make.
TEST(L2Normalization, HasNoSlopeWhereThereIsNoLength) {
  Drawn drawn({"l2", Ranged() + Layer("out", "l2_normalization")}, Scheme::kFloat32, 4, /*tame=*/true);
  QAT_ASSERT_OK(drawn.Build());
  const at::Tensor input = at::zeros_like(drawn.RealInput()).set_requires_grad(true);
  const at::Tensor output = drawn.network().Forward({input}, {}).front();
  output.sum().backward();
  EXPECT_TRUE(output.eq(0).all().item<bool>());
  EXPECT_TRUE(input.grad().eq(0).all().item<bool>());
}

TEST(Sqrt, HasNoSlopeAtZeroAmongRealsEither) {
  Drawn drawn({"sqrt", Ranged() + Layer("positive", "relu") + Layer("out", "sqrt")}, Scheme::kFloat32, 4,
              /*tame=*/true);
  QAT_ASSERT_OK(drawn.Build());
  const at::Tensor input = drawn.RealInput().set_requires_grad(true);
  const at::Tensor output = drawn.network().Forward({input}, {}).front();
  ASSERT_TRUE(output.eq(0).any().item<bool>());
  output.sum().backward();
  EXPECT_TRUE(input.grad().isfinite().all().item<bool>());
}

TEST(IntegerKernels, WhatTfliteCannotComputeOnIntegersIsRefusedAsOneList) {
  const std::string layers = Ranged() + Layer("e", "exp") + Layer("r", "square");
  QAT_EXPECT_ERROR(
      Drawn({"both", layers}, Scheme::kUInt8, 1).Build(), ErrorCode::kUnsupported,
      "no kernel of TFLite computes 'e' (exp), 'r' (square) on uint8; use the scheme float32; instead of "
      "square, write mul of the layer with itself");
  QAT_EXPECT_ERROR(Drawn({"exp", Ranged() + Layer("e", "exp")}, Scheme::kUInt8, 1).Build(),
                   ErrorCode::kUnsupported, "use the scheme int8 or float32");
  EXPECT_TRUE(Drawn({"both", layers}, Scheme::kFloat32, 1).Build().ok());
}

}  // namespace
}  // namespace qat
