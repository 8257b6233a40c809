#include "eval/layer_diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>

#include "base/strings.h"

namespace qat {
namespace {

std::string GridText(const LayerOutput& layer) {
  return StrCat("scale ", layer.step, " and zero point ", layer.zero_point);
}

LayerDifference Describe(const LayerOutput& b) {
  LayerDifference difference;
  difference.layer = b.layer;
  difference.op = b.op;
  difference.index = b.index;
  difference.values = static_cast<int64_t>(b.values.size());
  return difference;
}

std::optional<LayerDifference> Compare(const LayerOutput& a, const LayerOutput& b) {
  const bool same_grid = a.step == b.step && a.zero_point == b.zero_point;
  const double step = std::max(a.step, b.step);
  LayerDifference difference = Describe(b);
  double largest = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    const double apart = std::abs(double{a.values[i]} - double{b.values[i]}) / step;
    difference.differing += same_grid ? std::llround(apart) > 0 : apart > 0;
    largest = std::max(largest, apart);
  }
  if (same_grid) {
    difference.steps = std::llround(largest);
    if (difference.steps == 0) return std::nullopt;
    return difference;
  }
  difference.steps = std::max<int64_t>(1, std::llround(std::ceil(largest)));
  difference.grids = StrCat(GridText(a), " against ", GridText(b));
  return difference;
}

}  // namespace

std::optional<LayerDifference> FirstDifference(const std::vector<LayerOutput>& a,
                                               const std::vector<LayerOutput>& b) {
  std::map<std::string_view, const LayerOutput*> by_name;
  for (const LayerOutput& layer : a) by_name.emplace(layer.layer, &layer);
  for (const LayerOutput& layer : b) {
    const auto found = by_name.find(layer.layer);
    if (found == by_name.end() || found->second->values.size() != layer.values.size()) continue;
    if (layer.step == 0 || found->second->step == 0) continue;
    if (auto difference = Compare(*found->second, layer)) return difference;
  }
  return std::nullopt;
}

}  // namespace qat
