#include "runtime/kernels/reference/fully_connected.h"

namespace qat::reference {

template <class Arithmetic>
void FullyConnected(const MatrixShape& shape, const Arithmetic& arithmetic,
                    const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                    const typename Arithmetic::Bias* bias, typename Arithmetic::Result* output) {
  for (int64_t row = 0; row < shape.rows; ++row) {
    const auto* values = input + row * shape.acc_depth;
    for (int64_t unit = 0; unit < shape.units; ++unit) {
      const auto* weights = filter + unit * shape.acc_depth;
      typename Arithmetic::Accumulator acc = 0;
      for (int64_t i = 0; i < shape.acc_depth; ++i) {
        acc = Arithmetic::Add(acc, arithmetic.Product(values[i], weights[i]));
      }
      if (bias != nullptr) acc = Arithmetic::Add(acc, static_cast<decltype(acc)>(bias[unit]));
      *output++ = arithmetic.Output(acc, unit);
    }
  }
}

template void FullyConnected(const MatrixShape&, const FloatArithmetic&, const float*, const float*,
                             const float*, float*);
template void FullyConnected(const MatrixShape&, const HybridArithmetic&, const int8_t*, const int8_t*,
                             const float*, float*);
template void FullyConnected(const MatrixShape&, const FixedPointArithmetic<uint8_t>&, const uint8_t*,
                             const uint8_t*, const int32_t*, uint8_t*);
template void FullyConnected(const MatrixShape&, const DoubleArithmetic<uint8_t>&, const uint8_t*,
                             const uint8_t*, const int32_t*, uint8_t*);
template void FullyConnected(const MatrixShape&, const FixedPointArithmetic<int8_t>&, const int8_t*,
                             const int8_t*, const int32_t*, int8_t*);
template void FullyConnected(const MatrixShape&, const DoubleArithmetic<int8_t>&, const int8_t*,
                             const int8_t*, const int32_t*, int8_t*);
template void FullyConnected(const MatrixShape&, const ChannelFixedPointArithmetic<int8_t>&, const int8_t*,
                             const int8_t*, const int32_t*, int8_t*);
template void FullyConnected(const MatrixShape&, const ChannelDoubleArithmetic<int8_t>&, const int8_t*,
                             const int8_t*, const int32_t*, int8_t*);
template void FullyConnected(const MatrixShape&, const FixedPointArithmetic<int16_t, int8_t, int32_t>&,
                             const int16_t*, const int8_t*, const int32_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const FixedPointArithmetic<int16_t, int8_t, int64_t>&,
                             const int16_t*, const int8_t*, const int64_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const DoubleArithmetic<int16_t, int8_t, int32_t>&,
                             const int16_t*, const int8_t*, const int32_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const DoubleArithmetic<int16_t, int8_t, int64_t>&,
                             const int16_t*, const int8_t*, const int64_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const ChannelFixedPointArithmetic<int16_t, int8_t, int32_t>&,
                             const int16_t*, const int8_t*, const int32_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&,
                             const int16_t*, const int8_t*, const int64_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const ChannelDoubleArithmetic<int16_t, int8_t, int32_t>&,
                             const int16_t*, const int8_t*, const int32_t*, int16_t*);
template void FullyConnected(const MatrixShape&, const ChannelDoubleArithmetic<int16_t, int8_t, int64_t>&,
                             const int16_t*, const int8_t*, const int64_t*, int16_t*);

}  // namespace qat::reference
