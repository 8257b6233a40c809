#include "runtime/kernels/portable/strided_copy.h"

namespace qat::portable {
namespace {

using reference::StridedView;

// The two last axes.
struct Plane {
  int64_t rows, row_step;
  int64_t columns, column_step;
  int64_t element;
};

// kBytes: of an element; 0: not known to the compiler.
template <size_t kBytes>
uint8_t* CopyPlane(const Plane& plane, const uint8_t* input, uint8_t* output) {
  const size_t size = kBytes == 0 ? static_cast<size_t>(plane.element) : kBytes;
  for (int64_t row = 0; row < plane.rows; ++row, input += plane.row_step) {
    const uint8_t* from = input;
    for (int64_t i = 0; i < plane.columns; ++i, from += plane.column_step, output += size)
      std::memcpy(output, from, size);
  }
  return output;
}

using PlaneFunction = uint8_t* (*)(const Plane&, const uint8_t*, uint8_t*);
PlaneFunction FunctionFor(int64_t element) {
  switch (element) {
    case 1:
      return CopyPlane<1>;
    case 2:
      return CopyPlane<2>;
    case 4:
      return CopyPlane<4>;
    case 8:
      return CopyPlane<8>;
    case 16:
      return CopyPlane<16>;
    default:
      return CopyPlane<0>;
  }
}

uint8_t* CopyAxis(const StridedView& view, size_t axis, const Plane& plane, PlaneFunction copy_plane,
                  const uint8_t* input, uint8_t* output) {
  if (axis + 2 >= view.sizes.size()) return copy_plane(plane, input, output);
  for (int64_t i = 0; i < view.sizes[axis]; ++i)
    output = CopyAxis(view, axis + 1, plane, copy_plane, input + i * view.steps[axis], output);
  return output;
}

}  // namespace

StridedView Simplify(const StridedView& view) {
  StridedView simple{view.first, {}, {}, view.element};
  for (size_t axis = 0; axis < view.sizes.size(); ++axis) {
    if (view.sizes[axis] == 1) continue;
    if (!simple.sizes.empty() && simple.steps.back() == view.sizes[axis] * view.steps[axis]) {
      simple.sizes.back() *= view.sizes[axis];
      simple.steps.back() = view.steps[axis];
    } else {
      simple.sizes.push_back(view.sizes[axis]);
      simple.steps.push_back(view.steps[axis]);
    }
  }
  if (!simple.sizes.empty() && simple.steps.back() == simple.element) {
    simple.element *= simple.sizes.back();
    simple.sizes.pop_back();
    simple.steps.pop_back();
  }
  return simple;
}

void CopyView(const StridedView& view, const uint8_t* input, uint8_t* output) {
  const size_t rank = view.sizes.size();
  Plane plane{1, 0, 1, 0, view.element};
  if (rank > 0) {
    plane.columns = view.sizes[rank - 1];
    plane.column_step = view.steps[rank - 1];
  }
  if (rank > 1) {
    plane.rows = view.sizes[rank - 2];
    plane.row_step = view.steps[rank - 2];
  }
  CopyAxis(view, 0, plane, FunctionFor(view.element), input, output);
}

}  // namespace qat::portable
