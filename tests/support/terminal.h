// terminal.h: a terminal of the test's own: a pseudo-terminal for programs to write to, and what its screen
// shows then.
#ifndef QAT_TESTS_SUPPORT_TERMINAL_H_
#define QAT_TESTS_SUPPORT_TERMINAL_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace qat::testing {

/// What a terminal shows that understands carriage return, line feed, erasing (CSI J and K) and colours (CSI
/// m), and wraps behind its last column. Another sequence fails the test.
class Screen {
 public:
  explicit Screen(size_t columns) : columns_(columns) {}

  void Show(const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\x1b') {
        i = Obey(text, i);
      } else if (c == '\r') {
        column_ = 0;
      } else if (c == '\n') {
        ++row_;
      } else if (c != '\a') {
        Put(text, i);
      }
    }
  }

  /// A narrower window wraps the lines that no longer fit, as tmux does; the cursor stays with its character.
  void Narrow(size_t columns) {
    std::vector<std::string> wrapped;
    size_t row = 0;
    for (size_t i = 0; i < lines_.size() || i <= row_; ++i) {
      const std::string line = i < lines_.size() ? lines_[i] : "";
      if (i == row_) row = wrapped.size() + column_ / columns;
      for (size_t at = 0; at == 0 || at < line.size(); at += columns)
        wrapped.push_back(line.substr(at, columns));
    }
    column_ %= columns;
    lines_ = wrapped;
    row_ = row;
    columns_ = columns;
  }

  /// The lines of the screen without blanks at their ends, as far as anything is written.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines = lines_;
    for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }
  std::string Text() const {
    std::string text;
    for (const std::string& line : Lines()) text += line + "\n";
    return text;
  }
  size_t column() const { return column_; }
  /// A line that was written over the last column, and so became two.
  bool wrapped() const { return wrapped_; }

 private:
  // One character of UTF-8 takes one cell, of which the bytes stand together.
  void Put(const std::string& text, size_t& i) {
    if (column_ == columns_) {
      column_ = 0;
      ++row_;
      wrapped_ = true;
    }
    size_t length = 1;
    while (i + length < text.size() && (text[i + length] & 0xc0) == 0x80) ++length;
    lines_.resize(std::max(lines_.size(), row_ + 1));
    std::string& line = lines_[row_];
    line.resize(std::max(line.size(), column_ + 1), ' ');
    line[column_++] = length == 1 ? text[i] : '*';
    i += length - 1;
  }

  size_t Obey(const std::string& text, size_t i) {
    const size_t end = text.find_first_not_of("0123456789;", i + 2);
    if (i + 1 >= text.size() || text[i + 1] != '[' || end == std::string::npos) {
      ADD_FAILURE() << "an escape sequence that is none of CSI";
      return i;
    }
    lines_.resize(std::max(lines_.size(), row_ + 1));
    if (text[end] == 'J' || text[end] == 'K') {
      lines_[row_].resize(std::min(lines_[row_].size(), column_));
      if (text[end] == 'J') lines_.resize(row_ + 1);
    } else if (text[end] != 'm') {
      ADD_FAILURE() << "an escape sequence that ends in " << text[end];
    }
    return end;
  }

  size_t columns_;
  std::vector<std::string> lines_;
  size_t row_ = 0, column_ = 0;
  bool wrapped_ = false;
};

/// A pseudo-terminal. What is written to its `end` comes out of Read.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(size_t columns) {
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_TRUE(master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0);
    end_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    EXPECT_GE(end_, 0);
    SetColumns(columns);
  }
  ~PseudoTerminal() {
    close(master_);
    if (end_ >= 0) close(end_);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void SetColumns(size_t columns) {
    winsize size = {50, static_cast<unsigned short>(columns), 0, 0};
    EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  }
  int end() const { return end_; }

  /// What has been written so far.
  std::string Read() {
    std::string text;
    pollfd ready = {master_, POLLIN, 0};
    while (poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) != 0) {
      char buffer[4096];
      const ssize_t count = read(master_, buffer, sizeof buffer);
      if (count <= 0) break;
      text.append(buffer, static_cast<size_t>(count));
    }
    return text;
  }

  /// Runs a program whose streams are all this terminal, to its end: its exit code, and in `text` what it
  /// wrote.
  /// `key`: typed when `text` first holds `awaited`.
  int Run(const std::vector<std::string>& command, std::string& text, const std::string& awaited = "",
          const std::string& key = "") {
    const pid_t id = fork();
    if (id == 0) Become(command);
    close(std::exchange(end_, -1));  // else the end of the program would not be seen
    bool typed = key.empty();
    char buffer[4096];
    for (ssize_t count; (count = read(master_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(count));
      if (!typed && text.find(awaited) != std::string::npos)
        typed = write(master_, key.data(), key.size()) == static_cast<ssize_t>(key.size());
    }
    int status = 0;
    waitpid(id, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  [[noreturn]] void Become(const std::vector<std::string>& command) {
    setsid();
    ioctl(end_, TIOCSCTTY, 0);
    for (int stream = 0; stream < 3; ++stream) dup2(end_, stream);
    if (end_ > 2) close(end_);
    close(master_);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
  }

  int master_ = -1, end_ = -1;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_TERMINAL_H_
