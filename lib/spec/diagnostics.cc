#include "spec/diagnostics.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {

Status Diagnostics::Take() {
  if (errors_.empty()) return {};
  const bool unsupported = std::all_of(errors_.begin(), errors_.end(),
                                       [](const Error& e) { return e.code == ErrorCode::kUnsupported; });
  std::vector<std::string> lines;
  for (Error& error : errors_) lines.push_back(std::move(error.message));
  errors_.clear();
  return Error{unsupported ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument, Join(lines, "\n")};
}

}  // namespace qat
