// readers.h: one reader a format of data sets; OpenDataset chooses by what lies in a directory.
#ifndef QAT_DATA_READERS_H_
#define QAT_DATA_READERS_H_

#include <string>
#include <vector>

#include "data/dataset.h"

namespace qat {

/// `files` are the names in the directory, sorted. Errors of all readers: kNotFound, kCorrupt.

/// MNIST's files, as they are named in the wild, EMNIST's included, whose images are stored transposed and
/// turned upright. Classes as in label_map.h, with the names of class_names.txt or of EMNIST's mapping.
/// Without files for testing, a part of the training split is the test split.
bool HoldsIdx(const std::vector<std::string>& files);
Expected<Dataset> OpenIdxDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split, const OpenOptions& options);

/// CIFAR-10's data_batch_*.bin and test_batch.bin, or CIFAR-100's train.bin and test.bin with the fine
/// labels. Classes are the lines of batches.meta.txt or fine_label_names.txt, else numbers.
bool HoldsCifar(const std::vector<std::string>& files);
Expected<Dataset> OpenCifar(const std::string& directory, const std::vector<std::string>& files, Split split,
                            const OpenOptions& options);

/// Arrays whose names say what they are (array_names.h), as .npy files or inside one .npz. Images uint8
/// (array_images.h), labels as in label_array.h, classes as in label_map.h with the names of class_names.txt
/// or of an array class_names. Arrays for validation become Dataset::own_holdout; where there are none for
/// testing, they are the test split, and where there are neither, a part of the training split is
/// (test_split.h). Errors: kUnsupported and kInvalidArgument, too.
bool HoldsNumpy(const std::vector<std::string>& files);
Expected<Dataset> OpenNumpyDirectory(const std::string& directory, const std::vector<std::string>& files,
                                     Split split, const OpenOptions& options);
Expected<Dataset> OpenNpz(const std::string& path, Split split, const OpenOptions& options);

/// One array of images, where labels are not needed.
Expected<Dataset> OpenNpy(const std::string& path, const OpenOptions& options);

/// Tables with a header (csv_table.h): one .csv or .tsv, or train.csv and its like in a directory. One column
/// holds the answers, as classes or numbers, the others are features. Splits are those of arrays. Errors:
/// kInvalidArgument, too.
bool IsCsvFile(const std::string& path);
bool HoldsCsv(const std::vector<std::string>& files);
Expected<Dataset> OpenCsv(const std::string& path, Split split, const OpenOptions& options);
/// All rows of one table, of which the answers, if there are any, are left out.
Expected<Dataset> OpenRows(const std::string& path, const OpenOptions& options);
Expected<Dataset> OpenCsvDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split, const OpenOptions& options);

/// Pictures, one folder per class, in folders of splits or without (picture_files.h). Classes are folder
/// names, sorted; pictures are numbered in turns (the first of every class, then the second ones). Every
/// picture of a sample is decoded once at opening, so what is broken is known before training begins. Where
/// labels are not needed, pictures may lie anywhere.
/// Errors: kInterrupted, too.
bool HoldsPictures(const std::vector<std::string>& files);
Expected<Dataset> OpenPictureFolder(const std::string& directory, Split split, const OpenOptions& options);

/// What reading could wait for without an end: pipes, sockets and devices, through links, too. In folders of
/// data they are passed over.
bool IsSpecialFile(const std::string& path);

/// "passed over 2 pipes, sockets or devices: a, b"; nothing where there are none.
std::string SpecialFilesWarning(const std::vector<std::string>& paths);

/// "a, b, c and 4 more", so that a sentence about a large directory stays one.
std::string SomeOf(const std::vector<std::string>& names);

/// Names that systems and programs leave in folders, which nobody means: hidden ones, "__MACOSX", "@eaDir",
/// "Thumbs.db", "desktop.ini".
bool IsLeftBehind(std::string_view name);

}  // namespace qat

#endif  // QAT_DATA_READERS_H_
