// digit_classifier.h: a network for the generated digits that no training is needed for: random convolutions,
// and an answer by the nearest mean of each class. And networks that compute the same, but are hard to
// quantize.
#ifndef QAT_TESTS_SUPPORT_DIGIT_CLASSIFIER_H_
#define QAT_TESTS_SUPPORT_DIGIT_CLASSIFIER_H_

#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"
#include "eval/lowered_graph.h"
#include "ir/constants.h"
#include "ir/graph.h"
#include "runtime/model_predictor.h"

namespace qat::testing {

inline int32_t TensorNamed(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (graph.tensors[i].name == name) return static_cast<int32_t>(i);
  }
  QAT_CHECK(false);
  return -1;
}

inline std::vector<float> RandomValues(size_t count, float reach, uint64_t key) {
  Random random(key);
  std::vector<float> values(count);
  for (float& value : values) value = reach * (2 * random.Uniform() - 1);
  return values;
}

/// 28x28 -> conv1 8@5x5 -> pool -> conv2 24@3x3 -> pool -> flatten -> logits 10, activations relu or relu6.
/// `depthwise`: a layer of this name, 3x3, in front of conv2.
inline Graph DigitClassifier(Activation activation = Activation::kRelu, bool depthwise = false) {
  Graph g;
  g.name = "digits";
  g.scheme = "float32";
  g.contract = {28, 28, 1, {0.0f}, {255.0f}, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 28, 28, 1};
  int32_t at = g.AddTensor(input);
  g.inputs = {at};
  const auto conv = [&](const std::string& name, int32_t out, int32_t size, int32_t in, uint64_t key) {
    Conv2DAttributes attributes;
    attributes.activation = activation;
    const size_t count = static_cast<size_t>(out) * size * size * in;
    const float reach = 3 / std::sqrt(static_cast<float>(size * size * in));
    const int32_t filter =
        g.AddConstant(name + "/filter", {out, size, size, in}, RandomValues(count, reach, key));
    const int32_t bias =
        g.AddConstant(name + "/bias", {out}, RandomValues(static_cast<size_t>(out), 0.1f, key + 1));
    at = *g.AddNode(OpType::kConv2D, name, attributes, {at, filter, bias});
    at = *g.AddNode(OpType::kMaxPool2D, name + "/pool", Pool2DAttributes(), {at});
  };
  conv("conv1", 8, 5, 1, 11);
  if (depthwise) {
    DepthwiseConv2DAttributes attributes;
    attributes.activation = activation;
    const int32_t filter = g.AddConstant("depthwise/filter", {1, 3, 3, 8}, RandomValues(72, 1, 33));
    const int32_t bias = g.AddConstant("depthwise/bias", {8}, RandomValues(8, 0.1f, 34));
    at = *g.AddNode(OpType::kDepthwiseConv2D, "depthwise", attributes, {at, filter, bias});
  }
  conv("conv2", 24, 3, 8, 22);
  const auto features = static_cast<int32_t>(FlatSize(g.tensor(at).shape));
  const int32_t shape = g.AddConstant("flatten/shape", {2}, std::vector<int32_t>{-1, features});
  at = *g.AddNode(OpType::kReshape, "flatten", ReshapeAttributes{{1, -1}}, {at, shape});
  const int32_t filter = g.AddConstant("logits/filter", {10, features}, std::vector<float>(10 * features));
  const int32_t bias = g.AddConstant("logits/bias", {10}, std::vector<float>(10));
  at = *g.AddNode(OpType::kFullyConnected, "logits", FullyConnectedAttributes(), {at, filter, bias});
  g.outputs = {at};

  OpenOptions options;
  options.limit = 1000;
  const Dataset data = *OpenDataset("digits", Split::kTrain, options);
  const auto predictor = *MakeModelPredictor(*LowerToModel(g, "digits"), "digits", "graph", {}, &g.contract);
  std::vector<std::vector<double>> means(10, std::vector<double>(static_cast<size_t>(features)));
  std::vector<double> counts(10);
  for (int64_t i = 0; i < data.size(); ++i) {
    const auto label = static_cast<size_t>(data.labels[static_cast<size_t>(i)]);
    ++counts[label];
    const auto layers = *predictor->Layers(data.Image(i));
    for (const LayerOutput& layer : layers) {
      if (layer.layer != "flatten") continue;
      for (size_t k = 0; k < layer.values.size(); ++k) means[label][k] += layer.values[k];
    }
  }
  std::vector<float> weights, biases;
  for (size_t c = 0; c < 10; ++c) {
    double square = 0;
    for (double& each : means[c]) {
      each /= counts[c];
      square += each * each;
      weights.push_back(static_cast<float>(each));
    }
    biases.push_back(static_cast<float>(-square / 2));
  }
  SetValues(g.tensor(filter), DType::kFloat32, weights);
  SetValues(g.tensor(bias), DType::kFloat32, biases);
  return g;
}

/// One channel of conv1 times `factor`, what the layer behind it multiplies it with divided by it: with relu
/// the function is the same.
/// `behind`: conv2 or depthwise, whose filters have 8 input channels in the last axis.
inline void StretchChannel(Graph& graph, size_t channel, float factor, const std::string& behind = "conv2") {
  GraphTensor& first = graph.tensor(TensorNamed(graph, "conv1/filter"));
  GraphTensor& bias = graph.tensor(TensorNamed(graph, "conv1/bias"));
  GraphTensor& second = graph.tensor(TensorNamed(graph, behind + "/filter"));
  std::vector<float> from = RealValues(first), add = RealValues(bias), to = RealValues(second);
  for (size_t i = 0; i < from.size(); ++i) from[i] *= i / 25 == channel ? factor : 1;
  add[channel] *= factor;
  for (size_t i = 0; i < to.size(); ++i) to[i] /= i % 8 == channel ? factor : 1;
  SetValues(first, DType::kFloat32, from);
  SetValues(bias, DType::kFloat32, add);
  SetValues(second, DType::kFloat32, to);
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_DIGIT_CLASSIFIER_H_
