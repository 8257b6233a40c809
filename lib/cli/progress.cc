#include "cli/progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/printable.h"
#include "base/screen.h"
#include "base/strings.h"
#include "cli/terminal.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsBetweenDraws(Progress::Style style) {
  if (style == Progress::Style::kBar) return 0.1;
  return style == Progress::Style::kNdjson ? 1 : 5;
}

std::string JsonQuoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : Printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// One decimal is enough for a clock that people read.
std::string Tenths(double seconds) { return NumberText(std::round(seconds * 10) / 10); }

}  // namespace

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof(text), "%lld:%02lld:%02lld", static_cast<long long>(whole / 3600),
                  static_cast<long long>(whole / 60 % 60), static_cast<long long>(whole % 60));
  } else {
    std::snprintf(text, sizeof(text), "%lld:%02lld", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  }
  return text;
}

struct Progress::Impl {
  Style style;
  std::string what;  // as Printable, like `detail`: names of files and classes may hold what a terminal obeys
  int64_t total;
  std::FILE* out;
  Clock::time_point start = Clock::now();
  Clock::time_point next_draw = start;
  int64_t first = -1;  // a resumed run does not start at 0, and its ETA must not believe so
  int64_t done = 0;
  std::string detail;
  bool drawn = true;
  bool finished = false;

  double Elapsed() const { return std::chrono::duration<double>(Clock::now() - start).count(); }

  // Negative: not known yet.
  double SecondsLeft() const {
    if (total <= 0 || done <= first) return -1;
    return Elapsed() * static_cast<double>(total - done) / static_cast<double>(done - first);
  }

  void Draw(bool last) {
    if (style == Style::kBar) DrawBar(last);
    if (style == Style::kPlain) Write(StrCat(what, ": ", Counts(), Times(last), Separated(detail), "\n"));
    if (style == Style::kNdjson) DrawNdjson();
    drawn = true;
  }

  std::string Counts() const {
    if (total <= 0) return std::to_string(done);
    return StrCat(done, "/", total, " (", done * 100 / total, " %)");
  }

  std::string Times(bool last) const {
    const double left = SecondsLeft();
    if (last || left < 0) return StrCat("  ", DurationText(Elapsed()));
    return StrCat("  ", DurationText(Elapsed()), ", ", DurationText(left), " left");
  }

  static std::string Separated(const std::string& text) { return text.empty() ? "" : StrCat("  ", text); }

  std::string Cells() const {
    constexpr int kCells = 20;
    if (total <= 0) return "";
    const auto filled = static_cast<size_t>(std::clamp<int64_t>(done * kCells / total, 0, kCells));
    return StrCat(" [", std::string(filled, '#'), std::string(kCells - filled, '.'), "]");
  }

  // The richest line that the terminal has room for: without times, then without cells, then cut.
  std::string BarLine(bool last) const {
    const std::string& name = what;
    const std::string counts = StrCat(" ", Counts()), text = Separated(detail);
    const std::string times = Times(last), cells = Cells();
    const size_t columns = TerminalColumns(out) - 1;
    for (const std::string& line :
         {StrCat(name, cells, counts, times, text), StrCat(name, cells, counts, text),
          StrCat(name, counts, text), StrCat(name, counts)}) {
      if (ColumnsOf(line) <= columns) return line;
    }
    return std::string(FrontOf(StrCat(name, counts), columns));
  }

  void DrawBar(bool last) {
    if (!last) return DrawStatusLine(out, BarLine(false));
    EraseStatusLine();
    const ScreenTurn turn;
    Write(BarLine(true) + "\n");
  }

  void DrawNdjson() {
    std::string line = StrCat("{\"event\":\"progress\",\"what\":", JsonQuoted(what), ",\"done\":", done,
                              ",\"total\":", total, ",\"elapsed_s\":", Tenths(Elapsed()));
    if (const double left = SecondsLeft(); left >= 0) line += StrCat(",\"eta_s\":", Tenths(left));
    Write(StrCat(line, ",\"detail\":", JsonQuoted(detail), "}\n"));
  }

  void Write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), out);
    std::fflush(out);
  }
};

Expected<Progress::Style> Progress::ParseStyle(std::string_view name) {
  static const std::vector<std::string> kNames = {"auto", "bar", "plain", "ndjson", "none"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Style>(i);
  }
  return InvalidArgument(
      StrCat(UnknownName("progress style", name, kNames), " (expected ", Join(kNames), ")"));
}

Progress::Progress(Style style, std::string what, int64_t total, std::FILE* out)
    : impl_(new Impl{.style = style, .what = Printable(what), .total = total, .out = out, .detail = {}}) {
  if (style == Style::kAuto) impl_->style = CanRedraw(out) ? Style::kBar : Style::kPlain;
}

Progress::~Progress() { Finish(); }

void Progress::Expect(int64_t total) { impl_->total = total; }

void Progress::Update(int64_t done, std::string_view detail) {
  Impl& impl = *impl_;
  if (impl.finished || impl.style == Style::kNone) return;
  if (impl.first < 0) impl.first = done;
  impl.done = done;
  impl.detail = Printable(detail);
  impl.drawn = false;
  const auto now = Clock::now();
  if (now < impl.next_draw) return;
  impl.next_draw =
      now + std::chrono::milliseconds(static_cast<int64_t>(SecondsBetweenDraws(impl.style) * 1000));
  impl.Draw(false);
}

void Progress::Clear() {
  Impl& impl = *impl_;
  if (impl.finished || impl.style != Style::kBar) return Finish();
  impl.finished = true;
  if (impl.first >= 0) EraseStatusLine();
}

void Progress::Finish() {
  Impl& impl = *impl_;
  if (impl.finished) return;
  impl.finished = true;
  const bool anything_shown = impl.first >= 0;
  if (anything_shown && (impl.style == Style::kBar || !impl.drawn)) impl.Draw(true);
}

}  // namespace qat
