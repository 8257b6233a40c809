// picture_files.h: which picture files a directory holds for a split, and their labels; nothing is decoded.
#ifndef QAT_DATA_PICTURE_FILES_H_
#define QAT_DATA_PICTURE_FILES_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"

namespace qat {

struct PictureFile {
  std::string path;
  int32_t label = 0;
};

struct PictureFiles {
  std::vector<std::string> class_names;  ///< in label order
  std::vector<PictureFile> files;  ///< in turns: the first picture of every class, then the second ones, …
  /// Folders in class folders and pictures in formats that nobody here decodes: somebody may have meant them.
  std::vector<std::string> passed_over;
};

/// `class_names`: those that labels must follow; empty: the folders of the training split (else of the only one), sorted.
/// Errors: kNotFound (no split, no folder), kCorrupt (one class, a folder without pictures or with an unknown name).
Expected<PictureFiles> ListPictures(const std::string& directory, Split split,
                                    const std::vector<std::string>& class_names);

}  // namespace qat

#endif  // QAT_DATA_PICTURE_FILES_H_
