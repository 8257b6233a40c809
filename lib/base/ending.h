// ending.h: what kind of file a name says, on file systems that do not tell capital letters from small ones
// as well.
#ifndef QAT_BASE_ENDING_H_
#define QAT_BASE_ENDING_H_

#include <string_view>

#include "base/strings.h"

namespace qat {

/// Whether a name ends so, in capital or small letters. Requires  an `ending` in small ones.
inline bool HasEnding(std::string_view name, std::string_view ending) {
  return name.size() >= ending.size() && LowerCase(name.substr(name.size() - ending.size())) == ending;
}

}  // namespace qat

#endif  // QAT_BASE_ENDING_H_
