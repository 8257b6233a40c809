// picture_labels.h: the labels per pixel of a folder of pictures: read beside each picture, then made classes
// of.
#ifndef QAT_DATA_PICTURE_LABELS_H_
#define QAT_DATA_PICTURE_LABELS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "data/label_picture.h"
#include "data/picture_files.h"
#include "data/picture_values.h"

namespace qat {

class PictureLabels {
 public:
  explicit PictureLabels(size_t pictures) : labels_(pictures) {}

  /// Reads those of one picture, fitted as the picture was; of different ones from several threads at once.
  /// `height`, `width`: of the picture in its file.
  /// Errors: those of ReadLabelPicture; kCorrupt, another aspect than the picture's.
  Status Read(size_t index, const PictureFile& file, int32_t height, int32_t width, const PictureForm& form);

  /// Makes classes of the labels of these pictures, in this order, and gives them to `dataset`, with a note.
  /// What classes there are goes by the labels of `others`, too, unless the options fix them; class_names.txt
  /// in `directory` names them. Padding becomes kIgnoredLabel.
  /// Errors: those of LabelMap, with the file; kInterrupted.
  Status GiveTo(const std::vector<int32_t>& kept, const std::vector<PictureFile>& files,
                const std::vector<PictureFile>& others, const std::string& directory,
                const OpenOptions& options, Dataset& dataset) const;

 private:
  std::vector<LabelPicture> labels_;  // of each picture, fitted
};

}  // namespace qat

#endif  // QAT_DATA_PICTURE_LABELS_H_
