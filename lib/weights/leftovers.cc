#include "weights/leftovers.h"

#include <algorithm>
#include <set>

#include "base/join_some.h"
#include "base/printable.h"
#include "base/strings.h"

namespace qat {

std::string WithShape(const WeightsFile& file, int32_t tensor) {
  const WeightTensor& found = file.tensors()[static_cast<size_t>(tensor)];
  return StrCat(Printable(found.name), " ", ToString(found.shape));
}

std::string ListText(const std::vector<std::string>& items) {
  constexpr size_t kShown = 8;
  return JoinSome(items, kShown);
}

std::vector<int32_t> UnusedTensors(const WeightsFile& file, const Matching& matching) {
  std::set<int32_t> used;
  for (const LayerMatch& match : matching.layers) {
    for (const int32_t module : {match.main, match.norm}) {
      if (module < 0) continue;
      const FileModule& m = matching.modules[static_cast<size_t>(module)];
      used.insert({m.filter, m.bias, m.gamma, m.beta, m.mean, m.variance, m.slope});
    }
  }
  std::vector<int32_t> unused;
  for (size_t i = 0; i < file.tensors().size(); ++i) {
    const auto index = static_cast<int32_t>(i);
    if (!used.contains(index) && !IsCounter(file.tensors()[i])) unused.push_back(index);
  }
  return unused;
}

Status RefuseUnfilled(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                      const Matching& matching, WeightsLayout layout) {
  std::vector<std::string> unfilled;
  for (size_t i = 0; i < layers.size(); ++i) {
    const NetworkLayer& layer = layers[i];
    const LayerMatch& match = matching.layers[i];
    if (match.fresh) continue;
    if (match.main < 0 && !layer.is_norm_only) {
      const bool slope = layer.filter.empty();
      unfilled.push_back(
          StrCat(layer.name, slope ? "/slope " : "/filter ", ToString(slope ? layer.slope : layer.filter)));
    }
    if (match.norm < 0 && layer.batch_norm)
      unfilled.push_back(StrCat(layer.name, "/batch_norm [", layer.channels, "]"));
  }
  if (unfilled.empty()) return {};
  // Filters say most; where none is left, the rest.
  std::vector<int32_t> unused = UnusedTensors(file, matching);
  const auto is_vector = [&](int32_t tensor) {
    return file.tensors()[static_cast<size_t>(tensor)].shape.size() < 2;
  };
  if (!std::all_of(unused.begin(), unused.end(), is_vector)) std::erase_if(unused, is_vector);
  std::vector<std::string> left;
  for (const int32_t tensor : unused) left.push_back(WithShape(file, tensor));
  return InvalidArgument(
      StrCat(file.source(), ": nothing in it is known to belong to ", ListText(unfilled), "; ",
             left.empty() ? "no tensor is left" : StrCat("left are ", ListText(left)), " (in ",
             NameOf(layout), "'s layout); a file for `init_map` names them, one line each such as '",
             layers.front().name, " = their.module', or 'LAYER = -' where a layer is to start afresh"));
}

}  // namespace qat
