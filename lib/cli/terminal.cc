#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>

#include "base/screen.h"
#include "base/strings.h"

namespace qat {
namespace {

// Back to the start of the line, then everything from there on: a line that a narrower window has wrapped is
// several.
constexpr std::string_view kErase = "\r\x1b[J";
constexpr unsigned char kFirstWide[] = {0xe1, 0x84};  // U+1100, the first of the wide letters, as UTF-8

struct StatusLine {
  std::recursive_mutex mutex;  // held from hide to show, so that no thread draws in between
  std::FILE* out = nullptr;
  std::string line;  // empty: there is none
  int hidden = 0;    // turns that are being taken
};

StatusLine& TheLine() {
  static StatusLine& line = *new StatusLine;  // never destroyed: other threads may write to the end
  return line;
}

// Of what is on the screen now, for the handler; -1: nothing.
std::atomic<int> drawn_on{-1};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may use nothing that locks");

void Put(std::FILE* out, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
}

void Erase(StatusLine& status) {
  if (drawn_on.exchange(-1) >= 0) Put(status.out, kErase);
}

// The width may have changed since the last time. The last column stays free, where a terminal may wrap
// already.
void Draw(StatusLine& status) {
  const size_t columns = TerminalColumns(status.out);
  Put(status.out, StrCat(kErase, FrontOf(status.line, columns - 1), "\r"));
  drawn_on = ::fileno(status.out);
}

void Hide() {
  TheLine().mutex.lock();
  if (TheLine().hidden++ == 0) Erase(TheLine());
}

void Show() {
  StatusLine& status = TheLine();
  if (--status.hidden == 0 && !status.line.empty()) Draw(status);
  status.mutex.unlock();
}

bool StartsCharacter(char c) { return (c & 0xc0) != 0x80; }

bool MayBeWide(std::string_view rest) {
  const auto byte = [&](size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0; };
  return byte(0) > kFirstWide[0] || (byte(0) == kFirstWide[0] && byte(1) >= kFirstWide[1]);
}

}  // namespace

bool CanRedraw(std::FILE* out) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(::fileno(out)) == 1 && (terminal == nullptr || std::string_view(terminal) != "dumb");
}

bool WantsColour(std::FILE* out) {
  const char* plain = std::getenv("NO_COLOR");
  return CanRedraw(out) && (plain == nullptr || *plain == '\0');
}

size_t TerminalColumns(std::FILE* out) {
  struct winsize size {};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

size_t ColumnsOf(std::string_view text) {
  size_t columns = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (StartsCharacter(text[i])) columns += MayBeWide(text.substr(i)) ? 2 : 1;
  }
  return columns;
}

std::string_view FrontOf(std::string_view text, size_t columns) {
  size_t used = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!StartsCharacter(text[i])) continue;
    used += MayBeWide(text.substr(i)) ? 2 : 1;
    if (used > columns) return text.substr(0, i);
  }
  return text;
}

void DrawStatusLine(std::FILE* out, const std::string& line) {
  StatusLine& status = TheLine();
  const std::lock_guard lock(status.mutex);
  SetScreenOwner({Hide, Show});
  if (status.out != out) Erase(status);
  status.out = out;
  status.line = line;
  if (status.hidden == 0) Draw(status);
}

void EraseStatusLine() {
  StatusLine& status = TheLine();
  const std::lock_guard lock(status.mutex);
  Erase(status);
  status.line.clear();
}

void EraseStatusLineInHandler() {
  const int descriptor = drawn_on.exchange(-1);
  if (descriptor >= 0 && ::write(descriptor, kErase.data(), kErase.size()) < 0) return;
}

}  // namespace qat
