// The page of a training run, section by section: what the run is, its warnings, curves, the ranges to look
// at first, all ranges.
#include "report/run_page.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/check.h"
#include "base/strings.h"
#include "report/html_parts.h"
#include "report/html_style.h"
#include "report/range_chart.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

using Runs = std::vector<RunRecord>;

// A colour per run; of one run, training has the second one. Dashes are training's, so that colours alone
// carry nothing.
constexpr char kRunStyle[] = R"css(
:root { --c4: #a1126b; --c5: #5b6300; } @media (prefers-color-scheme: dark) { :root { --c4: #ff8fc7; --c5: #c9d34b; } }
.r0 { stroke: var(--c0); } .r1 { stroke: var(--c1); } .r2 { stroke: var(--c2); } .r3 { stroke: var(--c3); } .r4 { stroke: var(--c4); }
.r5 { stroke: var(--c5); } .r0, .r1, .r2, .r3, .r4, .r5 { stroke-width: 1.8; } .train { stroke-dasharray: 5 3; }
.f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); } .f3 { fill: var(--c3); } .f4 { fill: var(--c4); } .f5 { fill: var(--c5); }
.f0, .f1, .f2, .f3, .f4, .f5 { fill-opacity: .14; stroke: none; }
.bar0 { stroke: var(--c0); } .bar1 { stroke: var(--c1); } .bar2 { stroke: var(--c2); } .bar3 { stroke: var(--c3); } .bar4 { stroke: var(--c4); }
.bar5 { stroke: var(--c5); } .bar0, .bar1, .bar2, .bar3, .bar4, .bar5 { stroke-width: 2.5; }
.freeze { stroke: var(--quiet); stroke-dasharray: 1.5 2.5; stroke-width: 1.5; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.ranges { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 245px), 1fr)); margin-bottom: 16px; }
.ranges figure { padding: 10px 12px 6px; } .ranges h4 { margin: 0; font-size: .92rem; overflow-wrap: anywhere; }
.ranges p { margin: 0 0 4px; font-size: .84rem; color: var(--quiet); } .ranges p.bad { color: var(--bad); } .ranges p.moving { color: var(--mark); }
.small text { font-size: 12px; } details h3 { margin-top: 14px; } .moving { color: var(--mark); font-weight: 600; }
)css";

// "12.3 %" of a share, on one line.
std::string Percent(double share) { return StrCat(Significant(100 * share), "&nbsp;%"); }

std::string StepOf(int64_t step) { return step < 0 ? "–" : Grouped(step); }

std::string StateText(const RunRecord& run) {
  if (run.ended)
    return StrCat("ended at step ", Grouped(run.last_step),
                  run.steps > run.last_step ? StrCat(" of ", Grouped(run.steps)) : "");
  return StrCat("at step ", Grouped(run.last_step), run.steps > 0 ? StrCat(" of ", Grouped(run.steps)) : "",
                ": running, or interrupted");
}

std::string BestText(const RunRecord& run) {
  if (run.best_step < 0) return "–";
  const std::string step = StrCat("step ", Grouped(run.best_step));
  return std::isfinite(run.best_accuracy) ? StrCat(Fixed(run.best_accuracy, 2), "&nbsp;% at ", step) : step;
}

std::string Header(const Runs& runs) {
  if (runs.size() == 1) {
    const RunRecord& run = runs.front();
    std::string facts = StrCat(run.scheme.empty() ? ""
                                                  : StrCat("Scheme ", EscapeHtml(run.scheme), ", batches of ",
                                                           Grouped(run.batch_size), ", "),
                               StateText(run), ".");
    if (BestText(run) != "–") facts += StrCat(" Best checkpoint: ", BestText(run), ".");
    return StrCat("<h1>Training of ", EscapeHtml(run.name), "</h1>\n<p class=\"lead\">", facts, "</p>\n");
  }
  std::vector<Cells> rows;
  for (const RunRecord& run : runs) {
    rows.push_back({EscapeHtml(run.name), EscapeHtml(run.scheme),
                    run.batch_size > 0 ? Grouped(run.batch_size) : "–", StateText(run),
                    StepOf(run.quant_delay), StepOf(run.batch_norm_freeze), BestText(run)});
  }
  return StrCat("<h1>", runs.size(), " training runs</h1>\n",
                Table({{"run", "name"},
                       {"scheme", "word"},
                       {"batch", "number"},
                       {"state", ""},
                       {"quantized from", "number"},
                       {"batch norms frozen", "number"},
                       {"best checkpoint", ""}},
                      rows));
}

// "lenet: " in front of what is one of several runs'.
std::string Whose(const Runs& runs, const RunRecord& run) {
  return runs.size() == 1 ? "" : StrCat(EscapeHtml(run.name), ": ");
}

std::string Warnings(const Runs& runs) {
  std::string items;
  for (const RunRecord& run : runs) {
    for (const auto& [step, text] : run.warnings) {
      items += StrCat("<li>", Whose(runs, run), "step ", Grouped(step), ": ", EscapeHtml(text), "</li>\n");
    }
  }
  return items.empty() ? "" : StrCat("<ul class=\"warnings\">", items, "</ul>\n");
}

std::vector<ChartMark> MarksOf(const Runs& runs) {
  std::vector<ChartMark> marks;
  for (const RunRecord& run : runs) {
    if (run.quant_delay >= 0) marks.push_back({run.quant_delay, "mark"});
    if (run.batch_norm_freeze >= 0) marks.push_back({run.batch_norm_freeze, "freeze"});
  }
  return marks;
}

int64_t LastStep(const Runs& runs) {
  int64_t last = 1;
  for (const RunRecord& run : runs) last = std::max(last, run.last_step);
  return last;
}

// What the vertical lines mean; of several runs, the table at the top has the steps.
std::string MarkItems(const Runs& runs) {
  const bool alone = runs.size() == 1;
  std::string items;
  const auto add = [&](int64_t RunRecord::*step, std::string_view css, std::string_view what) {
    const bool any =
        std::any_of(runs.begin(), runs.end(), [&](const RunRecord& run) { return run.*step >= 0; });
    if (any)
      items += LegendItem(
          css, alone ? StrCat(what, " from step ", Grouped(runs.front().*step)) : std::string(what));
  };
  add(&RunRecord::quant_delay, "mark", "fake quantization");
  add(&RunRecord::batch_norm_freeze, "freeze", "batch norms frozen");
  return items;
}

// "training", "holdout", "learning rate".
std::string CurveLabel(const std::string& name) {
  if (name == "loss") return "training";
  std::string label = name;
  for (const std::string_view tail : {"_loss", "_accuracy"}) {
    if (label.ends_with(tail)) label.resize(label.size() - tail.size());
  }
  std::replace(label.begin(), label.end(), '_', ' ');
  return EscapeHtml(label);
}

struct FigureText {
  std::string title;
  std::string description;
  ChartScale scale;
};

// The curves whose names contain `word`, of all runs.
std::string Figure(const Runs& runs, std::vector<TrainingCurve> RunRecord::*which, std::string_view word,
                   const FigureText& text) {
  std::vector<TrainingCurve> curves;
  ChartOptions options;
  options.description = text.description;
  options.scale = text.scale;
  options.marks = MarksOf(runs);
  options.last_step = LastStep(runs);
  std::string legend;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const TrainingCurve& curve : runs[i].*which) {
      if (!HasPoints(curve) || curve.name.find(word) == std::string::npos) continue;
      const std::string label = CurveLabel(curve.name);
      const bool training = label == "training";
      options.classes.push_back(StrCat("r", runs.size() == 1 && training ? 1 : i, training ? " train" : ""));
      legend += LegendItem(options.classes.back(), StrCat(Whose(runs, runs[i]), label));
      curves.push_back(curve);
    }
  }
  if (curves.empty()) return "";
  return StrCat("<figure><h3>", text.title, "</h3><ul class=\"legend\">", legend, MarkItems(runs), "</ul>",
                LineChart(curves, options), "</figure>\n");
}

std::string Learning(const Runs& runs) {
  const std::string accuracy =
      Figure(runs, &RunRecord::curves, "accuracy",
             {"Accuracy", "Accuracy over training steps, logarithmic in the error", ChartScale::kAccuracy});
  const std::string charts =
      Figure(runs, &RunRecord::curves, "loss",
             {"Loss", "Loss over training steps, logarithmic", ChartScale::kLogarithmic}) +
      accuracy +
      Figure(runs, &RunRecord::pace, "learning_rate",
             {"Learning rate", "Learning rate over training steps", ChartScale::kLinear}) +
      Figure(runs, &RunRecord::pace, "gradient_norm",
             {"Gradient norm", "Norm of the gradients of all parameters over training steps, logarithmic",
              ChartScale::kLogarithmic});
  if (charts.empty()) return "<p>No step has been logged yet.</p>\n";
  return StrCat(
      "<div class=\"charts\">", charts, "</div>\n",
      Quiet(StrCat("Loss and gradient norm are logarithmic",
                   accuracy.empty()
                       ? ". "
                       : ", the accuracy in its error, so that 99 % and 99.5 % can be distinguished. ",
                   "Training figures are those of the batches since the point before, gradients those of one "
                   "batch.")));
}

// What is wrong with a range, worst first; empty: nothing.
std::string Remark(const RangeFinding& finding) {
  std::vector<std::string> remarks;
  if (finding.RanAway()) remarks.push_back("<span class=\"bad\">ran away</span>");
  if (finding.Clips()) remarks.push_back("<span class=\"bad\">clips</span>");
  if (finding.Moves()) remarks.push_back("<span class=\"moving\">still moving</span>");
  return remarks.empty() ? "" : StrCat("<span>", Join(remarks), "</span>");
}

Cells RankingRow(const Runs& runs, const RunRecord& run, const RangeFinding& finding) {
  const std::string remark = Remark(finding);
  Cells cells = {EscapeHtml(finding.tensor)};
  if (runs.size() > 1) cells.push_back(EscapeHtml(run.name));
  const std::string clipped = std::isfinite(finding.last.clipped) ? Percent(finding.last.clipped) : "–";
  cells.insert(
      cells.end(),
      {remark.empty() ? "–" : remark, Significant(finding.last.min), Significant(finding.last.max),
       finding.growth == 1 ? "–" : StrCat(Fixed(finding.growth, 2), "x"), Percent(finding.moved), clipped});
  return cells;
}

std::string Ranking(const Runs& runs) {
  constexpr size_t kShown = 10;
  std::vector<std::pair<const RunRecord*, RangeFinding>> all;
  for (const RunRecord& run : runs) {
    for (RangeFinding& finding : JudgeRanges(run)) all.emplace_back(&run, std::move(finding));
  }
  if (all.empty()) return "";
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second.Badness() > b.second.Badness(); });
  std::vector<Column> columns = {{"tensor", "name"}};
  if (runs.size() > 1) columns.push_back({"run", ""});
  columns.insert(columns.end(), {{"remark", ""},
                                 {"min", "number"},
                                 {"max", "number"},
                                 {"growth", "number"},
                                 {"move", "number"},
                                 {"clipped", "number"}});
  std::vector<Cells> rows;
  for (size_t i = 0; i < std::min(all.size(), kShown); ++i)
    rows.push_back(RankingRow(runs, *all[i].first, all[i].second));
  const size_t remarks = static_cast<size_t>(
      std::count_if(all.begin(), all.end(), [](const auto& each) { return !Remark(each.second).empty(); }));
  const std::string verdict = remarks == 0 ? "<p>No range ran away, clips much or still moves.</p>\n"
                                           : StrCat("<p>", remarks, " of ", all.size(), " ranges ",
                                                    remarks == 1 ? "has" : "have", " a remark.</p>\n");
  return verdict + Table(columns, rows) +
         Quiet(StrCat("The worst come first",
                      all.size() > kShown ? StrCat("; ", all.size() - kShown, " others are below") : "",
                      ". Growth is the width over that of a quarter of the run before, with fake "
                      "quantization on: above ",
                      NumberText(kRunawayGrowth),
                      ", the range ran away. Move is how far an end went in the last tenth of the run, as a "
                      "part of the "
                      "width: above ",
                      Percent(kSettledMove), ", the range still moves. It clips if more than ",
                      Percent(kMuchClipped),
                      " of the values lie more than half a step outside it. A smaller learning rate at the "
                      "end, a longer run with fake "
                      "quantization, or an activation with a bound (relu6) helps."));
}

const RangeCurve* FindCurve(const RunRecord& run, const std::string& tensor) {
  const auto found = std::find_if(run.ranges.begin(), run.ranges.end(),
                                  [&](const RangeCurve& curve) { return curve.tensor == tensor; });
  return found == run.ranges.end() || found->points.empty() ? nullptr : &*found;
}

std::vector<std::string> TensorsOf(const Runs& runs, bool filters) {
  std::vector<std::string> tensors;
  std::set<std::string> known;
  for (const RunRecord& run : runs) {
    for (const RangeCurve& curve : run.ranges) {
      if (curve.points.empty() || curve.tensor.ends_with("/filter") != filters) continue;
      if (known.insert(curve.tensor).second) tensors.push_back(curve.tensor);
    }
  }
  return tensors;
}

std::string RangeNote(const Runs& runs, const RunRecord& run, const RangeCurve& curve) {
  const RangeFinding finding = JudgeRange(curve, std::max(run.steps, run.last_step), run.quant_delay);
  std::vector<std::string> notes;
  if (finding.RanAway())
    notes.push_back(
        StrCat("ran away: ", Fixed(finding.growth, 1), " times as wide within a quarter of the run"));
  if (finding.Clips()) notes.push_back(StrCat("clips ", Percent(finding.last.clipped)));
  if (finding.Moves())
    notes.push_back(StrCat("still moving: ", Percent(finding.moved), " in the last tenth"));
  const std::string css = finding.RanAway() || finding.Clips() ? " class=\"bad\""
                          : finding.Moves()                    ? " class=\"moving\""
                                                               : "";
  if (notes.empty() && runs.size() > 1) return "";
  if (notes.empty())
    notes.push_back(StrCat(Significant(finding.last.min), " to ", Significant(finding.last.max)));
  return StrCat("<p", css, ">", Whose(runs, run), Join(notes, "; "), "</p>");
}

// Small multiples; strips of clipped values have one scale, so that tensors can be compared.
std::string RangeFigures(const Runs& runs, bool filters) {
  RangeChartOptions options;
  options.last_step = LastStep(runs);
  options.marks = MarksOf(runs);
  for (const RunRecord& run : runs) {
    for (const RangeCurve& curve : run.ranges) {
      for (const RangePoint& point : curve.points) {
        if (std::isfinite(point.clipped))
          options.most_clipped = std::max(options.most_clipped, point.clipped);
      }
    }
  }
  std::string figures;
  for (const std::string& tensor : TensorsOf(runs, filters)) {
    std::vector<const RangeCurve*> curves;
    std::string notes;
    for (const RunRecord& run : runs) {
      curves.push_back(FindCurve(run, tensor));
      if (curves.back() != nullptr) notes += RangeNote(runs, run, *curves.back());
    }
    figures += StrCat("<figure><h4>", EscapeHtml(tensor), "</h4>", notes, RangeChart(curves, options),
                      "</figure>\n");
  }
  return figures.empty() ? "" : StrCat("<div class=\"ranges\">", figures, "</div>\n");
}

std::string Ranges(const Runs& runs) {
  const std::string outputs = RangeFigures(runs, false), filters = RangeFigures(runs, true);
  if (outputs.empty() && filters.empty()) return "";
  std::string legend;
  for (size_t i = 0; runs.size() > 1 && i < runs.size(); ++i)
    legend += LegendItem(StrCat("r", i), EscapeHtml(runs[i].name));
  legend += MarkItems(runs);
  return StrCat(legend.empty() ? "" : StrCat("<ul class=\"legend\">", legend, "</ul>\n"),
                outputs.empty() ? "" : StrCat("<h3>Outputs of layers</h3>\n", outputs),
                filters.empty() ? "" : StrCat("<h3>Filters</h3>\n", filters),
                Quiet("Smallest and largest value that the integers stand for, at each evaluation. The bars "
                      "below are the share of values "
                      "outside, in percent the largest of the run; all tensors have the same scale."));
}

}  // namespace

std::string RunPage(const std::vector<RunRecord>& runs) {
  QAT_CHECK(!runs.empty() && runs.size() <= kMostRunsOfAPage);
  return StrCat(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      runs.size() == 1 ? StrCat("Training of ", EscapeHtml(runs.front().name)) : std::string("Training runs"),
      "</title><link rel=\"icon\" href=\"data:,\">\n<style>", kReportStyle, kRunStyle,
      "</style></head>\n<body><main>\n", Header(runs), Section("Warnings", Warnings(runs)),
      Section("Learning", Learning(runs)), Section("Ranges to look at first", Ranking(runs)),
      Section("All ranges", Ranges(runs)), "</main></body></html>\n");
}

}  // namespace qat
