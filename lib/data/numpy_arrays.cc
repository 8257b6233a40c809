#include <algorithm>
#include <optional>

#include "base/ending.h"
#include "base/file.h"
#include "base/strings.h"
#include "data/array_dataset.h"
#include "data/array_images.h"
#include "data/array_names.h"
#include "data/class_names.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/readers.h"
#include "data/test_split.h"

namespace qat {
namespace {

constexpr std::string_view kNamesArrays[] = {"class_names.npy", "label_names.npy", "target_names.npy"};
constexpr std::string_view kExpected = "x_train, y_train, x_test and y_test, or x and y";

/// Where arrays come from: a directory, or an archive.
struct Arrays {
  std::string path;
  std::optional<NpzFile> zip;
  std::vector<std::string> names;

  bool Has(std::string_view name) const { return std::find(names.begin(), names.end(), name) != names.end(); }
  std::string PathOf(std::string_view name) const {
    return zip ? StrCat(path, ": '", name, "'") : JoinPath(path, name);
  }
  Expected<NpyArray> Read(std::string_view name) const {
    if (!zip) return ReadNpy(PathOf(name));
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, zip->Read(name));
    return ParseNpy(bytes, PathOf(name));
  }
  std::vector<std::string> ArrayNames() const {
    std::vector<std::string> arrays;
    for (const std::string& name : names) {
      const bool has_names =
          std::find(std::begin(kNamesArrays), std::end(kNamesArrays), name) != std::end(kNamesArrays);
      if (HasEnding(name, ".npy") && !has_names) arrays.push_back(name);
    }
    return arrays;
  }
};

// class_names.txt, or an array of text.
Status ReadClassNamesInto(const Arrays& arrays, ArraySource& source) {
  if (!arrays.zip && arrays.Has(kClassNamesFile)) {
    source.class_names_path = JoinPath(arrays.path, kClassNamesFile);
    QAT_ASSIGN_OR_RETURN(source.class_names, ReadClassNames(source.class_names_path));
    return {};
  }
  for (const std::string_view name : kNamesArrays) {
    if (!arrays.Has(name)) continue;
    source.class_names_path = arrays.PathOf(name);
    QAT_ASSIGN_OR_RETURN(const NpyArray array, arrays.Read(name));
    if (array.type != DType::kString || array.texts.empty()) {
      return Corrupt(StrCat(source.class_names_path, ": elements are ", NameOf(array.type),
                            ", expected text, one name per class"));
    }
    source.class_names = array.texts;
    return {};
  }
  return {};
}

std::vector<std::string> InputNames(const OpenOptions& options) {
  std::vector<std::string> names;
  for (const InputRequest& input : options.inputs) names.push_back(input.name);
  return names;
}

std::vector<std::string> OutputNames(const OpenOptions& options) {
  std::vector<std::string> names;
  for (const OutputRequest& output : options.outputs) names.push_back(output.name);
  return names;
}

// "arrays named x_left_train, x_right_train and y_train".
std::string ExpectedNames(const OpenOptions& options, std::string_view suffix) {
  std::vector<std::string> names;
  for (const InputRequest& input : options.inputs) names.push_back(StrCat("x_", input.name, suffix));
  return StrCat("an array for each of the network's ", names.size(), " inputs: ", Join(names));
}

// Inputs of a network that has several, of which no array is there.
std::vector<std::string> MissingInputs(const Arrays& arrays, const OpenOptions& options) {
  std::vector<std::string> missing;
  for (const InputRequest& input : options.inputs) {
    const bool there = std::any_of(arrays.names.begin(), arrays.names.end(), [&](const std::string& name) {
      return SplitOfInput(name, input.name).has_value();
    });
    if (!there) missing.push_back(StrCat("x_", input.name));
  }
  return missing;
}

// Of several outputs: whose labels are there, and whose are not.
Error MissingLabels(const Arrays& arrays, Split split, const OpenOptions& options) {
  std::vector<std::string> there, missing;
  for (const OutputRequest& output : options.outputs) {
    const auto& names = arrays.names;
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return SplitOfOutput(name, output.name).has_value();
    });
    (found == names.end() ? missing : there)
        .push_back(found == names.end() ? StrCat("y_", output.name) : *found);
  }
  const std::string_view suffix = split == Split::kTrain ? "_train" : "_test";
  if (missing.empty()) {
    return NotFound(StrCat(arrays.path, ": holds no images with labels for ",
                           split == Split::kTrain ? "training" : "testing", ", expected images and ",
                           Join(there), " of one split, as x", suffix, " and y_", options.outputs[0].name,
                           suffix, "; found ", SomeOf(arrays.names)));
  }
  return NotFound(
      StrCat(arrays.path, ": holds no labels for ", missing.size() == 1 ? "an output" : "outputs",
             " of the network, expected ", missing.size() == 1 ? "an array named " : "arrays named ",
             Join(missing), " (or with ", suffix, " at the end)",
             there.empty() ? "" : StrCat(" beside ", Join(there)), "; found ", SomeOf(arrays.names)));
}

Error Missing(const Arrays& arrays, Split split, const ArrayTable& table, const OpenOptions& options) {
  const std::vector<std::string> inputs = MissingInputs(arrays, options);
  if (!inputs.empty() && inputs.size() < options.inputs.size()) {
    return NotFound(StrCat(arrays.path, ": holds no values for ",
                           inputs.size() == 1 ? "an input" : "some inputs", " of the network, expected ",
                           inputs.size() == 1 ? "an array named " : "arrays named ", Join(inputs),
                           " (or with ", split == Split::kTrain ? "_train" : "_test", " at the end); found ",
                           SomeOf(arrays.names)));
  }
  if (options.outputs.size() > 1) return MissingLabels(arrays, split, options);
  const ArrayPair& other = split == Split::kTrain ? table.test : table.train;
  return NotFound(StrCat(
      arrays.path, ": holds no images with labels for ", split == Split::kTrain ? "training" : "testing",
      other.complete() ? StrCat(" beside ", Join(other.inputs), " and ", other.labels) : "", ", expected ",
      options.inputs.empty() ? StrCat("arrays named ", kExpected)
                             : StrCat(ExpectedNames(options, split == Split::kTrain ? "_train" : "_test"),
                                      ", and y_", split == Split::kTrain ? "train" : "test"),
      "; found ", SomeOf(arrays.names)));
}

// The images of a split, or a part of the only ones.
Expected<Dataset> OpenForReconstruction(const Arrays& arrays, Split wanted, const OpenOptions& options) {
  std::vector<ArraySplit> order = {ArraySplit::kTrain, ArraySplit::kWhole, ArraySplit::kValidation,
                                   ArraySplit::kTest};
  if (wanted == Split::kTest) std::reverse(order.begin(), order.end());
  std::vector<std::string> found;
  for (const ArraySplit split : order) {
    for (const std::string& name : arrays.ArrayNames()) {
      if (RoleOf(name) == ArrayRole{split, false}) found.push_back(name);
    }
  }
  if (found.empty()) {
    return NotFound(StrCat(arrays.path, ": holds no images, expected an array named x_train or x; found ",
                           SomeOf(arrays.names)));
  }
  QAT_ASSIGN_OR_RETURN(NpyArray array, arrays.Read(found[0]));
  QAT_ASSIGN_OR_RETURN(ArrayImages images,
                       ReadArrayImages(std::move(array), arrays.PathOf(found[0]), options));
  Dataset dataset = Unlabelled({std::move(images)}, options, arrays.path,
                               StrCat("'", found[0], "' has no labels, which are not needed here"));
  if (found.size() == 1) KeepPart(wanted, options, "an array named x_test makes another choice", dataset);
  return dataset;
}

// The first array of images, whatever split it is, in the order train, whole, validation, test. An
// autoencoder is tested on the test split, or on a part of the only one.
Expected<Dataset> OpenImagesOnly(const Arrays& arrays, Split wanted, const OpenOptions& options) {
  if (options.task == Task::kReconstruction && options.inputs.empty())
    return OpenForReconstruction(arrays, wanted, options);
  QAT_ASSIGN_OR_RETURN_IN(arrays.path, std::vector<std::string> found,
                          InputArrays(arrays.ArrayNames(), InputNames(options)));
  // The only array needs no name: np.savez calls it arr_0, others call it as the network's input.
  if (found.empty() && options.inputs.empty() && arrays.ArrayNames().size() == 1) found = arrays.ArrayNames();
  if (found.empty()) {
    return NotFound(StrCat(
        arrays.path, ": holds no images, expected ",
        options.inputs.empty() ? std::string("an array named x_train or x") : ExpectedNames(options, ""),
        "; found ", SomeOf(arrays.names)));
  }
  const auto read = [&](const std::string& name) { return arrays.Read(name); };
  const auto path_of = [&](const std::string& name) { return arrays.PathOf(name); };
  QAT_ASSIGN_OR_RETURN(std::vector<ArrayImages> images, ReadInputArrays(found, read, path_of, options));
  return Unlabelled(std::move(images), options, arrays.path,
                    StrCat("'", Join(found, "', '"), "' ", found.size() == 1 ? "is" : "are",
                           " taken without labels, which are not needed here"));
}

Expected<Dataset> OpenLabelled(const Arrays& arrays, const ArrayTable& table, Split split,
                               const OpenOptions& options) {
  if (!table.train.complete() && (split == Split::kTrain || !table.test.complete()))
    return Missing(arrays, split, table, options);
  ArraySource source;
  source.path = arrays.path;
  source.read = [&](const std::string& name) { return arrays.Read(name); };
  source.path_of = [&](const std::string& name) { return arrays.PathOf(name); };
  source.advice = "arrays named x_test and y_test make another choice";
  QAT_RETURN_IF_ERROR(ReadClassNamesInto(arrays, source));
  return OpenArrayDataset(source, table, split, options);
}

// An autoencoder learns from images without labels, although those of the test split may have some.
void KeepImagesToLearn(ArrayTable& table) {
  const auto has_split = [&](ArraySplit split) {
    return std::find_if(table.unused.begin(), table.unused.end(), [=](const std::string& name) {
      return RoleOf(name) == ArrayRole{split, /*labels=*/false};
    });
  };
  if (table.train.complete()) return;
  auto images = has_split(ArraySplit::kTrain);
  if (images == table.unused.end()) images = has_split(ArraySplit::kWhole);
  if (images != table.unused.end()) table.unused.erase(images);
}

Expected<Dataset> OpenArrays(const Arrays& arrays, Split split, const OpenOptions& options) {
  QAT_ASSIGN_OR_RETURN_IN(arrays.path, ArrayTable table,
                          SortArrays(arrays.ArrayNames(), InputNames(options), OutputNames(options)));
  if (options.task == Task::kReconstruction) KeepImagesToLearn(table);
  const bool labelled = table.train.complete() || table.test.complete();
  if (options.unlabelled && !labelled) return OpenImagesOnly(arrays, split, options);
  auto opened = OpenLabelled(arrays, table, split, options);
  // Where labels do not matter, neither does what is wrong with them.
  if (!opened.ok() && options.unlabelled) return OpenImagesOnly(arrays, split, options);
  return opened;
}

}  // namespace

bool HoldsNumpy(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [](const std::string& name) {
    return HasEnding(name, ".npy") && RoleOf(name).has_value();
  });
}

Expected<Dataset> OpenNumpyDirectory(const std::string& directory, const std::vector<std::string>& files,
                                     Split split, const OpenOptions& options) {
  return OpenArrays({directory, std::nullopt, files}, split, options);
}

Expected<Dataset> OpenNpz(const std::string& path, Split split, const OpenOptions& options) {
  QAT_ASSIGN_OR_RETURN(NpzFile zip, NpzFile::Open(path));
  std::vector<std::string> names = zip.names();
  return OpenArrays({path, std::move(zip), std::move(names)}, split, options);
}

Expected<Dataset> OpenNpy(const std::string& path, const OpenOptions& options) {
  if (!options.unlabelled) {
    return NotFound(StrCat(path,
                           ": is one array without labels, expected an .npz file of arrays, as of "
                           "np.savez(\"data.npz\", x=images, y=labels)"));
  }
  QAT_ASSIGN_OR_RETURN(NpyArray array, ReadNpy(path));
  QAT_ASSIGN_OR_RETURN(ArrayImages images, ReadArrayImages(std::move(array), path, options));
  return Unlabelled({std::move(images)}, options, path, "has no labels, which are not needed here");
}

}  // namespace qat
