#include "ops/run_op.h"

#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> ShapeOfFirst(const OpAttributes&, std::span<const Operand> inputs) { return inputs[0].shape; }

}  // namespace

OpDefinition RunOp(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                   int32_t inputs, std::string_view summary) {
  return RunOp(type, name, tflite_name, builtin_code, inputs, summary, ShapeOfFirst);
}

OpDefinition RunOp(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                   int32_t inputs, std::string_view summary,
                   Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>)) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = op.max_inputs = inputs;
  op.infer_shape = infer_shape;
  op.read_options = ReadNoOptions;
  return op;
}

OpDefinition Written(OpDefinition op, const Writing& writing, IntegerKernels kernels,
                     std::string_view instead) {
  op.version = writing.version;
  op.releases = writing.releases;
  op.write_options = writing.write_options;
  op.runs_uint8 = kernels == IntegerKernels::kBoth;
  op.runs_int8 = kernels != IntegerKernels::kNone;
  op.instead = instead;
  return op;
}

int32_t FirstVersion(const VersionQuery&) { return 1; }

}  // namespace qat
