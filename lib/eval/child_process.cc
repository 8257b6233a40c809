#include "eval/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/file.h"
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
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
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
    std::vector<char*> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      if (!std::string_view(*variable).starts_with("PYTHON")) variables.push_back(*variable);
    }
    variables.push_back(nullptr);
    return ::posix_spawn(&id, arguments[0], &actions_, &attributes_, arguments.data(), variables.data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

bool IsProgram(const std::string& path) {
  return FileExists(path) && !IsDirectory(path) && ::access(path.c_str(), X_OK) == 0;
}

// By the name that leads to it, and by where its folder really is.
bool IsBelow(const std::filesystem::path& file, const std::filesystem::path& folder) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(file.parent_path(), error);
  for (const auto& path : {file.lexically_normal().parent_path(), real}) {
    const auto [rest, end] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    if (rest == folder.end()) return true;
  }
  return false;
}

Error Ended() { return SystemError("the process has ended unexpectedly"); }

}  // namespace

Expected<std::string> FindProgram(const std::string& program, bool unasked) {
  std::error_code error;
  const std::filesystem::path here = std::filesystem::current_path(error);
  if (program.find('/') != std::string::npos) return (here / program).string();
  const char* folders = std::getenv("PATH");
  const char* home_variable = std::getenv("HOME");
  const std::string home = home_variable == nullptr ? "" : home_variable;
  std::string passed_over;
  for (const std::string& folder : SplitText(folders == nullptr ? "" : folders, ':')) {
    const std::string path = JoinPath(folder, program);
    if (!folder.starts_with('/') || !IsProgram(path)) continue;
    if (!unasked || here == "/" || here == home || !IsBelow(path, here)) return path;
    passed_over = path;
  }
  if (passed_over.empty()) return NotFound(StrCat(program, ": is in no folder of PATH"));
  return Unsupported(StrCat(passed_over, " lies below the current folder and is not started unasked"));
}

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
