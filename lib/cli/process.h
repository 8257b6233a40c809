// process.h: what a program does first and last, whatever happens in between.
#ifndef QAT_CLI_PROCESS_H_
#define QAT_CLI_PROCESS_H_

#include <functional>
#include <string>

#include "base/expected.h"

namespace qat {

/// Gives descriptors 0 to 2 to /dev/null where the caller left them closed, before a file gets one of them
/// and is read or written as a standard stream. What is written to such a standard output fails, as it would
/// have; messages are lost.
void OpenStandardStreams();

/// Where an exception leaves a thread, the program says what it was and ends with the exit code of running
/// out of memory or of a bug, instead of aborting.
void EndOnUncaughtExceptions(const std::string& tool);

/// Runs `body`; exceptions become errors: kSystem where memory or threads ran out, else kInternal.
Status Guarded(const std::function<Status()>& body);

/// Writes out what the standard streams hold and ends at once: no handler of a library runs, one of which may
/// wait for a thread that never comes back where memory has run out.
[[noreturn]] void EndAtOnce(int exit_code);

}  // namespace qat

#endif  // QAT_CLI_PROCESS_H_
