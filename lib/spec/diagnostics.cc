#include "spec/diagnostics.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {

std::string PlaceText(const std::string& source, TextPlace place) {
  return place.line == 0 ? source : StrCat(source, ":", place.line, ":", place.column);
}

Status Diagnostics::Take() {
  if (errors_.empty()) return {};
  std::stable_sort(errors_.begin(), errors_.end(),
                   [](const Placed& a, const Placed& b) { return a.place < b.place; });
  bool unsupported = true;
  std::vector<std::string> lines;
  for (const Placed& each : errors_) {
    unsupported = unsupported && each.error.code == ErrorCode::kUnsupported;
    lines.push_back(StrCat(PlaceText(source_, each.place), ": ", each.error.message));
  }
  errors_.clear();
  return Error{unsupported ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument, Join(lines, "\n  ")};
}

}  // namespace qat
