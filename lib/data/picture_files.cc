#include "data/picture_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
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
      return Corrupt(StrCat(directory, ": both ", place, " and ", path, " could be one split, expected one of them"));
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

// Of every ten pictures of a class one is for testing, at least one if there are two. Names decide, so that neither the order
// of files nor a seed does, and a picture that is added moves few others.
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

// The pictures of a folder's classes, in turns. `part`: of a folder that is both splits, only those of one; else null.
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
Status CompleteOnePiece(const std::string& folder, PictureFiles& pictures) {
  constexpr Split kOther = Split::kTest;
  PictureFiles scratch = pictures;
  QAT_ASSIGN_OR_RETURN(const std::vector<PictureFile> tests, FilesOf(folder, &kOther, scratch));
  if (tests.empty()) {
    pictures.warning = StrCat("there is no test split, and every class holds one picture: ", kSameExamples);
    constexpr Split kAll = Split::kTrain;
    QAT_ASSIGN_OR_RETURN(pictures.files, FilesOf(folder, &kAll, scratch));
    return {};
  }
  pictures.notes.push_back(StrCat("there is no test split: a fixed choice of one picture in ten of each class is taken, ",
                                  tests.size(), " pictures; folders train/ and test/ make another choice"));
  return {};
}

// Under the directory, by path. Through links, too, but into each folder once: a link to a folder above would multiply all.
Status AddPicturesUnder(const std::string& directory, std::set<std::string>& entered, PictureFiles& pictures) {
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
  constexpr std::string_view kWords[] = {"annotations", "annotation", "segmentation", "segmentations", "groundtruth", "ground_truth", "gt",
                                         "segmentationclass"};
  const std::optional<ArrayRole> role = RoleOf(name);
  return (role && role->labels) || std::find(std::begin(kWords), std::end(kWords), LowerCase(name)) != std::end(kWords);
}

bool IsWordForImages(const std::string& name) {
  const std::optional<ArrayRole> role = RoleOf(name);
  return (role && !role->labels) || LowerCase(name) == "jpegimages";
}

}  // namespace

Status CheckHoldsClasses(const std::string& directory) {
  QAT_ASSIGN_OR_RETURN(const Names folders, Folders(directory));
  std::vector<std::string> all = {directory};
  for (const std::string& name : folders) {
    if (SplitNamed(name)) all.push_back(JoinPath(directory, name));
  }
  for (const std::string& folder : all) {
    QAT_ASSIGN_OR_RETURN(const Names names, Folders(folder));
    const auto masks = std::find_if(names.begin(), names.end(), IsWordForMasks);
    const auto images = std::find_if(names.begin(), names.end(), IsWordForImages);
    const bool only = std::all_of(names.begin(), names.end(), [](const std::string& name) { return IsWordForMasks(name) || IsWordForImages(name); });
    if (!only || masks == names.end() || images == names.end()) continue;
    return Unsupported(StrCat(folder, ": holds '", *images, "' and '", *masks, "', which look like pictures and the labels of each, not like two classes; "
                              "a label per pixel comes from arrays, np.savez(\"data.npz\", x=pictures, y=labels) with pictures [count, height, "
                              "width, channels] and labels [count, height, width]; `task` classes reads the folders as classes"));
  }
  return {};
}

bool HoldsPictures(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [](const std::string& name) { return EndsIn(kSuffixes, name); });
}

Expected<PictureFiles> ListPictures(const std::string& directory, Split split,
                                    const std::vector<std::string>& class_names) {
  QAT_ASSIGN_OR_RETURN(const Names folders, Folders(directory));
  QAT_ASSIGN_OR_RETURN(const Layout layout, FindLayout(directory, folders));
  const std::string& folder = split == Split::kTrain ? layout.train : layout.test;
  if (folder.empty()) {
    return NotFound(StrCat(directory, ": holds no train/, expected it beside ", layout.test));
  }
  PictureFiles pictures;
  pictures.unused = layout.unused;
  pictures.notes = layout.notes;
  QAT_ASSIGN_OR_RETURN(pictures.class_names, ClassNames(layout.train.empty() ? layout.test : layout.train, class_names));
  const Split* const part = layout.one_piece() ? &split : nullptr;
  QAT_ASSIGN_OR_RETURN(pictures.files, FilesOf(folder, part, pictures));
  if (part != nullptr) QAT_RETURN_IF_ERROR(CompleteOnePiece(folder, pictures));
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
  return NotFound(StrCat(directory, ": holds no pictures, expected files ending in .jpg, .jpeg, .png or .bmp"));
}

}  // namespace qat
