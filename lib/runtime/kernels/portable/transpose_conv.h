// transpose_conv.h: transposed convolution with its filter in the order in which it is read: all units of a
// tap together.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_TRANSPOSE_CONV_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_TRANSPOSE_CONV_H_

#include <span>
#include <type_traits>
#include <vector>

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/window.h"

namespace qat::portable {

/// What Prepare keeps: [H, W, I, O] of w, or of w - zero point as int16.
template <class Weight>
struct TransposeConvFilter {
  Window2D window;  ///< input and output sizes of the operator, padding that of the convolution backwards
  std::vector<Weight> values;
};
template <class Element>
using TransposeConvFilterOf =
    TransposeConvFilter<std::conditional_t<std::is_same_v<Element, float>, float, int16_t>>;

/// Shapes    filter [O, H, W, I].
template <class Arithmetic, class Element = typename Arithmetic::Element>
TransposeConvFilterOf<Element> PackTransposeConv(const Window2D& window, const Arithmetic& arithmetic,
                                                 std::span<const typename Arithmetic::Filter> filter);

/// Equal bit by bit to the reference: each output sums its products in the same order. Integer sums wrap.
/// Shapes    sums [H, W, O] of one image of the output; bias [O] or null.
template <class Arithmetic, class Element = typename Arithmetic::Element>
void TransposeConv(const TransposeConvFilterOf<Element>& filter, const Arithmetic& arithmetic,
                   const Element* input, const typename Arithmetic::Bias* bias, Element* output,
                   typename Arithmetic::Accumulator* sums);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_TRANSPOSE_CONV_H_
