#include "data/leaks.h"

#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/strings.h"

namespace qat {
namespace {

constexpr double kUnique = 0.9;  // of training examples; rows of few values are alike without being copies
constexpr int64_t kOneIn = 100;  // fewer are twins by chance: a handful of pictures of a large set

size_t HashOf(const Dataset& data, int32_t example) {
  const std::span<const uint8_t> bytes = data.Image(example);
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string Told(const std::unordered_set<size_t>& known, const Dataset& data,
                 std::span<const int32_t> examples, std::string_view which) {
  int64_t count = 0;
  for (const int32_t example : examples) count += known.contains(HashOf(data, example)) ? 1 : 0;
  if (count == 0 || count * kOneIn < std::ssize(examples)) return "";
  return StrCat(
      count, " of ", examples.size(), " ", which,
      " are trained on, too (the same inputs, byte for byte): figures of these tell what was learned by "
      "heart");
}

}  // namespace

std::vector<std::string> KnownExamples(const Dataset& train, const HoldoutSplit& split, const Dataset& test) {
  if (train.images.empty() || test.images.empty() || train.ImageSize() != test.ImageSize()) return {};
  std::unordered_set<size_t> known;
  for (const int32_t example : split.train) known.insert(HashOf(train, example));
  if (static_cast<double>(known.size()) < kUnique * static_cast<double>(split.train.size())) return {};
  std::vector<int32_t> tested(static_cast<size_t>(test.size()));
  std::iota(tested.begin(), tested.end(), 0);
  std::vector<std::string> told = {Told(known, train, split.holdout, "examples held out"),
                                   Told(known, test, tested, "test examples")};
  std::erase(told, "");
  return told;
}

}  // namespace qat
