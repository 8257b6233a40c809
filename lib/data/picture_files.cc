#include "data/picture_files.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>

#include "base/random.h"
#include "base/strings.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr std::string_view kTrainFolder = "train";
constexpr std::string_view kTestFolders[] = {"test", "val", "validation"};
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
    return name.starts_with('.') || !IsDirectory(JoinPath(directory, name));
  });
  return names;
}

// What is no picture, but somebody may have meant to be some, goes to `passed_over`.
Expected<Names> Pictures(const std::string& directory, Names& passed_over) {
  QAT_ASSIGN_OR_RETURN(const Names names, ListDirectory(directory));
  Names pictures;
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    if (EndsIn(kSuffixes, name)) {
      pictures.push_back(name);
    } else if (EndsIn(kOtherSuffixes, name) || (!name.starts_with('.') && IsDirectory(path))) {
      passed_over.push_back(path);
    }
  }
  if (!pictures.empty()) return pictures;
  return Corrupt(StrCat(directory,
                        ": holds no pictures, expected files ending in .jpg, .jpeg, .png or .bmp; found ",
                        SomeOf(names)));
}

bool Has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Where classes lie: a folder a split, or one for both.
struct Layout {
  std::string train;
  std::string test;
  bool shared() const { return train == test; }
};

Layout FindLayout(const std::string& directory, const Names& folders) {
  Layout layout;
  for (const std::string_view name : kTestFolders) {
    if (layout.test.empty() && Has(folders, name)) layout.test = JoinPath(directory, name);
  }
  if (Has(folders, kTrainFolder)) layout.train = JoinPath(directory, kTrainFolder);
  if (layout.train.empty() && layout.test.empty()) layout.train = layout.test = directory;
  return layout;
}

uint64_t HashOf(std::string_view name) {
  uint64_t key = 0;
  for (const char c : name) key = MixKey(key, static_cast<unsigned char>(c));
  return key;
}

// Of every ten pictures of a class one is for testing, at least one. Names decide, so that neither the order of files
// nor a seed does, and a picture that is added moves few others.
Expected<Names> PartOf(Names pictures, Split split, const std::string& folder) {
  if (pictures.size() < 2) {
    return Corrupt(
        StrCat(folder, ": holds one picture, expected two at least: one to train with, one to test with"));
  }
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

Expected<Names> ClassNames(const Layout& layout, const Names& given) {
  if (!given.empty()) return given;
  const std::string& folder = layout.train.empty() ? layout.test : layout.train;
  QAT_ASSIGN_OR_RETURN(Names classes, Folders(folder));
  if (classes.size() >= 2) return classes;
  return Corrupt(StrCat(folder, ": holds ",
                        classes.empty() ? "no class" : StrCat("one class ('", classes[0], "')"),
                        ", expected at least two folders of pictures, one a class"));
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

}  // namespace

Expected<PictureFiles> ListPictures(const std::string& directory, Split split,
                                    const std::vector<std::string>& class_names) {
  QAT_ASSIGN_OR_RETURN(const Names folders, Folders(directory));
  const Layout layout = FindLayout(directory, folders);
  const std::string& folder = split == Split::kTrain ? layout.train : layout.test;
  if (folder.empty()) {
    return NotFound(StrCat(directory, ": holds no ",
                           split == Split::kTrain ? "train/" : "test/, val/ or validation/",
                           ", expected it beside ", split == Split::kTrain ? layout.test : layout.train));
  }
  PictureFiles pictures;
  QAT_ASSIGN_OR_RETURN(pictures.class_names, ClassNames(layout, class_names));
  std::vector<std::vector<PictureFile>> classes(pictures.class_names.size());
  QAT_ASSIGN_OR_RETURN(const Names present, Folders(folder));
  for (const std::string& name : present) {
    const std::string path = JoinPath(folder, name);
    QAT_ASSIGN_OR_RETURN(const int32_t label, LabelOf(folder, name, pictures.class_names));
    QAT_ASSIGN_OR_RETURN(Names names, Pictures(path, pictures.passed_over));
    if (layout.shared()) {
      QAT_ASSIGN_OR_RETURN(names, PartOf(std::move(names), split, path));
    }
    for (const std::string& file : names) {
      classes[static_cast<size_t>(label)].push_back({JoinPath(path, file), label});
    }
  }
  pictures.files = InTurns(classes);
  if (!pictures.files.empty()) return pictures;
  return Corrupt(StrCat(folder, ": holds no class, expected one folder of pictures a class"));
}

}  // namespace qat
