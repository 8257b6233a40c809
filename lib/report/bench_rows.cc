#include "report/bench_rows.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string RatioText(const BenchmarkResult& result) {
  if (!result.ratio || !result.ratio_quartiles) return "-";
  return StrCat(Fixed(*result.ratio, 2), " (", Fixed(result.ratio_quartiles->low, 2), "-",
                Fixed(result.ratio_quartiles->high, 2), ")");
}

std::string BytesText(int64_t bytes) { return StrCat(Grouped(bytes), " B"); }

// Freezing or converting again was compared with the file, whose hash is what was expected.
bool IsMadeAgain(const TraceLink& link) { return link.what.ends_with(" again"); }

std::string WithNote(std::string text, const TraceLink& link) {
  if (link.note.empty()) return text;
  return text.empty() ? link.note : StrCat(text, "; ", link.note);
}

}  // namespace

std::vector<TableRow> TimeRows(const Report& report) {
  std::vector<TableRow> rows = {
      {"model", "batch", "threads", "p50 µs", "p90 µs", "p99 µs", "cold µs", "images/s", "to the first"}};
  for (const BenchmarkResult& r : report.benchmarks) {
    rows.push_back({r.model, std::to_string(r.batch), std::to_string(r.threads), Fixed(r.latency_us.p50, 1),
                    Fixed(r.latency_us.p90, 1), Fixed(r.latency_us.p99, 1), Fixed(r.cold_us, 1),
                    Grouped(std::llround(r.examples_per_second)), RatioText(r)});
  }
  return rows;
}

std::vector<TableRow> StartRows(const Report& report) {
  std::vector<TableRow> rows = {
      {"model", "batch", "load µs", "prepare µs", "first µs", "arena", "arena used", "process peak"}};
  for (const BenchmarkResult& r : report.benchmarks) {
    rows.push_back({r.model, std::to_string(r.batch), Fixed(r.load_us, 0), Fixed(r.prepare_us, 0),
                    Fixed(r.first_us, 0), BytesText(r.arena_bytes), BytesText(r.arena_peak_bytes),
                    r.peak_rss_bytes > 0 ? BytesText(r.peak_rss_bytes) : "-"});
  }
  return rows;
}

std::vector<TableRow> OperatorRows(const BenchmarkResult& result) {
  std::vector<TableRow> rows = {{"operator", "kernel", "shape", "µs", "share", "MACs/ns", "roofline"}};
  for (const OperatorTime& op : result.operators) {
    const double speed = op.time_us > 0 ? static_cast<double>(op.macs) / (1000 * op.time_us) : 0;
    rows.push_back({StrCat(op.index, " ", op.name), op.kernel, op.shape, Fixed(op.time_us, 2),
                    StrCat(Fixed(100 * op.share, 1), " %"), op.macs > 0 ? Fixed(speed, 1) : "-",
                    op.roofline ? StrCat(Fixed(100 * *op.roofline, 0), " %") : "-"});
  }
  return rows;
}

std::vector<TableRow> KernelRows(const BenchmarkResult& result) {
  std::vector<TableRow> rows;
  for (const OperatorTime& op : result.operators) {
    const TableRow row = {op.kernel, op.reason};
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
  }
  return rows;
}

std::string BenchmarkName(const BenchmarkResult& result) {
  return StrCat(result.model, ", batch ", result.batch,
                result.threads > 1 ? StrCat(", ", result.threads, " threads") : "");
}

std::string BenchmarkSentence(const BenchmarkResult& result) {
  return StrCat("median ", Fixed(result.latency_us.p50, 1), " µs, p99 ", Fixed(result.latency_us.p99, 1),
                " µs, ", Grouped(std::llround(result.examples_per_second)), " images/s");
}

std::string LinkHash(const TraceLink& link) {
  const bool whole = link.expected.empty() || link.state == "matches";
  return whole && !link.found.empty() ? link.found : link.expected;
}

std::string LinkNote(const TraceLink& link, size_t digits) {
  if (link.state != "differs") return link.note;
  return WithNote(StrCat(IsMadeAgain(link) ? "made again: " : "it is ", link.found.substr(0, digits)), link);
}

std::string LinkSentence(const TraceLink& link) {
  const std::string& file = link.file;
  if (link.state == "not here")
    return WithNote(StrCat(link.what, " is not here: expected ", link.expected), link);
  if (link.state != "differs")
    return WithNote(StrCat(link.what, ": ", file, " has the SHA-256 ", LinkHash(link)), link);
  const std::string found =
      IsMadeAgain(link) ? StrCat("the same step gives ", link.found, ", ", file, " is ", link.expected)
                        : StrCat(file, " is ", link.found, ", expected ", link.expected);
  return WithNote(StrCat(link.what, " differs: ", found), link);
}

}  // namespace qat
