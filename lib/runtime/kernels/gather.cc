// Prepare of GATHER and GATHER_ND: slices are copied as bytes. Known indices are checked here; if a
// computed one is outside, TFLite stops with an error, and here the slice is zeros.
#include <cstring>

#include "base/strings.h"
#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

bool IsIndexType(DType type) { return type == DType::kInt32 || type == DType::kInt64; }

int64_t IndexAt(const uint8_t* indices, bool wide, int64_t at) {
  if (!wide) return reinterpret_cast<const int32_t*>(indices)[at];
  return reinterpret_cast<const int64_t*>(indices)[at];
}

void CopySlice(const uint8_t* from, int64_t index, int64_t size, int64_t slice, uint8_t* to) {
  const auto bytes = static_cast<size_t>(slice);
  if (index < 0 || index >= size) {
    std::memset(to, 0, bytes);
  } else {
    std::memcpy(to, from + index * slice, bytes);
  }
}

int64_t SizeBetween(const Shape& shape, size_t first, size_t behind) {
  return FlatSize(
      Shape(shape.begin() + static_cast<int64_t>(first), shape.begin() + static_cast<int64_t>(behind)));
}

// Input [batches, outer, size, slice], indices [batches, count], output [batches, outer, count, slice].
struct Plan {
  int64_t batches, outer, size, slice, count;
  bool wide;
};

Plan PlanOf(const KernelContext& context) {
  const auto& a = context.As<GatherAttributes>();
  const Shape& shape = context.inputs[0]->shape;
  const Shape& indices = context.inputs[1]->shape;
  const size_t axis = *ResolveAxis(a.axis, shape.size());
  const auto batch_dims =
      static_cast<size_t>(a.batch_dims < 0 ? a.batch_dims + std::ssize(indices) : a.batch_dims);
  return {SizeBetween(shape, 0, batch_dims),
          SizeBetween(shape, batch_dims, axis),
          shape[axis],
          SizeBetween(shape, axis + 1, shape.size()) * static_cast<int64_t>(SizeOf(context.output.type)),
          SizeBetween(indices, batch_dims, indices.size()),
          context.inputs[1]->type == DType::kInt64};
}

Status CheckTypes(const KernelContext& context) {
  if (!IsIndexType(context.inputs[1]->type)) return UnsupportedTypes(context);
  return CheckMoved(context, *context.inputs[0]);
}

// Those that are computed pass.
Status CheckIndices(const KernelTensor& indices, int64_t size) {
  const bool wide = indices.type == DType::kInt64;
  const int64_t count = indices.constant.empty() ? 0 : FlatSize(indices.shape);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = IndexAt(indices.constant.data(), wide, i);
    if (index < 0 || index >= size) return Corrupt(StrCat("index ", index, " of an axis of ", size));
  }
  return {};
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckTypes(context));
  const Plan plan = PlanOf(context);
  QAT_RETURN_IF_ERROR(CheckIndices(*context.inputs[1], plan.size));
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const uint8_t* from = io.inputs[0];
    uint8_t* to = io.output_bytes;
    for (int64_t batch = 0; batch < plan.batches; ++batch) {
      for (int64_t outer = 0; outer < plan.outer; ++outer, from += plan.size * plan.slice) {
        for (int64_t i = 0; i < plan.count; ++i, to += plan.slice) {
          CopySlice(from, IndexAt(io.inputs[1], plan.wide, batch * plan.count + i), plan.size, plan.slice,
                    to);
        }
      }
    }
  });
}

// The index of the slice at a place, -1 outside.
int64_t SliceAt(const uint8_t* indices, bool wide, int64_t first, const Shape& sizes) {
  int64_t slice = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t index = IndexAt(indices, wide, first + static_cast<int64_t>(i));
    if (index < 0 || index >= sizes[i]) return -1;
    slice = slice * sizes[i] + index;
  }
  return slice;
}

Expected<std::unique_ptr<Kernel>> PrepareNd(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckTypes(context));
  const Shape& shape = context.inputs[0]->shape;
  const KernelTensor& indices = *context.inputs[1];
  const int64_t depth = indices.shape.back();
  const bool wide = indices.type == DType::kInt64;
  const Shape sizes(shape.begin(), shape.begin() + depth);
  const int64_t slices = FlatSize(sizes);
  const int64_t places = FlatSize(Shape(indices.shape.begin(), indices.shape.end() - 1));
  const int64_t slice =
      SizeBetween(shape, sizes.size(), shape.size()) * static_cast<int64_t>(SizeOf(context.output.type));
  for (int64_t i = 0; i < places && !indices.constant.empty(); ++i) {
    if (SliceAt(indices.constant.data(), wide, i * depth, sizes) < 0)
      return Corrupt(StrCat("place ", i, " lies outside of ", ToString(shape)));
  }
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    for (int64_t i = 0; i < places; ++i) {
      CopySlice(io.inputs[0], SliceAt(io.inputs[1], wide, i * depth, sizes), slices, slice,
                io.output_bytes + i * slice);
    }
  });
}

}  // namespace

// Later versions brought other types.
const OpKernels& GatherKernels() {
  static const OpKernels kKernels = {Prepare, 7};
  return kKernels;
}
const OpKernels& GatherNdKernels() {
  static const OpKernels kKernels = {PrepareNd, 5};
  return kKernels;
}

}  // namespace qat
