#include "data/label_map.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/strings.h"
#include "contract/task.h"
#include "data/class_names.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr int64_t kMostClasses = 1 << 20;
constexpr int64_t kIgnored = 255;  // what segmentation sets write where no class is meant
using Names = std::vector<std::string>;

bool AreNumbers(const Names& names) {
  return !names.empty() && std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return ParseNumber<int64_t>(name).has_value();
  });
}

// "-1 and 1", "3, 7 and 9", "1 to 26", "0, 2, 5, … 40".
std::string Listed(const std::vector<int64_t>& values) {
  const auto size = values.size();
  // Without a sign: from the lowest to the highest there are more than an int64 holds.
  const bool run = static_cast<uint64_t>(values.back()) - static_cast<uint64_t>(values.front()) == size - 1;
  if (run && size > 2) return StrCat(values.front(), " to ", values.back());
  constexpr size_t kShown = 4;
  std::string text;
  for (size_t i = 0; i < std::min(size, kShown); ++i) {
    const bool last = i + 1 == size;
    text += StrCat(i == 0 ? "" : last ? " and " : ", ", values[i]);
  }
  return size <= kShown ? text : StrCat(text, ", … ", values.back());
}

// The different values, ascending. Masks hold millions: bytes are counted in a table.
std::vector<int64_t> Different(std::span<const LabelArray* const> arrays) {
  std::set<int64_t> others;
  std::vector<bool> small(1 << 16, false);
  for (const LabelArray* array : arrays) {
    for (const int64_t value : array->values) {
      if (value >= 0 && value < std::ssize(small)) {
        small[static_cast<size_t>(value)] = true;
      } else {
        others.insert(value);
      }
    }
  }
  std::vector<int64_t> values;
  for (size_t i = 0; i < small.size(); ++i) {
    if (small[i]) values.push_back(static_cast<int64_t>(i));
  }
  values.insert(values.end(), others.begin(), others.end());
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

constexpr size_t kManyClasses = 20;  // fewer examples than twice that show nothing

class LabelMapMaker {
 public:
  LabelMapMaker(std::span<const LabelArray* const> arrays, const KnownClasses& known)
      : arrays_(arrays), known_(known), path_(arrays.front()->path) {
    for (const LabelArray* array : arrays) {
      has_texts_ |= !array->texts.empty();
      has_values_ |= !array->values.empty();
      pixels_ |= array->height * array->width > 1;
      one_hot_ = std::max(one_hot_, int64_t{array->one_hot_classes});
    }
  }

  Expected<LabelMap> Make() {
    if (has_texts_ && has_values_)
      return Corrupt(
          StrCat(path_, ": some labels are text and some are numbers, expected the same in every split"));
    if (has_texts_) {
      MapTexts();
    } else {
      values_ = Different(arrays_);
      QAT_RETURN_IF_ERROR(FindIgnored());
      QAT_RETURN_IF_ERROR(MapValues());
      if (map_.ignored_) Ignore();
    }
    return std::move(map_);
  }

 private:
  void MapTexts() {
    std::set<std::string> different;
    size_t examples = 0;
    for (const LabelArray* array : arrays_) {
      different.insert(array->texts.begin(), array->texts.end());
      examples += array->texts.size();
    }
    map_.class_names_ = !known_.model.empty()        ? known_.model
                        : !known_.file_names.empty() ? known_.file_names
                                                     : Names(different.begin(), different.end());
    for (size_t i = 0; i < map_.class_names_.size(); ++i)
      map_.texts_.emplace(map_.class_names_[i], static_cast<int32_t>(i));
    if (known_.model.empty() && known_.file_names.empty())
      map_.note_ =
          StrCat("classes are the ", different.size(), " different texts of the labels, sorted",
                 known_.indices ? ", since the model names none: `labels` takes a file with its names" : "",
                 different.size() > kManyClasses && 2 * different.size() > examples
                     ? StrCat("; hardly two of ", examples,
                              " examples share one, so they may be names of examples and no classes")
                     : "");
  }

  Status MapValues() {
    if (!known_.model.empty()) return FollowModel();
    if (known_.indices) return TakeIndices(values_.back() + 1, {});
    if (!known_.file_names.empty()) return FollowFile();
    if (!pixels_ && values_.front() >= 0 && values_.back() < known_.scores)
      return TakeIndices(known_.scores, {});
    return FollowValues();
  }

  // Labels 0 to classes - 1.
  Status TakeIndices(int64_t classes, const Names& names) {
    if (classes > kMostClasses)
      return Corrupt(StrCat(path_, ": labels reach ", classes - 1, ", expected less than ", kMostClasses));
    map_.class_names_ = names.empty() ? NumberedClasses(std::max<int64_t>(classes, 1)) : names;
    for (int64_t i = 0; i < classes; ++i) map_.values_[i] = static_cast<int32_t>(i);
    return {};
  }

  // Labels 1 to the number of names.
  Status TakeFromOne(const Names& names) {
    map_.class_names_ = names;
    for (size_t i = 0; i < names.size(); ++i)
      map_.values_[static_cast<int64_t>(i) + 1] = static_cast<int32_t>(i);
    map_.note_ = StrCat("labels begin at 1: label 1 is class '", names.front(), "', label ", names.size(),
                        " is class '", names.back(), "'");
    return {};
  }

  bool BeginAtOne(const Names& names) const {
    return values_.front() >= 1 && values_.back() == std::ssize(names);
  }

  Status FollowModel() {
    const Names& model = known_.model;
    const Names& file = known_.file_names;
    if (!file.empty() && file != model) return FollowFileIntoModel();
    map_.class_names_ = model;
    if (one_hot_ > 0) return TakeIndices(std::ssize(model), model);
    if (IsMaskOfTwo()) {
      map_.values_ = {{0, 0}, {values_.back(), 1}};
      return {};
    }
    if (AreNumbers(model)) {
      for (size_t i = 0; i < model.size(); ++i)
        map_.values_.emplace(*ParseNumber<int64_t>(model[i]), static_cast<int32_t>(i));
      return {};
    }
    return BeginAtOne(model) ? TakeFromOne(model) : TakeIndices(std::ssize(model), model);
  }

  // The data name their classes in another order, or other classes, than the model.
  Status FollowFileIntoModel() {
    QAT_RETURN_IF_ERROR(FollowFile());
    map_.class_names_ = known_.model;
    std::map<int64_t, int32_t> matched;
    for (const auto& [value, index] : map_.values_) {
      const std::string& name = known_.file_names[static_cast<size_t>(index)];
      const auto found = std::find(known_.model.begin(), known_.model.end(), name);
      if (found != known_.model.end()) {
        matched[value] = static_cast<int32_t>(found - known_.model.begin());
      } else if (std::binary_search(values_.begin(), values_.end(), value)) {
        return Corrupt(StrCat(known_.file, ": label ", value, " is the class '", name,
                              "', expected one of the ", known_.model.size(), " that the network knows (",
                              SomeOf(known_.model), ")"));
      }
    }
    map_.values_ = std::move(matched);
    map_.note_ = StrCat("classes are matched by name: ", known_.file, " has another order than the model");
    return {};
  }

  Status FollowFile() {
    const Names& names = known_.file_names;
    return BeginAtOne(names) ? TakeFromOne(names) : TakeIndices(std::ssize(names), names);
  }

  Status FollowValues() {
    if (one_hot_ > 0) return TakeIndices(one_hot_, {});
    if (values_.size() == 1) {
      return Corrupt(StrCat(path_, ": every label is ", values_[0], ", expected at least two classes"));
    }
    const int64_t different = std::ssize(values_), largest = values_.back();
    if (values_.front() == 0 && largest + 1 <= 2 * different) {
      if (largest + 1 > different) {
        map_.note_ = StrCat(largest + 1 - different, " of the classes 0 to ", largest, " have no example");
      }
      return TakeIndices(largest + 1, {});
    }
    for (const int64_t value : values_) {
      map_.values_[value] = static_cast<int32_t>(map_.class_names_.size());
      map_.class_names_.push_back(std::to_string(value));
    }
    map_.note_ = StrCat("labels ", Listed(values_), " are ", different, " classes, numbered 0 to ",
                        different - 1, " in this order and named by their label");
    return {};
  }

  // Takes the label that stands for no class out of the values.
  Status FindIgnored() {
    if (known_.ignored && !pixels_ && !known_.gaps) {
      return InvalidArgument(StrCat("`ignore_label`: ", path_,
                                    " holds one label per image, expected one per pixel: leave "
                                    "the examples out that have none"));
    }
    const bool is_there =
        known_.ignored && std::binary_search(values_.begin(), values_.end(), *known_.ignored);
    if (is_there) map_.ignored_ = known_.ignored;
    if (!known_.ignored && SeemIgnored()) map_.ignored_ = kIgnored;
    if (map_.ignored_) values_.erase(std::find(values_.begin(), values_.end(), *map_.ignored_));
    if (values_.empty())
      return Corrupt(StrCat(path_, ": every label is ", *map_.ignored_, ", which is to be ignored"));
    return {};
  }

  // A model of two classes and masks of 0 and 255, or of 0 and 1, whichever of both it was trained on.
  bool IsMaskOfTwo() const {
    const auto of_mask = [&](int64_t value) { return value == 0 || value == values_.back(); };
    return pixels_ && known_.model.size() == 2 && AreNumbers(known_.model) && known_.file_names.empty() &&
           (values_.back() == kIgnored || values_.back() == 1) &&
           std::all_of(values_.begin(), values_.end(), of_mask) && ParseNumber<int64_t>(known_.model[0]) == 0;
  }

  bool SeemIgnored() const {
    if (!pixels_ || values_.back() != kIgnored) return false;
    const auto different = std::ssize(values_);
    if (known_.indices) return true;
    const Names& model = known_.model;
    if (IsMaskOfTwo()) return false;
    if (!model.empty())
      return std::ssize(model) <= kIgnored &&
             std::find(model.begin(), model.end(), std::to_string(kIgnored)) == model.end();
    return different > 2 && values_.front() == 0 && values_[values_.size() - 2] <= 2 * (different - 1);
  }

  void Ignore() {
    map_.values_[*map_.ignored_] = kIgnoredLabel;
    map_.note_ += StrCat(map_.note_.empty() ? "" : "; ", pixels_ ? "pixels" : "images", " of label ",
                         *map_.ignored_, " are ignored: neither learned nor counted",
                         known_.ignored ? "" : " (`ignore_label` names another one)");
  }

  const std::span<const LabelArray* const> arrays_;
  const KnownClasses& known_;
  const std::string path_;
  bool has_texts_ = false, has_values_ = false, pixels_ = false;
  int64_t one_hot_ = 0;
  std::vector<int64_t> values_;
  LabelMap map_;
};

Expected<LabelMap> LabelMap::Make(std::span<const LabelArray* const> arrays, const KnownClasses& known) {
  return LabelMapMaker(arrays, known).Make();
}

Expected<std::vector<int32_t>> LabelMap::Apply(const LabelArray& array) const {
  std::vector<int32_t> classes;
  const auto per_image = static_cast<size_t>(array.height) * static_cast<size_t>(array.width);
  const auto unknown = [&](size_t i, const std::string& label) {
    const bool number = !array.values.empty();
    const std::string nearest = number ? "" : Nearest(label, class_names_);
    const std::string expected = number && !values_.empty()
                                     ? StrCat(values_.begin()->first, " to ", values_.rbegin()->first,
                                              ", one of ", class_names_.size(), " classes")
                                     : StrCat("one of ", SomeOf(class_names_));
    return Corrupt(StrCat(array.path, ": example ", i / per_image, ": label ",
                          number ? label : StrCat("'", label, "'"), ", expected ", expected,
                          nearest.empty() ? "" : StrCat("; did you mean '", nearest, "'?")));
  };
  classes.reserve(array.values.size() + array.texts.size());
  auto found = values_.end();
  for (size_t i = 0; i < array.values.size(); ++i) {
    // Pixels in a row are mostly of one class.
    if (found == values_.end() || found->first != array.values[i]) found = values_.find(array.values[i]);
    if (found == values_.end()) return unknown(i, std::to_string(array.values[i]));
    classes.push_back(found->second);
  }
  for (size_t i = 0; i < array.texts.size(); ++i) {
    const auto text = texts_.find(array.texts[i]);
    if (text == texts_.end()) return unknown(i, array.texts[i]);
    classes.push_back(text->second);
  }
  return classes;
}

}  // namespace qat
