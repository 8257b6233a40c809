// A job summary as Markdown.
#include "base/printable.h"
#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/ci_formats.h"
#include "report/headline.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string Verdict(const Report& report) {
  if (report.status == "error") return StrCat("error: ", report.error);
  if (const std::string verdict = VerdictText(report); !verdict.empty()) return verdict;
  const size_t checks = report.gates.size();  // those that are made unasked, all passed
  if (checks > 0) return StrCat("no gate was set; ", checks, checks == 1 ? " check" : " checks", " passed");
  if (!report.models.empty()) return "no gate was set";
  return report.benchmarks.empty() ? report.status : "times, without a gate";
}

std::string Row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += StrCat(" ", cell, " |");
  return line + "\n";
}

// `right`: columns from this one on are numbers.
std::string Head(const std::vector<std::string>& names, size_t right) {
  std::vector<std::string> rule;
  for (size_t i = 0; i < names.size(); ++i) rule.push_back(i < right ? "---" : "---:");
  return "\n" + Row(names) + Row(rule);
}

std::string MarkdownGates(const Report& report) {
  std::string text = Head({"gate", "result", "model", "held against", "value", "limit"}, 4);
  for (const GateResult& gate : report.gates) {
    const std::string result = gate.pass ? "pass" : "**FAIL**";
    text += Row({EscapeMarkdown(GateTitle(gate)),
                 gate.note.empty() ? result : StrCat(result, ": ", EscapeMarkdown(gate.note)),
                 EscapeMarkdown(gate.model), EscapeMarkdown(ReferenceText(report, gate)),
                 GateNumber(gate, gate.value), GateNumber(gate, gate.limit)});
  }
  return text;
}

std::string MarkdownModels(const Report& report) {
  const QualityColumns heads = QualityHeads(report);
  std::string text = Head({"model", "type", "size", heads.first, heads.second, "p50 µs", "p99 µs"}, 2);
  for (const ModelResult& model : report.models) {
    const auto& latency = model.latency_us;
    const QualityColumns cells = QualityCells(report, model);
    const int64_t bytes = ModelBytes(model);
    text += Row({EscapeMarkdown(ShownName(report, model)), EscapeMarkdown(model.type),
                 bytes > 0 ? StrCat(Grouped(bytes), " B") : "-", EscapeMarkdown(cells.first),
                 EscapeMarkdown(cells.second), latency ? Fixed(latency->p50, 1) : "-",
                 latency ? Fixed(latency->p99, 1) : "-"});
  }
  return text;
}

std::string MarkdownPairs(const Report& report) {
  const PairColumns heads = PairHeads(report);
  std::string text = Head({"pair", heads.flips, heads.drop, heads.resolved, "speed-up at 95 %"}, 5);
  for (const PairResult& pair : report.pairs) {
    const PairColumns cells = PairCells(report, pair);
    text += Row({StrCat(EscapeMarkdown(pair.a), " → ", EscapeMarkdown(pair.b)), cells.flips,
                 EscapeMarkdown(cells.drop), cells.resolved, EscapeMarkdown(SpeedupText(pair))});
  }
  return text;
}

// Rows of text, the heads first; `right`: columns from this one on are numbers.
std::string MarkdownTable(const std::vector<TableRow>& rows, size_t right) {
  std::string text = Head(rows.front(), right);
  for (size_t i = 1; i < rows.size(); ++i) {
    TableRow cells;
    for (const std::string& cell : rows[i]) cells.push_back(EscapeMarkdown(cell));
    text += Row(cells);
  }
  return text;
}

std::string MarkdownLinks(const Report& report) {
  std::vector<TableRow> rows = {{"what", "state", "SHA-256", "file", "note"}};
  for (const TraceLink& link : report.trace) {
    rows.push_back({link.what, link.state, LinkHash(link), link.file, LinkNote(link, std::string::npos)});
  }
  return MarkdownTable(rows, rows.front().size());
}

std::string MarkdownBenchmarks(const Report& report) {
  std::string text = MarkdownTable(TimeRows(report), 1) + MarkdownTable(StartRows(report), 1);
  for (const BenchmarkResult& result : report.benchmarks) {
    if (result.operators.empty()) continue;
    text += StrCat("\n#### ", EscapeMarkdown(BenchmarkName(result)), "\n",
                   MarkdownTable(OperatorRows(result), 3));
  }
  return text;
}

}  // namespace

std::string EscapeMarkdown(std::string_view text) {
  std::string escaped;
  for (const char c : PrintableLines(text)) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '\n') {
      escaped += ' ';
    } else {
      if (std::string_view("\\`*_[]|~#>").find(c) != std::string_view::npos) escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string ToMarkdown(const Report& report) {
  std::string text = StrCat("### ", EscapeMarkdown(report.tool), ": ", EscapeMarkdown(Verdict(report)), "\n");
  if (!report.data_name.empty())
    text += StrCat("\n", ExamplesText(report), " of ", EscapeMarkdown(report.data_name), "\n");
  for (const std::string& sentence : Headlines(report)) text += StrCat("\n", EscapeMarkdown(sentence), "\n");
  if (!report.gates.empty()) text += MarkdownGates(report);
  if (!report.trace.empty()) text += MarkdownLinks(report);
  if (!report.models.empty()) text += MarkdownModels(report);
  if (!report.pairs.empty()) text += MarkdownPairs(report);
  if (!report.benchmarks.empty()) text += MarkdownBenchmarks(report);
  if (report.timing) text += StrCat("\nTimes: ", EscapeMarkdown(TimingText(*report.timing)), "\n");
  if (!report.warnings.empty()) text += "\n";
  for (const std::string& warning : report.warnings)
    text += StrCat("- warning: ", EscapeMarkdown(warning), "\n");
  return text;
}

}  // namespace qat
