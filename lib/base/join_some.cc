#include "base/join_some.h"

#include "base/strings.h"

namespace qat {

std::string JoinSome(std::span<const std::string> pieces, size_t most) {
  if (pieces.size() <= most) return Join(pieces);
  return StrCat(Join(pieces.first(most)), " and ", pieces.size() - most, " more");
}

}  // namespace qat
