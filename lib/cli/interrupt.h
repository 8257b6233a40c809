// interrupt.h: SIGINT and SIGTERM as a question that long work asks, so that it can save first.
#ifndef QAT_CLI_INTERRUPT_H_
#define QAT_CLI_INTERRUPT_H_

namespace qat {

/// Installs the handlers. A second signal ends the program at once.
void CatchInterrupts();

/// Set by SIGINT and SIGTERM; long work polls it, saves, and returns kInterrupted.
bool Interrupted();

/// The signal that was caught; 0: none.
int InterruptSignal();

}  // namespace qat

#endif  // QAT_CLI_INTERRUPT_H_
