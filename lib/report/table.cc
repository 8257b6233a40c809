// The article's table as aligned text: rows in the order of the pipeline, then pairs, gates and warnings.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/strings.h"
#include "report/report.h"
#include "report/text_format.h"

namespace qat {
namespace {

using Row = std::vector<std::string>;

// Columns on a terminal: code points, which is exact for what we print (no wide letters).
size_t WidthOf(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Pads every column to its widest cell; the first `left_columns` to the left, numbers to the right.
std::string Aligned(const std::vector<Row>& rows, size_t left_columns) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - WidthOf(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (i < left_columns ? row[i] + padding : padding + row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string Models(const Report& report) {
  const QualityColumns heads = QualityHeads(report);
  std::vector<Row> rows = {
      {"model", "type", "size", heads.first, heads.second, RoundsText(report), "p50 µs", "p90 µs", "p99 µs"}};
  for (const ModelResult& model : report.models) {
    const QualityColumns cells = QualityCells(report, model);
    Row row = {model.name, model.type, model.bytes > 0 ? StrCat(Grouped(model.bytes), " B") : "-",
               cells.first, cells.second};
    if (const auto& latency = model.latency_us) {
      row.insert(row.end(), {StrCat(Fixed(latency->total_seconds, 2), " s"), Fixed(latency->p50, 1),
                             Fixed(latency->p90, 1), Fixed(latency->p99, 1)});
    } else {
      row.insert(row.end(), 4, "-");
    }
    rows.push_back(std::move(row));
  }
  return Aligned(rows, 2);
}

std::string Pairs(const Report& report) {
  std::vector<Row> rows = {{"pair", "", PairHeads(report).flips, "largest difference"}};
  for (const PairResult& pair : report.pairs) {
    rows.push_back({pair.a, StrCat("-> ", pair.b), PairCells(report, pair).flips,
                    DifferenceText(pair, report.data_examples)});
  }
  return Aligned(rows, 4);
}

std::string Significance(const Report& report) {
  const PairColumns heads = PairHeads(report);
  std::vector<Row> rows = {{"pair", "", heads.drop, heads.resolved, "speed-up at 95 %"}};
  for (const PairResult& pair : report.pairs) {
    const PairColumns cells = PairCells(report, pair);
    rows.push_back({pair.a, StrCat("-> ", pair.b), cells.drop, cells.resolved, SpeedupText(pair)});
  }
  return Aligned(rows, 5);
}

std::string FirstDifferences(const Report& report) {
  std::string text;
  for (const PairResult& pair : report.pairs) {
    if (!pair.first_difference) continue;
    text += StrCat(pair.a, " -> ", pair.b, ": ", FirstDifferenceText(*pair.first_difference), "\n");
  }
  return text.empty() ? "" : "\n" + text;
}

// What --rounding was asked for, in a sentence.
std::string Rounding(const Report& report) {
  std::string text;
  for (const PairResult& pair : report.pairs) {
    if (!pair.b.starts_with("tflite-classic") || pair.errors) continue;
    const std::string labels = pair.total_flips == 0   ? "no label depends"
                               : pair.total_flips == 1 ? "1 label depends"
                                                       : Grouped(pair.total_flips) + " labels depend";
    text += StrCat(pair.a, ": ", labels, " on how the runtime rounds\n");
  }
  return text.empty() ? "" : "\n" + text;
}

// A few of each pair; the page has more.
std::string Flipped(const Report& report) {
  constexpr int kMostOfAPair = 3;
  std::map<std::pair<std::string, std::string>, int> shown;
  std::vector<Row> rows = {{"label differs", "", "image", "class", "first says", "second says"}};
  for (const FlippedImage& image : report.flipped) {
    if (shown[{image.a, image.b}]++ >= kMostOfAPair) continue;
    rows.push_back({image.a, StrCat("-> ", image.b), std::to_string(image.example),
                    ClassText(report, image.label), AnswerText(report, image.answer_a, image.confidence_a),
                    AnswerText(report, image.answer_b, image.confidence_b)});
  }
  return report.flipped.empty() ? "" : "\n" + Aligned(rows, 6);
}

// The filters of a model that have coarse channels, the largest shares first.
std::string CoarseFilters(std::vector<const LayerError*> layers) {
  constexpr size_t kMostFilters = 5;
  std::erase_if(layers, [](const auto* each) { return !each->filter || each->filter->coarse_channels == 0; });
  const auto coarser = [](const auto* a, const auto* b) {
    return a->filter->coarse_channels * b->filter->channels >
           b->filter->coarse_channels * a->filter->channels;
  };
  std::stable_sort(layers.begin(), layers.end(), coarser);
  const size_t all = layers.size();
  layers.resize(std::min(all, kMostFilters));
  std::vector<Row> rows = {
      {"coarse filter", "operator", StrCat("under 16 steps: ", all, all == 1 ? " filter" : " filters")}};
  for (const LayerError* each : layers) rows.push_back({each->layer, each->op, FilterText(*each->filter)});
  return layers.empty() ? "" : Aligned(rows, 3);
}

// The layers of each model that its own rounding costs most; the page has them all.
std::string Layers(const Report& report) {
  constexpr size_t kMostLayers = 5;
  std::map<std::string, std::vector<const LayerError*>> by_model;
  for (const LayerError& layer : report.layers) {
    if (layer.own_sqnr_db) by_model[layer.model].push_back(&layer);
  }
  std::string text;
  for (auto& [model, layers] : by_model) {
    const auto worse = [](const auto* a, const auto* b) { return *a->own_sqnr_db < *b->own_sqnr_db; };
    std::stable_sort(layers.begin(), layers.end(), worse);
    const LayerError& first = *layers.front();
    text += StrCat("\n", model, " against ", first.reference, ", ", layers.size(), " layers on ",
                   first.images, " images, worst own signal to noise first\n");
    std::vector<Row> rows = {
        {"layer", "operator", "own SNR", "SNR", "largest error", "range used", "clipped"}};
    for (const LayerError* layer : layers) {
      if (rows.size() > kMostLayers) break;
      rows.push_back({layer->layer, layer->op, DecibelText(layer->own_sqnr_db), DecibelText(layer->sqnr_db),
                      StrCat(Fixed(layer->max_steps, 1), " steps"),
                      StrCat(Fixed(100 * layer->range_used, 0), " %"),
                      StrCat(Fixed(100 * layer->clipped, 2), " %")});
    }
    text += StrCat(Aligned(rows, 2), CoarseFilters(layers));
  }
  return text;
}

std::string Gates(const Report& report) {
  std::vector<Row> rows;
  for (const GateResult& gate : report.gates) {
    rows.push_back({gate.pass ? "pass" : "FAIL", gate.name, gate.model, GateNumber(gate, gate.value),
                    StrCat("limit ", GateNumber(gate, gate.limit)),
                    gate.reference.empty() ? "" : StrCat("against ", gate.reference),
                    gate.p ? StrCat("p ", Significant(*gate.p)) : "", gate.note});
  }
  return Aligned(rows, 3);
}

// Probability, number and name of each class, the picture's name above them.
std::string Picture(const PictureResult& picture) {
  std::vector<Row> rows;
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
  return text;
}

std::string RatioText(const BenchmarkResult& result) {
  if (!result.ratio || !result.ratio_quartiles) return "-";
  return StrCat(Fixed(*result.ratio, 2), " (", Fixed(result.ratio_quartiles->low, 2), "-",
                Fixed(result.ratio_quartiles->high, 2), ")");
}

std::string Benchmarks(const Report& report) {
  std::vector<Row> times = {
      {"model", "batch", "threads", "p50 µs", "p90 µs", "p99 µs", "cold µs", "images/s", "to the first"}};
  std::vector<Row> starts = {
      {"model", "batch", "load µs", "prepare µs", "first µs", "arena", "arena used", "process peak"}};
  for (const BenchmarkResult& r : report.benchmarks) {
    times.push_back({r.model, std::to_string(r.batch), std::to_string(r.threads), Fixed(r.latency_us.p50, 1),
                     Fixed(r.latency_us.p90, 1), Fixed(r.latency_us.p99, 1), Fixed(r.cold_us, 1),
                     Grouped(std::llround(r.examples_per_second)), RatioText(r)});
    starts.push_back({r.model, std::to_string(r.batch), Fixed(r.load_us, 0), Fixed(r.prepare_us, 0),
                      Fixed(r.first_us, 0), StrCat(Grouped(r.arena_bytes), " B"),
                      StrCat(Grouped(r.arena_peak_bytes), " B"),
                      r.peak_rss_bytes > 0 ? StrCat(Grouped(r.peak_rss_bytes), " B") : "-"});
  }
  return Aligned(times, 1) + "\n" + Aligned(starts, 1);
}

// Each kernel with its reason, once.
std::string KernelReasons(const BenchmarkResult& result) {
  std::vector<Row> rows;
  for (const OperatorTime& op : result.operators) {
    const Row row = {"", op.kernel, op.reason};
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
  }
  return Aligned(rows, 3);
}

std::string Operators(const BenchmarkResult& result) {
  std::vector<Row> rows = {{"operator", "kernel", "shape", "µs", "share", "MACs/ns", "roofline"}};
  for (const OperatorTime& op : result.operators) {
    const double speed = op.time_us > 0 ? static_cast<double>(op.macs) / (1000 * op.time_us) : 0;
    rows.push_back({StrCat(op.index, " ", op.name), op.kernel, op.shape, Fixed(op.time_us, 2),
                    StrCat(Fixed(100 * op.share, 1), " %"), op.macs > 0 ? Fixed(speed, 1) : "-",
                    op.roofline ? StrCat(Fixed(100 * *op.roofline, 0), " %") : "-"});
  }
  return StrCat("\n", result.model, ", batch ", result.batch, "\n", Aligned(rows, 3), KernelReasons(result));
}

std::string Way(const Report& report) {
  constexpr size_t kShown = 16;
  std::vector<Row> rows;
  for (const TraceLink& link : report.trace) {
    const std::string& hash = link.expected.empty() ? link.found : link.expected;
    const std::string other = link.state == "differs"
                                  ? StrCat(link.expected == report.trace[0].found ? "made again: " : "it is ",
                                           link.found.substr(0, kShown))
                                  : "";
    rows.push_back({link.what, link.state == "start" ? "" : link.state, hash.substr(0, kShown), link.file,
                    other.empty() || link.note.empty() ? other + link.note : StrCat(other, "; ", link.note)});
  }
  return StrCat(Aligned(rows, 5), "\n", TraceVerdict(report.trace), "\n");
}

}  // namespace

std::string ToTable(const Report& report) {
  std::string text;
  if (!report.data_name.empty()) {
    text += StrCat(report.data_name, ": ", Grouped(report.data_examples),
                   " images, one at a time, one thread\n\n");
  }
  for (const PictureResult& picture : report.pictures) text += Picture(picture);
  if (!report.models.empty() && report.pictures.empty()) text += Models(report);
  if (report.timing && !report.models.empty()) text += StrCat("times: ", TimingText(*report.timing), "\n");
  if (!report.trace.empty()) text += Way(report);
  if (!report.benchmarks.empty()) text += Benchmarks(report);
  if (report.timing && !report.benchmarks.empty())
    text += StrCat("\ntimes: ", TimingText(*report.timing), "\n");
  for (const BenchmarkResult& result : report.benchmarks) {
    if (!result.operators.empty()) text += Operators(result);
  }
  if (!report.pairs.empty())
    text += StrCat("\n", Pairs(report), "\n", Significance(report), FirstDifferences(report),
                   Rounding(report), Flipped(report));
  text += Layers(report);
  if (!report.gates.empty()) text += "\n" + Gates(report);
  if (!report.warnings.empty()) text += "\n";
  for (const std::string& warning : report.warnings) text += StrCat("warning: ", warning, "\n");
  return text;
}

}  // namespace qat
