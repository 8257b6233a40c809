#include "data/picture_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "base/random.h"
#include "base/strings.h"
#include "data/array_names.h"
#include "data/readers.h"
#include "data/test_split.h"

namespace qat {
namespace {

constexpr std::string_view kSuffixes[] = {".jpg", ".jpeg", ".png", ".bmp"};
constexpr std::string_view kOtherSuffixes[] = {".webp", ".gif",  ".tif",  ".tiff", ".heic",
                                               ".heif", ".avif", ".jfif", ".ppm",  ".pgm"};
constexpr size_t kTestPart = 10;  // without folders of splits, one picture in so many is for testing

using Names = std::vector<std::string>;

bool EndsIn(std::span<const std::string_view> suffixes, const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return !lower.starts_with('.') &&
         std::any_of(suffixes.begin(), suffixes.end(),
                     [&](std::string_view suffix) { return lower.ends_with(suffix); });
}

Expected<Names> Folders(const std::string& directory) {
  QAT_ASSIGN_OR_RETURN(Names names, ListDirectory(directory));
  std::erase_if(names, [&](const std::string& name) {
    return IsLeftBehind(name) || !IsDirectory(JoinPath(directory, name));
  });
  return names;
}

// What is no picture, but somebody may have meant to be some, goes to `passed_over`.
Expected<Names> Pictures(const std::string& directory, PictureFiles& found) {
  QAT_ASSIGN_OR_RETURN(const Names names, ListDirectory(directory));
  Names pictures;
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    if (EndsIn(kSuffixes, name) && IsSpecialFile(path)) {
      found.special.push_back(path);
    } else if (EndsIn(kSuffixes, name)) {
      pictures.push_back(name);
    } else if (EndsIn(kOtherSuffixes, name) || (!IsLeftBehind(name) && IsDirectory(path))) {
      found.passed_over.push_back(path);
    }
  }
  if (!pictures.empty()) return pictures;
  return Corrupt(StrCat(directory,
                        ": holds no pictures, expected files ending in .jpg, .jpeg, .png or .bmp; found ",
                        SomeOf(names)));
}

// Where classes lie: a folder per split; empty: there is none.
struct Layout {
  std::string train;
  std::string test;
  std::string holdout;
  Names unused;
  Names notes;
  bool one_piece() const { return train == test; }
};

std::string& FolderOf(Layout& layout, ArraySplit split) {
  if (split == ArraySplit::kTrain) return layout.train;
  return split == ArraySplit::kTest ? layout.test : layout.holdout;
}

// A folder of that name which holds folders. One of pictures is a class: vehicles are cars, trains and buses.
Expected<Layout> FindSplits(const std::string& directory, const Names& folders) {
  Layout layout;
  Names others;
  for (const std::string& name : folders) {
    const std::string path = JoinPath(directory, name);
    const std::optional<ArraySplit> split = SplitNamed(name);
    QAT_ASSIGN_OR_RETURN(const Names classes, split ? Folders(path) : Expected<Names>(Names()));
    if (!split || classes.empty()) {
      others.push_back(path);
      continue;
    }
    std::string& place = FolderOf(layout, *split);
    if (!place.empty()) {
      return Corrupt(
          StrCat(directory, ": both ", place, " and ", path, " could be one split, expected one of them"));
    }
    place = path;
  }
  const bool has_splits = !layout.train.empty() || !layout.test.empty() || !layout.holdout.empty();
  if (has_splits) layout.unused = std::move(others);
  return layout;
}

Expected<Layout> FindLayout(const std::string& directory, const Names& folders) {
  QAT_ASSIGN_OR_RETURN(Layout layout, FindSplits(directory, folders));
  if (layout.test.empty() && !layout.holdout.empty()) {
    layout.test = std::exchange(layout.holdout, "");
    if (!layout.train.empty())
      layout.notes.push_back(StrCat(layout.test, " is the test split, since there is no other"));
  }
  if (layout.train.empty() && layout.test.empty()) layout.train = layout.test = directory;
  if (layout.test.empty()) layout.test = layout.train;
  return layout;
}

uint64_t HashOf(std::string_view name) {
  uint64_t key = 0;
  for (const char c : name) key = MixKey(key, static_cast<unsigned char>(c));
  return key;
}

// Of every ten pictures of a class one is for testing, at least one if there are two. Names decide, so that
// neither the order of files nor a seed does, and a picture that is added moves few others.
Names PartOf(Names pictures, Split split) {
  if (pictures.size() < 2) return split == Split::kTrain ? pictures : Names();
  std::stable_sort(pictures.begin(), pictures.end(),
                   [](const std::string& a, const std::string& b) { return HashOf(a) < HashOf(b); });
  const auto tests = static_cast<ptrdiff_t>(std::max<size_t>(1, pictures.size() / kTestPart));
  if (split == Split::kTest) {
    pictures.erase(pictures.begin() + tests, pictures.end());
  } else {
    pictures.erase(pictures.begin(), pictures.begin() + tests);
  }
  std::sort(pictures.begin(), pictures.end());
  return pictures;
}

Expected<Names> ClassNames(const std::string& folder, const Names& given) {
  if (!given.empty()) return given;
  QAT_ASSIGN_OR_RETURN(Names classes, Folders(folder));
  if (classes.size() >= 2) return classes;
  return Corrupt(StrCat(folder, ": holds ",
                        classes.empty() ? "no class" : StrCat("one class ('", classes[0], "')"),
                        ", expected at least two folders of pictures, one per class"));
}

Expected<int32_t> LabelOf(const std::string& folder, const std::string& name, const Names& class_names) {
  const auto found = std::find(class_names.begin(), class_names.end(), name);
  if (found != class_names.end()) return static_cast<int32_t>(found - class_names.begin());
  const std::string nearest = Nearest(name, class_names);
  return Corrupt(StrCat(folder, ": has the class '", name, "', expected one of the ", class_names.size(),
                        " that the network knows (", SomeOf(class_names), ")",
                        nearest.empty() ? "" : StrCat("; did you mean '", nearest, "'?")));
}

// The pictures of every label, in turns.
std::vector<PictureFile> InTurns(const std::vector<std::vector<PictureFile>>& classes) {
  size_t longest = 0;
  for (const auto& files : classes) longest = std::max(longest, files.size());
  std::vector<PictureFile> all;
  for (size_t i = 0; i < longest; ++i) {
    for (const auto& files : classes) {
      if (i < files.size()) all.push_back(files[i]);
    }
  }
  return all;
}

// The pictures of a folder's classes, in turns. `part`: of a folder that is both splits, only those of one;
// else null.
Expected<std::vector<PictureFile>> FilesOf(const std::string& folder, const Split* part,
                                           PictureFiles& pictures) {
  std::vector<std::vector<PictureFile>> classes(pictures.class_names.size());
  QAT_ASSIGN_OR_RETURN(const Names present, Folders(folder));
  for (const std::string& name : present) {
    const std::string path = JoinPath(folder, name);
    QAT_ASSIGN_OR_RETURN(const int32_t label, LabelOf(folder, name, pictures.class_names));
    QAT_ASSIGN_OR_RETURN(Names names, Pictures(path, pictures));
    if (part != nullptr) names = PartOf(std::move(names), *part);
    for (const std::string& file : names) {
      classes[static_cast<size_t>(label)].push_back({JoinPath(path, file), label});
    }
  }
  return InTurns(classes);
}

// Says what was done to a folder without splits. Where every class has one picture, it is in both.
Status CompleteOnePiece(const std::string& folder, Split split, PictureFiles& pictures) {
  constexpr Split kOther = Split::kTest;
  PictureFiles scratch = pictures;
  QAT_ASSIGN_OR_RETURN(const std::vector<PictureFile> tests, FilesOf(folder, &kOther, scratch));
  if (tests.empty()) {
    pictures.warning = StrCat("there is no test split, and every class holds one picture: ", kSameExamples);
    constexpr Split kAll = Split::kTrain;
    QAT_ASSIGN_OR_RETURN(pictures.files, FilesOf(folder, &kAll, scratch));
    return {};
  }
  pictures.notes.push_back(
      StrCat("there is no test split: a fixed choice of one picture in ten of each class is taken, ",
             tests.size(), " pictures", split == Split::kTest ? kWholeHint : "",
             "; folders train/ and test/ make another choice"));
  return {};
}

// Under the directory, by path. Through links, too, but into each folder once: a link to a folder above would
// multiply all.
Status AddPicturesUnder(const std::string& directory, std::set<std::string>& entered,
                        PictureFiles& pictures) {
  std::error_code error;
  if (!entered.insert(std::filesystem::canonical(directory, error).string()).second) return {};
  QAT_ASSIGN_OR_RETURN(const Names names, ListDirectory(directory));
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    if (EndsIn(kSuffixes, name) && IsSpecialFile(path)) {
      pictures.special.push_back(path);
    } else if (EndsIn(kSuffixes, name)) {
      pictures.files.push_back({path, 0});
    } else if (!IsLeftBehind(name) && IsDirectory(path)) {
      QAT_RETURN_IF_ERROR(AddPicturesUnder(path, entered, pictures));
    } else if (EndsIn(kOtherSuffixes, name)) {
      pictures.passed_over.push_back(path);
    }
  }
  return {};
}

// Words that stand for labels of pixels or objects, beside those of arrays.
bool IsWordForMasks(const std::string& name) {
  constexpr std::string_view kWords[] = {"annotations", "annotation",   "segmentation", "segmentations",
                                         "groundtruth", "ground_truth", "gt",           "segmentationclass"};
  const std::optional<ArrayRole> role = RoleOf(name);
  return (role && role->labels) ||
         std::find(std::begin(kWords), std::end(kWords), LowerCase(name)) != std::end(kWords);
}

bool IsWordForImages(const std::string& name) {
  const std::optional<ArrayRole> role = RoleOf(name);
  return (role && !role->labels) || LowerCase(name) == "jpegimages";
}

// The folders of pictures and of their labels, if a folder holds both and nothing else.
struct LabelFolders {
  std::string images, labels;
};

Expected<std::optional<LabelFolders>> FindLabelFolders(const std::string& directory) {
  QAT_ASSIGN_OR_RETURN(const Names names, Folders(directory));
  if (names.size() != 2) return std::optional<LabelFolders>();
  for (const auto& [images, labels] : {std::pair(names[0], names[1]), std::pair(names[1], names[0])}) {
    if (IsWordForImages(images) && IsWordForMasks(labels))
      return std::optional(LabelFolders{JoinPath(directory, images), JoinPath(directory, labels)});
  }
  return std::optional<LabelFolders>();
}

// Of pictures without a test split: one in ten, as the names decide, or all that are not.
void KeepPart(Split split, bool whole, PictureFiles& pictures) {
  if (whole && split == Split::kTest) {
    pictures.notes.emplace_back(kWholeNote);
    return;
  }
  Names names;
  for (const PictureFile& file : pictures.files) names.push_back(file.path.substr(file.path.rfind('/') + 1));
  const Names chosen = PartOf(names, Split::kTest);
  if (chosen.empty()) {
    pictures.warning += StrCat(pictures.warning.empty() ? "" : "\n",
                               "there is one picture and no test split: ", kSameExamples);
    return;
  }
  std::vector<PictureFile> all = std::exchange(pictures.files, {});
  for (size_t i = 0; i < all.size(); ++i) {
    const bool is_test = std::binary_search(chosen.begin(), chosen.end(), names[i]);
    (is_test == (split == Split::kTest) ? pictures.files : pictures.other).push_back(std::move(all[i]));
  }
  pictures.notes.push_back(StrCat("there is no test split: a fixed choice of one picture in ten is taken, ",
                                  chosen.size(), " pictures", split == Split::kTest ? kWholeHint : "",
                                  "; folders train/ and test/ make another choice"));
}

/// The two folders of each split; of pictures without splits those for training alone.
using LabelSplits = std::map<ArraySplit, LabelFolders>;

// Around the two folders, or inside of them. Empty: these are no pictures with labels.
Expected<LabelSplits> FindLabelSplits(const std::string& directory) {
  LabelSplits splits;
  QAT_ASSIGN_OR_RETURN(const auto whole, FindLabelFolders(directory));
  QAT_ASSIGN_OR_RETURN(const Names names, Folders(whole ? whole->images : directory));
  for (const std::string& name : names) {
    const std::optional<ArraySplit> split = SplitNamed(name);
    if (!split) continue;
    std::optional<LabelFolders> own;
    if (whole) {
      own = LabelFolders{JoinPath(whole->images, name), JoinPath(whole->labels, name)};
    } else {
      QAT_ASSIGN_OR_RETURN(own, FindLabelFolders(JoinPath(directory, name)));
    }
    if (own && !splits.emplace(*split, *own).second) {
      return Corrupt(StrCat(directory, ": both ", splits.at(*split).images, " and ", own->images,
                            " could be one split, expected one of them"));
    }
  }
  if (whole && splits.empty()) splits.emplace(ArraySplit::kTrain, *whole);
  return splits;
}

std::string_view StemOf(std::string_view name) { return name.substr(0, name.rfind('.')); }

// "cat" of "cat_mask", and itself of another name.
std::string_view PictureOf(std::string_view stem) {
  constexpr std::string_view kEndings[] = {"mask",         "masks", "label",  "labels",    "seg",
                                           "segmentation", "gt",    "target", "annotation"};
  for (const std::string_view ending : kEndings) {
    if (stem.size() < ending.size() + 2 || !stem.ends_with(ending)) continue;
    const std::string_view rest = stem.substr(0, stem.size() - ending.size());
    if (rest.ends_with('_') || rest.ends_with('-') || rest.ends_with('.'))
      return rest.substr(0, rest.size() - 1);
  }
  return stem;
}

// Every picture of a folder that has labels, by name; what has none is warned of.
Expected<std::vector<PictureFile>> PairsIn(const LabelFolders& folders, PictureFiles& found) {
  if (!IsDirectory(folders.labels))
    return NotFound(StrCat(folders.labels, ": no such folder, expected it beside ", folders.images));
  QAT_ASSIGN_OR_RETURN(const Names images, Pictures(folders.images, found));
  QAT_ASSIGN_OR_RETURN(const Names labels, Pictures(folders.labels, found));
  std::map<std::string, std::string, std::less<>> files;
  const std::set<std::string, std::less<>> stems = [&] {
    std::set<std::string, std::less<>> all;
    for (const std::string& name : images) all.insert(std::string(StemOf(name)));
    return all;
  }();
  for (const std::string& name : labels) {
    const std::string_view stem = StemOf(name);
    const std::string key(stems.contains(stem) ? stem : PictureOf(stem));
    const auto [at, is_new] = files.emplace(key, name);
    if (!is_new)
      return Corrupt(StrCat(folders.labels, ": both ", at->second, " and ", name,
                            " could hold the labels of picture '", key, "', expected one of them"));
  }
  std::vector<PictureFile> pairs;
  Names without;
  for (const std::string& name : images) {
    const auto at = files.find(StemOf(name));
    if (at == files.end()) {
      without.push_back(name);
    } else {
      pairs.push_back({JoinPath(folders.images, name), 0, JoinPath(folders.labels, at->second)});
    }
  }
  if (pairs.empty()) {
    return Corrupt(StrCat(folders.labels, ": holds labels of none of the pictures in ", folders.images,
                          ", expected files of the same names, as ", StemOf(images[0]), ".png; found ",
                          SomeOf(labels)));
  }
  const auto unpaired = std::ssize(labels) - std::ssize(pairs);
  const auto left_out = [&](const std::string& what) {
    found.warning += StrCat(found.warning.empty() ? "" : "\n", "left out ", what);
  };
  if (!without.empty())
    left_out(StrCat(without.size(), without.size() == 1 ? " picture" : " pictures", " without labels in ",
                    folders.labels, ": ", SomeOf(without)));
  if (unpaired > 0)
    left_out(StrCat(unpaired, unpaired == 1 ? " file in " : " files in ", folders.labels,
                    " with labels of no picture in ", folders.images));
  return pairs;
}

}  // namespace

Expected<bool> HoldsLabelPictures(const std::string& directory) {
  QAT_ASSIGN_OR_RETURN(const LabelSplits splits, FindLabelSplits(directory));
  return !splits.empty();
}

Expected<PictureFiles> ListLabelPictures(const std::string& directory, Split split, bool whole) {
  QAT_ASSIGN_OR_RETURN(LabelSplits splits, FindLabelSplits(directory));
  PictureFiles pictures;
  if (!splits.contains(ArraySplit::kTest) && splits.contains(ArraySplit::kValidation)) {
    auto validation = splits.extract(ArraySplit::kValidation);
    validation.key() = ArraySplit::kTest;
    splits.insert(std::move(validation));
    pictures.notes.push_back("the pictures for validation are the test split, since there is no other");
  }
  if (split == Split::kTrain && !splits.contains(ArraySplit::kTrain)) {
    return NotFound(
        StrCat(directory, ": holds no pictures for training, expected a folder train/ beside the others"));
  }
  const bool one_piece = !splits.contains(ArraySplit::kTest);
  // Those for validation come after those for training.
  for (const auto& [own, folders] : splits) {
    const bool wanted = one_piece || (own == ArraySplit::kTest) == (split == Split::kTest);
    PictureFiles elsewhere;
    QAT_ASSIGN_OR_RETURN(const std::vector<PictureFile> pairs,
                         PairsIn(folders, wanted ? pictures : elsewhere));
    std::vector<PictureFile>& to = wanted ? pictures.files : pictures.other;
    to.insert(to.end(), pairs.begin(), pairs.end());
    if (!wanted) continue;
    if (own == ArraySplit::kValidation) pictures.own_holdout = std::ssize(pairs);
    pictures.notes.push_back(
        StrCat(folders.images, " holds pictures, and ", folders.labels, " a label for each of their pixels"));
  }
  if (one_piece) KeepPart(split, whole, pictures);
  return pictures;
}

bool HoldsPictures(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& name) { return EndsIn(kSuffixes, name); });
}

Expected<PictureFiles> ListPictures(const std::string& directory, Split split,
                                    const std::vector<std::string>& class_names, bool whole) {
  QAT_ASSIGN_OR_RETURN(const Names folders, Folders(directory));
  QAT_ASSIGN_OR_RETURN(const Layout layout, FindLayout(directory, folders));
  const std::string& folder = split == Split::kTrain ? layout.train : layout.test;
  if (folder.empty()) {
    return NotFound(StrCat(directory, ": holds no train/, expected it beside ", layout.test));
  }
  PictureFiles pictures;
  pictures.unused = layout.unused;
  pictures.notes = layout.notes;
  QAT_ASSIGN_OR_RETURN(pictures.class_names,
                       ClassNames(layout.train.empty() ? layout.test : layout.train, class_names));
  const bool all = layout.one_piece() && whole && split == Split::kTest;
  if (all) pictures.notes.emplace_back(kWholeNote);
  const Split* const part = layout.one_piece() && !all ? &split : nullptr;
  QAT_ASSIGN_OR_RETURN(pictures.files, FilesOf(folder, part, pictures));
  if (part != nullptr) QAT_RETURN_IF_ERROR(CompleteOnePiece(folder, split, pictures));
  if (split == Split::kTrain && !layout.holdout.empty()) {
    QAT_ASSIGN_OR_RETURN(const std::vector<PictureFile> held, FilesOf(layout.holdout, nullptr, pictures));
    pictures.files.insert(pictures.files.end(), held.begin(), held.end());
    pictures.own_holdout = std::ssize(held);
  }
  if (!pictures.files.empty()) return pictures;
  return Corrupt(StrCat(folder, ": holds no class, expected one folder of pictures per class"));
}

Expected<PictureFiles> ListUnlabelledPictures(const std::string& directory) {
  PictureFiles pictures;
  std::set<std::string> entered;
  QAT_RETURN_IF_ERROR(AddPicturesUnder(directory, entered, pictures));
  if (!pictures.files.empty()) return pictures;
  return NotFound(
      StrCat(directory, ": holds no pictures, expected files ending in .jpg, .jpeg, .png or .bmp"));
}

}  // namespace qat
