// label_map.h: which class a stored label is: the same for every split of a data set, and for the model that
// learned from it.
#ifndef QAT_DATA_LABEL_MAP_H_
#define QAT_DATA_LABEL_MAP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/label_array.h"

namespace qat {

/// What is known of the classes besides the labels.
struct KnownClasses {
  std::vector<std::string> file_names;  ///< of class_names.txt or its like; empty: there is no such file
  std::string file;                     ///< its path, for messages
  std::vector<std::string> model;       ///< fixed by a model or by another split; empty: not fixed
  /// label of pixels without a class; empty: 255 where it can be no class
  std::optional<int64_t> ignored = std::nullopt;
  bool indices = false;  ///< a model without names: labels are the indices of its outputs
  /// The same of a network that is trained on, where all labels are below this; 0: there is none.
  int32_t scores = 0;
  /// of several outputs: images, too, may be without a class for this one, as `ignored` says
  bool gaps = false;
};

class LabelMap {
 public:
  /// Classes from all label arrays of a data set together. Labels are indices of classes where they can be;
  /// where no label is 0, where one is negative, or where more than half of 0 to the largest are missing, the
  /// different labels in ascending order are the classes, with the numbers as names; text in the order of its
  /// bytes. With names from a file, labels 1 to K of K names begin at 1.
  /// `model` decides before all that: text and names of a file are looked up in it, and so are numbers where
  /// its names are numbers.
  /// Of labels a pixel, 255 is no class where the others are far from it: those pixels are ignored, with a
  /// word.
  /// Errors: kCorrupt with array, example and label (more classes than names, a class that the model does not
  /// know, one class only); kInvalidArgument, a label to ignore where each image has one.
  static Expected<LabelMap> Make(std::span<const LabelArray* const> arrays, const KnownClasses& known);

  const std::vector<std::string>& class_names() const { return class_names_; }
  /// What is not plain about the map, as a sentence; empty: labels are the indices of classes.
  const std::string& note() const { return note_; }

  /// The stored label that stands for no class, if there is one.
  std::optional<int64_t> ignored() const { return ignored_; }

  /// Classes of an array's labels, all in [0, class_names().size()), or kIgnoredLabel. Errors: kCorrupt, a
  /// label that is no class.
  Expected<std::vector<int32_t>> Apply(const LabelArray& array) const;

 private:
  std::vector<std::string> class_names_;
  std::map<int64_t, int32_t> values_;     // stored number -> class
  std::map<std::string, int32_t> texts_;  // stored text -> class
  std::string note_;
  std::optional<int64_t> ignored_;
  friend class LabelMapMaker;
};

}  // namespace qat

#endif  // QAT_DATA_LABEL_MAP_H_
