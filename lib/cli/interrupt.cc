#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "base/file.h"
#include "cli/terminal.h"

namespace qat {
namespace {

std::atomic<int> caught_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may use nothing that locks");

void Handle(int signal_number) {
  if (caught_signal.exchange(signal_number) == 0) return;
  EraseStatusLineInHandler();
  _exit(128 + signal_number);
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = Handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  SetInterruptCheck(Interrupted);
}

bool Interrupted() { return caught_signal.load() != 0; }
int InterruptSignal() { return caught_signal.load(); }

}  // namespace qat
