// Prepare of CONCATENATION.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/lookup.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

using LookupFunction = void (*)(const uint8_t* table, const uint8_t* from, int64_t size, uint8_t* to);

// One input as rows: the values along the axis and after it are contiguous.
struct Part {
  int64_t row_bytes = 0;
  bool copied = true;  // else through the table
  reference::LookupTable<uint8_t> table = {};
  LookupFunction lookup = nullptr;  // null: the reference
};

// q * (s_i / s_o) - z_i * (s_i / s_o), rounded half away from zero, all in float32: as TFLite's uint8 kernel.
reference::LookupTable<uint8_t> RequantizingTable(QuantizationParams input, QuantizationParams output) {
  const float inverse = 1.0f / output.scale;
  const float scale = input.scale * inverse;
  const float bias = static_cast<float>(-input.zero_point) * scale;
  return reference::MakeLookupTable<uint8_t, uint8_t>([&](int32_t q) {
    return std::clamp(RoundWithin(static_cast<float>(q) * scale + bias, 1024) + output.zero_point, 0, 255);
  });
}

Status ReadQuantization(const KernelTensor& input, const KernelTensor& output, Part& part) {
  if (output.type != DType::kUInt8) return CheckMovedQuantization(input, output);
  if (output.scale.empty() && input.scale.empty()) return {};
  QAT_ASSIGN_OR_RETURN(const QuantizationParams from, PerTensorParams(input, "input", LimitsOf<uint8_t>()));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams to, PerTensorParams(output, "output", LimitsOf<uint8_t>()));
  part.copied = from == to;
  if (!part.copied) part.table = RequantizingTable(from, to);
  return {};
}

// Null where rows are too short for vectors, or there are none.
LookupFunction LookupOf(const KernelContext& context, int64_t row_bytes) {
  constexpr int64_t kLeastBytes = 16;  // one vector of the smallest set
  if (context.kernels != KernelSet::kFast || row_bytes < kLeastBytes) return nullptr;
  const simd::Instructions* instructions = simd::InstructionsOf(context.isa);
  return instructions == nullptr ? nullptr : instructions->lookup;
}

void AppendRow(const Part& part, const uint8_t* row, uint8_t* output) {
  if (part.copied) {
    std::memcpy(output, row, static_cast<size_t>(part.row_bytes));
  } else if (part.lookup != nullptr) {
    part.lookup(part.table.data(), row, part.row_bytes, output);
  } else {
    reference::Lookup(part.row_bytes, part.table, row, output);
  }
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const Shape& shape = context.output.shape;
  const size_t axis = *ResolveAxis(context.As<ConcatenationAttributes>().axis, shape.size());
  const int64_t rows = FlatSize(Shape(shape.begin(), shape.begin() + static_cast<int64_t>(axis)));
  std::vector<Part> parts;
  int64_t row_bytes = 0;
  for (const KernelTensor* input : context.inputs) {
    if (input->type != context.output.type || SizeOf(input->type) == 0) return UnsupportedTypes(context);
    const Shape row(input->shape.begin() + static_cast<int64_t>(axis), input->shape.end());
    Part part;
    part.row_bytes = FlatSize(row) * static_cast<int64_t>(SizeOf(input->type));
    QAT_RETURN_IF_ERROR(ReadQuantization(*input, context.output, part));
    part.lookup = LookupOf(context, part.row_bytes);
    row_bytes += part.row_bytes;
    parts.push_back(part);
  }
  return MakeKernel(context, "reference",
                    [rows, row_bytes, parts = std::move(parts)](const KernelBuffers& io) {
                      ForRuns(io.pool, rows * row_bytes, rows, 1, [&](int64_t begin, int64_t end, int) {
                        uint8_t* output = io.output_bytes + begin * row_bytes;
                        for (int64_t row = begin; row < end; ++row) {
                          for (size_t i = 0; i < parts.size(); ++i) {
                            AppendRow(parts[i], io.inputs[i] + row * parts[i].row_bytes, output);
                            output += parts[i].row_bytes;
                          }
                        }
                      });
                    });
}

}  // namespace

// Version 3 brought int16.
const OpKernels& ConcatenationKernels() {
  static const OpKernels kKernels = {Prepare, 7};
  return kKernels;
}

}  // namespace qat
