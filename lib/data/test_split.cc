#include "data/test_split.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/strings.h"
#include "data/sample.h"

namespace qat {
namespace {

constexpr int64_t kTestPart = 10;      // one example in so many is for testing
constexpr uint64_t kKey = 0x74657374;  // "test"

std::vector<int32_t> OfEveryClass(std::span<const int32_t> labels) {
  std::vector<int32_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    const int32_t first = labels[static_cast<size_t>(a)], second = labels[static_cast<size_t>(b)];
    return first != second ? first < second : MixKey(kKey, a) < MixKey(kKey, b);
  });
  std::vector<int32_t> chosen;
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    const int32_t label = labels[static_cast<size_t>(order[begin])];
    while (end < order.size() && labels[static_cast<size_t>(order[end])] == label) ++end;
    const auto members = static_cast<int64_t>(end - begin);
    const int64_t tests = members < 2 ? 0 : std::max<int64_t>(members / kTestPart, 1);
    chosen.insert(chosen.end(), order.begin() + static_cast<ptrdiff_t>(begin),
                  order.begin() + static_cast<ptrdiff_t>(begin) + tests);
    begin = end;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<int32_t> TestPart(const Dataset& whole) {
  if (whole.task != Task::kNumbers && whole.LabelsPerImage() == 1) return OfEveryClass(whole.labels);
  const int64_t count = whole.size() < 2 ? 0 : std::max<int64_t>(whole.size() / kTestPart, 1);
  return whole.task == Task::kNumbers && whole.targets == 1 ? EvenSample(whole.numbers, count, kKey)
                                                            : SpacedSample(whole.size(), count, kKey);
}

}  // namespace

void KeepPart(Split split, const OpenOptions& options, const std::string& advice, Dataset& whole) {
  if (options.whole && split == Split::kTest) {
    whole.notes.emplace_back(kWholeNote);
    return;
  }
  const std::vector<int32_t> tests = TestPart(whole);
  if (tests.empty()) {
    Warn(StrCat("there is no test split, and no class has two examples: ", kSameExamples), whole);
    return;
  }
  const bool by_class = whole.task != Task::kNumbers && whole.LabelsPerImage() == 1;
  whole.notes.push_back(StrCat("there is no test split: a fixed choice of one example in ten",
                               by_class ? " of each class" : "", " is taken, ", tests.size(), " of ",
                               whole.size(), split == Split::kTest ? kWholeHint : "", "; ", advice));
  if (split == Split::kTest) {
    Keep(tests, whole);
    return;
  }
  std::vector<int32_t> rest;
  for (int32_t example = 0; example < whole.size(); ++example) {
    if (!std::binary_search(tests.begin(), tests.end(), example)) rest.push_back(example);
  }
  Keep(rest, whole);
}

}  // namespace qat
