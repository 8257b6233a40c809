// packed.h: examples of several inputs as bytes: those of one example lie one input after the other.
#ifndef QAT_BASE_PACKED_H_
#define QAT_BASE_PACKED_H_

#include <cstdint>
#include <span>
#include <vector>

namespace qat {

/// What part `index` of every example is, one after the other; `sizes`: bytes of each part of one example. Of
/// a single part the examples themselves, else copied to `copy`. Requires  whole examples.
std::span<const uint8_t> PartOf(std::span<const uint8_t> examples, std::span<const int64_t> sizes,
                                size_t index, std::vector<uint8_t>& copy);

/// The examples of which `parts` are the parts: the inverse. Requires  parts of as many examples.
std::vector<uint8_t> Packed(std::span<const std::vector<uint8_t>> parts, std::span<const int64_t> sizes);

}  // namespace qat

#endif  // QAT_BASE_PACKED_H_
