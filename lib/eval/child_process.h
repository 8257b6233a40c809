// child_process.h: another program beside this one, spoken to over one socket: how a TFLite that lives in
// Python is asked.
#ifndef QAT_EVAL_CHILD_PROCESS_H_
#define QAT_EVAL_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// The absolute path of what a shell would start as `program`: with a '/' in it, that file, else the first
/// one in the folders of PATH, of which relative ones are passed over: they mean the current folder. With
/// `unasked`, nobody has named the program: what lies in the current folder or below it is passed over, too,
/// unless that is the user's home. Errors: kNotFound; kUnsupported where all that there is was passed over.
Expected<std::string> FindProgram(const std::string& program, bool unasked);

class ChildProcess {
 public:
  /// Starts `command`, whose first word is the absolute path of a program (FindProgram), with the socket as
  /// its standard input; what it prints goes nowhere. It runs in the root folder and without the environment
  /// variables whose names begin with PYTHON, so that nothing which lies where we were started reaches it. It
  /// has a process group of its own, so that Ctrl-C meets only us. Errors: kNotFound (no such program),
  /// kSystem.
  static Expected<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& command);
  /// Ends it, whatever it is doing.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// All of `bytes`, or an error: kSystem, where the child has ended.
  Status Send(std::span<const uint8_t> bytes);
  Status Receive(std::span<uint8_t> bytes);

 private:
  ChildProcess(int socket, pid_t id) : socket_(socket), id_(id) {}
  int socket_;
  pid_t id_;
};

}  // namespace qat

#endif  // QAT_EVAL_CHILD_PROCESS_H_
