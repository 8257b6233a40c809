// subprocess.h: runs a program and keeps what it wrote and how it ended: tools are tested by running them.
#ifndef QAT_TESTS_SUPPORT_SUBPROCESS_H_
#define QAT_TESTS_SUPPORT_SUBPROCESS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "support/places.h"
#include "support/test_util.h"

namespace qat::testing {

struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A program under way. Its streams go to files, so that no pipe can fill up.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    id_ = fork();
    if (id_ == 0) {
      Redirect("/dev/null", O_RDONLY, 0);
      Redirect(folder_ / "out", O_WRONLY | O_CREAT, 1);
      Redirect(folder_ / "err", O_WRONLY | O_CREAT, 2);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }

  void Signal(int signal) const { kill(id_, signal); }

  /// True once standard error holds `text`; false after `seconds` without it.
  bool WaitForMessage(const std::string& text, double seconds) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
      if (ReadText(folder_ / "err").find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  ProcessResult Wait() const {
    int status = 0;
    waitpid(id_, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, ReadText(folder_ / "out"), ReadText(folder_ / "err")};
  }

 private:
  static void Redirect(const std::string& path, int flags, int descriptor) {
    const int opened = open(path.c_str(), flags, 0644);
    if (opened < 0) _exit(126);
    dup2(opened, descriptor);
  }

  TempDir folder_;
  pid_t id_ = -1;
};

inline ProcessResult Run(const std::vector<std::string>& command) { return Process(command).Wait(); }

/// A tool of this build.
inline std::string ToolPath(const std::string& name) { return std::string(kBinaryDir) + "/bin/" + name; }

inline ProcessResult RunTool(const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ToolPath(name));
  return Run(arguments);
}

/// Names in a folder, sorted: to see that nothing was left behind.
inline std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace qat::testing

/// Skips the test where the tests' Python lacks `module`; fails instead under QAT_TEST_REQUIRE=1.
#define QAT_NEEDS_PYTHON(module)                                                                 \
  QAT_NEEDS_FILE(qat::testing::kLitertPython);                                                   \
  if (qat::testing::Run({qat::testing::kLitertPython, "-c", "import " module}).exit_code != 0) { \
    if (qat::testing::RequireEverything())                                                       \
      FAIL() << qat::testing::kLitertPython << " has no module " << module;                      \
    GTEST_SKIP() << qat::testing::kLitertPython << " has no module " << module;                  \
  }

#endif  // QAT_TESTS_SUPPORT_SUBPROCESS_H_
