// JUnit XML: a case for each gate, each step of a way back, each measurement.
#include <string>
#include <string_view>

#include "base/printable.h"
#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/ci_formats.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string XmlCharacter(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    case '\n':
      return "&#10;";
    default:
      return std::string(1, c);
  }
}

std::string SecondsText(double microseconds) { return Fixed(1e-6 * microseconds, 9); }

// `outcome`: what stands between the tags, escaped.
std::string CaseText(std::string_view place, std::string_view name, const std::string& time,
                     const std::string& outcome) {
  return StrCat("    <testcase classname=\"", EscapeXml(place), "\" name=\"", EscapeXml(name), "\" time=\"",
                time, "\">", outcome, "</testcase>\n");
}

std::string Said(std::string_view sentence) {
  return StrCat("<system-out>", EscapeXml(sentence), "</system-out>");
}

std::string Failure(std::string_view type, std::string_view sentence) {
  const std::string escaped = EscapeXml(sentence);
  return StrCat("<failure type=\"", EscapeXml(type), "\" message=\"", escaped, "\">", escaped, "</failure>");
}

// The cases of a suite as text, counted.
struct Cases {
  std::string text = {};
  size_t count = 0, failures = 0, skipped = 0;

  void Add(const std::string& one) {
    text += one;
    ++count;
  }
};

void AddGates(const Report& report, Cases& cases) {
  for (const GateResult& gate : report.gates) {
    // Readers tell cases apart by class and name.
    const std::string name = StrCat(gate.name, gate.subject.empty() ? "" : StrCat(" of ", gate.subject),
                                    gate.reference.empty() ? "" : StrCat(" against ", gate.reference));
    const std::string sentence = GateSentence(gate);
    cases.Add(CaseText(gate.model.empty() ? "run" : gate.model, name, "0",
                       gate.pass ? Said(sentence) : Failure(gate.name, sentence)));
    cases.failures += gate.pass ? 0 : 1;
  }
}

// The class is the file whose way was followed. A file that names no origin has not been proved either.
void AddLinks(const Report& report, Cases& cases) {
  const bool no_chain = report.trace.size() == 1;
  for (const TraceLink& link : report.trace) {
    const std::string sentence = LinkSentence(link);
    const bool skipped = link.state == "not here" || no_chain;
    std::string outcome = Said(sentence);
    if (skipped) outcome = StrCat("<skipped message=\"", EscapeXml(sentence), "\"/>");
    if (link.state == "differs") outcome = Failure("differs", sentence);
    cases.Add(CaseText(report.trace.front().file, link.what, "0", outcome));
    cases.failures += link.state == "differs" ? 1 : 0;
    cases.skipped += skipped ? 1 : 0;
  }
}

void AddBenchmarks(const Report& report, Cases& cases) {
  for (const BenchmarkResult& result : report.benchmarks) {
    const std::string name =
        StrCat("batch ", result.batch, result.threads > 1 ? StrCat(", ", result.threads, " threads") : "");
    cases.Add(
        CaseText(result.model, name, SecondsText(result.latency_us.p50), Said(BenchmarkSentence(result))));
  }
}

}  // namespace

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : PrintableLines(text)) escaped += XmlCharacter(c);
  return escaped;
}

std::string ToJunit(const Report& report) {
  const bool error = report.status == "error";
  Cases cases;
  AddGates(report, cases);
  AddLinks(report, cases);
  AddBenchmarks(report, cases);
  if (error || cases.count == 0) {
    const std::string sentence = EscapeXml(report.error);
    cases.Add(CaseText(
        "run", "evaluation", "0",
        error ? StrCat("<error type=\"error\" message=\"", sentence, "\">", sentence, "</error>") : ""));
  }
  const std::string counts =
      StrCat("tests=\"", cases.count, "\" failures=\"", cases.failures, "\" errors=\"", error ? 1 : 0, "\"");
  double microseconds = 0;
  for (const BenchmarkResult& result : report.benchmarks) microseconds += result.latency_us.p50;
  const std::string name =
      report.data_name.empty() ? report.tool : StrCat(report.tool, " ", report.data_name);
  return StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", EscapeXml(report.tool),
                "\" ", counts, ">\n  <testsuite name=\"", EscapeXml(name), "\" ", counts, " skipped=\"",
                cases.skipped, "\" time=\"", microseconds > 0 ? SecondsText(microseconds) : "0", "\">\n",
                cases.text, "  </testsuite>\n</testsuites>\n");
}

}  // namespace qat
