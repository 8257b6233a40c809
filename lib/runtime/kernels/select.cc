// Prepare of SELECT and SELECT_V2: values are moved as bytes.
#include <cstring>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/broadcast.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

// A condition that is one value per slice is [N, 1, …].
Shape ConditionShape(const KernelContext& context) {
  Shape condition = context.inputs[0]->shape;
  const size_t rank = context.output.shape.size();
  if (context.definition.type == OpType::kSelect && FlatSize(condition) != 1) condition.resize(rank, 1);
  return condition;
}

using Steps = std::array<int64_t, reference::BroadcastLoops::kRank>;

// Of the output, and in the condition and the two values.
struct Loops {
  Steps sizes, condition, a, b;
};

// Calls f with the offsets in condition and values of each output, in its order.
template <class F>
void ForEachPlace(const Loops& loops, size_t axis, int64_t condition, int64_t a, int64_t b, const F& f) {
  if (axis == loops.sizes.size()) return f(condition, a, b);
  for (int64_t i = 0; i < loops.sizes[axis]; ++i) {
    ForEachPlace(loops, axis + 1, condition + i * loops.condition[axis], a + i * loops.a[axis],
                 b + i * loops.b[axis], f);
  }
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.inputs[0]->type != DType::kBool) return UnsupportedTypes(context);
  for (const size_t input : {1, 2}) QAT_RETURN_IF_ERROR(CheckMoved(context, *context.inputs[input]));
  const Shape& output = context.output.shape;
  const Loops loops{reference::SizesOf(output), reference::StepsOver(ConditionShape(context), output),
                    reference::StepsOver(context.inputs[1]->shape, output),
                    reference::StepsOver(context.inputs[2]->shape, output)};
  const auto element = static_cast<int64_t>(SizeOf(context.output.type));
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    uint8_t* to = io.output_bytes;
    ForEachPlace(loops, 0, 0, 0, 0, [&](int64_t condition, int64_t a, int64_t b) {
      const uint8_t* from =
          io.inputs[0][condition] != 0 ? io.inputs[1] + a * element : io.inputs[2] + b * element;
      std::memcpy(to, from, static_cast<size_t>(element));
      to += element;
    });
  });
}

}  // namespace

const OpKernels& SelectKernels() {
  static const OpKernels kKernels = {Prepare, 4};
  return kKernels;
}
const OpKernels& SelectV2Kernels() {
  static const OpKernels kKernels = {Prepare, 2};
  return kKernels;
}

}  // namespace qat
