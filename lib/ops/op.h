// op.h: everything the stages need to know about an operator, as data: one OpDefinition per operator, one
// file per family. Spec, training, freezing, the writer of .tflite and the runtime all read it here; the only
// other places are its training module and its kernels.
#ifndef QAT_OPS_OP_H_
#define QAT_OPS_OP_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/expected.h"
#include "base/shape.h"
#include "ops/attributes.h"
#include "quant/params.h"

namespace qat {

enum class OpType : uint8_t {
#define QAT_OP(enumerator, stem, name, tflite_name) k##enumerator,
#include "ops/op_list.inc"
#undef QAT_OP
};

/// How the output of an operator is quantized.
enum class OutputQuantization {
  kOwnRange,     ///< an observer of its own: after the fused activation
  kSameAsInput,  ///< scale and zero point of the data input: pools, reshapes
  kJoinsInputs,  ///< one scale and zero point for all inputs and the output: concatenation, maximum, select
  kFixed,        ///< fixed by TFLite's specification: OpDefinition::fixed_uint8
  kNone,         ///< indices, no quantization
};

/// One input of an operator, as shape rules see it. `constant` is empty unless the values are known.
struct Operand {
  Shape shape;
  DType type = DType::kFloat32;
  std::span<const uint8_t> constant;
};

/// A trainable tensor of a layer. Layouts are TFLite's: filter [O, H, W, I] or [O, I], bias [O].
struct ParameterSpec {
  enum class Role { kFilter, kBias, kGamma, kBeta, kMovingMean, kMovingVariance, kSlope };
  std::string_view suffix;  ///< the tensor is named "<layer>/<suffix>"
  Role role;
  Shape shape;
  int32_t fan_in = 0;   ///< inputs that one output sums
  int32_t fan_out = 0;  ///< outputs that one input reaches
};

/// A constant int32 input after the data inputs: the shape of a reshape, the axis of an argmax.
struct IndexOperand {
  std::string_view suffix;
  Shape shape;  ///< empty: a scalar
  std::vector<int32_t> values;
};

/// A value of a spec's key, before its attribute has a type.
using AttributeValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

/// Between a spec's key and the attribute. `set` checks the value; its message says what was expected. `get`
/// gives the value that a spec would have; nothing where it would leave the key out.
struct KeyAccess {
  Status (*set)(OpAttributes& attributes, const AttributeValue& value);
  std::optional<AttributeValue> (*get)(const OpAttributes& attributes);
};

/// One key that a layer of this operator takes in a spec.
struct AttributeKey {
  std::string_view name;
  std::string_view expected;       ///< "a positive integer", …: for messages and for the generated page
  std::string_view default_value;  ///< as it would be written; empty: the key is required
  KeyAccess access;

  Status set(OpAttributes& attributes, const AttributeValue& value) const {
    return access.set(attributes, value);
  }
  std::optional<AttributeValue> get(const OpAttributes& attributes) const { return access.get(attributes); }
};

// Writing and reading TFLite's option tables: ops/tflite_options.h, included by .cc files only.
struct OptionsWriter;
struct OptionsReader;

/// Element types that decide an operator's version.
struct VersionQuery {
  DType input = DType::kFloat32;
  DType filter = DType::kFloat32;
  const OpAttributes* attributes = nullptr;
  int32_t inputs = 0;
};

struct OpDefinition {
  /// Not constexpr: GCC would try to evaluate whole definitions while compiling, and takes gigabytes over it.
  OpDefinition();

  OpType type;
  std::string_view name;         ///< in specs and messages: "conv_2d"
  std::string_view tflite_name;  ///< "CONV_2D"; "NONE" for what exists in training only
  int32_t builtin_code = -1;     ///< TFLite's BuiltinOperator; -1 for what exists in training only
  std::string_view summary;      ///< one line for the generated page

  int32_t min_inputs = 1;  ///< inputs of the operator in a graph, parameters and index operands included
  int32_t max_inputs = 1;
  int32_t data_input = 0;          ///< position of the first input that is no parameter and no index operand
  bool reads_shapes_only = false;  ///< its outputs say nothing but the shapes of its inputs
  int32_t filter_input = -1;       ///< position of the filter and the bias, -1: has none
  int32_t bias_input = -1;
  int32_t filter_channel_axis = 0;  ///< axis of the output channels in the filter: 3 for depthwise

  OutputQuantization output_quantization = OutputQuantization::kOwnRange;
  QuantizationParams fixed_uint8;  ///< with kFixed
  bool runs_uint8 = true;          ///< TFLite has a kernel for real values held as uint8
  bool runs_int8 = true;           ///< the same for int8
  std::string_view instead;        ///< what computes the same where there is none; may be empty

  int32_t min_layers = 1;  ///< outputs of layers that a layer of a spec reads
  int32_t max_layers = 1;
  std::span<const AttributeKey> keys;
  OpAttributes default_attributes;

  /// Output shape from input shapes. Errors: kInvalidArgument, in terms of shapes; the caller names the
  /// layer. Null where infer_shapes is set.
  Expected<Shape> (*infer_shape)(const OpAttributes& attributes, std::span<const Operand> inputs);
  /// The same for an operator with several outputs; null: it has one.
  Expected<std::vector<Shape>> (*infer_shapes)(const OpAttributes& attributes,
                                               std::span<const Operand> inputs) = nullptr;
  /// Element type of the outputs; null: that of the data input.
  DType (*output_type)(const OpAttributes& attributes) = nullptr;
  /// Trainable tensors for the given first input; null: none.
  std::vector<ParameterSpec> (*parameters)(const OpAttributes& attributes, const Shape& input) = nullptr;
  /// Constant index inputs that a graph node needs; null: none.
  std::vector<IndexOperand> (*index_operands)(const OpAttributes& attributes, const Shape& input) = nullptr;
  /// Multiply-accumulates for one output of the given shape; null: 0.
  int64_t (*multiply_accumulates)(std::span<const Operand> inputs, const Shape& output) = nullptr;

  int32_t (*version)(const VersionQuery& query) = nullptr;
  /// First TFLite release with version 1, 2, …: for the metadata entry min_runtime_version.
  std::span<const std::string_view> releases;
  void (*write_options)(OptionsWriter& writer, const OpAttributes& attributes) = nullptr;
  Expected<OpAttributes> (*read_options)(const OptionsReader& reader) = nullptr;
};

/// One shape per output. Errors: as the operator's rule.
Expected<std::vector<Shape>> InferShapes(const OpDefinition& definition, const OpAttributes& attributes,
                                         std::span<const Operand> inputs);

/// Element type of every output. Requires inputs up to the data input.
DType OutputType(const OpDefinition& definition, const OpAttributes& attributes,
                 std::span<const Operand> inputs);

/// All definitions, in the order of op_list.inc.
std::span<const OpDefinition* const> AllOps();

const OpDefinition& DefinitionOf(OpType type);

/// False for operators that a .tflite may hold but a spec may not: they have no training module.
bool IsTrainable(OpType type);

/// False for those that are not trainable, and for those that a spec says in another way: split_v, an argmax.
bool IsInSpecs(OpType type);

/// Null where there is none.
const OpDefinition* FindOpByName(std::string_view name);
const OpDefinition* FindOpByBuiltin(int32_t builtin_code);

/// The fused activation in `attributes`, kNone for operators that take none.
Activation FusedActivation(const OpAttributes& attributes);

std::string_view NameOf(Activation activation);  ///< "none", "relu", …
std::string_view NameOf(Padding padding);        ///< "same", "valid"

/// Real range that an activation can produce, for shape and range rules; infinite ends where it is open.
Range ActivationRange(Activation activation);

/// Sets the fused activation. False, and nothing done, for operators that take none.
bool SetFusedActivation(OpAttributes& attributes, Activation activation);

/// "stride 2x2, padding same, activation relu": for printing graphs; empty where there is nothing to say.
std::string Describe(const OpAttributes& attributes);

}  // namespace qat

#endif  // QAT_OPS_OP_H_
