#include "data/array_dataset.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "data/array_images.h"
#include "data/class_names.h"
#include "data/label_array.h"
#include "data/label_map.h"
#include "data/readers.h"
#include "data/test_split.h"

namespace qat {
namespace {

/// Reads label arrays of one data set, all for the same task.
class LabelReader {
 public:
  LabelReader(const ArraySource& source, Task task) : source_(source), task_(task) {}

  Status Read(const std::string& name) {
    QAT_ASSIGN_OR_RETURN(const NpyArray array, source_.read(name));
    QAT_ASSIGN_OR_RETURN(LabelArray labels, ReadLabelArray(array, source_.path_of(name), task_));
    // What the first one is, those of the other splits are, too.
    if (task_ == Task::kAuto) task_ = labels.task;
    read_.emplace_back(name, std::move(labels));
    return {};
  }
  const LabelArray& Of(const std::string& name) const {
    return std::find_if(read_.begin(), read_.end(), [&](const auto& each) { return each.first == name; })->second;
  }
  Task task() const { return task_; }
  std::vector<const LabelArray*> all() const {
    std::vector<const LabelArray*> arrays;
    for (const auto& each : read_) arrays.push_back(&each.second);
    return arrays;
  }

 private:
  const ArraySource& source_;
  Task task_;
  std::vector<std::pair<std::string, LabelArray>> read_;
};

/// Opens splits of one data set.
class Opener {
 public:
  Opener(const ArraySource& source, const ArrayTable& table, const OpenOptions& options)
      : source_(source), table_(table), options_(options), labels_(source, options.task) {}

  Expected<Dataset> Open(Split split) {
    const bool one_piece = !table_.test.has_inputs();
    const ArrayPair& pair = split == Split::kTrain || one_piece ? table_.train : table_.test;
    QAT_ASSIGN_OR_RETURN(std::vector<ArrayImages> images, ReadInputs(pair));
    QAT_RETURN_IF_ERROR(ReadLabels());
    Dataset dataset;
    dataset.name = source_.path;
    QAT_RETURN_IF_ERROR(Add(pair, std::move(images), dataset));
    if (one_piece) {
      KeepPart(split, source_.advice, dataset);
    } else if (split == Split::kTrain && table_.holdout.complete()) {
      const int64_t before = dataset.size();
      QAT_ASSIGN_OR_RETURN(images, ReadInputs(table_.holdout));
      QAT_RETURN_IF_ERROR(Add(table_.holdout, std::move(images), dataset));
      dataset.own_holdout = dataset.size() - before;
    }
    if (split == Split::kTest && IsForValidation(pair))
      dataset.notes.push_back(StrCat("'", pair.inputs[0], "' is the test split, since there is no other"));
    Describe(dataset);
    return dataset;
  }

 private:
  static bool IsForValidation(const ArrayPair& pair) {
    const std::optional<ArrayRole> role = RoleOf(pair.labels);
    return role && role->split == ArraySplit::kValidation;
  }

  // Those of every split: only all of them together say what the classes are. The training split comes first, since it is the
  // largest and tells best what labels are.
  Status ReadLabels() {
    for (const ArrayPair& pair : {table_.train, table_.holdout, table_.test}) {
      if (pair.complete()) QAT_RETURN_IF_ERROR(labels_.Read(pair.labels));
    }
    if (labels_.task() == Task::kNumbers || labels_.task() == Task::kMultiLabel) return {};
    const KnownClasses known = {source_.class_names, source_.class_names_path, options_.class_names,
                                options_.ignore_label, options_.label_indices};
    QAT_ASSIGN_OR_RETURN(map_, LabelMap::Make(labels_.all(), known));
    const size_t classes = map_->class_names().size();
    if (labels_.task() == Task::kYesNo && classes != 2) {
      return InvalidArgument(StrCat(source_.path, ": labels are of ", classes, " classes, expected two for `task` yes-no; `task` "
                                    "classes learns one of several"));
    }
    return {};
  }

  Expected<std::vector<ArrayImages>> ReadInputs(const ArrayPair& pair) const {
    return ReadInputArrays(pair.inputs, source_.read, source_.path_of, options_);
  }

  // Appends inputs and labels of an array pair.
  Status Add(const ArrayPair& pair, std::vector<ArrayImages> images, Dataset& dataset) {
    const LabelArray& labels = labels_.Of(pair.labels);
    if (labels.count != images[0].count) {
      return Corrupt(StrCat(labels.path, ": ", labels.count, " labels, but ", source_.path_of(pair.inputs[0]), " holds ",
                            images[0].count, " images"));
    }
    std::vector<ExampleInput> inputs = InputsOf(images, options_);
    if (dataset.size() > 0 && (inputs != dataset.inputs || labels.height != dataset.label_height ||
                               labels.width != dataset.label_width || labels.targets != dataset.targets)) {
      return Corrupt(StrCat(source_.path_of(pair.inputs[0]), " and ", labels.path,
                            ": have other sizes or types than those for training, expected the same"));
    }
    dataset.inputs = std::move(inputs);
    dataset.label_height = labels.height;
    dataset.label_width = labels.width;
    dataset.targets = labels.targets;
    dataset.task = labels_.task();
    std::vector<std::string> notes;
    for (const ArrayImages& each : images) notes.push_back(each.note);
    notes.push_back(labels.note);
    Bytes examples = PackedInputs(std::move(images));
    if (dataset.images.empty()) {
      dataset.images = std::move(examples);
    } else {
      dataset.images.insert(dataset.images.end(), examples.begin(), examples.end());
    }
    dataset.numbers.insert(dataset.numbers.end(), labels.numbers.begin(), labels.numbers.end());
    if (map_) {
      QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> classes, map_->Apply(labels));
      dataset.labels.insert(dataset.labels.end(), classes.begin(), classes.end());
    } else if (labels_.task() == Task::kMultiLabel) {
      dataset.labels.insert(dataset.labels.end(), labels.values.begin(), labels.values.end());
    }
    for (const std::string& note : notes) {
      if (!note.empty()) dataset.notes.push_back(note);
    }
    return {};
  }

  void Describe(Dataset& dataset) const {
    if (map_) {
      dataset.class_names = map_->class_names();
      dataset.ignored = map_->ignored();
      if (!map_->note().empty()) dataset.notes.push_back(map_->note());
    }
    if (!map_) NameTargets(dataset);
    if (!table_.unused.empty()) Warn(StrCat("not used: ", SomeOf(table_.unused)), dataset);
  }

  // Labels at once and numbers are named by what lies beside them, where there is a name for each.
  void NameTargets(Dataset& dataset) const {
    const bool marks = dataset.task == Task::kMultiLabel;
    const auto count = static_cast<size_t>(marks ? dataset.label_width : dataset.targets);
    for (const auto* names : {&source_.class_names, &options_.class_names}) {
      if (names->size() == count) dataset.class_names = *names;
    }
    if (marks && dataset.class_names.empty()) dataset.class_names = NumberedClasses(static_cast<int64_t>(count));
  }

  const ArraySource& source_;
  const ArrayTable& table_;
  const OpenOptions& options_;
  LabelReader labels_;
  std::optional<LabelMap> map_;
};

}  // namespace

Expected<Dataset> OpenArrayDataset(const ArraySource& source, const ArrayTable& table, Split split,
                                   const OpenOptions& options) {
  return Opener(source, table, options).Open(split);
}

}  // namespace qat
