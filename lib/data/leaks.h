// leaks.h: examples that training knows already and that are to judge it.
#ifndef QAT_DATA_LEAKS_H_
#define QAT_DATA_LEAKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/holdout.h"

namespace qat {

/// Plain sentences, as warnings: how many of the examples held out, and of the test split, have inputs that
/// are byte for byte those of an example that is trained on. None where fewer than one in a hundred do, where
/// training examples are often alike among themselves, as rows of few values are, or where examples are
/// streamed and not in memory.
std::vector<std::string> KnownExamples(const Dataset& train, const HoldoutSplit& split, const Dataset& test);

}  // namespace qat

#endif  // QAT_DATA_LEAKS_H_
