#include "debug/own_integers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/slices.h"
#include "base/strings.h"
#include "contract/inside_name.h"
#include "contract/provenance.h"
#include "ir/constants.h"
#include "quant/precision.h"

namespace qat {
namespace {

// relative: a range was made of the scale and the scale of the range again
constexpr double kSameScale = 1e-5;
constexpr double kAnother = 0.5;  // share of a filter's square that no rounding to 4 bits takes

bool Alike(const QuantizationParams& a, const QuantizationParams& b) {
  return a.zero_point == b.zero_point &&
         std::abs(double{a.scale} - b.scale) <= kSameScale * std::abs(double{b.scale});
}

std::vector<QuantizationParams> ParamsOf(const ModelTensor& tensor) {
  std::vector<QuantizationParams> params;
  for (size_t i = 0; i < tensor.scale.size(); ++i)
    params.push_back(
        {tensor.scale[i], static_cast<int32_t>(tensor.zero_point.size() == 1 ? tensor.zero_point[0]
                                                                             : tensor.zero_point.at(i))});
  return params;
}

template <class T>
std::vector<double> Read(std::span<const uint8_t> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return {values.begin(), values.end()};
}

std::vector<double> IntegersOf(DType type, std::span<const uint8_t> bytes) {
  if (type == DType::kUInt8) return Read<uint8_t>(bytes);
  if (type == DType::kInt32) return Read<int32_t>(bytes);
  if (type == DType::kInt64) return Read<int64_t>(bytes);
  return Read<int8_t>(bytes);
}

std::vector<float> RealsOf(const OwnConstant& own, const Shape& shape) {
  const std::vector<double> integers = IntegersOf(own.type, own.integers);
  const size_t inner =
      own.params.size() > 1 ? std::max<size_t>(1, InnerSize(shape, static_cast<size_t>(own.axis))) : 1;
  std::vector<float> reals(integers.size());
  for (size_t i = 0; i < reals.size(); ++i) {
    const QuantizationParams& params = own.params[i / inner % own.params.size()];
    reals[i] = static_cast<float>(params.scale * (integers[i] - params.zero_point));
  }
  return reals;
}

std::optional<OwnConstant> ConstantOf(const ModelTensor& tensor, const Shape& shape) {
  const bool known = tensor.type == DType::kUInt8 || tensor.type == DType::kInt8 ||
                     tensor.type == DType::kInt32 || tensor.type == DType::kInt64;
  if (!known || !tensor.is_constant || tensor.scale.empty() || tensor.shape != shape) return std::nullopt;
  if (tensor.zero_point.size() != 1 && tensor.zero_point.size() != tensor.scale.size()) return std::nullopt;
  return OwnConstant{tensor.file_type, Bytes(tensor.constant.begin(), tensor.constant.end()),
                     ParamsOf(tensor), tensor.quantized_dimension};
}

/// The square of the difference, of that of the network's values.
double ShareOfDifference(const OwnConstant& own, const GraphTensor& filter) {
  const std::vector<float> mine = RealsOf(own, filter.shape), reals = RealValues(filter);
  double apart = 0, all = 0;
  for (size_t i = 0; i < reals.size(); ++i) {
    const double difference = double{mine[i]} - reals[i];
    apart += difference * difference;
    all += double{reals[i]} * reals[i];
  }
  return all > 0 ? apart / all : 0;
}

std::map<std::string, const ModelTensor*> ByName(const Model& model) {
  std::map<std::string, const ModelTensor*> names;
  for (const ModelTensor& tensor : model.tensors()) names.emplace(tensor.name, &tensor);
  for (const ModelTensor& tensor : model.tensors()) {
    if (tensor.name.ends_with(kInsideSuffix)) names[std::string(NameInNetwork(tensor.name))] = &tensor;
  }
  return names;
}

/// As the network has it: not equalized.
bool IsUntouched(const Graph& network, const GraphTensor& tensor) {
  return std::any_of(network.tensors.begin(), network.tensors.end(), [&](const GraphTensor& each) {
    return each.name == tensor.name && each.data == tensor.data;
  });
}

}  // namespace

OwnIntegers OwnIntegersOf(const Graph& network, const Model& model) {
  OwnIntegers own;
  const auto by_name = ByName(model);
  const auto refuse = [](std::string why) {
    OwnIntegers none;
    none.why_not = std::move(why);
    return none;
  };
  const auto repairs = model.provenance().find(kRepairsKey);
  const std::string repaired = repairs == model.provenance().end() ? "" : repairs->second;
  // moves weights that data say little of as far as it likes
  const bool adaround = repaired.find(kAdaRoundRepair) != std::string::npos;
  own.repaired = adaround || repaired.find(kBiasRepair) != std::string::npos;
  if (repaired.find(kEqualizeRepair) != std::string::npos)
    return refuse("they are equalized, and those of the network are not");
  for (const GraphNode& node : network.nodes) {
    const int32_t filter = node.InputAt(node.definition().filter_input),
                  bias = node.InputAt(node.definition().bias_input);
    if (filter < 0 || !network.tensor(filter).is_constant() || network.tensor(filter).type != DType::kFloat32)
      continue;
    for (const int32_t index : {filter, bias}) {
      if (index < 0 || !network.tensor(index).is_constant()) continue;
      const GraphTensor& tensor = network.tensor(index);
      const auto found = by_name.find(tensor.name);
      if (found == by_name.end()) return refuse(StrCat("'", tensor.name, "' is not in it"));
      if (found->second->type == DType::kFloat32) continue;  // a layer of real numbers
      std::optional<OwnConstant> constant = ConstantOf(*found->second, tensor.shape);
      if (!constant) return refuse(StrCat("'", tensor.name, "' has another shape or no scale"));
      if (index == filter && !adaround && ShareOfDifference(*constant, tensor) > kAnother)
        return refuse(StrCat("'", tensor.name,
                             "' differs from the network's by more than rounding, as by equalization"));
      own.constants[tensor.name] = *std::move(constant);
    }
  }
  for (const auto& [name, tensor] : by_name) {
    if (!tensor->is_constant && tensor->scale.size() == 1 && tensor->zero_point.size() == 1)
      own.activations[name] = ParamsOf(*tensor)[0];
  }
  return own;
}

std::vector<std::string> TakeOwn(const Graph& network, const OwnIntegers& own, QuantizationPlan& plan,
                                 Graph& quantized) {
  std::vector<std::string> taken;
  std::map<int32_t, TensorPlan*> plans;
  for (TensorPlan& each : plan.tensors) plans[each.tensor] = &each;
  for (TensorPlan& each : plan.tensors) {
    if (each.role == PlannedRole::kBias || each.role == PlannedRole::kFilter || each.params.size() != 1)
      continue;
    const auto found = own.activations.find(quantized.tensor(each.tensor).name);
    if (found != own.activations.end() && Alike(each.params[0], found->second))
      each.params[0] = found->second;
  }
  for (const GraphNode& node : quantized.nodes) {
    const int32_t filter = node.InputAt(node.definition().filter_input),
                  bias = node.InputAt(node.definition().bias_input);
    const auto planned = plans.find(filter), data = plans.find(node.InputAt(node.definition().data_input));
    if (planned == plans.end() || data == plans.end() || planned->second->role != PlannedRole::kFilter)
      continue;
    GraphTensor& tensor = quantized.tensor(filter);
    const auto found = own.constants.find(tensor.name);
    if (found == own.constants.end()) continue;
    if (std::find(taken.begin(), taken.end(), tensor.name) == taken.end()) {
      TensorPlan& of_filter = *planned->second;
      const OwnConstant& constant = found->second;
      const bool fits = constant.type == of_filter.precision.type &&
                        constant.params.size() == of_filter.params.size() &&
                        (constant.params.size() == 1 || constant.axis == of_filter.axis) &&
                        (of_filter.precision.per_axis() || Alike(of_filter.params[0], constant.params[0]));
      const bool untouched =
          IsUntouched(network, tensor) && (bias < 0 || IsUntouched(network, quantized.tensor(bias)));
      if (!fits || !untouched) continue;
      of_filter.params = constant.params;
      SetValues(tensor, DType::kFloat32, RealsOf(constant, tensor.shape));
      taken.push_back(tensor.name);
    }
    const auto of_bias = plans.find(bias);
    if (of_bias == plans.end() || of_bias->second->role != PlannedRole::kBias) continue;
    for (size_t c = 0; c < of_bias->second->params.size(); ++c)
      of_bias->second->params[c].scale = data->second->params[0].scale * planned->second->params[c].scale;
    GraphTensor& biases = quantized.tensor(bias);
    const auto own_bias = own.constants.find(biases.name);
    if (own_bias == own.constants.end()) continue;
    SetValues(biases, DType::kFloat32, RealsOf(own_bias->second, biases.shape));
    taken.push_back(biases.name);
  }
  return taken;
}

void TakeOwnBiases(const OwnIntegers& own, const std::vector<std::string>& taken, Graph& quantized) {
  for (GraphTensor& tensor : quantized.tensors) {
    const auto found = own.constants.find(tensor.name);
    if (found == own.constants.end() || found->second.type != tensor.type || !tensor.quantization) continue;
    if (tensor.type != DType::kInt32 && tensor.type != DType::kInt64) continue;
    const std::vector<float>& scale = tensor.quantization->scale;
    const std::vector<QuantizationParams>& params = found->second.params;
    const bool same = scale.size() == params.size() &&
                      std::equal(scale.begin(), scale.end(), params.begin(), [](float a, const auto& b) {
                        return Alike({a, b.zero_point}, b);
                      });
    if (same && std::find(taken.begin(), taken.end(), tensor.name) != taken.end())
      tensor.data = found->second.integers;
  }
}

std::string DifferenceFromModel(const Model& made, const Model& model) {
  const auto by_name = ByName(model);
  for (const ModelTensor& tensor : made.tensors()) {
    const auto found = by_name.find(tensor.name);
    if (found == by_name.end() || tensor.scale.empty()) continue;
    const ModelTensor& other = *found->second;
    if (other.file_type != tensor.file_type) return StrCat("tensor '", tensor.name, "' has another type");
    const std::vector<QuantizationParams> a = ParamsOf(tensor), b = ParamsOf(other);
    if (a.size() != b.size() || !std::equal(a.begin(), a.end(), b.begin(), Alike))
      return StrCat("tensor '", tensor.name, "' has another scale");
    if (!std::ranges::equal(tensor.constant, other.constant))
      return StrCat("tensor '", tensor.name, "' has other integers");
  }
  return "";
}

}  // namespace qat
