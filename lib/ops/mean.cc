// Mean, ReduceMax: one value for all those along the axes that the second input lists.
#include "ops/reduction.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr std::string_view kMeanReleases[] = {"1.6.0", "1.14.0"};
constexpr std::string_view kReduceMaxReleases[] = {"1.11.0", "1.14.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = 2;
  op.max_inputs = 2;
  op.keys = ReductionKeys();
  op.default_attributes = DefaultReduction();
  op.index_operands = ReductionAxes;
  op.infer_shape = InferReduction;
  op.version = VersionTwoForInt8;
  op.write_options = WriteReduction;
  op.read_options = ReadReduction;
  return op;
}

}  // namespace

const OpDefinition& MeanDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kMean, "mean", "MEAN", tflite::BuiltinOperator_MEAN,
                             "mean over the given axes; default: over the image");
    op.releases = kMeanReleases;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ReduceMaxDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Define(OpType::kReduceMax, "reduce_max", "REDUCE_MAX", tflite::BuiltinOperator_REDUCE_MAX,
               "largest value over the given axes; default: over the image");
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.releases = kReduceMaxReleases;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
