// load_guard.cc: a sentence where there is no memory to load LibTorch. Its libraries allocate before main
// begins, and an exception there would end the program with "terminate called" and a core file.
#include <unistd.h>

#include <exception>

#include "cli/tool.h"

namespace {

[[noreturn]] void EndLoading() {
  static constexpr char kText[] =
      "qat-train: out of memory while LibTorch was loaded, which takes about 1 GB of address space (a limit "
      "may be set: `ulimit -v`)\n";
  [[maybe_unused]] const ssize_t count = ::write(STDERR_FILENO, kText, sizeof(kText) - 1);
  ::_exit(qat::kExitSystem);
}

void GuardLoading(int, char**, char**) { std::set_terminate(EndLoading); }

// The dynamic linker calls what stands here before the initializers of any library. Tool::Main sets its own
// handler later.
[[gnu::section(".preinit_array"), gnu::used]] void (*const guard)(int, char**, char**) = GuardLoading;

}  // namespace
