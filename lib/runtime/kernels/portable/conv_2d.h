// conv_2d.h: convolution as products of packed filters with gathered windows.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_CONV_2D_H_

#include "runtime/kernels/portable/patches.h"

namespace qat::portable {

/// What Prepare keeps of one convolution.
struct ConvInt16 {
  Window2D window;
  PatchLayout layout;
  PackedInt16 filter;
};
struct ConvFloat {
  Window2D window;
  PatchLayout layout;
  PackedFloat filter;
};

/// True if the fast kernels take this convolution; sums of int16 products must stay inside int32.
bool CanConv2D(const Window2D& window);

template <class T>
ConvInt16 PrepareConv2D(const Window2D& window, const T* filter, int32_t filter_offset);
ConvFloat PrepareConv2D(const Window2D& window, const float* filter);
size_t ScratchSize(const ConvInt16& conv);
size_t ScratchSize(const ConvFloat& conv);

/// Equal byte for byte to reference::Conv2D.
template <class Arithmetic>
void Conv2D(const ConvInt16& conv, const Arithmetic& arithmetic, const typename Arithmetic::Element* input,
            const int32_t* bias, typename Arithmetic::Element* output, uint8_t* scratch);
/// Sums in the order of reference::Conv2D; taps outside the image count as zeros.
void Conv2D(const ConvFloat& conv, const FloatArithmetic& arithmetic, const float* input, const float* bias,
            float* output, uint8_t* scratch);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_CONV_2D_H_
