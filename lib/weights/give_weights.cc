#include "weights/give_weights.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/printable.h"
#include "base/strings.h"
#include "weights/leftovers.h"

namespace qat {
namespace {

Bytes BytesOf(const std::vector<float>& values) {
  Bytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

StoredTensor Stored(std::string name, Shape shape, const std::vector<float>& values) {
  return {std::move(name), FindElementType("float32"), std::move(shape), BytesOf(values)};
}

// The tensor of a layer, its groups one after the other.
std::vector<float> Gathered(const NamedTensors& tensors, const NetworkLayer& layer,
                            const std::string& suffix) {
  std::vector<float> values;
  for (const std::string& name : layer.TensorNames(suffix)) {
    const std::vector<float>& part = tensors.at(name).values;
    values.insert(values.end(), part.begin(), part.end());
  }
  return values;
}

struct NormField {
  std::string_view ours, pytorch, keras;
};
constexpr NormField kNormFields[] = {
    {"gamma", "weight", "gamma"},
    {"beta", "bias", "beta"},
    {"moving_mean", "running_mean", "moving_mean"},
    {"moving_variance", "running_var", "moving_variance"},
};

class Giver {
 public:
  Giver(const NamedTensors& tensors, WeightsLayout layout, bool channels_last)
      : tensors_(tensors), layout_(layout), channels_last_(channels_last) {}

  void Give(const NetworkLayer& layer) {
    if (layer.filter.empty()) return GiveSlope(layer);
    const std::vector<float> filter = Gathered(tensors_, layer, "filter");
    // A batch normalization by itself, unless what stands for no filter has learned.
    const bool alone = layer.is_norm_only && layout_ != WeightsLayout::kTflite &&
                       std::all_of(filter.begin(), filter.end(), [](float value) { return value == 1; });
    if (!alone) GiveFilter(layer, filter);
    if (layer.has_bias) Add(Name(layer.name, "bias"), {layer.channels}, Gathered(tensors_, layer, "bias"));
    if (!layer.batch_norm) return;
    const std::string norm = alone || layout_ == WeightsLayout::kTflite ? layer.name : layer.name + "_bn";
    for (const NormField& field : kNormFields) {
      const std::string_view suffix = layout_ == WeightsLayout::kPyTorch ? field.pytorch
                                      : layout_ == WeightsLayout::kKeras ? field.keras
                                                                         : field.ours;
      Add(Name(norm, suffix), {layer.channels}, Gathered(tensors_, layer, std::string(field.ours)));
    }
  }

  std::vector<StoredTensor> Take() { return std::move(given_); }

 private:
  std::string Name(const std::string& module, std::string_view suffix) const {
    return StrCat(module, layout_ == WeightsLayout::kPyTorch ? "." : "/", suffix);
  }

  void GiveFilter(const NetworkLayer& layer, const std::vector<float>& filter) {
    const Shape shape = TheirShape(layout_, layer);
    const auto arrangement = Arrange(layout_, channels_last_, layer, shape);
    QAT_CHECK(arrangement.has_value());
    const bool depthwise = layer.type == OpType::kDepthwiseConv2D;
    const std::string_view suffix = layout_ == WeightsLayout::kPyTorch  ? "weight"
                                    : layout_ == WeightsLayout::kTflite ? "filter"
                                    : depthwise                         ? "depthwise_kernel"
                                                                        : "kernel";
    Add(Name(layer.name, suffix), shape, FromOurs(*arrangement, filter));
  }

  void GiveSlope(const NetworkLayer& layer) {
    const bool vector = layout_ == WeightsLayout::kPyTorch;
    const std::string_view suffix = vector ? "weight" : layout_ == WeightsLayout::kKeras ? "alpha" : "slope";
    const Shape shape = vector ? Shape{static_cast<int32_t>(FlatSize(layer.slope))} : layer.slope;
    Add(Name(layer.name, suffix), shape, Gathered(tensors_, layer, "slope"));
  }

  void Add(std::string name, Shape shape, const std::vector<float>& values) {
    given_.push_back(Stored(std::move(name), std::move(shape), values));
  }

  const NamedTensors& tensors_;
  WeightsLayout layout_;
  bool channels_last_;
  std::vector<StoredTensor> given_;
};

/// Puts values where another file has them.
class Returner {
 public:
  Returner(const NamedTensors& tensors, const WeightsFile& like, const MatchOptions& options)
      : tensors_(tensors), like_(like), options_(options) {
    for (const WeightTensor& tensor : like.tensors()) {
      given_.push_back(
          {tensor.name, tensor.type, tensor.shape, Bytes(tensor.bytes.begin(), tensor.bytes.end())});
    }
  }

  Status Return(const NetworkLayer& layer, const LayerMatch& match, const Matching& matching) {
    const auto module = [&](int32_t index) {
      return index < 0 ? nullptr : &matching.modules[static_cast<size_t>(index)];
    };
    const FileModule* const main = module(match.main);
    const FileModule* const norm = module(match.norm);
    if (layer.filter.empty()) return ReturnSlope(layer, *main);
    std::vector<float> bias;
    if (main != nullptr) {
      QAT_RETURN_IF_ERROR(ReturnFilter(layer, *main));
      QAT_ASSIGN_OR_RETURN(bias, ReturnBias(layer, *main));
    }
    return norm == nullptr ? Status() : ReturnNorm(layer, *norm, bias);
  }

  ReturnedWeights Take() { return {std::move(given_), std::move(added_)}; }

 private:
  void Put(int32_t index, const std::vector<float>& values) {
    StoredTensor& tensor = given_[static_cast<size_t>(index)];
    tensor.type = FindElementType("float32");
    tensor.bytes = BytesOf(values);
  }
  Error NoPlace(std::string_view suffix) const {
    return InvalidArgument(StrCat("its ", suffix, " has no place in ", like_.source(),
                                  "; without `weights_like`, tensors are named after layers"));
  }
  Status Fits(int32_t index, const std::vector<float>& values) const {
    const Shape& shape = given_[static_cast<size_t>(index)].shape;
    if (FlatSize(shape) == std::ssize(values)) return {};
    return Corrupt(StrCat("tensor '", Printable(given_[static_cast<size_t>(index)].name), "' of ",
                          like_.source(), " is ", ToString(shape), ", expected ", values.size(), " values"));
  }
  Status PutVector(int32_t index, const std::vector<float>& values) {
    QAT_RETURN_IF_ERROR(Fits(index, values));
    Put(index, values);
    return {};
  }

  Status ReturnFilter(const NetworkLayer& layer, const FileModule& main) {
    if (main.filter < 0) return NoPlace("filter");
    const Shape& shape = given_[static_cast<size_t>(main.filter)].shape;
    const auto arrangement = Arrange(options_.layout, options_.channels_last, layer, shape);
    if (!arrangement) {
      return Corrupt(StrCat("tensor '", Printable(given_[static_cast<size_t>(main.filter)].name), "' of ",
                            like_.source(), " is ", ToString(shape), ", expected ",
                            ToString(TheirShape(options_.layout, layer))));
    }
    Put(main.filter, FromOurs(*arrangement, Gathered(tensors_, layer, "filter")));
    return {};
  }

  // The bias that stays in front of a batch normalization.
  Expected<std::vector<float>> ReturnBias(const NetworkLayer& layer, const FileModule& main) {
    if (!layer.has_bias)
      return main.bias < 0 ? std::vector<float>() : like_.Values(static_cast<size_t>(main.bias));
    const std::vector<float> bias = Gathered(tensors_, layer, "bias");
    const bool zero = std::all_of(bias.begin(), bias.end(), [](float value) { return value == 0; });
    if (main.bias < 0 && !zero) QAT_RETURN_IF_ERROR(AddBias(main, bias));
    if (main.bias >= 0) QAT_RETURN_IF_ERROR(PutVector(main.bias, bias));
    return std::vector<float>();
  }

  // "fc.bias" to "fc.weight". A name without parts says nothing of a module.
  Status AddBias(const FileModule& main, const std::vector<float>& bias) {
    const std::string& filter = given_[static_cast<size_t>(main.filter)].name;
    const size_t cut = filter.find_last_of("./");
    if (cut == std::string::npos) return NoPlace("bias");
    const std::string name = filter.substr(0, cut + 1) + "bias";
    if (std::any_of(given_.begin(), given_.end(),
                    [&](const StoredTensor& each) { return each.name == name; }))
      return NoPlace("bias");
    given_.push_back(Stored(name, {static_cast<int32_t>(bias.size())}, bias));
    added_.push_back(name);
    return {};
  }

  Status ReturnNorm(const NetworkLayer& layer, const FileModule& norm, const std::vector<float>& bias) {
    for (const NormField& field : kNormFields) {
      const int32_t index = field.ours == "gamma"         ? norm.gamma
                            : field.ours == "beta"        ? norm.beta
                            : field.ours == "moving_mean" ? norm.mean
                                                          : norm.variance;
      std::vector<float> values = Gathered(tensors_, layer, std::string(field.ours));
      if (field.ours == "moving_mean" && bias.size() == values.size()) {
        for (size_t i = 0; i < values.size(); ++i) values[i] += bias[i];
      }
      const float otherwise = field.ours == "gamma" ? 1.0f : 0.0f;
      const bool usual =
          std::all_of(values.begin(), values.end(), [&](float value) { return value == otherwise; });
      if (index < 0 && !usual) return NoPlace(field.ours);
      if (index >= 0) QAT_RETURN_IF_ERROR(PutVector(index, values));
    }
    return {};
  }

  Status ReturnSlope(const NetworkLayer& layer, const FileModule& main) {
    std::vector<float> slope = Gathered(tensors_, layer, "slope");
    if (FlatSize(given_[static_cast<size_t>(main.slope)].shape) == 1) {
      const bool one =
          std::all_of(slope.begin(), slope.end(), [&](float value) { return value == slope[0]; });
      if (!one) return NoPlace("slope, one per channel,");
      slope.resize(1);
    }
    return PutVector(main.slope, slope);
  }

  const NamedTensors& tensors_;
  const WeightsFile& like_;
  const MatchOptions& options_;
  std::vector<StoredTensor> given_;
  std::vector<std::string> added_;
};

}  // namespace

std::vector<StoredTensor> GiveWeights(const std::vector<NetworkLayer>& layers, const NamedTensors& tensors,
                                      WeightsLayout layout, bool channels_last) {
  Giver giver(tensors, layout, channels_last);
  for (const NetworkLayer& layer : layers) giver.Give(layer);
  return giver.Take();
}

Expected<ReturnedWeights> GiveWeightsLike(const std::vector<NetworkLayer>& layers,
                                          const NamedTensors& tensors, const WeightsFile& like,
                                          const MatchOptions& options) {
  QAT_ASSIGN_OR_RETURN(const Matching matching, Match(layers, like, options));
  QAT_RETURN_IF_ERROR(RefuseUnfilled(layers, like, matching, options.layout));
  Returner returner(tensors, like, options);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (matching.layers[i].fresh) continue;
    QAT_RETURN_IF_ERROR_IN(StrCat("layer '", layers[i].name, "'"),
                           returner.Return(layers[i], matching.layers[i], matching));
  }
  return returner.Take();
}

}  // namespace qat
