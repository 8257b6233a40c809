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
  std::string labels = {};  ///< the picture that holds a label per pixel; empty: `label` is that of all
};

struct PictureFiles {
  std::vector<std::string> class_names;  ///< in label order
  /// In turns: the first picture of every class, then the second ones, …; those for validation after those
  /// for training.
  std::vector<PictureFile> files;
  int64_t own_holdout = 0;  ///< so many of the last files are for validation
  /// Folders in class folders and pictures in formats that nobody here decodes: somebody may have meant them.
  std::vector<std::string> passed_over;
  std::string warning;               ///< of splits that are none; else empty
  std::vector<std::string> unused;   ///< folders beside those of splits
  std::vector<std::string> notes;    ///< which folders are what, where their names do not say it alone
  std::vector<std::string> special;  ///< named like pictures, but pipes, sockets or devices
  /// with a label per pixel: the pictures of the other splits, whose labels say what classes there are
  std::vector<PictureFile> other;
};

/// Folders of splits are told by their names (array_names.h, SplitNamed), upper or lower case, and by the
/// folders in them: a folder 'train' that holds pictures is a class. Beside train and test, a folder for
/// validation is the holdout; beside train alone, it is the test split. Without a test split, one picture in
/// ten of every class, chosen by the hash of its name, is.
/// `class_names`: those that labels must follow; empty: the folders of the training split (else of the only
/// one), sorted.
/// `whole`: without a test split, all pictures are it.
/// Errors: kNotFound (no split, no folder), kCorrupt (one class, a folder without pictures or with an unknown
/// name).
Expected<PictureFiles> ListPictures(const std::string& directory, Split split,
                                    const std::vector<std::string>& class_names, bool whole = false);

/// Whether a directory, or a folder of a split in it, holds two folders called as pictures and their labels,
/// as "images" and "masks", and no others: no classes, but pictures with a picture of labels each. Errors:
/// those of reading the folders.
Expected<bool> HoldsLabelPictures(const std::string& directory);

/// Those pictures, by name, each with its labels: the file of its name in the other folder, whatever the
/// ending, or with "_mask", "_label" or their like behind it. Splits are folders around the two
/// (train/images) or inside of them (images/train), and else one picture in ten is for testing, as in
/// ListPictures.
/// Errors: kNotFound (no split), kCorrupt (no picture has labels, one has two).
Expected<PictureFiles> ListLabelPictures(const std::string& directory, Split split, bool whole = false);

/// Without labels: pictures that lie in the directory itself or anywhere under it, by path, where labels are
/// not needed.
/// Errors: kNotFound (none).
Expected<PictureFiles> ListUnlabelledPictures(const std::string& directory);

}  // namespace qat

#endif  // QAT_DATA_PICTURE_FILES_H_
