#include "base/check.h"

#include <cstdio>
#include <cstdlib>

#include "base/screen.h"

namespace qat::internal {

void CheckFailed(const char* file, int line, const char* condition) {
  const ScreenTurn turn;
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace qat::internal
