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
  LabelReader(const ArraySource& source, Task task, bool gaps) : source_(source), task_(task), gaps_(gaps) {}

  Status Read(const std::string& name) {
    QAT_ASSIGN_OR_RETURN(const NpyArray array, source_.read(name));
    QAT_ASSIGN_OR_RETURN(LabelArray labels, ReadLabelArray(array, source_.path_of(name), task_, gaps_));
    // What the first one is, those of the other splits are, too.
    if (task_ == Task::kAuto) task_ = labels.task;
    read_.emplace_back(name, std::move(labels));
    return {};
  }
  const LabelArray& Of(const std::string& name) const {
    return std::find_if(read_.begin(), read_.end(), [&](const auto& each) { return each.first == name; })
        ->second;
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
  bool gaps_;
  std::vector<std::pair<std::string, LabelArray>> read_;
};

/// The labels of one output, of all splits together.
struct OutputReader {
  OutputRequest request;
  LabelReader labels;
  std::optional<LabelMap> map = {};
};

/// Opens splits of one data set.
class Opener {
 public:
  Opener(const ArraySource& source, const ArrayTable& table, const OpenOptions& options)
      : source_(source), table_(table), options_(options) {
    if (options.outputs.size() < 2) {
      outputs_.push_back(
          {{"", "", options.class_names, options.task}, {source, options.task, /*gaps=*/false}});
      return;
    }
    for (const OutputRequest& output : options.outputs)
      outputs_.push_back({output, {source, output.task, /*gaps=*/true}});
  }

  Expected<Dataset> Open(Split split) {
    const bool one_piece = !table_.test.has_inputs();
    const ArrayPair& pair = split == Split::kTrain || one_piece ? table_.train : table_.test;
    QAT_ASSIGN_OR_RETURN(std::vector<ArrayImages> images, ReadInputs(pair));
    QAT_RETURN_IF_ERROR(ReadLabels());
    Dataset dataset;
    dataset.name = source_.path;
    dataset.others.resize(outputs_.size() - 1);
    QAT_RETURN_IF_ERROR(Add(pair, std::move(images), dataset));
    if (one_piece) {
      KeepPart(split, options_, source_.advice, dataset);
    } else if (split == Split::kTrain && table_.holdout.complete()) {
      const int64_t before = dataset.size();
      QAT_ASSIGN_OR_RETURN(images, ReadInputs(table_.holdout));
      QAT_RETURN_IF_ERROR(Add(table_.holdout, std::move(images), dataset));
      dataset.own_holdout = dataset.size() - before;
    }
    if (split == Split::kTest && IsForValidation(pair))
      dataset.notes.push_back(StrCat("'", pair.inputs[0], "' is the test split, since there is no other"));
    for (size_t i = 0; i < outputs_.size(); ++i)
      Describe(outputs_[i], i == 0 ? dataset : dataset.others[i - 1], dataset.notes);
    if (!table_.unused.empty()) Warn(StrCat("not used: ", SomeOf(table_.unused)), dataset);
    return dataset;
  }

 private:
  bool IsForValidation(const ArrayPair& pair) const {
    if (outputs_.size() > 1)
      return SplitOfOutput(pair.labels, outputs_[0].request.name) == ArraySplit::kValidation;
    const std::optional<ArrayRole> role = RoleOf(pair.labels);
    return role && role->split == ArraySplit::kValidation;
  }

  // Those of every split: only all of them together say what the classes are. The training split comes first,
  // since it is the largest and tells best what labels are.
  Status ReadLabels() {
    for (const ArrayPair& pair : {table_.train, table_.holdout, table_.test}) {
      for (size_t i = 0; pair.complete() && i < outputs_.size(); ++i)
        QAT_RETURN_IF_ERROR(outputs_[i].labels.Read(pair.labels_of(i)));
    }
    const auto of_classes = [](const OutputReader& output) {
      return output.labels.task() != Task::kNumbers && output.labels.task() != Task::kMultiLabel;
    };
    // Names of classes that lie beside the labels are those of the only output that has classes.
    const bool named = std::count_if(outputs_.begin(), outputs_.end(), of_classes) == 1;
    for (OutputReader& output : outputs_) {
      if (of_classes(output)) QAT_RETURN_IF_ERROR(MapClasses(named, output));
    }
    return {};
  }

  Status MapClasses(bool named, OutputReader& output) const {
    KnownClasses known = {source_.class_names, source_.class_names_path, output.request.class_names,
                          options_.ignore_label, options_.label_indices};
    if (!named) known.file_names.clear();
    if (outputs_.size() == 1) known.scores = options_.scores;
    known.gaps = outputs_.size() > 1;
    QAT_ASSIGN_OR_RETURN(output.map, LabelMap::Make(output.labels.all(), known));
    const size_t classes = output.map->class_names().size();
    if (output.labels.task() == Task::kYesNo && classes != 2) {
      return InvalidArgument(
          StrCat(outputs_.size() == 1 ? source_.path : output.labels.all()[0]->path, ": labels are of ",
                 classes, " classes, expected two for `task` yes-no; `task` classes learns one of several"));
    }
    return {};
  }

  Expected<std::vector<ArrayImages>> ReadInputs(const ArrayPair& pair) const {
    return ReadInputArrays(pair.inputs, source_.read, source_.path_of, options_);
  }

  // Appends inputs and labels of an array pair.
  Status Add(const ArrayPair& pair, std::vector<ArrayImages> images, Dataset& dataset) {
    std::vector<ExampleInput> inputs = InputsOf(images, options_);
    if (dataset.size() > 0 && inputs != dataset.inputs) return OtherSizes(pair, 0);
    std::vector<std::string> notes;
    for (const ArrayImages& each : images) notes.push_back(each.note);
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const LabelArray& labels = outputs_[i].labels.Of(pair.labels_of(i));
      if (labels.count != images[0].count) {
        return Corrupt(StrCat(labels.path, ": ", labels.count, " labels, but ",
                              source_.path_of(pair.inputs[0]), " holds ", images[0].count, " images"));
      }
      OutputLabels& own = i == 0 ? dataset : dataset.others[i - 1];
      const bool first = dataset.images.empty();
      if (!first && (labels.height != own.label_height || labels.width != own.label_width ||
                     labels.targets != own.targets))
        return OtherSizes(pair, i);
      QAT_RETURN_IF_ERROR(AddLabels(outputs_[i], labels, own));
      notes.push_back(labels.note);
    }
    dataset.inputs = std::move(inputs);
    Bytes examples = PackedInputs(std::move(images));
    if (dataset.images.empty()) {
      dataset.images = std::move(examples);
    } else {
      dataset.images.insert(dataset.images.end(), examples.begin(), examples.end());
    }
    for (const std::string& note : notes) {
      if (!note.empty()) dataset.notes.push_back(note);
    }
    return {};
  }

  Error OtherSizes(const ArrayPair& pair, size_t output) const {
    return Corrupt(StrCat(source_.path_of(pair.inputs[0]), " and ", source_.path_of(pair.labels_of(output)),
                          ": have other sizes or types than those for training, expected the same"));
  }

  static Status AddLabels(const OutputReader& output, const LabelArray& labels, OutputLabels& own) {
    own.output = output.request.name;
    own.label_height = labels.height;
    own.label_width = labels.width;
    own.targets = labels.targets;
    own.task = output.labels.task();
    own.numbers.insert(own.numbers.end(), labels.numbers.begin(), labels.numbers.end());
    if (output.map) {
      QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> classes, output.map->Apply(labels));
      own.labels.insert(own.labels.end(), classes.begin(), classes.end());
    } else if (own.task == Task::kMultiLabel) {
      own.labels.insert(own.labels.end(), labels.values.begin(), labels.values.end());
    }
    return {};
  }

  void Describe(const OutputReader& output, OutputLabels& own, std::vector<std::string>& notes) const {
    if (!output.map) return NameTargets(output, own);
    own.class_names = output.map->class_names();
    own.ignored = output.map->ignored();
    if (output.map->note().empty()) return;
    notes.push_back(own.output.empty() ? output.map->note()
                                       : StrCat("output '", own.output, "': ", output.map->note()));
  }

  // Labels at once and numbers are named by what lies beside them, where there is a name for each.
  void NameTargets(const OutputReader& output, OutputLabels& own) const {
    const bool marks = own.task == Task::kMultiLabel;
    const auto count = static_cast<size_t>(marks ? own.label_width : own.targets);
    for (const auto* names : {&source_.class_names, &output.request.class_names}) {
      if (names->size() == count) own.class_names = *names;
    }
    if (marks && own.class_names.empty()) own.class_names = NumberedClasses(static_cast<int64_t>(count));
  }

  const ArraySource& source_;
  const ArrayTable& table_;
  const OpenOptions& options_;
  std::vector<OutputReader> outputs_;  ///< at least one
};

}  // namespace

Expected<Dataset> OpenArrayDataset(const ArraySource& source, const ArrayTable& table, Split split,
                                   const OpenOptions& options) {
  return Opener(source, table, options).Open(split);
}

}  // namespace qat
