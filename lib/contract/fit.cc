#include "contract/fit.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qat {
namespace {

constexpr std::pair<std::string_view, Fit> kFits[] = {
    {"crop", Fit::kCrop}, {"pad", Fit::kPad}, {"stretch", Fit::kStretch}};

}  // namespace

std::string_view NameOf(Fit fit) {
  return std::find_if(std::begin(kFits), std::end(kFits),
                      [=](const auto& each) { return each.second == fit; })
      ->first;
}

std::optional<Fit> FitFromName(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kFits), std::end(kFits), [=](const auto& each) { return each.first == name; });
  return found == std::end(kFits) ? std::nullopt : std::optional(found->second);
}

}  // namespace qat
