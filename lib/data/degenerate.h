// degenerate.h: training data that nothing can be learned from, told before hours are spent on them.
#ifndef QAT_DATA_DEGENERATE_H_
#define QAT_DATA_DEGENERATE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"

namespace qat {

/// Plain sentences, as warnings: all examples of one class, a target that is the same everywhere, images that
/// are all alike (told from 256 of them, evenly spaced), real values so far from 0 that float32 has fewer
/// steps between them than int8.
/// `examples`: those that are trained on, at least one. Errors: the stream's.
Expected<std::vector<std::string>> FindDegenerate(const Dataset& dataset, std::span<const int32_t> examples);

/// "column 'weight'" of a table, else "channel 2 of the input".
std::string NameOfChannel(const ExampleInput& input, size_t channel);

/// A plain sentence on classes that no training example has and some test examples do: they cannot be
/// learned, and each of these answers is wrong. Empty: there are none.
std::string ClassesOnlyInTest(const OutputLabels& train, const OutputLabels& test);

}  // namespace qat

#endif  // QAT_DATA_DEGENERATE_H_
