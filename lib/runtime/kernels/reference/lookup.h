// lookup.h: functions of one 8-bit value, as tables made in Prepare.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_

#include <array>
#include <cstdint>
#include <limits>

namespace qat::reference {

/// Indexed by the byte of the input.
template <class Out>
using LookupTable = std::array<Out, 256>;

template <class In, class Out, class F>
LookupTable<Out> MakeLookupTable(const F& f) {
  LookupTable<Out> table;
  for (int32_t q = std::numeric_limits<In>::min(); q <= std::numeric_limits<In>::max(); ++q)
    table[static_cast<uint8_t>(q)] = static_cast<Out>(f(q));
  return table;
}

template <class Out>
void Lookup(int64_t count, const LookupTable<Out>& table, const uint8_t* input, Out* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = table[input[i]];
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_LOOKUP_H_
