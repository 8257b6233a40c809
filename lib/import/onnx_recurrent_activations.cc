#include "import/onnx_recurrent_activations.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/strings.h"

namespace qat {
namespace {

/// Of those that are NaN the standard and ONNX Runtime (1.32) have different defaults.
constexpr std::array kActivations = {
    RecurrentActivation{"Relu", 0, 0, 0},
    RecurrentActivation{"Tanh", 0, 0, 0},
    RecurrentActivation{"Sigmoid", 0, 0, 0},
    RecurrentActivation{"Softsign", 0, 0, 0},
    RecurrentActivation{"Softplus", 0, 0, 0},
    RecurrentActivation{"LeakyRelu", 1, 0.01f, 0},
    RecurrentActivation{"Elu", 1, 1, 0},
    RecurrentActivation{"ThresholdedRelu", 1, NAN, 0},
    RecurrentActivation{"Affine", 2, NAN, NAN},
    RecurrentActivation{"ScaledTanh", 2, NAN, NAN},
    RecurrentActivation{"HardSigmoid", 2, 0.2f, 0.5f},
};

std::vector<float> Numbers(const OnnxNode& node, std::string_view attribute) {
  const onnx::Attribute* found = node.node.Find(attribute);
  return found == nullptr ? std::vector<float>() : found->reals;
}

onnx::Attribute Number(const char* name, float value) {
  onnx::Attribute attribute;
  attribute.name = name;
  attribute.kind = onnx::Attribute::Kind::kFloat;
  attribute.real = value;
  return attribute;
}

/// What the operator of this name makes of x.
Expected<OnnxValue> ByOperator(std::string_view op, std::vector<onnx::Attribute> attributes,
                               const OnnxValue& x, OnnxConversion& c, int64_t opset) {
  const onnx::Node node{{}, std::string(op), {}, {}, {std::string(op)}, std::move(attributes)};
  QAT_ASSIGN_OR_RETURN(std::vector<OnnxValue> values, FindConverter(op)->convert(c, {node, opset, {x}}));
  return std::move(values[0]);
}

/// factor * x + summand.
Expected<OnnxValue> Scaled(OnnxValue x, float factor, float summand, OnnxConversion& c) {
  if (factor != 1) {
    QAT_ASSIGN_OR_RETURN(x, c.build.Binary(OpType::kMul, x, Scalar(factor)));
  }
  if (summand == 0) return x;
  return c.build.Binary(OpType::kAdd, x, Scalar(summand));
}

}  // namespace

Expected<std::vector<RecurrentActivation>> ReadActivations(const OnnxNode& node,
                                                           const std::vector<std::string>& usual,
                                                           int32_t directions) {
  const onnx::Attribute* given = node.node.Find("activations");
  std::vector<std::string> names = given == nullptr ? std::vector<std::string>() : given->texts;
  for (int32_t i = 0; i < directions && (given == nullptr || given->texts.empty()); ++i)
    names.insert(names.end(), usual.begin(), usual.end());
  if (names.size() != usual.size() * static_cast<size_t>(directions))
    return InvalidArgument(
        StrCat("`activations` has ", names.size(), " entries, expected ", usual.size(), " per direction"));
  const std::vector<float> alphas = Numbers(node, "activation_alpha"),
                           betas = Numbers(node, "activation_beta");
  size_t alpha = 0, beta = 0;
  std::vector<RecurrentActivation> activations;
  for (const std::string& name : names) {
    const auto known = std::find_if(
        kActivations.begin(), kActivations.end(),
        [&](const RecurrentActivation& each) { return LowerCase(each.name) == LowerCase(name); });
    if (known == kActivations.end())
      return Unsupported(StrCat("has the activation '", name, "', which ONNX does not name"));
    RecurrentActivation& own = activations.emplace_back(*known);
    if (own.numbers > 0 && alpha < alphas.size()) own.alpha = alphas[alpha++];
    if (own.numbers > 1 && beta < betas.size()) own.beta = betas[beta++];
    if (!std::isnan(own.alpha) && !std::isnan(own.beta)) continue;
    return Unsupported(StrCat("has the activation '", name, "' without its `activation_alpha`",
                              own.numbers > 1 ? " and `activation_beta`" : "",
                              ", whose defaults are not the same everywhere; state them"));
  }
  return activations;
}

Expected<OnnxValue> Apply(const RecurrentActivation& activation, float limit, OnnxValue x, OnnxConversion& c,
                          int64_t opset) {
  if (limit > 0) {
    QAT_ASSIGN_OR_RETURN(x, ByOperator("Clip", {Number("min", -limit), Number("max", limit)}, x, c, opset));
  }
  if (activation.name == "Affine") return Scaled(x, activation.alpha, activation.beta, c);
  if (activation.name == "ScaledTanh") {
    QAT_ASSIGN_OR_RETURN(x, Scaled(x, activation.beta, 0, c));
    QAT_ASSIGN_OR_RETURN(x, ByOperator("Tanh", {}, x, c, opset));
    return Scaled(x, activation.alpha, 0, c);
  }
  std::vector<onnx::Attribute> attributes;
  if (activation.numbers > 0) attributes.push_back(Number("alpha", activation.alpha));
  if (activation.numbers > 1) attributes.push_back(Number("beta", activation.beta));
  return ByOperator(activation.name, std::move(attributes), x, c, opset);
}

}  // namespace qat
