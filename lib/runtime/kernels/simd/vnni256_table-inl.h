// vnni256_table-inl.h: what 256-bit code with VNNI provides, in whichever encoding its source is compiled.
// Included by such a source only, after <immintrin.h>.
#include "runtime/kernels/simd/vectors256-inl.h"
#include "runtime/kernels/simd/vnni256-inl.h"

#include "runtime/kernels/simd/requantize-inl.h"

#include "runtime/kernels/simd/depthwise-inl.h"
#include "runtime/kernels/simd/elementwise-inl.h"
#include "runtime/kernels/simd/float-inl.h"
#include "runtime/kernels/simd/float_depthwise-inl.h"
#include "runtime/kernels/simd/max_pool-inl.h"
#include "runtime/kernels/simd/multiply-inl.h"

namespace qat::simd {
namespace {

constexpr Instructions kVnni256Instructions = {
    .lanes = Vnni256::kLanes,
    .widens = false,
    .signed_rows = false,
    .multiply = Multiply<Vnni256>,
    .narrow_lanes = Vnni256::kLanes,
    .narrow_multiply = Multiply<Vnni256>,
    .widen = nullptr,
    .interleave = Vnni256::InterleaveRows,
    .depthwise = Depthwise<Vnni256>,
    .add = AddPairs<Vnni256>,
    .subtract = SubtractPairs<Vnni256>,
    .multiply_pairs = MultiplyPairs<Vnni256>,
    .sum_rows = SumRows<Vnni256>,
    .max_pool = MaxPool<Vnni256>,
    .lookup = Lookup<Vnni256>,
    .wide = {Float8<5>::kLanes, Float8<5>::kBlocks, MultiplyFloats<Float8<5>>, DepthwiseFloatRow<Float8<5>>,
             DepthwiseFloats<Float8<5>>},
    .narrow = {Float8<5>::kLanes, Float8<5>::kBlocks, MultiplyFloats<Float8<5>>, DepthwiseFloatRow<Float8<5>>,
               DepthwiseFloats<Float8<5>>},
};

}  // namespace
}  // namespace qat::simd
