#include "spec/rewrite.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "spec/diagnostics.h"
#include "spec/layer_shapes.h"

namespace qat {
namespace {

std::optional<Activation> ActivationOf(OpType type) {
  switch (type) {
    case OpType::kRelu:
      return Activation::kRelu;
    case OpType::kRelu6:
      return Activation::kRelu6;
    case OpType::kReluN1To1:
      return Activation::kReluN1To1;
    default:
      return std::nullopt;
  }
}

std::vector<int32_t> CountReaders(const NetworkSpec& spec) {
  std::vector<int32_t> readers(spec.layers.size());
  for (const LayerSpec& layer : spec.layers) {
    for (const int32_t input : layer.inputs) {
      if (!IsNetworkInput(input)) ++readers[static_cast<size_t>(input)];
    }
  }
  // An output is read from outside.
  for (const int32_t output : spec.outputs) ++readers[static_cast<size_t>(output)];
  return readers;
}

/// Builds a list of layers from another one; `placed_[i]` is where the output of the old layer i is found.
class Relisting {
 public:
  explicit Relisting(NetworkSpec& spec) : spec_(spec), old_(std::move(spec.layers)) { spec.layers.clear(); }

 protected:
  void Remap(LayerSpec& layer) const {
    for (int32_t& input : layer.inputs) {
      if (!IsNetworkInput(input)) input = placed_[static_cast<size_t>(input)];
    }
  }
  /// Appends to the new list; the index there.
  int32_t Append(LayerSpec layer) {
    spec_.layers.push_back(std::move(layer));
    return static_cast<int32_t>(spec_.layers.size()) - 1;
  }

  NetworkSpec& spec_;
  std::vector<LayerSpec> old_;
  std::vector<int32_t> placed_;
};

class Fuser : private Relisting {
 public:
  Fuser(NetworkSpec& spec, const std::string& source)
      : Relisting(spec), diagnostics_(source), readers_([this] {
          NetworkSpec before;
          before.layers = old_;
          before.outputs = spec_.outputs;
          return CountReaders(before);
        }()) {}

  Status Run() {
    for (LayerSpec& layer : old_) {
      const int32_t read = layer.inputs[0];
      Remap(layer);
      if (layer.type == OpType::kBatchNorm) {
        PlaceBatchNorm(std::move(layer), read);
      } else if (const auto activation = ActivationOf(layer.type)) {
        PlaceActivation(std::move(layer), read, *activation);
      } else {
        placed_.push_back(Append(std::move(layer)));
      }
    }
    QAT_RETURN_IF_ERROR(diagnostics_.Take());
    for (int32_t& output : spec_.outputs) output = placed_[static_cast<size_t>(output)];
    return {};
  }

 private:
  // The new layer behind `layer`, if `layer` is all that reads the old layer `read`.
  LayerSpec* OnlyReadBy(const LayerSpec& layer, int32_t read) {
    if (IsNetworkInput(read) || readers_[static_cast<size_t>(read)] != 1) return nullptr;
    return &spec_.layers[static_cast<size_t>(layer.inputs[0])];
  }

  // Of the layer in the old list.
  bool IsNamedOutput(size_t layer) const {
    return std::find(spec_.outputs.begin(), spec_.outputs.end(), static_cast<int32_t>(layer)) !=
           spec_.outputs.end();
  }

  void Merge(const LayerSpec& layer, LayerSpec& into) {
    into.fused.push_back(layer.name);
    placed_.push_back(layer.inputs[0]);
  }

  void PlaceBatchNorm(LayerSpec layer, int32_t read) {
    const BatchNormSpec batch_norm = std::get<BatchNormAttributes>(layer.attributes);
    LayerSpec* before = OnlyReadBy(layer, read);
    if (before != nullptr && before->definition().filter_input >= 0 && !before->batch_norm &&
        FusedActivation(before->attributes) == Activation::kNone) {
      before->batch_norm = batch_norm;
      return Merge(layer, *before);
    }
    if (layer.output_shape.size() != 4) {
      diagnostics_.Add(
          {layer.line, layer.column},
          Unsupported(StrCat(
              "layer '", layer.name, "': batch_norm of ", ToString(layer.output_shape),
              " has no layer to be folded into; put it directly after a layer that has a filter and no "
              "activation, or where the values are still an image [N, H, W, C]")));
      placed_.push_back(layer.inputs[0]);
      return;
    }
    layer.type = OpType::kDepthwiseConv2D;
    layer.attributes = DepthwiseConv2DAttributes{.kernel_h = 1, .kernel_w = 1};
    layer.initializer.kind = Initializer::Kind::kOnes;
    layer.batch_norm = batch_norm;
    const TextPlace place = {layer.line, layer.column};
    const Shape read_shape = layer.output_shape;
    if (!InferLayer(spec_, layer).ok()) {
      diagnostics_.Add(
          place, InvalidArgument(StrCat("layer '", layer.name, "': batch_norm of ", ToString(read_shape),
                                        " becomes a depthwise convolution, expected at most ", 1 << 20,
                                        " channels and ", 1 << 20, " rows and columns")));
    }
    placed_.push_back(Append(std::move(layer)));
  }

  void PlaceActivation(LayerSpec layer, int32_t read, Activation activation) {
    // An output among several keeps the name that it is known by.
    LayerSpec* before = IsNamedOutput(placed_.size()) ? nullptr : OnlyReadBy(layer, read);
    if (before != nullptr && before->definition().output_quantization == OutputQuantization::kOwnRange &&
        FusedActivation(before->attributes) == Activation::kNone &&
        SetFusedActivation(before->attributes, activation)) {
      return Merge(layer, *before);
    }
    placed_.push_back(Append(std::move(layer)));
  }

  Diagnostics diagnostics_;
  std::vector<int32_t> readers_;
};

}  // namespace

Status Rewrite(NetworkSpec& spec, const std::string& source) { return Fuser(spec, source).Run(); }

}  // namespace qat
