// test_split.h: a test split for data that come in one piece.
#ifndef QAT_DATA_TEST_SPLIT_H_
#define QAT_DATA_TEST_SPLIT_H_

#include <string>
#include <string_view>

#include "data/dataset.h"

namespace qat {

/// Keeps the training or the test part of data that have no test split of their own. The test part is a fixed
/// choice of one example in ten, which no seed changes: of every class that has two examples at least one;
/// where labels are one real number, one of each ten in the order of the targets; else one of each ten in the
/// order of the file. A note says so; `advice` completes it.
/// Where no class has two examples, both parts are all of them, with a warning. With OpenOptions::whole the
/// test part is everything.
void KeepPart(Split split, const OpenOptions& options, const std::string& advice, Dataset& whole);

/// The end of the note on a test part, and the note where everything is one.
inline constexpr std::string_view kWholeHint = " (`whole` takes all)";
inline constexpr std::string_view kWholeNote =
    "there is no test split, and all examples are taken, as asked for";

/// What that means, for the end of a sentence.
inline constexpr std::string_view kSameExamples =
    "the test split is the training split, so an accuracy says nothing about other examples";

}  // namespace qat

#endif  // QAT_DATA_TEST_SPLIT_H_
