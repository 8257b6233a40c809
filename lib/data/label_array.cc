#include "data/label_array.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/shape.h"
#include "base/strings.h"

namespace qat {
namespace {

template <class Stored, class Value>
std::vector<Value> Converted(const Bytes& bytes) {
  std::vector<Value> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored value;
    std::memcpy(&value, &bytes[i * sizeof(Stored)], sizeof(Stored));
    values[i] = static_cast<Value>(value);
  }
  return values;
}

std::vector<int64_t> Integers(const NpyArray& array) {
  switch (array.type) {
    case DType::kInt8:
      return Converted<int8_t, int64_t>(array.values);
    case DType::kInt16:
      return Converted<int16_t, int64_t>(array.values);
    case DType::kInt32:
      return Converted<int32_t, int64_t>(array.values);
    case DType::kInt64:
      return Converted<int64_t, int64_t>(array.values);
    default:
      return Converted<uint8_t, int64_t>(array.values);  // and bool
  }
}

bool IsInteger(DType type) {
  return type == DType::kUInt8 || type == DType::kInt8 || type == DType::kInt16 || type == DType::kInt32 ||
         type == DType::kInt64 || type == DType::kBool;
}

bool IsReal(DType type) { return type == DType::kFloat32 || type == DType::kFloat64; }

std::vector<double> Reals(const NpyArray& array) {
  if (array.type == DType::kFloat32) return Converted<float, double>(array.values);
  if (array.type == DType::kFloat64) return Converted<double, double>(array.values);
  const std::vector<int64_t> integers = Integers(array);
  return {integers.begin(), integers.end()};
}

// What the axes after the first mean.
enum class Layout { kOne, kRows, kPixels, kOneHotPixels, kOther };

Layout LayoutOf(const Shape& shape) {
  if (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1)) return Layout::kOne;
  if (shape.size() == 2) return Layout::kRows;
  if (shape.size() == 3 || (shape.size() == 4 && shape[3] == 1)) return Layout::kPixels;
  return shape.size() == 4 ? Layout::kOneHotPixels : Layout::kOther;
}

// A class per row, as Keras' to_categorical writes it.
bool AreOneHot(const std::vector<double>& values, size_t length) {
  for (size_t row = 0; row < values.size(); row += length) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row);
    const auto end = begin + static_cast<std::ptrdiff_t>(length);
    if (std::count(begin, end, 1.0) != 1 || std::count(begin, end, 0.0) != end - begin - 1) return false;
  }
  return !values.empty();
}

std::vector<int64_t> IndicesOfOnes(const std::vector<double>& values, size_t length) {
  std::vector<int64_t> indices;
  for (size_t row = 0; row < values.size(); row += length) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row);
    indices.push_back(std::find(begin, begin + static_cast<std::ptrdiff_t>(length), 1.0) - begin);
  }
  return indices;
}

bool AreMarks(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value == 0 || value == 1; });
}

bool AreWhole(const std::vector<double>& values) {
  constexpr double kExact = 9007199254740992;  // 2^53
  return std::all_of(values.begin(), values.end(),
                     [](double value) { return std::abs(value) <= kExact && value == std::trunc(value); });
}

// Few different values are what classes look like; as many as examples are measurements that happen to be
// whole.
bool MayBeClasses(const std::vector<double>& values) {
  return AreWhole(values) && 2 * std::set<double>(values.begin(), values.end()).size() <= values.size();
}

class Reader {
 public:
  Reader(const NpyArray& array, const std::string& path, Task task, bool gaps)
      : array_(array), task_(task), gaps_(gaps) {
    labels_.path = path;
    labels_.count = array.shape.empty() ? 0 : array.shape[0];
  }

  Expected<LabelArray> Read() {
    if (std::find(array_.shape.begin(), array_.shape.end(), 0) != array_.shape.end())
      return Refuse("", "expected no size of 0");
    const Layout layout = LayoutOf(array_.shape);
    if (layout == Layout::kOther) return Refuse("", Expectation());
    if (array_.type == DType::kString) return ReadTexts(layout);
    if (IsReal(array_.type)) return ReadReals(layout);
    if (IsInteger(array_.type)) return ReadIntegers(layout);
    return Corrupt(StrCat(labels_.path, ": elements are ", NameOf(array_.type),
                          ", expected integers or text for classes, float32 or float64 for real numbers"));
  }

 private:
  static std::string Expectation() {
    return "expected [count], one label per image, [count, classes] of one-hot rows, or [count, height, "
           "width], one "
           "label per pixel";
  }
  Error Refuse(std::string_view what, std::string_view expected) const {
    return Corrupt(StrCat(labels_.path, ": shape ", ToString(array_.shape), what, ", ", expected));
  }

  Expected<LabelArray> ReadTexts(Layout layout) {
    if (layout != Layout::kOne) return Refuse(" of text", "expected [count], one class name per image");
    if (task_ == Task::kNumbers || task_ == Task::kMultiLabel)
      return InvalidArgument(
          StrCat(labels_.path, ": elements are text, which task '", NameOf(task_), "' cannot learn"));
    labels_.texts = array_.texts;
    return std::move(labels_);
  }

  Expected<LabelArray> ReadIntegers(Layout layout) {
    if (task_ == Task::kNumbers) return TakeNumbers(layout);
    if (task_ == Task::kMultiLabel) return TakeMarks(layout);
    if (layout == Layout::kOne || layout == Layout::kPixels) return TakeClasses(Integers(array_), layout);
    if (TakeOneHot(layout)) return std::move(labels_);
    if (layout == Layout::kRows && task_ == Task::kAuto && AreMarks(Reals(array_))) return TakeMarks(layout);
    return Refuse("", StrCat(Expectation(),
                             ", [count, labels] of 0 and 1 for several labels per image; whole numbers to be "
                             "learned need `task` numbers"));
  }

  Expected<LabelArray> ReadReals(Layout layout) {
    reals_ = Reals(array_);
    QAT_RETURN_IF_ERROR(CheckFinite());
    if (task_ == Task::kNumbers) return TakeNumbers(layout);
    if (task_ == Task::kMultiLabel) return TakeMarks(layout);
    if ((layout == Layout::kRows || layout == Layout::kOneHotPixels) && TakeOneHot(layout))
      return std::move(labels_);
    const bool open = task_ == Task::kAuto;
    if (layout == Layout::kRows && open && AreMarks(reals_)) return TakeMarks(layout);
    if (layout == Layout::kRows && open) return TakeNumbers(layout);
    const bool whole = AreWhole(reals_);
    if (layout == Layout::kPixels && whole) return TakeRealClasses(layout);
    if (layout != Layout::kOne && open) return TakeNumbers(layout);
    if (layout != Layout::kOne)
      return Refuse(StrCat(" of ", NameOf(array_.type)), "expected whole numbers as labels");
    if (!open && whole) return TakeRealClasses(layout);
    if (!open)
      return Corrupt(StrCat(
          labels_.path,
          ": holds numbers that are not whole, expected classes as in the other labels, or as task says"));
    if (!MayBeClasses(reals_)) return TakeNumbers(layout);
    return InvalidArgument(StrCat(labels_.path, ": whole numbers stored as ", NameOf(array_.type),
                                  " could be classes or numbers to be learned; say which with `task` classes",
                                  AreMarks(reals_) ? ", `task` yes-no" : "", " or `task` numbers"));
  }

  Status CheckFinite() const {
    const auto is_known = [](double value) { return !std::isnan(value); };
    if (gaps_ && std::none_of(reals_.begin(), reals_.end(), is_known))
      return Corrupt(StrCat(labels_.path, ": every value is NaN, expected numbers"));
    const auto per_image = static_cast<size_t>(FlatSize(array_.shape) / array_.shape[0]);
    for (size_t i = 0; i < reals_.size(); ++i) {
      if (std::isfinite(static_cast<float>(reals_[i]))) continue;
      if (gaps_ && std::isnan(reals_[i])) continue;
      const std::string place = per_image == 1 ? "" : StrCat(", number ", i % per_image);
      return Corrupt(StrCat(labels_.path, ": example ", i / per_image, place, ": ", reals_[i],
                            ", expected numbers that are finite in float32"));
    }
    return {};
  }

  void FillClasses(std::vector<int64_t> values, Layout layout) {
    labels_.values = std::move(values);
    if (layout != Layout::kPixels && layout != Layout::kOneHotPixels) return;
    labels_.height = array_.shape[1];
    labels_.width = array_.shape[2];
  }

  Expected<LabelArray> TakeClasses(std::vector<int64_t> values, Layout layout) {
    FillClasses(std::move(values), layout);
    return std::move(labels_);
  }

  Expected<LabelArray> TakeRealClasses(Layout layout) {
    labels_.note = StrCat("whole numbers stored as ", NameOf(array_.type), " are taken as classes");
    return TakeClasses({reals_.begin(), reals_.end()}, layout);
  }

  // Fills `labels_` where all rows are one-hot.
  bool TakeOneHot(Layout layout) {
    const auto length = static_cast<size_t>(array_.shape.back());
    const std::vector<double> values = Reals(array_);
    if (!AreOneHot(values, length)) return false;
    labels_.note = StrCat("one-hot rows of ", length, " are taken as classes");
    labels_.one_hot_classes = array_.shape.back();
    FillClasses(IndicesOfOnes(values, length), layout);
    return true;
  }

  Expected<LabelArray> TakeNumbers(Layout layout) {
    if (reals_.empty()) reals_ = Reals(array_);
    labels_.task = Task::kNumbers;
    labels_.targets = static_cast<int32_t>(FlatSize(array_.shape) / array_.shape[0]);
    if (layout != Layout::kOne && layout != Layout::kRows)
      labels_.note = StrCat("labels of shape ", ToString(array_.shape), " are ", labels_.targets,
                            " real numbers per example");
    labels_.numbers.assign(reals_.begin(), reals_.end());
    return std::move(labels_);
  }

  // Several labels at once, each there (1) or not (0).
  Expected<LabelArray> TakeMarks(Layout layout) {
    if (layout != Layout::kOne && layout != Layout::kRows)
      return Refuse("", "expected [count, labels] of 0 and 1 for several labels per image");
    const std::vector<double> values = Reals(array_);
    const auto wrong =
        std::find_if(values.begin(), values.end(), [](double value) { return value != 0 && value != 1; });
    const int32_t labels = layout == Layout::kRows ? array_.shape[1] : 1;
    if (wrong != values.end()) {
      const auto at = wrong - values.begin();
      return Corrupt(StrCat(labels_.path, ": example ", at / labels, ", label ", at % labels, ": ", *wrong,
                            ", expected 0 or 1 for several labels per image"));
    }
    labels_.task = Task::kMultiLabel;
    labels_.width = labels;
    labels_.values.assign(values.begin(), values.end());
    if (task_ == Task::kAuto)
      labels_.note = StrCat("rows of ", labels, " zeros and ones are taken as ", labels,
                            " labels at once (`task` multi-label; `task` numbers learns them as numbers)");
    return std::move(labels_);
  }

  const NpyArray& array_;
  const Task task_;
  const bool gaps_;
  std::vector<double> reals_;
  LabelArray labels_;
};

}  // namespace

Expected<LabelArray> ReadLabelArray(const NpyArray& array, const std::string& path, Task task, bool gaps) {
  return Reader(array, path, task, gaps).Read();
}

}  // namespace qat
