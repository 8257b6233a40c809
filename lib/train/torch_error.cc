#include "train/torch_error.h"

#include <new>
#include <string_view>
#include <system_error>

#include "base/strings.h"

namespace qat {

Error TorchError(const std::exception& exception) {
  const std::string_view text = exception.what();
  // LibTorch's allocator throws an error like any other; only its words tell.
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr ||
      text.find("can't allocate memory") != text.npos || text.find("not enough memory") != text.npos) {
    return SystemError("out of memory; a smaller `batch_size`, or fewer `threads`, take less");
  }
  if (dynamic_cast<const std::system_error*>(&exception) != nullptr)
    return SystemError(StrCat("no more threads can be started (", text, "); `threads` 1 needs none"));
  return Internal(StrCat("LibTorch: ", SplitText(text, '\n')[0]));
}

}  // namespace qat
