#include "data/array_names.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/strings.h"

namespace qat {
namespace {

struct Word {
  std::string_view text;
  ArraySplit split;
};

// Longer words first, since the shorter ones begin them.
constexpr Word kSplitWords[] = {
    {"training", ArraySplit::kTrain},        {"train", ArraySplit::kTrain},
    {"testing", ArraySplit::kTest},          {"test", ArraySplit::kTest},
    {"validation", ArraySplit::kValidation}, {"valid", ArraySplit::kValidation},
    {"val", ArraySplit::kValidation},        {"dev", ArraySplit::kValidation},
};
constexpr std::string_view kImageWords[] = {"x",    "image", "images", "img",    "imgs",
                                            "data", "input", "inputs", "pixels", "features"};
constexpr std::string_view kLabelWords[] = {"y",       "label", "labels", "target",
                                            "targets", "mask",  "masks"};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && std::string_view("_-. ").find(text.front()) != std::string_view::npos)
    text.remove_prefix(1);
  while (!text.empty() && std::string_view("_-. ").find(text.back()) != std::string_view::npos)
    text.remove_suffix(1);
  return text;
}

template <size_t N>
bool IsOneOf(const std::string_view (&words)[N], std::string_view text) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

std::optional<ArrayRole> RoleIn(ArraySplit split, std::string_view word) {
  word = Stripped(word);
  if (IsOneOf(kImageWords, word)) return ArrayRole{split, false};
  if (IsOneOf(kLabelWords, word)) return ArrayRole{split, true};
  return std::nullopt;
}

// Pairs by ArraySplit.
using Pairs = std::array<ArrayPair, 4>;

const ArrayPair& Of(const Pairs& pairs, ArraySplit split) { return pairs[static_cast<size_t>(split)]; }

void AppendOthers(const Pairs& pairs, const ArrayTable& table, std::vector<std::string>& unused) {
  for (const ArrayPair& pair : pairs) {
    if (pair.complete() && (pair == table.train || pair == table.test || pair == table.holdout)) continue;
    for (const std::string& name : {pair.images, pair.labels}) {
      if (!name.empty()) unused.push_back(name);
    }
  }
}

}  // namespace

std::optional<ArrayRole> RoleOf(std::string_view name) {
  if (name.ends_with(".npy")) name.remove_suffix(4);
  const std::string lower = LowerCase(name);
  for (const Word& word : kSplitWords) {
    const std::string_view text = lower;
    if (text.starts_with(word.text)) {
      if (auto role = RoleIn(word.split, text.substr(word.text.size()))) return role;
    }
    if (text.ends_with(word.text)) {
      if (auto role = RoleIn(word.split, text.substr(0, text.size() - word.text.size()))) return role;
    }
  }
  return RoleIn(ArraySplit::kWhole, lower);
}

std::optional<ArraySplit> SplitNamed(std::string_view word) {
  const std::string lower = LowerCase(word);
  for (const Word& known : kSplitWords) {
    if (known.text == lower) return known.split;
  }
  return std::nullopt;
}

Expected<ArrayTable> SortArrays(const std::vector<std::string>& names) {
  Pairs pairs;
  ArrayTable table;
  for (const std::string& name : names) {
    const std::optional<ArrayRole> role = RoleOf(name);
    if (!role) {
      table.unused.push_back(name);
      continue;
    }
    ArrayPair& pair = pairs[static_cast<size_t>(role->split)];
    std::string& place = role->labels ? pair.labels : pair.images;
    if (!place.empty()) {
      return Corrupt(StrCat("both '", place, "' and '", name, "' could be the ",
                            role->labels ? "labels" : "images", " of one split, expected one of them"));
    }
    place = name;
  }
  const ArrayPair& whole = Of(pairs, ArraySplit::kWhole);
  const ArrayPair& validation = Of(pairs, ArraySplit::kValidation);
  table.train = Of(pairs, ArraySplit::kTrain);
  if (!table.train.complete() && whole.complete()) table.train = whole;
  table.test = Of(pairs, ArraySplit::kTest);
  if (!table.test.complete()) {
    if (validation.complete()) table.test = validation;
  } else if (validation.complete()) {
    table.holdout = validation;
  }
  AppendOthers(pairs, table, table.unused);
  if (!table.train.complete()) table.train = {};
  if (!table.test.complete()) table.test = {};
  std::sort(table.unused.begin(), table.unused.end());
  return table;
}

}  // namespace qat
