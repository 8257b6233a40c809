#include "eval/peak_memory.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace qat {

int64_t PeakMemoryOf(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child < 0) return 0;
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);  // of the child there must be no other way back
    }
    _exit(0);
  }
  int state = 0;
  rusage usage = {};
  while (wait4(child, &state, 0, &usage) < 0) {
    if (errno != EINTR) return 0;
  }
  return WIFEXITED(state) && WEXITSTATUS(state) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

}  // namespace qat
