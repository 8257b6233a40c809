#include "data/picture_labels.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/strings.h"
#include "contract/task.h"
#include "data/class_names.h"
#include "data/label_array.h"
#include "data/label_map.h"

namespace qat {
namespace {

constexpr size_t kPolled = 64;  // files between two looks at an interruption

// One file's, of which padding is left out.
void AddDifferent(const LabelPicture& picture, std::set<int64_t>& values) {
  int32_t last = kPaddedLabel;
  for (const int32_t label : picture.labels) {
    if (label == last || label == kPaddedLabel) continue;
    values.insert(label);
    last = label;
  }
}

// Padding as the label of some place, since it has none.
LabelArray ArrayOf(const LabelPicture& picture, const std::string& path) {
  LabelArray array;
  array.path = path;
  array.count = 1;
  array.height = picture.height;
  array.width = picture.width;
  const int32_t other = *std::max_element(picture.labels.begin(), picture.labels.end());
  for (const int32_t label : picture.labels) array.values.push_back(label == kPaddedLabel ? other : label);
  return array;
}

Expected<LabelMap> MapOf(const std::set<int64_t>& values, const std::string& directory,
                         const OpenOptions& options) {
  KnownClasses known;
  known.model = options.class_names;
  known.ignored = options.ignore_label;
  known.indices = options.label_indices;
  const std::string names = JoinPath(directory, std::string(kClassNamesFile));
  if (FileExists(names)) {
    known.file = names;
    QAT_ASSIGN_OR_RETURN(known.file_names, ReadClassNames(names));
  }
  LabelArray all;
  all.path = directory;
  all.count = 1;
  all.height = 2;  // one per pixel
  all.width = static_cast<int32_t>(values.size());
  all.values.assign(values.begin(), values.end());
  const LabelArray* arrays[] = {&all};
  return LabelMap::Make(arrays, known);
}

}  // namespace

Status PictureLabels::Read(size_t index, const PictureFile& file, int32_t height, int32_t width,
                           const PictureForm& form) {
  QAT_ASSIGN_OR_RETURN(const LabelPicture picture, ReadLabelPicture(file.labels));
  if (int64_t{picture.height} * width != int64_t{picture.width} * height) {
    return Corrupt(StrCat(file.labels, ": is ", picture.width, "x", picture.height, ", expected ", width, "x",
                          height, " as ", file.path, " is, or the same aspect"));
  }
  labels_[index] = FitLabels(picture, form.height, form.width, form.fit);
  return {};
}

Status PictureLabels::GiveTo(const std::vector<int32_t>& kept, const std::vector<PictureFile>& files,
                             const std::vector<PictureFile>& others, const std::string& directory,
                             const OpenOptions& options, Dataset& dataset) const {
  std::set<int64_t> values;
  for (const int32_t file : kept) AddDifferent(labels_[static_cast<size_t>(file)], values);
  for (size_t i = 0; options.class_names.empty() && i < others.size(); ++i) {
    if (i % kPolled == 0) QAT_RETURN_IF_ERROR(options.hooks.Poll("reading labels"));
    // What is wrong with it is told when its split is opened.
    if (const auto picture = ReadLabelPicture(others[i].labels); picture.ok()) AddDifferent(*picture, values);
  }
  QAT_ASSIGN_OR_RETURN(const LabelMap map, MapOf(values, directory, options));
  dataset.labels.clear();
  dataset.label_height = dataset.input().height;
  dataset.label_width = dataset.input().width;
  for (const int32_t file : kept) {
    const LabelPicture& picture = labels_[static_cast<size_t>(file)];
    QAT_ASSIGN_OR_RETURN(std::vector<int32_t> classes,
                         map.Apply(ArrayOf(picture, files[static_cast<size_t>(file)].labels)));
    for (size_t i = 0; i < classes.size(); ++i) {
      if (picture.labels[i] == kPaddedLabel) classes[i] = kIgnoredLabel;
    }
    dataset.labels.insert(dataset.labels.end(), classes.begin(), classes.end());
  }
  dataset.class_names = map.class_names();
  dataset.ignored = map.ignored();
  if (!map.note().empty()) dataset.notes.push_back(map.note());
  return {};
}

}  // namespace qat
