#include "spec/rewrite.h"

#include "spec/build_graph.h"
#include "spec/layer_shapes.h"
#include "support/test_util.h"

namespace qat {
namespace {

/// A network on 8x8x3 images, layer by layer, as the parser would leave it.
class Builder {
 public:
  Builder() { spec_.inputs.front().shape = {1, 8, 8, 3}; }

  int32_t Add(const std::string& name, OpType type, std::vector<int32_t> inputs, OpAttributes attributes) {
    LayerSpec layer;
    layer.name = name;
    layer.type = type;
    layer.attributes = std::move(attributes);
    layer.inputs = std::move(inputs);
    layer.line = 7;
    layer.column = 1;
    const Status inferred = InferLayer(spec_, layer);
    EXPECT_TRUE(inferred.ok()) << inferred.error().message;
    spec_.layers.push_back(std::move(layer));
    return static_cast<int32_t>(spec_.layers.size()) - 1;
  }
  int32_t Add(const std::string& name, OpType type, std::vector<int32_t> inputs) {
    return Add(name, type, std::move(inputs), DefinitionOf(type).default_attributes);
  }
  int32_t Conv(const std::string& name, int32_t input, Activation activation = Activation::kNone) {
    return Add(name, OpType::kConv2D, {input},
               Conv2DAttributes{.filters = 3, .kernel_h = 3, .kernel_w = 3, .activation = activation});
  }

  NetworkSpec Rewritten() {
    const Status status = Rewrite(spec_, "net.toml");
    EXPECT_TRUE(status.ok()) << status.error().message;
    return spec_;
  }
  NetworkSpec& spec() { return spec_; }

 private:
  NetworkSpec spec_;
};

std::vector<std::string> Names(const NetworkSpec& spec) {
  std::vector<std::string> names;
  for (const LayerSpec& layer : spec.layers) names.push_back(layer.name);
  return names;
}

using Strings = std::vector<std::string>;

TEST(Rewrite, BatchNormAndActivationBecomePartsOfTheConvolution) {
  Builder net;
  const int32_t conv = net.Conv("conv", kNetworkInput);
  const int32_t norm =
      net.Add("norm", OpType::kBatchNorm, {conv}, BatchNormAttributes{.epsilon = 0.01f, .momentum = 0.5f});
  const int32_t relu = net.Add("relu", OpType::kRelu6, {norm});
  net.Add("sum", OpType::kAdd, {relu, kNetworkInput});
  const NetworkSpec spec = net.Rewritten();
  EXPECT_EQ(Names(spec), (Strings{"conv", "sum"}));
  EXPECT_EQ(spec.layers[0].fused, (Strings{"norm", "relu"}));
  EXPECT_EQ(spec.layers[0].batch_norm, (BatchNormSpec{.epsilon = 0.01f, .momentum = 0.5f}));
  EXPECT_EQ(FusedActivation(spec.layers[0].attributes), Activation::kRelu6);
  EXPECT_EQ(spec.layers[1].inputs, (std::vector<int32_t>{0, kNetworkInput}));
  const std::string printed = PrintNetwork(*BuildGraph(spec));
  EXPECT_NE(printed.find("conv (+ norm, relu)"), std::string::npos) << printed;
}

TEST(Rewrite, ALayerThatOthersReadTooStaysAsItIs) {
  Builder net;
  const int32_t conv = net.Conv("conv", kNetworkInput);
  const int32_t norm = net.Add("norm", OpType::kBatchNorm, {conv});
  const int32_t relu = net.Add("relu", OpType::kRelu, {conv});
  net.Add("sum", OpType::kAdd, {norm, relu});
  const NetworkSpec spec = net.Rewritten();
  EXPECT_EQ(Names(spec), (Strings{"conv", "norm", "relu", "sum"}));
  EXPECT_FALSE(spec.layers[0].batch_norm.has_value());
  EXPECT_EQ(FusedActivation(spec.layers[0].attributes), Activation::kNone);
}

TEST(Rewrite, BatchNormElsewhereIsADepthwiseConvolutionThatStartsWithOnes) {
  Builder net;
  const int32_t conv = net.Conv("conv", kNetworkInput, Activation::kRelu);
  const int32_t norm = net.Add("norm", OpType::kBatchNorm, {conv});
  net.Add("relu", OpType::kRelu, {norm});
  const NetworkSpec spec = net.Rewritten();
  ASSERT_EQ(Names(spec), (Strings{"conv", "norm"}));
  const LayerSpec& norm_layer = spec.layers[1];
  EXPECT_EQ(norm_layer.type, OpType::kDepthwiseConv2D);
  EXPECT_EQ(norm_layer.initializer.kind, Initializer::Kind::kOnes);
  EXPECT_TRUE(norm_layer.batch_norm.has_value());
  EXPECT_EQ(norm_layer.output_shape, spec.layers[0].output_shape);
  EXPECT_EQ(norm_layer.parameters[0].shape, (Shape{1, 1, 1, 3}));
  EXPECT_EQ(norm_layer.fused, Strings{"relu"});
}

TEST(Rewrite, BatchNormOfRowsWithoutAFilterIsRefusedWithAWayOut) {
  Builder net;
  const int32_t flat = net.Add("flat", OpType::kReshape, {kNetworkInput});
  const int32_t norm = net.Add("a", OpType::kBatchNorm, {flat});
  net.Add("b", OpType::kBatchNorm, {norm});
  const Status status = Rewrite(net.spec(), "net.toml");
  QAT_EXPECT_ERROR(status, ErrorCode::kUnsupported, "net.toml:7:1: layer 'a': batch_norm of [1, 192]");
  EXPECT_NE(status.error().message.find("layer 'b'"), std::string::npos);
  EXPECT_NE(status.error().message.find("put it directly after a layer that has a filter"),
            std::string::npos);
}

TEST(Rewrite, ActivationsStayAfterLayersWithoutARangeOfTheirOwn) {
  Builder net;
  const int32_t conv = net.Conv("conv", kNetworkInput);
  const int32_t pool = net.Add("pool", OpType::kMaxPool2D, {conv});
  const int32_t relu = net.Add("relu", OpType::kRelu, {pool});
  net.Add("again", OpType::kRelu6, {relu});
  EXPECT_EQ(Names(net.Rewritten()), (Strings{"conv", "pool", "relu", "again"}));
}

}  // namespace
}  // namespace qat
