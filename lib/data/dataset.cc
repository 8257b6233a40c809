#include "data/dataset.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "base/check.h"
#include "base/ending.h"
#include "base/file_kind.h"
#include "base/join_some.h"
#include "base/strings.h"
#include "data/array_names.h"
#include "data/digits.h"
#include "data/fingerprint.h"
#include "data/readers.h"
#include "data/sample.h"

namespace qat {
namespace {

constexpr std::string_view kFormats =
    "IDX files, CIFAR's .bin files, x_train.npy and its like, train.csv, or pictures (one folder per class)";

void TakeSample(const OpenOptions& options, Dataset& dataset) {
  if (options.limit <= 0 || options.limit >= dataset.size() || dataset.available > 0) return;
  const int64_t available = dataset.size();
  Keep(options.prefix ? FirstOf(options.limit) : SampleOf(dataset, options.limit, options.seed), dataset);
  dataset.available = available;
}

// The values of some examples, `count` each.
template <class Values>
Values Picked(const Values& values, std::span<const int32_t> examples, int64_t count) {
  Values picked;
  picked.reserve(examples.size() * static_cast<size_t>(count));
  for (const int32_t example : examples) {
    const auto begin = values.begin() + example * count;
    picked.insert(picked.end(), begin, begin + count);
  }
  return picked;
}

Error NoSuchData(const std::string& data) {
  static const std::vector<std::string> kGenerated = {"digits"};
  const bool looks_like_path = data.find('/') != std::string::npos;
  const std::string nearest = looks_like_path ? "" : Nearest(data, kGenerated);
  return NotFound(
      StrCat(data, ": no such file or directory",
             nearest.empty()
                 ? StrCat(", expected 'digits', an .npz, .csv or .tsv file, or a directory of ", kFormats)
                 : StrCat("; did you mean '", nearest, "'?")));
}

std::vector<std::string> FoldersAmong(const std::string& directory, std::vector<std::string> names) {
  std::erase_if(names, [&](const std::string& name) {
    return IsLeftBehind(name) || !IsDirectory(JoinPath(directory, name));
  });
  return names;
}

bool HoldsFiles(const std::vector<std::string>& names) {
  return HoldsIdx(names) || HoldsCifar(names) || HoldsCsv(names) || HoldsNumpy(names);
}

// The folder that everything lies in, as archives unpack. Empty: the data are here, or a class is.
std::string OnlyFolderIn(const std::string& directory, const std::vector<std::string>& names) {
  const std::vector<std::string> folders = FoldersAmong(directory, names);
  if (HoldsFiles(names) || HoldsPictures(names) || folders.size() != 1 || SplitNamed(folders[0])) return "";
  const std::string inner = JoinPath(directory, folders[0]);
  const auto inside = ListDirectory(inner);
  if (!inside.ok()) return "";
  const std::vector<std::string> further = FoldersAmong(inner, *inside);
  const bool has_splits = std::any_of(further.begin(), further.end(),
                                      [](const std::string& name) { return SplitNamed(name).has_value(); });
  const bool has_data =
      HoldsFiles(*inside) || further.size() > 1 || has_splits || !OnlyFolderIn(inner, *inside).empty();
  return has_data && !HoldsPictures(*inside) ? inner : "";
}

bool NeedsSeveralLabels(const OpenOptions& options) {
  return options.outputs.size() > 1 && !options.unlabelled;
}

// Data with one label an example, for a network of several outputs.
Error OnlyOneLabel(const std::string& data, const OpenOptions& options) {
  std::vector<std::string> names;
  for (const OutputRequest& output : options.outputs) names.push_back(StrCat("y_", output.name));
  return NotFound(StrCat(data, ": holds one label per example, the network has ", options.outputs.size(),
                         " outputs, expected an .npz file or a directory with an array for each: ",
                         Join(names), ", or a table with columns for each"));
}

Expected<Dataset> OpenDirectory(const std::string& directory, Split split, const OpenOptions& options,
                                std::vector<std::string>& special) {
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> names, ListDirectory(directory));
  std::erase_if(names, [&](const std::string& name) {
    const std::string path = JoinPath(directory, name);
    if (!IsSpecialFile(path)) return false;
    special.push_back(path);
    return true;
  });
  if (const std::string inner = OnlyFolderIn(directory, names); !inner.empty()) {
    QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenDirectory(inner, split, options, special));
    dataset.notes.insert(dataset.notes.begin(),
                         StrCat("everything lies in its folder ", inner, ", which is read"));
    return dataset;
  }
  if (options.inputs.size() > 1) return OpenNumpyDirectory(directory, names, split, options);
  const bool only_tables = HoldsCsv(names) && !HoldsIdx(names) && !HoldsCifar(names);
  if (NeedsSeveralLabels(options))
    return only_tables ? OpenCsvDirectory(directory, names, split, options)
                       : OpenNumpyDirectory(directory, names, split, options);
  if (HoldsIdx(names)) return OpenIdxDirectory(directory, names, split, options);
  if (HoldsCifar(names)) return OpenCifar(directory, names, split, options);
  if (HoldsCsv(names)) return OpenCsvDirectory(directory, names, split, options);
  if (HoldsNumpy(names)) return OpenNumpyDirectory(directory, names, split, options);
  const bool pictures = HoldsPictures(names);
  if (!FoldersAmong(directory, names).empty() || (pictures && options.unlabelled))
    return OpenPictureFolder(directory, split, options);
  if (pictures) {
    return NotFound(
        StrCat(directory, ": holds pictures, but not in folders, expected one folder of pictures per class"));
  }
  const auto archive = std::find_if(names.begin(), names.end(),
                                    [](const std::string& name) { return HasEnding(name, ".npz"); });
  return NotFound(
      StrCat(directory, ": holds no data, expected ", kFormats, "; found ", SomeOf(names),
             archive == names.end() ? "" : StrCat("; did you mean ", JoinPath(directory, *archive), "?")));
}

bool IsFileOfOneInput(const std::string& path) { return HasEnding(path, ".npy") || IsCsvFile(path); }

Error OnlyOneInput(const std::string& data, const OpenOptions& options) {
  std::vector<std::string> names;
  for (const InputRequest& input : options.inputs) names.push_back(StrCat("x_", input.name));
  return NotFound(StrCat(data, ": holds one input, the network takes ", options.inputs.size(),
                         ", expected an .npz file or a directory with an array for each: ", Join(names),
                         ", and y"));
}

Expected<Dataset> OpenFile(const std::string& path, Split split, const OpenOptions& options) {
  if (HasEnding(path, ".npz")) return OpenNpz(path, split, options);
  if (options.inputs.size() > 1 && IsFileOfOneInput(path)) return OnlyOneInput(path, options);
  if (NeedsSeveralLabels(options) && HasEnding(path, ".npy")) return OnlyOneLabel(path, options);
  if (HasEnding(path, ".npy")) return OpenNpy(path, options);
  if (IsCsvFile(path)) return OpenCsv(path, split, options);
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  const std::string kind = DescribeKind(bytes);
  if (kind == "NumPy arrays (.npz)") return OpenNpz(path, split, options);
  return NotFound(StrCat(path, ": is ", kind,
                         ", expected 'digits', an .npz, .csv or .tsv file, or a directory of ", kFormats,
                         "; np.savez(\"data.npz\", x=images, y=labels) writes one"));
}

// Each is drawn independently of the others, so the first ones are a fair sample, and the rest need not be
// made.
Dataset OpenDigits(Split split, int64_t limit) {
  const int64_t size = split == Split::kTrain ? kDigitsTrainSize : kDigitsTestSize;
  if (limit <= 0 || limit >= size) return MakeDigits(split, size);
  Dataset dataset = MakeDigits(split, limit);
  dataset.available = size;
  return dataset;
}

/// Bytes of another stream as float32.
class RealStream : public ImageStream {
 public:
  explicit RealStream(std::shared_ptr<const ImageStream> bytes) : bytes_(std::move(bytes)) {}
  Status Read(std::span<const int32_t> examples, std::span<uint8_t> out,
              std::span<const int32_t> next) const override {
    Bytes stored(out.size() / sizeof(float));
    QAT_RETURN_IF_ERROR(bytes_->Read(examples, stored, next));
    const Bytes reals = AsReals(stored);
    std::copy(reals.begin(), reals.end(), out.begin());
    return {};
  }
  static Bytes AsReals(const Bytes& bytes) {
    Bytes reals(bytes.size() * sizeof(float));
    for (size_t i = 0; i < bytes.size(); ++i) {
      const float value = bytes[i];
      std::memcpy(&reals[i * sizeof(float)], &value, sizeof(float));
    }
    return reals;
  }

 private:
  std::shared_ptr<const ImageStream> bytes_;
};

// Data whose format is bytes, for a network that takes reals.
void MakeReal(Dataset& dataset) {
  QAT_CHECK(dataset.inputs.size() == 1);
  dataset.input().values = ValueType::kReal;
  dataset.fingerprint.clear();
  dataset.images = RealStream::AsReals(dataset.images);
  if (dataset.stream != nullptr) dataset.stream = std::make_shared<RealStream>(std::move(dataset.stream));
}

// Two classes are yes or no where that is asked for.
Status ApplyTask(Task task, const std::string& name, OutputLabels& labels) {
  if (task == Task::kAuto || task == labels.task) return {};
  const auto classes = std::ssize(labels.class_names);
  if (labels.task == Task::kClasses && task == Task::kYesNo && classes == 2) {
    labels.task = task;
    return {};
  }
  return InvalidArgument(StrCat("`task`: ", name, " holds ",
                                labels.task == Task::kClasses ? StrCat("labels of ", classes, " classes")
                                                              : StrCat("labels for ", NameOf(labels.task)),
                                labels.output.empty() ? "" : StrCat(" for output '", labels.output, "'"),
                                ", which task '", NameOf(task), "' cannot learn"));
}

// What the request says the labels mean, of data that were read as classes.
Status ApplyTask(const OpenOptions& options, Dataset& dataset) {
  if (options.outputs.size() > 1) {
    for (size_t i = 0; i < options.outputs.size(); ++i)
      QAT_RETURN_IF_ERROR(
          ApplyTask(options.outputs[i].task, dataset.name, i == 0 ? dataset : dataset.others[i - 1]));
    return {};
  }
  if (options.task == Task::kReconstruction) {
    if (dataset.inputs.size() > 1) {
      return Unsupported(StrCat(dataset.name, ": examples have ", dataset.inputs.size(),
                                " inputs, expected one for `task` "
                                "reconstruction"));
    }
    dataset.task = options.task;
    dataset.targets = static_cast<int32_t>(dataset.input().ValueCount());
    return {};
  }
  return ApplyTask(options.task, dataset.name, dataset);
}

// All examples; only pictures are sampled while they are read.
Expected<Dataset> OpenWhole(const std::string& data, Split split, const OpenOptions& options,
                            std::vector<std::string>& special) {
  if (data == "digits" && options.inputs.size() > 1) return OnlyOneInput(data, options);
  if (data == "digits" && NeedsSeveralLabels(options)) return OnlyOneLabel(data, options);
  if (data == "digits") return OpenDigits(split, options.limit);
  if (!FileExists(data)) return NoSuchData(data);
  return IsDirectory(data) ? OpenDirectory(data, split, options, special) : OpenFile(data, split, options);
}

// Autoencoders need no labels; where there are some, they say what is an anomaly.
Expected<Dataset> OpenForTask(const std::string& data, Split split, const OpenOptions& options,
                              std::vector<std::string>& special) {
  if (options.task != Task::kReconstruction || options.unlabelled)
    return OpenWhole(data, split, options, special);
  auto labelled = OpenWhole(data, split, options, special);
  if (labelled.ok() || labelled.error().code == ErrorCode::kInterrupted) return labelled;
  OpenOptions unlabelled = options;
  unlabelled.unlabelled = true;
  unlabelled.class_names.clear();
  special.clear();
  auto opened = OpenWhole(data, split, unlabelled, special);
  // What is wrong with the examples themselves is told as it is without labels.
  return opened;
}

}  // namespace

std::string NormalClassOf(const OutputLabels& data) {
  if (data.class_names.empty() || data.labels.empty()) return "";
  const int32_t first = data.labels.front();
  const bool one_class =
      std::all_of(data.labels.begin(), data.labels.end(), [&](int32_t label) { return label == first; });
  if (one_class && static_cast<size_t>(first) < data.class_names.size())
    return data.class_names[static_cast<size_t>(first)];
  return data.class_names.size() == 2 && data.class_names.front() == "0" ? "0" : "";
}

bool IsLeftBehind(std::string_view name) {
  constexpr std::string_view kNames[] = {"__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini"};
  return name.starts_with('.') || std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool IsSpecialFile(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

std::string SpecialFilesWarning(const std::vector<std::string>& paths) {
  if (paths.empty()) return "";
  return StrCat(
      "passed over ", paths.size(),
      paths.size() == 1 ? " pipe, socket or device: " : " pipes, sockets or devices: ", SomeOf(paths));
}

std::string SomeOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 6;
  return names.empty() ? "nothing" : JoinSome(names, kShown);
}

std::optional<ArrayLayout> LayoutFromName(std::string_view name) {
  if (name == "auto") return ArrayLayout::kAuto;
  if (name == "pictures") return ArrayLayout::kPictures;
  if (name == "series") return ArrayLayout::kSeries;
  if (name == "features") return ArrayLayout::kFeatures;
  return std::nullopt;
}

void SetInput(const InputContract& input, OpenOptions& options) {
  options.height = input.height;
  options.width = input.width;
  options.channels = input.channels;
  options.values = input.values;
  options.fit = input.fit;
  options.white = input.white;
  options.features = input.features;
}

void SetInputs(const Contract& contract, OpenOptions& options) {
  SetInput(contract.input(), options);
  options.inputs.clear();
  if (contract.inputs.size() == 1) return;
  for (const InputContract& input : contract.inputs)
    options.inputs.push_back({input.name, input.height, input.width, input.channels, input.values});
}

void SetOutputs(const Contract& contract, OpenOptions& options) {
  options.outputs.clear();
  if (!contract.outputs.empty()) options.label = contract.outputs.front().name;
  for (const OutputContract& output : contract.outputs) {
    if (output.ignored != kIgnoredLabel) options.ignore_label = output.ignored;
    if (contract.outputs.size() > 1)
      options.outputs.push_back({output.name, output.columns, output.labels, output.task});
  }
}

OpenOptions ForInput(const OpenOptions& options, size_t input) {
  OpenOptions own = options;
  if (options.inputs.empty()) return own;
  const InputRequest& request = options.inputs[input];
  own.height = request.height;
  own.width = request.width;
  own.channels = request.channels;
  own.values = request.values;
  own.inputs.clear();
  return own;
}

Status CheckInputs(const Dataset& dataset, const Contract& contract, std::string_view owner) {
  const std::string of = StrCat(" (input contract of ", owner, ")");
  if (dataset.inputs.size() != contract.inputs.size()) {
    return Corrupt(StrCat(dataset.name, ": examples have ", dataset.inputs.size(),
                          dataset.inputs.size() == 1 ? " input" : " inputs", ", expected ",
                          contract.inputs.size(), of));
  }
  const auto text = [](const auto& input) {
    return StrCat(input.height, "x", input.width, "x", input.channels);
  };
  for (size_t i = 0; i < contract.inputs.size(); ++i) {
    const ExampleInput& own = dataset.inputs[i];
    const InputContract& expected = contract.inputs[i];
    const bool sizes =
        own.height == expected.height && own.width == expected.width && own.channels == expected.channels;
    if (sizes && own.values == expected.values) continue;
    const bool reals = own.values == ValueType::kReal;
    const bool series = own.height == 1 && expected.height == 1 && own.width == expected.channels &&
                        own.channels == expected.width;
    const bool picture =
        own.height == expected.channels && own.width == expected.height && own.channels == expected.width;
    return Corrupt(StrCat(dataset.name, ": ",
                          contract.inputs.size() == 1 ? "images" : StrCat("values of '", expected.name, "'"),
                          " are ", text(own), sizes ? (reals ? " real numbers" : " bytes") : "",
                          ", expected ", text(expected), sizes ? (reals ? " bytes" : " real numbers") : "",
                          of,
                          sizes     ? ""
                          : series  ? "; if the channels are first: x.transpose(0, 2, 1)"
                          : picture ? "; if the channels are first: x.transpose(0, 2, 3, 1)"
                                    : ""));
  }
  return {};
}

void Warn(const std::string& sentence, Dataset& dataset) {
  dataset.warning += StrCat(dataset.warning.empty() ? "" : "\n", sentence);
}

void Keep(std::span<const int32_t> examples, Dataset& dataset) {
  QAT_CHECK(dataset.stream == nullptr);
  std::vector<int32_t> indices;
  for (const int32_t example : examples) indices.push_back(static_cast<int32_t>(dataset.IndexOf(example)));
  dataset.images = Picked(dataset.images, examples, dataset.ImageSize());
  const auto keep = [&](OutputLabels& own) {
    if (!own.numbers.empty()) own.numbers = Picked(own.numbers, examples, own.targets);
    if (!own.labels.empty()) own.labels = Picked(own.labels, examples, own.LabelsPerImage());
  };
  keep(dataset);
  for (OutputLabels& own : dataset.others) keep(own);
  dataset.indices = std::move(indices);
}

bool Dataset::HoldsImages() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const ExampleInput& input) { return input.height > 1; });
}

std::vector<int64_t> Dataset::InputSizes() const {
  std::vector<int64_t> sizes;
  for (const ExampleInput& input : inputs) sizes.push_back(input.Size());
  return sizes;
}

std::span<const int32_t> OutputLabels::LabelsOf(int64_t index) const {
  const auto count = static_cast<size_t>(LabelsPerImage());
  return std::span(labels).subspan(static_cast<size_t>(index) * count, count);
}

std::span<const float> OutputLabels::NumbersOf(int64_t index) const {
  const auto count = static_cast<size_t>(targets);
  return std::span(numbers).subspan(static_cast<size_t>(index) * count, count);
}

std::span<const uint8_t> Dataset::Image(int64_t index) const {
  QAT_CHECK(stream == nullptr);
  const auto size = static_cast<size_t>(ImageSize());
  return std::span(images).subspan(static_cast<size_t>(index) * size, size);
}

Status Dataset::Read(std::span<const int32_t> examples, std::span<uint8_t> out,
                     std::span<const int32_t> next) const {
  const auto size = static_cast<size_t>(ImageSize());
  QAT_CHECK(out.size() == examples.size() * size);
  if (stream != nullptr) return stream->Read(examples, out, next);
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto image = Image(examples[i]);
    std::copy(image.begin(), image.end(), out.begin() + static_cast<ptrdiff_t>(i * size));
  }
  return {};
}

namespace {

// The examples of another data set.
class ExamplesOf : public ImageStream {
 public:
  explicit ExamplesOf(const Dataset& dataset) : dataset_(dataset) {}
  Status Read(std::span<const int32_t> examples, std::span<uint8_t> out,
              std::span<const int32_t> next) const override {
    return dataset_.Read(examples, out, next);
  }

 private:
  const Dataset& dataset_;
};

}  // namespace

Dataset ForOutput(const Dataset& dataset, size_t output) {
  Dataset own;
  static_cast<OutputLabels&>(own) = dataset.output_labels(output);
  own.name = dataset.name;
  own.inputs = dataset.inputs;
  own.of_pictures = dataset.of_pictures;
  own.labelled = dataset.labelled;
  own.own_holdout = dataset.own_holdout;
  own.indices = dataset.indices;
  own.available = dataset.available;
  own.stream = std::make_shared<ExamplesOf>(dataset);
  return own;
}

Status ForEachBatch(const Dataset& dataset, int64_t batch, const UseBatch& use) {
  QAT_CHECK(batch > 0);
  std::vector<int32_t> all(static_cast<size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  Bytes copy;
  const auto part = [&](int64_t first) {
    const int64_t begin = std::min(first, dataset.size());
    return std::span(all).subspan(static_cast<size_t>(begin),
                                  static_cast<size_t>(std::min(batch, dataset.size() - begin)));
  };
  for (int64_t first = 0; first < dataset.size(); first += batch) {
    const auto examples = part(first);
    const size_t bytes = examples.size() * static_cast<size_t>(dataset.ImageSize());
    std::span<const uint8_t> images;
    if (dataset.stream == nullptr) {
      images = std::span(dataset.images).subspan(static_cast<size_t>(first * dataset.ImageSize()), bytes);
    } else {
      copy.resize(bytes);
      QAT_RETURN_IF_ERROR(dataset.Read(examples, copy, part(first + batch)));
      images = copy;
    }
    QAT_RETURN_IF_ERROR(use(first, static_cast<int64_t>(examples.size()), images));
  }
  return {};
}

Expected<Dataset> OpenDataset(const std::string& data, Split split, const OpenOptions& options) {
  std::vector<std::string> special;
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenForTask(data, split, options, special));
  if (!special.empty()) {
    dataset.warning += dataset.warning.empty() ? "" : "\n";
    dataset.warning += SpecialFilesWarning(special);
  }
  dataset.name = data;
  if (dataset.inputs.size() == 1 && options.values == ValueType::kReal &&
      dataset.input().values == ValueType::kByte)
    MakeReal(dataset);
  if (!options.unlabelled) QAT_RETURN_IF_ERROR(ApplyTask(options, dataset));
  TakeSample(options, dataset);
  return dataset;
}

void AppendValues(ValueType values, std::span<const uint8_t> examples, std::vector<float>& numbers) {
  if (values == ValueType::kByte) {
    numbers.insert(numbers.end(), examples.begin(), examples.end());
    return;
  }
  const size_t before = numbers.size();
  numbers.resize(before + examples.size() / sizeof(float));
  if (!examples.empty()) std::memcpy(&numbers[before], examples.data(), examples.size());
}

Status FillTargets(Dataset& dataset) {
  constexpr int64_t kMost = int64_t{1} << 29;  // 2 GiB, once here and once for the answers of each model
  if (dataset.size() * dataset.targets > kMost) {
    return Unsupported(StrCat(dataset.name, ": ", dataset.size(), " examples of ", dataset.targets,
                              " values do not fit memory beside their reconstructions, expected at most ",
                              kMost, " values: evaluate a part of them with `limit`"));
  }
  dataset.numbers.clear();
  return ForEachBatch(dataset, 250, [&](int64_t, int64_t, std::span<const uint8_t> images) {
    AppendValues(dataset.input().values, images, dataset.numbers);
    return Status();
  });
}

Expected<std::string> Fingerprint(const Dataset& dataset) {
  if (!dataset.fingerprint.empty()) return dataset.fingerprint;
  constexpr int64_t kBatch = 512;
  FingerprintStream stream(dataset.size(), dataset);
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, [&](int64_t, int64_t, std::span<const uint8_t> images) {
    stream.Add(images);
    return Status();
  }));
  std::vector<int32_t> all;
  for (size_t i = 0; i < dataset.output_count(); ++i) {
    const OutputLabels& own = dataset.output_labels(i);
    if (own.task != Task::kNumbers) {
      all.insert(all.end(), own.labels.begin(), own.labels.end());
      continue;
    }
    const size_t before = all.size();
    all.resize(before + own.numbers.size());
    if (!own.numbers.empty())
      std::memcpy(&all[before], own.numbers.data(), own.numbers.size() * sizeof(float));
  }
  return stream.Finish(all);
}

}  // namespace qat
