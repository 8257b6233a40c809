// readers.h: one reader a format of data sets; OpenDataset chooses by what lies in a directory.
#ifndef QAT_DATA_READERS_H_
#define QAT_DATA_READERS_H_

#include <string>
#include <vector>

#include "data/dataset.h"

namespace qat {

/// `files` are the names in the directory, sorted. Errors of all readers: kNotFound, kCorrupt.

/// MNIST's files, as they are named in the wild. Classes are the digits, or the lines of class_names.txt.
bool HoldsIdx(const std::vector<std::string>& files);
Expected<Dataset> OpenIdxDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split);

/// CIFAR-10's data_batch_*.bin and test_batch.bin, or CIFAR-100's train.bin and test.bin with the fine labels. Classes are
/// the lines of batches.meta.txt or fine_label_names.txt, else numbers.
bool HoldsCifar(const std::vector<std::string>& files);
Expected<Dataset> OpenCifar(const std::string& directory, const std::vector<std::string>& files, Split split);

/// Keras' names: x_train, y_train, x_test, y_test, as .npy files or inside one .npz. Images uint8 [N, H, W] or with
/// channels, labels uint8 or signed integers [N] or [N, 1]. Classes are the lines of class_names.txt, else numbers up to the
/// largest label of either split. Errors: kUnsupported, too.
bool HoldsNumpy(const std::vector<std::string>& files);
Expected<Dataset> OpenNumpyDirectory(const std::string& directory, const std::vector<std::string>& files,
                                     Split split);
Expected<Dataset> OpenNpz(const std::string& path, Split split);

/// Pictures, one folder a class: DIR/train/CLASS/… with test/, val/ or validation/ as the other split, or DIR/CLASS/…,
/// of which every tenth picture of a class, chosen by the hash of its name, is for testing. Classes are folder names,
/// sorted; pictures are numbered in turns (the first of every class, then the second ones), so that the first few are a
/// fair sample. Every picture is decoded once at opening, so what is broken is known before training begins.
/// Errors: kInterrupted, too.
Expected<Dataset> OpenPictureFolder(const std::string& directory, Split split, const OpenOptions& options);

/// "a, b, c and 4 more", so that a sentence about a large directory stays one.
std::string SomeOf(const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_DATA_READERS_H_
