// The table as aligned text: what was asked first and the sentence on it, then gates and warnings; with
// details, all rest.
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/headline.h"
#include "report/main_rows.h"
#include "report/printable_report.h"
#include "report/report.h"
#include "report/table_parts.h"
#include "report/text_format.h"

namespace qat {
namespace {

// The float network and the models; the other columns come with the details.
std::string MainModels(const Report& report) {
  const QualityColumns heads = QualityHeads(report);
  const std::vector<const ModelResult*> models = MainRows(report);
  const bool timed =
      std::any_of(models.begin(), models.end(), [](const auto* model) { return model->latency_us; });
  std::vector<TableRow> rows = {{"model", "type", "size", heads.first, heads.second}};
  if (timed) rows[0].insert(rows[0].end(), {"p50 µs", "p99 µs"});
  for (const ModelResult* model : models) {
    const QualityColumns cells = QualityCells(report, *model);
    const int64_t bytes = ModelBytes(*model);
    TableRow row = {ShownName(report, *model), model->type, bytes > 0 ? StrCat(Grouped(bytes), " B") : "-",
                    cells.first, cells.second};
    const auto& latency = model->latency_us;
    if (timed && latency) row.insert(row.end(), {Fixed(latency->p50, 1), Fixed(latency->p99, 1)});
    if (timed && !latency) row.insert(row.end(), 2, "-");
    rows.push_back(std::move(row));
  }
  return Aligned(rows, 2);
}

std::string Sentences(const Report& report) {
  std::string text;
  for (const std::string& sentence : Headlines(report)) text += sentence + "\n";
  return text.empty() ? "" : "\n" + text;
}

// Green and red, as compilers do; the words alone say the same.
std::string Coloured(const std::string& text, bool pass) {
  return StrCat(pass ? "\x1b[32m" : "\x1b[1;31m", text, "\x1b[0m");
}

// Checks that nobody asked for are shown where they failed; "FAIL" at the start of a line, for grep.
std::string Gates(const Report& report, const TableOptions& options) {
  std::vector<TableRow> rows;
  std::vector<bool> passes;
  for (const GateResult& gate : report.gates) {
    if (gate.pass && !gate.asked && !options.details) continue;
    passes.push_back(gate.pass);
    rows.push_back({gate.pass ? "pass" : "FAIL", gate.name,
                    gate.subject.empty() ? gate.model : StrCat(gate.model, ", ", gate.subject),
                    GateNumber(gate, gate.value), StrCat("limit ", GateNumber(gate, gate.limit)),
                    gate.reference.empty() ? "" : StrCat("against ", ReferenceText(report, gate)),
                    gate.p ? StrCat("p ", Significant(*gate.p)) : ""});
  }
  if (rows.empty()) return "";
  const std::vector<std::string> lines = SplitText(Aligned(rows, 3), '\n');
  std::string text = "\n";
  size_t shown = 0;
  for (const GateResult& gate : report.gates) {
    if (gate.pass && !gate.asked && !options.details) continue;
    const std::string& line = lines[shown];
    const std::string word = line.substr(0, 4);
    text += StrCat(options.colour ? Coloured(word, passes[shown]) : word, line.substr(4), "\n");
    if (!gate.note.empty()) text += StrCat("      ", gate.note, "\n");
    ++shown;
  }
  return text;
}

// What the details would show.
std::string Hint(const Report& report, const std::string& more) {
  const size_t rows = report.models.size() - MainRows(report).size();
  if (rows == 0 && report.pairs.empty() && report.layers.empty()) return "";
  std::vector<std::string> parts;
  if (rows > 0) parts.push_back(StrCat(rows, rows == 1 ? " more row" : " more rows"));
  if (!report.pairs.empty()) parts.push_back("every pair of rows compared");
  if (!report.layers.empty()) parts.push_back("layers");
  return StrCat("\n", Join(parts), ": ", more, "\n");
}

// Probability, number and name of each class, the picture's name above them.
std::string Picture(const PictureResult& picture) {
  std::vector<TableRow> rows;
  for (const Guess& guess : picture.best) {
    const std::string percent =
        guess.probability ? StrCat(Fixed(100 * *guess.probability, 2), " %") : std::string("-");
    rows.push_back({" ", percent, std::to_string(guess.label)});
  }
  const std::vector<std::string> lines = SplitText(Aligned(rows, 0), '\n');
  std::string text = picture.file + "\n";
  for (size_t i = 0; i < picture.best.size(); ++i) {
    const std::string& name = picture.best[i].name;
    text += StrCat(lines[i], name.empty() ? "" : "  ", name, "\n");
  }
  if (picture.numbers.empty()) return text;
  rows.clear();
  for (const NamedNumber& number : picture.numbers)
    rows.push_back({" ", number.name, NumberText(static_cast<float>(number.value))});
  return StrCat(text, Aligned(rows, 2));
}

std::string Benchmarks(const Report& report) {
  return Aligned(TimeRows(report), 1) + "\n" + Aligned(StartRows(report), 1);
}

std::string Operators(const BenchmarkResult& result) {
  std::vector<TableRow> reasons = KernelRows(result);
  for (TableRow& row : reasons) row.insert(row.begin(), "");
  return StrCat("\n", result.model, ", batch ", result.batch, "\n", Aligned(OperatorRows(result), 3),
                Aligned(reasons, 3));
}

std::string Way(const Report& report) {
  constexpr size_t kShown = 16;
  std::vector<TableRow> rows;
  for (const TraceLink& link : report.trace) {
    rows.push_back({link.what, link.state == "start" ? "" : link.state, LinkHash(link).substr(0, kShown),
                    link.file, LinkNote(link, kShown)});
  }
  return StrCat(Aligned(rows, 5), "\n", TraceVerdict(report.trace), "\n");
}

std::string Warnings(const Report& report) {
  std::string text = report.warnings.empty() ? "" : "\n";
  for (const std::string& warning : report.warnings) text += StrCat("warning: ", warning, "\n");
  return text;
}

// The program that was started for it.
std::string LitertText(const Report& report) {
  const auto litert = report.environment.find("litert"), python = report.environment.find("litert_python");
  if (litert == report.environment.end() || python == report.environment.end()) return "";
  return StrCat("litert: ", litert->second, " in ", python->second, "\n");
}

std::string Times(const Report& report) {
  return report.timing ? StrCat("times: ", TimingText(*report.timing), "\n") : "";
}

std::string Comparison(const Report& report, const TableOptions& options) {
  if (report.models.empty() || !report.pictures.empty()) return "";
  std::string text = StrCat(options.details ? ModelDetails(report) : MainModels(report), Sentences(report));
  if (options.details) text += StrCat(PairDetails(report), ClassDetails(report), LayerDetails(report));
  const std::string rounding = RoundingText(report);
  const std::string times = LitertText(report) + Times(report);
  return StrCat(text, rounding.empty() ? "" : "\n", rounding, times.empty() ? "" : "\n", times);
}

// "output 'box' (numbers)".
std::string OutputTitle(const Report& report) {
  return StrCat("output '", report.output, "' (", report.task, ")");
}

}  // namespace

std::string ToTable(const Report& raw, const TableOptions& options) {
  const Report report = PrintableReport(raw);
  std::string text;
  if (!report.data_name.empty()) {
    text += StrCat(DataText(report), ", one at a time, one thread\n");
    for (const std::string& note : report.data_notes) text += StrCat("  ", note, "\n");
    text += "\n";
  }
  for (const PictureResult& picture : report.pictures) text += Picture(picture);
  if (!report.output.empty()) text += StrCat(OutputTitle(report), "\n");
  text += Comparison(report, options);
  for (const Report& each : report.other_outputs)
    text += StrCat("\n", OutputTitle(each), "\n", Comparison(each, options));
  if (!report.trace.empty()) text += Way(report);
  if (!report.benchmarks.empty()) text += StrCat(Benchmarks(report), "\n", Times(report));
  for (const BenchmarkResult& result : report.benchmarks) {
    if (!result.operators.empty()) text += Operators(result);
  }
  text += StrCat(Gates(report, options), Warnings(report));
  const bool compared = !report.models.empty() && report.pictures.empty();
  if (compared && !options.details && !options.more.empty()) text += Hint(report, options.more);
  return text;
}

}  // namespace qat
