#include "data/array_names.h"

#include <algorithm>
#include <array>

#include "base/ending.h"
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
constexpr std::string_view kLabelWords[] = {"y", "label", "labels", "target", "targets", "mask", "masks"};

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
    for (const std::string& name : pair.inputs) {
      if (!name.empty()) unused.push_back(name);
    }
    if (!pair.labels.empty()) unused.push_back(pair.labels);
    for (const std::string& name : pair.others) {
      if (!name.empty()) unused.push_back(name);
    }
  }
}

// "Left-Eye_2" as "left", "eye", "2".
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : LowerCase(name)) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// The split of an array that is called `name`, beside at most one word of a role and one for a split.
template <size_t N>
std::optional<ArraySplit> SplitOfNamed(std::string_view array, std::string_view name,
                                       const std::string_view (&role_words)[N]) {
  if (HasEnding(array, ".npy")) array.remove_suffix(4);
  std::vector<std::string> words = WordsOf(array);
  const std::vector<std::string> own = WordsOf(name);
  const auto found = std::search(words.begin(), words.end(), own.begin(), own.end());
  if (own.empty() || found == words.end()) return std::nullopt;
  words.erase(found, found + std::ssize(own));
  std::optional<ArraySplit> split;
  bool has_role = false;
  for (const std::string& word : words) {
    const std::optional<ArraySplit> named = SplitNamed(word);
    const bool is_role = IsOneOf(role_words, word);
    if (named ? split.has_value() : !is_role || has_role) return std::nullopt;
    if (named) split = named;
    has_role = has_role || is_role;
  }
  return split.value_or(ArraySplit::kWhole);
}

Status Place(const std::string& name, std::string_view what, std::string& place) {
  if (!place.empty()) {
    return Corrupt(StrCat("both '", place, "' and '", name, "' could be the ", what,
                          " of one split, expected one of them"));
  }
  place = name;
  return {};
}

// Labels of one of several outputs where they belong; false: nowhere.
Expected<bool> SortLabels(const std::string& name, std::span<const std::string> outputs, Pairs& pairs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::optional<ArraySplit> split = SplitOfOutput(name, outputs[i]);
    if (!split) continue;
    ArrayPair& pair = pairs[static_cast<size_t>(*split)];
    QAT_RETURN_IF_ERROR(Place(name, StrCat("labels of output '", outputs[i], "'"),
                              i == 0 ? pair.labels : pair.others[i - 1]));
    return true;
  }
  return false;
}

// Each array where it belongs; false: nowhere.
Expected<bool> Sort(const std::string& name, std::span<const std::string> inputs,
                    std::span<const std::string> outputs, Pairs& pairs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::optional<ArraySplit> split = SplitOfInput(name, inputs[i]);
    if (!split) continue;
    std::vector<std::string>& arrays = pairs[static_cast<size_t>(*split)].inputs;
    arrays.resize(inputs.size());
    QAT_RETURN_IF_ERROR(Place(name, StrCat("input '", inputs[i], "'"), arrays[i]));
    return true;
  }
  if (!outputs.empty()) {
    QAT_ASSIGN_OR_RETURN(const bool sorted, SortLabels(name, outputs, pairs));
    if (sorted) return true;
  }
  const std::optional<ArrayRole> role = RoleOf(name);
  if (!role || (!role->labels && !inputs.empty()) || (role->labels && !outputs.empty())) return false;
  ArrayPair& pair = pairs[static_cast<size_t>(role->split)];
  if (role->labels) {
    QAT_RETURN_IF_ERROR(Place(name, "labels", pair.labels));
    return true;
  }
  pair.inputs.resize(1);
  QAT_RETURN_IF_ERROR(Place(name, "images", pair.inputs[0]));
  return true;
}

}  // namespace

bool ArrayPair::has_inputs() const {
  return !inputs.empty() &&
         std::none_of(inputs.begin(), inputs.end(), [](const std::string& name) { return name.empty(); });
}

bool ArrayPair::has_labels() const {
  return !labels.empty() &&
         std::none_of(others.begin(), others.end(), [](const std::string& name) { return name.empty(); });
}

std::optional<ArraySplit> SplitOfInput(std::string_view array, std::string_view input) {
  return SplitOfNamed(array, input, kImageWords);
}

std::optional<ArraySplit> SplitOfOutput(std::string_view array, std::string_view output) {
  return SplitOfNamed(array, output, kLabelWords);
}

std::optional<ArrayRole> RoleOf(std::string_view name) {
  if (HasEnding(name, ".npy")) name.remove_suffix(4);
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

Expected<std::vector<std::string>> InputArrays(const std::vector<std::string>& names,
                                               std::span<const std::string> inputs) {
  Pairs pairs;
  for (const std::string& name : names) QAT_RETURN_IF_ERROR(Sort(name, inputs, {}, pairs));
  for (const ArraySplit split :
       {ArraySplit::kTrain, ArraySplit::kWhole, ArraySplit::kValidation, ArraySplit::kTest}) {
    if (Of(pairs, split).has_inputs()) return Of(pairs, split).inputs;
  }
  return std::vector<std::string>();
}

Expected<ArrayTable> SortArrays(const std::vector<std::string>& names, std::span<const std::string> inputs,
                                std::span<const std::string> outputs) {
  Pairs pairs;
  ArrayTable table;
  if (outputs.size() > 1) {
    for (ArrayPair& pair : pairs) pair.others.resize(outputs.size() - 1);
  }
  for (const std::string& name : names) {
    QAT_ASSIGN_OR_RETURN(const bool sorted, Sort(name, inputs, outputs, pairs));
    if (!sorted) table.unused.push_back(name);
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
