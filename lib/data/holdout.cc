#include "data/holdout.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "base/join_some.h"
#include "base/random.h"
#include "base/strings.h"
#include "data/sample.h"

namespace qat {
namespace {

constexpr uint64_t kHoldoutPurpose = 0x686f6c64;  // "hold"
constexpr int64_t kOneIn = 10;

std::vector<int32_t> All(int64_t examples) {
  std::vector<int32_t> all(static_cast<size_t>(examples));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

bool HasOneLabel(const Dataset& data) { return data.targets == 0 && data.LabelsPerImage() == 1; }

// The examples to hold out of the first `examples`.
std::vector<int32_t> Choose(const Dataset& data, int64_t examples, int64_t count, bool automatic,
                            uint64_t seed) {
  const uint64_t key = MixKey(seed, kHoldoutPurpose);
  if (HasOneLabel(data)) {
    const auto labels = std::span(data.labels).first(static_cast<size_t>(examples));
    std::vector<int32_t> chosen = StratifiedSample(labels, count, /*keep=*/1, key);
    // A number that was asked for is kept, even if a class is left without an example to train on.
    if (automatic || std::ssize(chosen) == count) return chosen;
    return StratifiedSample(labels, count, /*keep=*/0, key);
  }
  if (data.task == Task::kNumbers && data.targets == 1)
    return EvenSample(std::span(data.numbers).first(static_cast<size_t>(examples)), count, key);
  std::vector<int32_t> chosen = ShuffledHoldout(examples, count, seed).holdout;
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

// What share of `examples` AutomaticHoldout takes.
std::string_view ShareText(int64_t examples) {
  return examples / kOneIn > kMostHeldOut ? "at most 5000, " : examples >= kOneIn ? "a tenth, " : "";
}

std::string_view HowChosen(const Dataset& data) {
  if (HasOneLabel(data)) return "stratified by class";
  return data.task == Task::kNumbers && data.targets == 1 ? "evenly over the sorted targets" : "at random";
}

// "; no example to train on is left of 'b', 'c'", where a number that was asked for takes all of a class.
std::string LeftWithout(const Dataset& data, std::span<const int32_t> train) {
  if (!HasOneLabel(data)) return {};
  std::set<int32_t> missing(data.labels.begin(), data.labels.end());
  for (const int32_t example : train) missing.erase(data.labels[static_cast<size_t>(example)]);
  std::vector<std::string> names;
  for (const int32_t label : missing) {
    const auto place = static_cast<size_t>(label);
    names.push_back(place < data.class_names.size() ? StrCat("'", data.class_names[place], "'")
                                                    : std::to_string(label));
  }
  return names.empty() ? "" : StrCat("; no example to train on is left of ", JoinSome(names, 5));
}

std::string WatchesTheTestSet(std::string_view why) {
  return StrCat("nothing is held out", why,
                ": training is watched on the test set; a checkpoint that is chosen by that has no "
                "independent accuracy");
}

HoldoutSplit Without(int64_t examples, std::string description) {
  return {All(examples), {}, std::move(description)};
}

// The examples that come after the first `examples`.
HoldoutSplit OwnHoldout(const Dataset& data, int64_t examples, int64_t wanted) {
  HoldoutSplit split = Without(
      examples, StrCat("held out: the ", data.own_holdout, " examples that the data keep for validation",
                       wanted > 0 ? StrCat("; holdout = ", wanted, " is not used") : ""));
  split.holdout = All(data.size());
  split.holdout.erase(split.holdout.begin(), split.holdout.begin() + examples);
  return split;
}

}  // namespace

int64_t AutomaticHoldout(int64_t examples) { return std::clamp<int64_t>(examples / kOneIn, 1, kMostHeldOut); }

Expected<HoldoutSplit> SplitHoldout(const Dataset& data, int64_t wanted, uint64_t seed) {
  const int64_t examples = data.size() - data.own_holdout;
  if (wanted == 0) return Without(examples, WatchesTheTestSet(" (holdout is 0)"));
  if (data.own_holdout > 0) return OwnHoldout(data, examples, wanted);
  const bool automatic = wanted < 0;
  const int64_t count = automatic ? AutomaticHoldout(examples) : wanted;
  if (automatic && count >= examples) return Without(examples, WatchesTheTestSet(", there is one example"));
  if (count >= examples) {
    return InvalidArgument(StrCat("holdout is ", count, ", expected less than the ", examples,
                                  " training examples of ", data.name, "; without it, ",
                                  AutomaticHoldout(examples),
                                  AutomaticHoldout(examples) == 1 ? " is held out" : " are held out"));
  }
  HoldoutSplit split = Without(examples, "");
  split.holdout = Choose(data, examples, count, automatic, seed);
  if (split.holdout.empty())
    return Without(examples, WatchesTheTestSet(", since no class has two training examples"));
  std::erase_if(split.train, [&](int32_t example) {
    return std::binary_search(split.holdout.begin(), split.holdout.end(), example);
  });
  split.description = StrCat("held out: ", split.holdout.size(), " of ", examples, " training examples (",
                             automatic ? ShareText(examples) : std::string_view(), HowChosen(data), ")",
                             LeftWithout(data, split.train));
  return split;
}

HoldoutSplit ShuffledHoldout(int64_t examples, int64_t holdout, uint64_t seed) {
  QAT_CHECK(holdout >= 0 && holdout < examples);
  HoldoutSplit split = Without(examples, "");
  if (holdout == 0) return split;
  Random random(MixKey(seed, kHoldoutPurpose));
  Shuffle(std::span(split.train), random);
  split.holdout.assign(split.train.end() - holdout, split.train.end());
  split.train.resize(static_cast<size_t>(examples - holdout));
  return split;
}

std::string Fingerprint(const HoldoutSplit& split) {
  Sha256Stream stream;
  for (const int32_t example : split.holdout) stream.Update(StrCat(example, "\n"));
  return stream.Finish();
}

}  // namespace qat
