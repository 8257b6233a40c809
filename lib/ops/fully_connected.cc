// FullyConnected: y[n, o] = activation(bias[o] + sum over i of x[n, i] * filter[o, i]); x flattened to rows
// of i.
#include "base/strings.h"
#include "ops/filter_op.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = FullyConnectedAttributes;

constexpr AttributeKey kKeys[] = {
    {"units", keys::kPositive, "", keys::Member<&A::units, keys::ToPositive>},
    {"activation", keys::kActivation, "\"none\"", keys::Member<&A::activation, keys::ToActivation>},
};

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[1], 2, "filter"));
  const Shape& input = inputs[0].shape;
  const Shape& filter = inputs[1].shape;
  if (filter[0] < 1 || filter[1] < 1) {
    return InvalidArgument(StrCat("filter is ", ToString(filter), ", expected positive sizes"));
  }
  const int64_t elements = FlatSize(input);
  if (elements % filter[1] != 0) {
    return InvalidArgument(StrCat("filter ", ToString(filter), " takes rows of ", filter[1], ", the input ",
                                  ToString(input), " has ", elements, " values"));
  }
  QAT_RETURN_IF_ERROR(ExpectBias(inputs, 2, filter[0]));
  if (!a.keep_num_dims) return Shape{static_cast<int32_t>(elements / filter[1]), filter[0]};
  if (input.empty() || input.back() != filter[1]) {
    return InvalidArgument(StrCat("filter ", ToString(filter), " takes rows of ", filter[1],
                                  ", the input is ", ToString(input)));
  }
  Shape output = input;
  output.back() = filter[0];
  return output;
}

std::vector<ParameterSpec> Parameters(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<A>(attributes);
  // A spec's shapes have batch 1: every value of the input belongs to one row.
  const auto depth = static_cast<int32_t>(FlatSize(input));
  return FilterAndBias({a.units, depth}, depth, a.units, a.units);
}

int64_t MultiplyAccumulates(std::span<const Operand> inputs, const Shape& output) {
  return FlatSize(output) * inputs[1].shape[1];
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.10.0", "1.14.0", "1.14.0", "2.0.0",
                                          "2.1.0", "2.3.0",  "2.3.0",  "2.3.0"};

// Two inputs count before int8 in TFLite's own rule, so a missing bias decides the version.
int32_t Version(const VersionQuery& query) {
  if (query.input == DType::kFloat32 && query.filter == DType::kInt8)
    return std::get<A>(*query.attributes).asymmetric_inputs ? 9 : 3;
  if (query.inputs == 2) return 6;
  if (std::get<A>(*query.attributes).keep_num_dims) return 5;
  return query.input == DType::kInt8 ? 4 : 1;
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_FullyConnectedOptions;
  writer.table = tflite::CreateFullyConnectedOptions(
                     writer.builder, static_cast<tflite::ActivationFunctionType>(a.activation),
                     tflite::FullyConnectedOptionsWeightsFormat_DEFAULT, a.keep_num_dims, a.asymmetric_inputs,
                     static_cast<tflite::TensorType>(a.quantized_bias_type))
                     .Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::FullyConnectedOptions>();
  if (table == nullptr) return OpAttributes(A());
  if (table->weights_format() != tflite::FullyConnectedOptionsWeightsFormat_DEFAULT) {
    return Unsupported(StrCat("weights format is ", int{table->weights_format()}, ", expected 0 (DEFAULT)"));
  }
  A a;
  a.keep_num_dims = table->keep_num_dims();
  a.asymmetric_inputs = table->asymmetric_quantize_inputs();
  a.quantized_bias_type = static_cast<DType>(table->quantized_bias_type());
  QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  return OpAttributes(a);
}

}  // namespace

const OpDefinition& FullyConnectedDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = FilterOp(OpType::kFullyConnected, "fully_connected", "FULLY_CONNECTED",
                               tflite::BuiltinOperator_FULLY_CONNECTED);
    op.summary = "matrix product with bias and activation; flattens its input";
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.parameters = Parameters;
    op.multiply_accumulates = MultiplyAccumulates;
    op.version = Version;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
