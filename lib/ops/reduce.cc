// Sum, ReduceMin, ReduceProd, ReduceAny, ReduceAll: one value for all those along the axes that the second
// input lists.
#include "ops/reduction.h"
#include "ops/run_op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, InferReduction);
  op.default_attributes = MeanAttributes();
  op.read_options = ReadReduction;
  return op;
}

OpDefinition DefineReal(OpType type, std::string_view name, std::string_view tflite_name,
                        int32_t builtin_code, std::string_view summary,
                        std::span<const std::string_view> releases, IntegerKernels kernels) {
  OpDefinition op = Written(Define(type, name, tflite_name, builtin_code, summary),
                            {VersionTwoForInt8, releases, WriteReduction}, kernels);
  op.keys = ReductionKeys();
  op.default_attributes = DefaultReduction();
  op.index_operands = ReductionAxes;
  return op;
}

OpDefinition DefineTruth(OpType type, std::string_view name, std::string_view tflite_name,
                         int32_t builtin_code, std::string_view summary,
                         std::span<const std::string_view> releases) {
  OpDefinition op = Written(Define(type, name, tflite_name, builtin_code, summary),
                            {FirstVersion, releases, WriteReduction}, IntegerKernels::kBoth);
  op.output_quantization = OutputQuantization::kNone;
  return op;
}

constexpr std::string_view kSumReleases[] = {"1.10.0", "1.15.0"};
constexpr std::string_view kReduceMinReleases[] = {"1.11.0", "1.14.0"};
constexpr std::string_view kReduceProdReleases[] = {"1.11.0", "2.6.0"};
constexpr std::string_view kReduceAnyReleases[] = {"1.11.0"};
constexpr std::string_view kReduceAllReleases[] = {"2.6.0"};

}  // namespace

const OpDefinition& SumDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kSum, "sum", "SUM", tflite::BuiltinOperator_SUM,
                 "sum over the given axes; default: over the image", kSumReleases, IntegerKernels::kBoth);
  return kDefinition;
}
const OpDefinition& ReduceMinDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        DefineReal(OpType::kReduceMin, "reduce_min", "REDUCE_MIN", tflite::BuiltinOperator_REDUCE_MIN,
                   "smallest value over the given axes; default: over the image", kReduceMinReleases,
                   IntegerKernels::kBoth);
    op.output_quantization = OutputQuantization::kSameAsInput;
    return op;
  }();
  return kDefinition;
}
const OpDefinition& ReduceProdDefinition() {
  static const OpDefinition kDefinition = DefineReal(
      OpType::kReduceProd, "reduce_prod", "REDUCE_PROD", tflite::BuiltinOperator_REDUCE_PROD,
      "product over the given axes; default: over the image", kReduceProdReleases, IntegerKernels::kNone);
  return kDefinition;
}
const OpDefinition& ReduceAnyDefinition() {
  static const OpDefinition kDefinition =
      DefineTruth(OpType::kReduceAny, "reduce_any", "REDUCE_ANY", tflite::BuiltinOperator_REDUCE_ANY,
                  "whether one is true over some axes", kReduceAnyReleases);
  return kDefinition;
}
const OpDefinition& ReduceAllDefinition() {
  static const OpDefinition kDefinition =
      DefineTruth(OpType::kReduceAll, "reduce_all", "REDUCE_ALL", tflite::BuiltinOperator_REDUCE_ALL,
                  "whether all are true over some axes", kReduceAllReleases);
  return kDefinition;
}

}  // namespace qat
