#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "base/strings.h"
#include "cli/tool.h"

namespace qat {
namespace {

// Fixed, since there may be no memory for another.
char tool_name[64] = "qat";

Error ErrorOf(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::bad_alloc&) {
    return SystemError("out of memory");
  } catch (const std::length_error&) {
    return SystemError("out of memory: something would be larger than memory can be");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      return SystemError("no more threads can be started (memory, or the limit of the system)");
    return Internal(StrCat("unexpected failure (", error.what(), ")"));
  } catch (const std::exception& error) {
    return Internal(StrCat("unexpected failure (", error.what(), ")"));
  } catch (...) {
    return Internal("unexpected failure");
  }
}

void Say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<size_t>(count));
  }
}

[[noreturn]] void Terminate() {
  Say(tool_name);
  int code = kExitInternal;
  try {
    const std::exception_ptr exception = std::current_exception();
    const Error error = exception ? ErrorOf(exception) : Internal("terminated");
    code = ExitCodeOf(error);
    Say(StrCat(": ", error.message, "\n"));
  } catch (const std::bad_alloc&) {
    code = kExitSystem;
    Say(": out of memory\n");
  }
  ::_exit(code);
}

}  // namespace

void OpenStandardStreams() {
  constexpr int kFlags[] = {O_WRONLY, O_RDONLY, O_RDWR};  // input and output fail as closed ones do
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest that is free is this one.
    if (::open("/dev/null", kFlags[descriptor]) != descriptor) ::_exit(kExitSystem);
  }
}

void EndOnUncaughtExceptions(const std::string& tool) {
  std::strncpy(tool_name, tool.c_str(), sizeof(tool_name) - 1);
  std::set_terminate(Terminate);
}

Status Guarded(const std::function<Status()>& body) {
  try {
    return body();
  } catch (...) {
    return ErrorOf(std::current_exception());
  }
}

void EndAtOnce(int exit_code) {
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(exit_code);
}

}  // namespace qat
