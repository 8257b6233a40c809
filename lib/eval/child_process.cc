#include "eval/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/strings.h"

extern char** environ;

namespace qat {
namespace {

// posix_spawn's two descriptions of a child, freed with it.
class SpawnPlan {
 public:
  explicit SpawnPlan(int input) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int Spawn(const std::vector<std::string>& command, pid_t& id) const {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    return ::posix_spawnp(&id, arguments[0], &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Error Ended() { return SystemError("the process has ended unexpectedly"); }

}  // namespace

Expected<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::vector<std::string>& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError(StrCat("cannot make a socket (", std::strerror(errno), ")"));
  }
  pid_t id = -1;
  const int failure = SpawnPlan(ends[1]).Spawn(command, id);
  ::close(ends[1]);
  if (failure != 0) {
    ::close(ends[0]);
    return NotFound(StrCat(command.front(), ": cannot be started (", std::strerror(failure), ")"));
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(ends[0], id));
}

ChildProcess::~ChildProcess() {
  ::close(socket_);
  ::kill(id_, SIGKILL);
  while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Status ChildProcess::Send(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Ended();
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return {};
}

Status ChildProcess::Receive(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t received = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return Ended();
    bytes = bytes.subspan(static_cast<size_t>(received));
  }
  return {};
}

}  // namespace qat
