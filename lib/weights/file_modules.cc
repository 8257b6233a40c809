#include "weights/file_modules.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

enum class Part {
  kWeight,
  kKernel,
  kDepthwise,
  kPointwise,
  kFilter,
  kBias,
  kGamma,
  kBeta,
  kMean,
  kVariance,
  kSlope,
  kCounter
};

constexpr std::pair<std::string_view, Part> kSuffixes[] = {
    {"num_batches_tracked", Part::kCounter},
    {"pointwise_kernel", Part::kPointwise},
    {"depthwise_kernel", Part::kDepthwise},
    {"moving_variance", Part::kVariance},
    {"moving_mean", Part::kMean},
    {"running_mean", Part::kMean},
    {"running_var", Part::kVariance},
    {"kernel", Part::kKernel},
    {"weight", Part::kWeight},
    {"filter", Part::kFilter},
    {"gamma", Part::kGamma},
    {"scale", Part::kGamma},
    {"slope", Part::kSlope},
    {"alpha", Part::kSlope},
    {"beta", Part::kBeta},
    {"bias", Part::kBias},
    {"mean", Part::kMean},
    {"var", Part::kVariance},
};

struct Named {
  std::string module;
  std::optional<Part> part;
};

bool IsSeparator(char c) { return c == '.' || c == '/' || c == '_'; }

// "bn/gamma:0" -> "bn", gamma.
Named Split(std::string_view name) {
  if (name.ends_with(":0")) name.remove_suffix(2);
  for (const auto& [suffix, part] : kSuffixes) {
    if (name == suffix) return {"", part};
    if (!name.ends_with(suffix) || !IsSeparator(name[name.size() - suffix.size() - 1])) continue;
    return {std::string(name.substr(0, name.size() - suffix.size() - 1)), part};
  }
  const size_t cut = name.find_last_of("./");
  return {std::string(name.substr(0, cut == std::string_view::npos ? 0 : cut)), std::nullopt};
}

// The tensors of one module, by their parts.
struct Parts {
  std::string name;
  std::array<int32_t, 12> at;
  std::vector<int32_t> unknown;
  Parts() { at.fill(-1); }
  int32_t& Of(Part part) { return at[static_cast<size_t>(part)]; }
  int32_t First(std::initializer_list<Part> parts) {
    for (const Part part : parts) {
      if (Of(part) >= 0) return std::exchange(Of(part), -1);
    }
    return -1;
  }
  void Rest(std::vector<int32_t>& out) {
    for (int32_t& index : at) {
      if (index >= 0) out.push_back(std::exchange(index, -1));
    }
    out.insert(out.end(), unknown.begin(), unknown.end());
  }
};

bool IsMatrix(const WeightsFile& file, int32_t tensor) {
  return tensor >= 0 && file.tensors()[static_cast<size_t>(tensor)].shape.size() >= 2;
}

FileModule Filter(const std::string& name, int32_t filter, int32_t bias) {
  FileModule module;
  module.name = name;
  module.kind = FileModule::Kind::kFilter;
  module.filter = filter;
  module.bias = bias;
  return module;
}

// A filter beside a batch normalization has a name of its own; "weight" is then a part of the latter only
// without one.
void Append(const WeightsFile& file, Parts parts, std::vector<FileModule>& modules) {
  parts.Of(Part::kCounter) = -1;
  FileModule last;
  last.name = parts.name;
  const bool is_norm = parts.Of(Part::kMean) >= 0 && parts.Of(Part::kVariance) >= 0;
  if (const int32_t depthwise = parts.First({Part::kDepthwise}); depthwise >= 0) {
    const int32_t pointwise = parts.First({Part::kPointwise});
    const int32_t bias = parts.First({Part::kBias});
    modules.push_back(Filter(parts.name, depthwise, pointwise < 0 ? bias : -1));
    if (pointwise >= 0) modules.push_back(Filter(parts.name, pointwise, bias));
  }
  for (const Part part : {Part::kFilter, Part::kKernel, Part::kWeight}) {
    if (!IsMatrix(file, parts.Of(part))) continue;
    const int32_t filter = parts.First({part});
    modules.push_back(
        Filter(parts.name, filter, is_norm && parts.Of(Part::kBeta) < 0 ? -1 : parts.First({Part::kBias})));
  }
  if (is_norm) {
    last.kind = FileModule::Kind::kNorm;
    last.mean = parts.First({Part::kMean});
    last.variance = parts.First({Part::kVariance});
    last.gamma = parts.First({Part::kGamma, Part::kWeight});
    last.beta = parts.First({Part::kBeta, Part::kBias});
  } else if (parts.Of(Part::kSlope) >= 0 || (parts.Of(Part::kWeight) >= 0 && parts.Of(Part::kBias) < 0)) {
    last.kind = FileModule::Kind::kSlope;
    last.slope = parts.First({Part::kSlope, Part::kWeight});
  }
  parts.Rest(last.unknown);
  if (last.kind != FileModule::Kind::kUnknown || !last.unknown.empty()) modules.push_back(std::move(last));
}

// Arrays in the order in which a framework lists them: what has several axes is a filter and begins a layer.
class Sequence {
 public:
  explicit Sequence(const WeightsFile& file) : file_(file) {}

  std::vector<FileModule> Run() {
    for (size_t i = 0; i < file_.tensors().size(); ++i) {
      const auto index = static_cast<int32_t>(i);
      if (IsCounter(file_.tensors()[i])) continue;
      if (!IsMatrix(file_, index)) {
        vectors_.push_back(index);
        continue;
      }
      End();
      modules_.push_back(IsSlope(file_.tensors()[i].shape) ? Slope(index)
                                                           : Filter(file_.tensors()[i].name, index, -1));
    }
    End();
    return std::move(modules_);
  }

 private:
  // [1, 1, C]: one for each channel of a map.
  static bool IsSlope(const Shape& shape) { return shape.size() == 3 && shape[0] == 1 && shape[1] == 1; }

  FileModule Slope(int32_t index) const {
    FileModule module;
    module.name = file_.tensors()[static_cast<size_t>(index)].name;
    module.kind = FileModule::Kind::kSlope;
    module.slope = index;
    return module;
  }

  void End() {
    const size_t count = vectors_.size();
    if (count == 0) return;
    size_t at = 0;
    if ((count == 1 || count == 5) && !modules_.empty() &&
        modules_.back().kind == FileModule::Kind::kFilter && modules_.back().bias < 0)
      modules_.back().bias = vectors_[at++];
    FileModule rest;
    rest.name = file_.tensors()[static_cast<size_t>(vectors_[at < count ? at : 0])].name;
    if (count - at == 4) {
      rest.kind = FileModule::Kind::kNorm;
      rest.gamma = vectors_[at];
      rest.beta = vectors_[at + 1];
      rest.mean = vectors_[at + 2];
      rest.variance = vectors_[at + 3];
    } else {
      rest.unknown.assign(vectors_.begin() + static_cast<ptrdiff_t>(at), vectors_.end());
    }
    if (at < count) modules_.push_back(std::move(rest));
    vectors_.clear();
  }

  const WeightsFile& file_;
  std::vector<FileModule> modules_;
  std::vector<int32_t> vectors_;
};

}  // namespace

bool IsCounter(const WeightTensor& tensor) {
  const bool whole = tensor.type->name == "int64" || tensor.type->name == "int32";
  return whole && tensor.shape.empty();
}

std::vector<FileModule> FindModules(const WeightsFile& file) {
  std::vector<Parts> all;
  std::map<std::string, size_t> places;
  bool named = false;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const WeightTensor& tensor = file.tensors()[i];
    if (IsCounter(tensor)) continue;
    const Named split = Split(tensor.name);
    named = named || split.part;
    const auto [place, is_new] = places.emplace(split.module, all.size());
    if (is_new) all.emplace_back().name = split.module;
    Parts& parts = all[place->second];
    const auto index = static_cast<int32_t>(i);
    const bool taken = split.part && parts.Of(*split.part) >= 0;
    if (split.part && !taken) {
      parts.Of(*split.part) = index;
    } else {
      parts.unknown.push_back(index);
    }
  }
  if (!named) return Sequence(file).Run();
  std::vector<FileModule> modules;
  for (Parts& parts : all) Append(file, std::move(parts), modules);
  return modules;
}

WeightsLayout GuessLayout(const WeightsFile& file) {
  int32_t pytorch = 0, keras = 0, tflite = 0;
  for (const WeightTensor& tensor : file.tensors()) {
    const auto part = Split(tensor.name).part;
    if (!part) continue;
    pytorch += *part == Part::kWeight || tensor.name.ends_with("running_mean");
    keras += *part == Part::kKernel || *part == Part::kDepthwise;
    tflite += *part == Part::kFilter;
  }
  if (tflite > std::max(pytorch, keras)) return WeightsLayout::kTflite;
  if (pytorch > keras) return WeightsLayout::kPyTorch;
  return pytorch + keras > 0 || file.format() == WeightsFile::Format::kNpz ? WeightsLayout::kKeras
                                                                           : WeightsLayout::kPyTorch;
}

}  // namespace qat
