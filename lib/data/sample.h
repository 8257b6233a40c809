// sample.h: a few examples that stand for many, however the file is sorted.
#ifndef QAT_DATA_SAMPLE_H_
#define QAT_DATA_SAMPLE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/dataset.h"

namespace qat {

/// Indices of all samples are ascending, and the same for the same arguments. `key` seeds what is drawn.

/// `count` of the labels: each class gets its share, to within one, by largest remainders, and leaves at
/// least `keep` of its examples. Fewer than `count` where the classes cannot spare more. Requires labels from
/// 0.
std::vector<int32_t> StratifiedSample(std::span<const int32_t> labels, int64_t count, int64_t keep,
                                      uint64_t key);

/// One of each of `count` equal parts of the values in ascending order. Requires count <= values.size().
std::vector<int32_t> EvenSample(std::span<const float> values, int64_t count, uint64_t key);

/// One of each of `count` equal parts of 0 … size - 1, in their order. Requires count <= size.
std::vector<int32_t> SpacedSample(int64_t size, int64_t count, uint64_t key);

/// 0 … count - 1.
std::vector<int32_t> FirstOf(int64_t count);

/// `count` examples of a data set, all where it has no more: stratified where an image has one label, even
/// over the targets where it has one real number, else spaced.
std::vector<int32_t> SampleOf(const Dataset& data, int64_t count, uint64_t seed);

/// use(bytes) of one input of up to 1,000 examples, evenly spaced. Errors: those of the data set.
Status ForSomeExamples(const Dataset& data, size_t input,
                       const std::function<void(std::span<const uint8_t>)>& use);

}  // namespace qat

#endif  // QAT_DATA_SAMPLE_H_
