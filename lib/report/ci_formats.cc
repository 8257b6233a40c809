#include "report/ci_formats.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/strings.h"
#include "report/headline.h"
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

int64_t FailedGates(const Report& report) {
  return std::count_if(report.gates.begin(), report.gates.end(), [](const auto& gate) { return !gate.pass; });
}

std::string JunitCase(const GateResult& gate) {
  std::string name = gate.name;
  if (!gate.reference.empty()) name += StrCat(" against ", gate.reference);
  const std::string head =
      StrCat("    <testcase classname=\"", EscapeXml(gate.model.empty() ? "run" : gate.model), "\" name=\"",
             EscapeXml(name), "\" time=\"0\">");
  const std::string sentence = EscapeXml(GateSentence(gate));
  if (gate.pass) return StrCat(head, "<system-out>", sentence, "</system-out></testcase>\n");
  return StrCat(head, "<failure type=\"", EscapeXml(gate.name), "\" message=\"", sentence, "\">", sentence,
                "</failure></testcase>\n");
}

std::string Verdict(const Report& report) {
  if (report.status == "error") return StrCat("error: ", report.error);
  const std::string verdict = VerdictText(report);
  return verdict.empty() ? "no gate was set" : verdict;
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
    text += Row({EscapeMarkdown(gate.name),
                 gate.note.empty() ? result : StrCat(result, ": ", EscapeMarkdown(gate.note)),
                 EscapeMarkdown(gate.model), EscapeMarkdown(gate.reference), GateNumber(gate, gate.value),
                 GateNumber(gate, gate.limit)});
  }
  return text;
}

std::string MarkdownModels(const Report& report) {
  const QualityColumns heads = QualityHeads(report);
  std::string text = Head({"model", "type", "size", heads.first, heads.second, "p50 µs", "p99 µs"}, 2);
  for (const ModelResult& model : report.models) {
    const auto& latency = model.latency_us;
    const QualityColumns cells = QualityCells(report, model);
    text += Row({EscapeMarkdown(model.name), EscapeMarkdown(model.type),
                 model.bytes > 0 ? StrCat(Grouped(model.bytes), " B") : "-", EscapeMarkdown(cells.first),
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

}  // namespace

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : PrintableLines(text)) escaped += XmlCharacter(c);
  return escaped;
}

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

std::string ToJunit(const Report& report) {
  const bool error = report.status == "error";
  std::string cases;
  size_t count = report.gates.size();
  for (const GateResult& gate : report.gates) cases += JunitCase(gate);
  if (error || report.gates.empty()) {
    ++count;
    cases += "    <testcase classname=\"run\" name=\"evaluation\" time=\"0\">";
    if (error) {
      const std::string sentence = EscapeXml(report.error);
      cases += StrCat("<error type=\"error\" message=\"", sentence, "\">", sentence, "</error>");
    }
    cases += "</testcase>\n";
  }
  const std::string counts =
      StrCat("tests=\"", count, "\" failures=\"", FailedGates(report), "\" errors=\"", error ? 1 : 0, "\"");
  const std::string name =
      report.data_name.empty() ? report.tool : StrCat(report.tool, " ", report.data_name);
  return StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"", EscapeXml(report.tool),
                "\" ", counts, ">\n  <testsuite name=\"", EscapeXml(name), "\" ", counts,
                " skipped=\"0\" time=\"0\">\n", cases, "  </testsuite>\n</testsuites>\n");
}

std::string ToMarkdown(const Report& report) {
  std::string text = StrCat("### ", EscapeMarkdown(report.tool), ": ", EscapeMarkdown(Verdict(report)), "\n");
  if (!report.data_name.empty())
    text +=
        StrCat("\n", ExamplesText(report), " of ", EscapeMarkdown(report.data_name), "\n");
  for (const std::string& sentence : Headlines(report)) text += StrCat("\n", EscapeMarkdown(sentence), "\n");
  if (!report.gates.empty()) text += MarkdownGates(report);
  if (!report.models.empty()) text += MarkdownModels(report);
  if (!report.pairs.empty()) text += MarkdownPairs(report);
  if (!report.warnings.empty()) text += "\n";
  for (const std::string& warning : report.warnings)
    text += StrCat("- warning: ", EscapeMarkdown(warning), "\n");
  return text;
}

std::string ToBenchmarkJson(const Report& report) {
  using Json = nlohmann::ordered_json;
  Json entries = Json::array();
  for (const ModelResult& model : report.models) {
    if (const auto& latency = model.latency_us) {
      entries.push_back(
          {{"name", model.name + ": latency p50"},
           {"unit", "µs"},
           {"value", latency->p50},
           {"extra", StrCat("p90 ", Fixed(latency->p90, 1), ", p99 ", Fixed(latency->p99, 1))}});
    }
    if (model.accuracy) {
      entries.push_back({{"name", model.name + ": error"},
                         {"unit", "%"},
                         {"value", 100 - model.accuracy->top1},
                         {"extra", StrCat(model.accuracy->total - model.accuracy->correct, " of ",
                                          model.accuracy->total, " images")}});
    }
    if (model.regression) {
      entries.push_back({{"name", model.name + ": error"},
                         {"unit", "RMSE"},
                         {"value", model.regression->all.rmse},
                         {"extra", StrCat("MAE ", Significant(model.regression->all.mae))}});
    }
    if (model.bytes > 0)
      entries.push_back({{"name", model.name + ": size"}, {"unit", "bytes"}, {"value", model.bytes}});
  }
  return PrintableJson(entries.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace qat
