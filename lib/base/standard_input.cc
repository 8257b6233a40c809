#include "base/standard_input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

Error CannotBeRead(int reason) {
  return NotFound(StrCat(kStandardInput, ": standard input cannot be read (", std::strerror(reason), ")"));
}

// Appends `count` bytes.
Status Append(int copy, const char* bytes, ssize_t count) {
  while (count > 0) {
    const ssize_t written = ::write(copy, bytes, static_cast<size_t>(count));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return SystemError(
          StrCat(kStandardInput, ": standard input does not fit the memory (", std::strerror(errno), ")"));
    bytes += written;
    count -= written;
  }
  return {};
}

Status CopyAll(int copy) {
  std::array<char, 1 << 16> part;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, part.data(), part.size());
    if (count == 0) return {};
    if (count < 0 && errno != EINTR) return CannotBeRead(errno);
    if (count < 0 && WasInterrupted())
      return Error{ErrorCode::kInterrupted, StrCat("interrupted while reading standard input")};
    QAT_RETURN_IF_ERROR(Append(copy, part.data(), count));
  }
}

}  // namespace

Expected<int> OpenStandardInput() {
  static int copy = -1;  // lives as long as the program
  if (copy < 0) {
    if (::isatty(STDIN_FILENO) != 0)
      return NotFound(StrCat(kStandardInput, ": standard input is a terminal, expected a file or a pipe"));
    const int fresh = ::memfd_create("standard input", MFD_CLOEXEC);
    if (fresh < 0) return SystemError(StrCat("no memory for standard input (", std::strerror(errno), ")"));
    if (const Status copied = CopyAll(fresh); !copied.ok()) {
      ::close(fresh);
      return copied.error();
    }
    copy = fresh;
  }
  const int descriptor = ::fcntl(copy, F_DUPFD_CLOEXEC, 3);
  if (descriptor < 0 || ::lseek(descriptor, 0, SEEK_SET) != 0) return CannotBeRead(errno);
  return descriptor;
}

}  // namespace qat
