// The page of a report, section by section. It is one file without script or request, and everything from
// outside is escaped.
#include <algorithm>
#include <cmath>
#include <functional>

#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/html_parts.h"
#include "report/html_style.h"
#include "report/main_rows.h"
#include "report/report.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

// "1.34 [1.24, 1.44]", which may break in front of the interval and not in it.
std::string Unbroken(std::string text) {
  for (size_t at = text.find(", "); at != std::string::npos; at = text.find(", ", at))
    text.replace(at, 2, ",&nbsp;");
  for (size_t at = text.find(" %"); at != std::string::npos; at = text.find(" %", at))
    text.replace(at, 2, "&nbsp;%");
  return text;
}

std::string Models(const Report& report) {
  if (report.models.empty()) return "";
  std::vector<Cells> rows;
  const QualityColumns heads = QualityHeads(report);
  bool lowered = false;
  const bool timed = std::any_of(report.models.begin(), report.models.end(),
                                 [](const ModelResult& model) { return model.latency_us.has_value(); });
  for (const ModelResult& model : report.models) {
    const QualityColumns quality = QualityCells(report, model);
    const int64_t bytes = ModelBytes(model);
    lowered = lowered || (model.model_bytes > 0 && model.model_bytes != model.bytes);
    Cells cells = {EscapeHtml(ShownName(report, model)), EscapeHtml(model.type),
                   bytes > 0 ? StrCat(Grouped(bytes), " B") : "–", Unbroken(quality.first),
                   Unbroken(quality.second)};
    if (const auto& latency = model.latency_us) {
      cells.insert(cells.end(), {StrCat(Fixed(latency->total_seconds, 2), " s"), Fixed(latency->p50, 1),
                                 Fixed(latency->p90, 1), Fixed(latency->p99, 1)});
    } else if (timed) {
      cells.insert(cells.end(), 4, "–");
    }
    rows.push_back(std::move(cells));
  }
  const std::string_view size =
      lowered ? "The size of a graph is that of the float .tflite that it runs as." : "";
  std::vector<Column> columns = {{"model", "name"},
                                 {"type", "word"},
                                 {"size", "number"},
                                 {heads.first, "interval"},
                                 {heads.second, "interval"}};
  if (!timed) return Table(columns, rows) + (lowered ? Quiet(std::string(size)) : "");
  columns.insert(
      columns.end(),
      {{RoundsText(report), "number"}, {"p50 µs", "number"}, {"p90 µs", "number"}, {"p99 µs", "number"}});
  return Table(columns, rows) +
         Quiet(StrCat("Times are for one ", ExampleWord(report),
                      " on one thread: the network alone, with the input already in "
                      "its tensor. "
                      "The models take turns, so that a change of the clock rate affects all of them.",
                      report.timing ? StrCat(" Measured: ", EscapeHtml(TimingText(*report.timing)), ".") : "",
                      lowered ? " " : "", size));
}

std::string Pairs(const Report& report) {
  if (report.pairs.empty()) return "";
  std::vector<Cells> rows;
  const PairColumns heads = PairHeads(report);
  const std::string_view example = ExampleWord(report);
  for (const PairResult& pair : report.pairs) {
    const PairColumns cells = PairCells(report, pair);
    rows.push_back({StrCat(EscapeHtml(pair.a), " → ", EscapeHtml(pair.b)), cells.flips,
                    DifferenceText(report, pair), cells.drop, cells.resolved, SpeedupText(pair)});
  }
  return Table({{"pair", "name"},
                {IsRegression(report) ? heads.flips : "labels that differ", ""},
                {"largest difference", ""},
                {heads.drop, "number"},
                {heads.resolved, ""},
                {"speed-up at 95 %", "number"}},
               rows) +
         Quiet(StrCat(
             "The largest difference is that of outputs. A step is the smallest change of a quantized "
             "output; where the two outputs have no common step, the difference is in real numbers. "
             "Intervals in brackets are what this number of ",
             example,
             "s leaves open at 95 %; p is that of "
             "an exact test on the ",
             example,
             "s that one of the two answers better (McNemar's; of real "
             "numbers the sign test): a difference that is not distinguishable may be chance. A speed-up is "
             "the median of the ratios within each round, which the ratio of two medians need not equal."));
}

std::string Gates(const Report& report) {
  if (report.gates.empty()) return "";
  std::vector<Cells> rows;
  for (const GateResult& gate : report.gates) {
    rows.push_back({EscapeHtml(GateTitle(gate)),
                    gate.pass ? "<span class=\"good\">pass</span>" : "<span class=\"bad\">FAIL</span>",
                    GateNumber(gate, gate.value), GateNumber(gate, gate.limit),
                    EscapeHtml(gate.subject.empty() ? gate.model : StrCat(gate.model, ", ", gate.subject)),
                    gate.reference.empty() ? "–" : EscapeHtml(ReferenceText(report, gate)),
                    gate.p ? Significant(*gate.p) : "–", EscapeHtml(gate.note)});
  }
  return Table({{"gate", "name"},
                {"result", "word"},
                {"value", "number"},
                {"limit", "number"},
                {"model", ""},
                {"held against", ""},
                {"p", "number"},
                {"", ""}},
               rows);
}

std::string Warnings(const Report& report) {
  if (report.warnings.empty()) return "";
  std::string html = "<ul class=\"warnings\">";
  for (const std::string& warning : report.warnings) html += StrCat("<li>", EscapeHtml(warning), "</li>\n");
  return html + "</ul>\n";
}

// "training_accuracy" as people write it.
std::string CurveLabel(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return EscapeHtml(name);
}

std::vector<TrainingCurve> CurvesOf(const Report& report, std::string_view word) {
  std::vector<TrainingCurve> chosen;
  for (const TrainingCurve& curve : report.curves) {
    if (HasPoints(curve) && curve.name.find(word) != std::string::npos) chosen.push_back(curve);
  }
  return chosen;
}

std::string Figure(std::string_view title, const std::vector<TrainingCurve>& curves,
                   const ChartOptions& options) {
  if (curves.empty()) return "";
  std::string legend = "<ul class=\"legend\">";
  for (size_t i = 0; i < curves.size(); ++i) {
    legend += LegendItem(StrCat("c", i), CurveLabel(curves[i].name));
  }
  return StrCat("<figure><h3>", title, "</h3>", legend, "</ul>", LineChart(curves, options), "</figure>\n");
}

std::string Curves(const Report& report) {
  ChartOptions options;
  options.mark_step = report.quant_delay;
  options.mark_label = StrCat("fake quantization from step ", Grouped(report.quant_delay));
  options.description = "Loss over training steps, logarithmic";
  std::string charts = Figure("Loss", CurvesOf(report, "loss"), options);
  options.scale = ChartScale::kAccuracy;
  options.description = "Accuracy over training steps, logarithmic in the error";
  const std::string accuracy = Figure("Accuracy", CurvesOf(report, "accuracy"), options);
  charts += accuracy;
  if (charts.empty()) return "";
  return StrCat("<div class=\"charts\">", charts, "</div>\n",
                Quiet(accuracy.empty()
                          ? "Both axes are logarithmic."
                          : "Both axes are logarithmic: the loss in its value, the accuracy in its error, so "
                            "that 99 % and 99.5 % can be distinguished."));
}

bool IsFilter(const LayerRange& range) { return range.layer.ends_with("/filter"); }

std::string BarOf(const LayerRange& range, double axis_min, double axis_max) {
  if (range.histogram) return HistogramBar(*range.histogram, range.min, range.max, axis_min, axis_max);
  return RangeBar(range.min, range.max, axis_min, axis_max);
}

std::string RangeTable(const std::vector<LayerRange>& ranges, std::string_view title) {
  if (ranges.empty()) return "";
  double low = 0, high = 0;
  for (const LayerRange& range : ranges) {
    low = std::min(low, range.min);
    high = std::max(high, range.max);
  }
  std::vector<Cells> rows;
  for (const LayerRange& range : ranges) {
    rows.push_back({EscapeHtml(range.layer), BarOf(range, low, high), Significant(range.min),
                    Significant(range.max), Significant(range.scale), std::to_string(range.zero_point)});
  }
  const std::string axis = StrCat(Significant(low), " to ", Significant(high));
  return StrCat("<h3>", title, "</h3>\n",
                Table({{"layer", "name"},
                       {axis, "wide"},
                       {"min", "number"},
                       {"max", "number"},
                       {"scale", "number"},
                       {"zero point", "number"}},
                      rows));
}

std::string Ranges(const Report& report) {
  std::vector<LayerRange> outputs, filters;
  for (const LayerRange& range : report.ranges) (IsFilter(range) ? filters : outputs).push_back(range);
  if (report.ranges.empty()) return "";
  return RangeTable(outputs, "Outputs of layers") + RangeTable(filters, "Filters") +
         Quiet(
             "Each bar is the interval of real numbers that the integers stand for; the line is real 0. "
             "In front of a filter's stand its values, logarithmic in their number. "
             "real = scale × (quantized − zero point).");
}

std::string Pairing(const std::string& name, const std::string& value) {
  return StrCat("<dt>", EscapeHtml(name), "</dt><dd>", EscapeHtml(value), "</dd>\n");
}

std::string Definitions(const std::string& entries) {
  return entries.empty() ? "" : StrCat("<dl>", entries, "</dl>\n");
}

std::string Environment(const Report& report) {
  std::string entries;
  for (const auto& [name, value] : report.environment) entries += Pairing(name, value);
  return Definitions(entries);
}

// Of what travels beside the hashes ("tool_version", "calibration_images") nothing is as long.
bool IsHash(const std::string& value) {
  constexpr size_t kShortestHash = 24;
  return value.size() >= kShortestHash && value.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Every file of the run with its hash, below it what it says it was made from.
std::string Files(const Report& report) {
  std::vector<Cells> rows;
  if (!report.data_sha256.empty())
    rows.push_back({EscapeHtml(report.data_name), "data", EscapeHtml(report.data_sha256)});
  for (const ModelResult& model : report.models) {
    const std::string name = EscapeHtml(model.name);
    if (!model.sha256.empty()) rows.push_back({name, "this file", EscapeHtml(model.sha256)});
    for (const auto& [what, value] : model.provenance) {
      const std::string source = EscapeHtml(what.substr(0, what.find("_sha256")));
      rows.push_back({name, IsHash(value) ? StrCat("made from ", source) : source, EscapeHtml(value)});
    }
  }
  if (rows.empty()) return "";
  return Table({{"file", "name"}, {"what", ""}, {"SHA-256 or value", ""}}, rows);
}

std::string Making(const Report& report) {
  std::string entries = Pairing("made by", StrCat(report.tool, " ", report.version));
  if (!report.command.empty()) entries += Pairing("command", report.command);
  for (const auto& [what, path] : report.outputs) entries += Pairing(what, path);
  for (const auto& [name, value] : report.metrics) entries += Pairing(name, NumberText(value));
  const std::string files = Files(report);
  if (files.empty()) return Definitions(entries);
  return StrCat(Definitions(entries), "<details><summary>Hashes of all files</summary>\n", files,
                "</details>\n");
}

std::string Way(const Report& report) {
  if (report.trace.empty()) return "";
  std::vector<Cells> rows;
  for (const TraceLink& link : report.trace) {
    const std::string css = link.state == "differs" ? "bad" : link.state == "not here" ? "faint" : "good";
    rows.push_back(
        {EscapeHtml(link.what), StrCat("<span class=\"", css, "\">", EscapeHtml(link.state), "</span>"),
         EscapeHtml(LinkHash(link)), EscapeHtml(link.file), EscapeHtml(LinkNote(link, std::string::npos))});
  }
  return Table({{"what", "name"}, {"state", "word"}, {"SHA-256", "hash"}, {"file", ""}, {"", ""}}, rows);
}

// The same figures of each further output.
std::string OtherOutputs(const Report& report) {
  std::string text;
  for (const Report& each : report.other_outputs) {
    text += Section(StrCat("Output '", EscapeHtml(each.output), "' (", EscapeHtml(each.task), ")"),
                    StrCat(Models(each), Pairs(each), RegressionSection(each), LabelsSection(each),
                           ClassesSection(each)));
  }
  return text;
}

// "Models", "Models: output 'box' (numbers)" of several outputs.
std::string TitleOf(const Report& report, std::string_view title) {
  if (report.output.empty()) return std::string(title);
  return StrCat(title, ": output '", EscapeHtml(report.output), "' (", EscapeHtml(report.task), ")");
}

}  // namespace

std::string ToHtml(const Report& report) {
  return StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>",
      PageTitle(report), "</title><link rel=\"icon\" href=\"data:,\">\n<style>", kReportStyle,
      "</style></head>\n<body><main>\n", PageHeader(report),
      Section(TitleOf(report, "Models"), Models(report)),
      Section(TitleOf(report, "Accuracy, latency and size"), TradeoffSection(report)),
      Section("Times", BenchmarksSection(report)), Section("Where it comes from", Way(report)),
      Section("Gates", Gates(report)), Section("Warnings", Warnings(report)),
      Section(TitleOf(report, "Pairs"), Pairs(report)),
      Section(TitleOf(report,
                      report.data_are_images ? "Images whose label differs" : "Examples whose label differs"),
              FlippedSection(report)),
      Section("Layers", LayersSection(report)), Section(TitleOf(report, "Errors"), RegressionSection(report)),
      Section(TitleOf(report, "Labels"), LabelsSection(report)),
      Section(TitleOf(report, "Classes"), ClassesSection(report)), OtherOutputs(report),
      Section("Training", Curves(report)), Section("Ranges", Ranges(report)),
      Section("Environment", Environment(report)), Section("How it was made", Making(report)),
      "</main></body></html>\n");
}

}  // namespace qat
