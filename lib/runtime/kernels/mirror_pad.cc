// Prepare of MIRROR_PAD: from which index of the input each index of the output comes is worked out once per
// axis.
#include <cstring>

#include "runtime/kernels/indices.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

// Bytes in the input for each index of an axis of the output.
std::vector<int64_t> Offsets(int64_t size, int64_t before, int64_t output, bool symmetric, int64_t step) {
  const int64_t shift = symmetric ? 1 : 0;
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < output; ++i) {
    int64_t index = i - before;
    if (index < 0) index = -index - shift;
    if (index >= size) index = 2 * (size - 1) - index + shift;
    offsets.push_back(index * step);
  }
  return offsets;
}

uint8_t* CopyAxis(const std::vector<std::vector<int64_t>>& offsets, size_t axis, size_t element,
                  const uint8_t* input, uint8_t* output) {
  if (axis == offsets.size()) {
    std::memcpy(output, input, element);
    return output + element;
  }
  for (const int64_t offset : offsets[axis])
    output = CopyAxis(offsets, axis + 1, element, input + offset, output);
  return output;
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const std::vector<int64_t> paddings = IndicesOf(*context.inputs[1]);
  const size_t element = SizeOf(input.type);
  const std::vector<int64_t> steps = StepsOf(input.shape, element);
  std::vector<std::vector<int64_t>> offsets;
  for (size_t i = 0; i < steps.size(); ++i) {
    offsets.push_back(Offsets(input.shape[i], paddings[2 * i], context.output.shape[i],
                              context.As<MirrorPadAttributes>().symmetric, steps[i]));
  }
  return MakeKernel(context, "reference", [=, offsets = std::move(offsets)](const KernelBuffers& io) {
    CopyAxis(offsets, 0, element, io.inputs[0], io.output_bytes);
  });
}

}  // namespace

const OpKernels& MirrorPadKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

}  // namespace qat
