// network_spec.h: a network as text (TOML) and as checked data. The grammar is documented in
// docs/network_spec.md.
#ifndef QAT_SPEC_NETWORK_SPEC_H_
#define QAT_SPEC_NETWORK_SPEC_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "ir/trained.h"
#include "ops/op.h"
#include "spec/scaling.h"

namespace qat {

/// Batch normalization of a layer with a filter, between its sums and its activation. It takes the place of
/// the bias.
using BatchNormSpec = BatchNormAttributes;

/// One layer: a fused block of an operator, its parameters and its activation.
struct LayerSpec {
  std::string name;
  OpType type = OpType::kConv2D;
  OpAttributes attributes;
  Initializer initializer;
  /// indices of earlier layers, or NetworkInput(i) for inputs of the network
  std::vector<int32_t> inputs;
  Shape output_shape;                     ///< for batch 1: [1, …]
  std::vector<ParameterSpec> parameters;  ///< of the operator: filter, bias
  std::optional<BatchNormSpec> batch_norm;
  std::vector<std::string> fused;  ///< names of the layers that reading the spec made a part of this one
  int64_t multiply_accumulates = 0;
  int32_t line = 0;  ///< in the text, 1-based
  int32_t column = 0;

  const OpDefinition& definition() const { return DefinitionOf(type); }
};

/// Inputs of the network among the indices of layers: -1, -2, …
inline constexpr int32_t kNetworkInput = -1;
constexpr int32_t NetworkInput(size_t input) { return -1 - static_cast<int32_t>(input); }
constexpr bool IsNetworkInput(int32_t layer) { return layer < 0; }
/// Requires IsNetworkInput.
constexpr size_t InputIndex(int32_t layer) { return static_cast<size_t>(-1 - layer); }

/// "bytes" or "reals": what the values of an input are.
enum class InputValues : uint8_t { kOfData, kBytes, kReals };

struct InputSpec {
  std::string name = "input";
  Shape shape;  ///< [1, H, W, C]
  InputValues values = InputValues::kOfData;
  int32_t line = 0;  ///< in the text, 1-based
  int32_t column = 0;
};

struct NetworkSpec {
  std::string name;
  /// at least one; a single one is called "input"
  std::vector<InputSpec> inputs = std::vector<InputSpec>(1);
  /// the text's own key, which a layer follows and flags may change; 0: none does
  int32_t classes = 0;
  std::vector<LayerSpec> layers;  ///< in execution order
  std::vector<int32_t> outputs;   ///< indices of layers, as the text names them; empty: the last layer
  std::string text;               ///< as read, kept by checkpoints

  const Shape& ShapeOf(int32_t layer) const {
    return IsNetworkInput(layer) ? inputs[InputIndex(layer)].shape
                                 : layers[static_cast<size_t>(layer)].output_shape;
  }
};

/// Parses and checks a spec: unknown keys, types, names, shapes. Errors: kInvalidArgument,
/// "FILE:LINE:COLUMN: layer 'conv1': stride is 0, expected a positive integer"; `source` is the name shown
/// for FILE.
Expected<NetworkSpec> ParseNetworkSpec(std::string_view text, const std::string& source);

/// A name of the zoo, or the path of a spec file; `flags` change its width, resolution and classes, in
/// NetworkSpec::text too.
/// Errors: as above; an unknown name lists the zoo.
Expected<NetworkSpec> LoadNetworkSpec(const std::string& name_or_path, const ScalingFlags& flags = {});

/// Names of the built-in specs.
std::vector<std::string> ZooNames();

/// The operator table as Markdown, one row per key: the block of docs/network_spec.md that a test compares
/// with the code.
std::string OperatorTableMarkdown();

/// What training learns for a layer, in the order of checkpoints: the operator's parameters; with batch
/// normalization filter, gamma, beta, moving_mean, moving_variance (no bias: beta stands for it).
std::vector<ParameterSpec> TrainedParameters(const LayerSpec& layer);

}  // namespace qat

#endif  // QAT_SPEC_NETWORK_SPEC_H_
