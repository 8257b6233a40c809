#include "weights/match.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/printable.h"
#include "base/strings.h"

namespace qat {
namespace {

using Kind = FileModule::Kind;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Lower case, parts separated by ".".
std::string Canonical(std::string_view name) {
  std::string out;
  for (const char c : name) out += c == '/' ? '.' : Lower(c);
  return out;
}

// Letters and digits only.
std::string Squashed(std::string_view name) {
  std::string out;
  for (const char c : Canonical(name)) {
    if (c != '.' && c != '_' && c != '-') out += c;
  }
  return out;
}

// Digits replaced: what is left of names that count.
std::string Skeleton(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (!IsDigit(c)) {
      out += c;
    } else if (out.empty() || out.back() != '#') {
      out += '#';
    }
  }
  return out;
}

// The first part that all names begin with, with its "."; as "module." of PyTorch's wrappers.
size_t SharedPrefix(const std::vector<std::string>& names) {
  size_t length = 0;
  while (!names.empty()) {
    const size_t dot = names[0].find('.', length);
    if (dot == std::string::npos) break;
    const std::string prefix = names[0].substr(0, dot + 1);
    if (!std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.starts_with(prefix); }))
      break;
    length = dot + 1;
  }
  return length;
}

// "features.3" -> "features.4"; empty where the last part is no number.
std::string NextSibling(const std::string& name) {
  const size_t dot = name.rfind('.');
  const size_t begin = dot == std::string::npos ? 0 : dot + 1;
  const std::string last = name.substr(begin);
  if (last.empty() || last.size() > 6 || !std::all_of(last.begin(), last.end(), IsDigit)) return "";
  return name.substr(0, begin) + std::to_string(std::stoi(last) + 1);
}

// Names that the batch normalization of a filter usually has.
std::vector<std::string> NormNames(const std::string& filter) {
  std::vector<std::string> names = {filter,        filter + "_bn",         filter + ".bn",
                                    filter + "bn", filter + "_batch_norm", filter + ".norm"};
  const size_t dot = filter.rfind('.');
  const std::string parent = dot == std::string::npos ? "" : filter.substr(0, dot + 1);
  const std::string last = filter.substr(parent.size());
  names.push_back(StrCat(parent, "bn_", last));
  for (const std::string_view word : {"conv", "fc", "linear", "dense"}) {
    const size_t at = last.rfind(word);
    if (at == std::string::npos) continue;
    for (const std::string_view norm : {"bn", "norm", "batchnorm", "batch_norm"}) {
      names.push_back(StrCat(parent, last.substr(0, at), norm, last.substr(at + word.size())));
    }
  }
  if (const std::string next = NextSibling(filter); !next.empty()) names.push_back(next);
  return names;
}

class Matcher {
 public:
  Matcher(const std::vector<NetworkLayer>& layers, const WeightsFile& file, const MatchOptions& options)
      : layers_(layers), file_(file), options_(options) {
    found_.modules = FindModules(file);
    of_file_ = found_.modules.size();
    found_.layers.resize(layers.size());
  }

  Expected<Matching> Run() {
    if (options_.names != nullptr) QAT_RETURN_IF_ERROR(ByMap());
    used_.resize(found_.modules.size());
    for (const LayerMatch& match : found_.layers) {
      Use(match.main);
      Use(match.norm);
    }
    NameModules();
    MainByName(/*fitting=*/true);
    MainByArchive();
    MainByOrder(/*same_rank=*/true);
    MainByOrder(/*same_rank=*/false);
    MainByName(/*fitting=*/false);  // of another shape: what is taken refuses it, naming both
    NormByNeighbour();
    NormByOrder();
    return std::move(found_);
  }

 private:
  const Shape& ShapeOf(int32_t tensor) const { return file_.tensors()[static_cast<size_t>(tensor)].shape; }
  void Use(int32_t module) {
    if (module >= 0) used_[static_cast<size_t>(module)] = true;
  }

  static bool NeedsMain(const NetworkLayer& layer, const LayerMatch& match) {
    return !match.fresh && match.main < 0 && !layer.is_norm_only;
  }
  static bool NeedsNorm(const NetworkLayer& layer, const LayerMatch& match) {
    return !match.fresh && match.norm < 0 && layer.batch_norm;
  }
  static Kind MainKind(const NetworkLayer& layer) {
    return layer.filter.empty() ? Kind::kSlope : Kind::kFilter;
  }

  // --- the map

  std::optional<int32_t> TensorNamed(const std::string& name) const {
    const auto& tensors = file_.tensors();
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const WeightTensor& each) { return each.name == name; });
    if (found == tensors.end()) return std::nullopt;
    return static_cast<int32_t>(found - tensors.begin());
  }

  Expected<int32_t> ModuleNamed(const std::string& ours, const std::string& theirs, Kind kind) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < found_.modules.size(); ++i) {
      const FileModule& module = found_.modules[i];
      if (module.name == theirs && module.kind == kind) return static_cast<int32_t>(i);
      if (module.kind == kind) names.push_back(module.name);
    }
    const char* const what = kind == Kind::kNorm    ? "batch normalization"
                             : kind == Kind::kSlope ? "module with slopes"
                                                    : "module with a filter";
    return InvalidArgument(StrCat(options_.names->Place(ours), ": ", file_.source(), " has no ", what, " '",
                                  Printable(theirs), "'", Suggestion(theirs, names)));
  }

  static std::string Suggestion(const std::string& word, const std::vector<std::string>& names) {
    if (const std::string near = Nearest(word, names); !near.empty())
      return StrCat("; did you mean '", Printable(near), "'?");
    constexpr size_t kShown = 8;
    std::vector<std::string> shown;
    for (const std::string& name : names) shown.push_back(Printable(name));
    if (shown.size() > kShown) shown.resize(kShown);
    return shown.empty() ? "" : StrCat(", expected one of ", Join(shown), names.size() > kShown ? ", …" : "");
  }

  Status ByMap() {
    std::set<std::string> known;
    for (size_t i = 0; i < layers_.size(); ++i)
      QAT_RETURN_IF_ERROR(ByMap(layers_[i], found_.layers[i], known));
    for (const auto& [ours, line] : options_.names->lines) {
      if (known.contains(ours)) continue;
      std::vector<std::string> names;
      for (const NetworkLayer& layer : layers_) names.push_back(layer.name);
      const std::string layer = ours.substr(0, ours.rfind('/'));
      return InvalidArgument(StrCat(options_.names->Place(ours), ": the network has no layer or tensor '",
                                    Printable(ours), "'", Suggestion(layer, names)));
    }
    return {};
  }

  Status ByMap(const NetworkLayer& layer, LayerMatch& match, std::set<std::string>& known) {
    known.insert(layer.name);
    if (const NameMap::Line* line = options_.names->Find(layer.name)) {
      match.fresh = line->theirs == kFreshLayer;
      if (match.fresh) return {};
      QAT_ASSIGN_OR_RETURN(match.main, ModuleNamed(layer.name, line->theirs, MainKind(layer)));
      match.main_by = MatchedBy::kMap;
    }
    if (layer.batch_norm) {
      const std::string key = layer.name + "/batch_norm";
      known.insert(key);
      if (const NameMap::Line* line = options_.names->Find(key)) {
        QAT_ASSIGN_OR_RETURN(match.norm, ModuleNamed(key, line->theirs, Kind::kNorm));
        match.norm_by = MatchedBy::kMap;
      }
    }
    return TensorsByMap(layer, match, known);
  }

  // Single tensors: a module that is made for them, of what the layer has been given already.
  Status TensorsByMap(const NetworkLayer& layer, LayerMatch& match, std::set<std::string>& known) {
    struct Field {
      std::string_view suffix;
      int32_t FileModule::*index;
      bool of_norm;
      bool exists;
    };
    const bool norm = layer.batch_norm;
    const Field fields[] = {
        {"filter", &FileModule::filter, false, !layer.filter.empty()},
        {"bias", &FileModule::bias, false, layer.has_bias || norm},
        {"slope", &FileModule::slope, false, !layer.slope.empty()},
        {"gamma", &FileModule::gamma, true, norm},
        {"beta", &FileModule::beta, true, norm},
        {"moving_mean", &FileModule::mean, true, norm},
        {"moving_variance", &FileModule::variance, true, norm},
    };
    for (const Field& field : fields) {
      if (!field.exists) continue;
      const std::string ours = StrCat(layer.name, "/", field.suffix);
      known.insert(ours);
      const NameMap::Line* const line = options_.names->Find(ours);
      if (line == nullptr) continue;
      const std::optional<int32_t> tensor = TensorNamed(line->theirs);
      if (!tensor) {
        std::vector<std::string> names;
        for (const WeightTensor& each : file_.tensors()) names.push_back(each.name);
        return InvalidArgument(StrCat(options_.names->Place(ours), ": ", file_.source(), " has no tensor '",
                                      Printable(line->theirs), "'", Suggestion(line->theirs, names)));
      }
      OwnModule(layer, match, field.of_norm).*field.index = *tensor;
    }
    return {};
  }

  FileModule& OwnModule(const NetworkLayer& layer, LayerMatch& match, bool of_norm) {
    int32_t& index = of_norm ? match.norm : match.main;
    MatchedBy& by = of_norm ? match.norm_by : match.main_by;
    if (index < 0 || found_.modules[static_cast<size_t>(index)].name != MadeFor(layer)) {
      FileModule made = index < 0 ? FileModule() : found_.modules[static_cast<size_t>(index)];
      made.name = MadeFor(layer);
      made.kind = of_norm ? Kind::kNorm : MainKind(layer);
      index = static_cast<int32_t>(found_.modules.size());
      found_.modules.push_back(std::move(made));
      by = MatchedBy::kMap;
    }
    return found_.modules[static_cast<size_t>(index)];
  }
  std::string MadeFor(const NetworkLayer& layer) const {
    return StrCat(options_.names->source, ": ", layer.name);
  }

  // --- names

  void NameModules() {
    for (const FileModule& module : found_.modules) whole_names_.push_back(Canonical(module.name));
    std::vector<std::string> known;
    for (size_t i = 0; i < of_file_; ++i) {
      if (found_.modules[i].kind != Kind::kUnknown) known.push_back(whole_names_[i]);
    }
    const size_t prefix = SharedPrefix(known);
    for (size_t i = 0; i < whole_names_.size(); ++i) {
      const bool has_prefix = i < of_file_ && found_.modules[i].kind != Kind::kUnknown;
      names_.push_back(has_prefix ? whole_names_[i].substr(prefix) : whole_names_[i]);
      squashed_whole_names_.push_back(Squashed(whole_names_[i]));
      squashed_names_.push_back(Squashed(names_[i]));
    }
  }

  // The only free module of a kind that has this name.
  int32_t FindName(const std::string& name, Kind kind, bool squashed) const {
    int32_t found = -1;
    const std::string wanted = squashed ? Squashed(name) : Canonical(name);
    const std::vector<std::string>& names = squashed ? squashed_names_ : names_;
    const std::vector<std::string>& whole = squashed ? squashed_whole_names_ : whole_names_;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (used_[i] || found_.modules[i].kind != kind) continue;
      if (names[i] != wanted && whole[i] != wanted) continue;
      if (found >= 0) return -1;
      found = static_cast<int32_t>(i);
    }
    return found;
  }

  // Of its own name, or the first of a sequence of that name.
  int32_t MainNamed(const NetworkLayer& layer, bool squashed, bool fitting) const {
    for (const std::string_view ending : {"", ".0", ".conv"}) {
      const int32_t module = FindName(StrCat(layer.name, ending), MainKind(layer), squashed);
      if (module >= 0 && (!fitting || Fits(module, layer, /*same_rank=*/false))) return module;
    }
    return -1;
  }

  void MainByName(bool fitting) {
    for (const bool squashed : {false, true}) {
      for (size_t i = 0; i < layers_.size(); ++i) {
        LayerMatch& match = found_.layers[i];
        if (!NeedsMain(layers_[i], match)) continue;
        const int32_t module = MainNamed(layers_[i], squashed, fitting);
        if (module < 0) continue;
        match.main = module;
        match.main_by = MatchedBy::kName;
        Use(module);
      }
    }
  }

  bool NormFits(int32_t module, const NetworkLayer& layer) const {
    return FlatSize(ShapeOf(found_.modules[static_cast<size_t>(module)].mean)) == layer.channels;
  }

  void GiveNorm(size_t layer, int32_t module, MatchedBy by) {
    found_.layers[layer].norm = module;
    found_.layers[layer].norm_by = by;
    Use(module);
  }

  void NormByNeighbour() {
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!NeedsNorm(layers_[i], found_.layers[i])) continue;
      const int32_t main = found_.layers[i].main;
      if (file_.format() == WeightsFile::Format::kNpz && main >= 0 && FollowedByNorm(main, layers_[i])) {
        GiveNorm(i, main + 1, MatchedBy::kOrder);
        continue;
      }
      std::vector<std::string> candidates = NormNames(Canonical(layers_[i].name));
      if (main >= 0) {
        const std::vector<std::string> more = NormNames(names_[static_cast<size_t>(main)]);
        candidates.insert(candidates.begin(), more.begin(), more.end());
      }
      for (const std::string& name : candidates) {
        const int32_t module = FindName(name, Kind::kNorm, false);
        if (module < 0 || !NormFits(module, layers_[i])) continue;
        GiveNorm(i, module, MatchedBy::kName);
        break;
      }
    }
  }

  bool FollowedByNorm(int32_t module, const NetworkLayer& layer) const {
    const auto next = static_cast<size_t>(module) + 1;
    return next < found_.modules.size() && !used_[next] && found_.modules[next].kind == Kind::kNorm &&
           NormFits(static_cast<int32_t>(next), layer);
  }

  // --- order

  // Archives have one; other names count, or are alone.
  bool OrderIsKnown(const std::vector<int32_t>& modules) const {
    if (file_.format() == WeightsFile::Format::kNpz) return true;
    const std::string first = Skeleton(names_[static_cast<size_t>(modules[0])]);
    return std::all_of(modules.begin(), modules.end(), [&](int32_t module) {
      return Skeleton(names_[static_cast<size_t>(module)]) == first;
    });
  }

  bool Fits(int32_t index, const NetworkLayer& layer, bool same_rank) const {
    const FileModule& module = found_.modules[static_cast<size_t>(index)];
    if (used_[static_cast<size_t>(index)] || module.kind != MainKind(layer)) return false;
    if (module.kind == Kind::kSlope) {
      const int64_t count = FlatSize(ShapeOf(module.slope));
      return count == 1 || count == FlatSize(layer.slope);
    }
    const Shape& shape = ShapeOf(module.filter);
    if (same_rank && shape.size() != layer.filter.size()) return false;
    return Arrange(options_.layout, options_.channels_last, layer, shape).has_value();
  }

  // All that is left of an archive, one after the other, where every layer fits its module.
  void MainByArchive() {
    if (file_.format() != WeightsFile::Format::kNpz) return;
    std::vector<size_t> layers;
    std::vector<int32_t> modules;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (NeedsMain(layers_[i], found_.layers[i])) layers.push_back(i);
    }
    for (size_t m = 0; m < found_.modules.size(); ++m) {
      const Kind kind = found_.modules[m].kind;
      if (!used_[m] && (kind == Kind::kFilter || kind == Kind::kSlope))
        modules.push_back(static_cast<int32_t>(m));
    }
    if (layers.size() != modules.size()) return;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!Fits(modules[i], layers_[layers[i]], /*same_rank=*/false)) return;
    }
    for (size_t i = 0; i < layers.size(); ++i) {
      found_.layers[layers[i]].main = modules[i];
      found_.layers[layers[i]].main_by = MatchedBy::kOrder;
      Use(modules[i]);
    }
  }

  // Layers of one type and shape, and the modules that fit them and no other free layer.
  void MainByOrder(bool same_rank) {
    std::map<std::pair<OpType, Shape>, std::vector<size_t>> groups;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (NeedsMain(layers_[i], found_.layers[i]))
        groups[{layers_[i].type, layers_[i].filter.empty() ? layers_[i].slope : layers_[i].filter}].push_back(
            i);
    }
    std::map<int32_t, int32_t> fitting;  // module: how many groups it fits
    std::map<std::pair<OpType, Shape>, std::vector<int32_t>> modules;
    for (const auto& [key, members] : groups) {
      for (size_t m = 0; m < found_.modules.size(); ++m) {
        const auto module = static_cast<int32_t>(m);
        if (!Fits(module, layers_[members[0]], same_rank)) continue;
        ++fitting[module];
        modules[key].push_back(module);
      }
    }
    for (const auto& [key, members] : groups) {
      const std::vector<int32_t>& candidates = modules[key];
      const bool shared = std::any_of(candidates.begin(), candidates.end(),
                                      [&](int32_t module) { return fitting[module] > 1; });
      if (candidates.size() != members.size() || shared || !OrderIsKnown(candidates)) continue;
      for (size_t i = 0; i < members.size(); ++i) {
        found_.layers[members[i]].main = candidates[i];
        found_.layers[members[i]].main_by = MatchedBy::kOrder;
        Use(candidates[i]);
      }
    }
  }

  void NormByOrder() {
    std::map<int32_t, std::vector<size_t>> groups;  // by channels
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (NeedsNorm(layers_[i], found_.layers[i])) groups[layers_[i].channels].push_back(i);
    }
    for (const auto& [channels, members] : groups) {
      std::vector<int32_t> candidates;
      for (size_t m = 0; m < found_.modules.size(); ++m) {
        const auto module = static_cast<int32_t>(m);
        if (!used_[m] && found_.modules[m].kind == Kind::kNorm && NormFits(module, layers_[members[0]]))
          candidates.push_back(module);
      }
      if (candidates.size() != members.size() || !OrderIsKnown(candidates)) continue;
      for (size_t i = 0; i < members.size(); ++i) GiveNorm(members[i], candidates[i], MatchedBy::kOrder);
    }
  }

  const std::vector<NetworkLayer>& layers_;
  const WeightsFile& file_;
  const MatchOptions& options_;
  Matching found_;
  std::vector<bool> used_;
  size_t of_file_ = 0;                    // modules; those behind are made for the map
  std::vector<std::string> whole_names_;  // of the modules, canonical
  std::vector<std::string> names_;        // the same without what all begin with
  std::vector<std::string> squashed_whole_names_, squashed_names_;
};

}  // namespace

Expected<Matching> Match(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                         const MatchOptions& options) {
  return Matcher(layers, file, options).Run();
}

}  // namespace qat
