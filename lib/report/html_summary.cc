// What the page opens with: the answer before the tables.
#include <algorithm>

#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/headline.h"
#include "report/html_parts.h"
#include "report/main_rows.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string Verdict(const Report& report) {
  if (report.status == "error")
    return StrCat("<p class=\"verdict bad\">error: ", EscapeHtml(report.error), "</p>\n");
  const std::string verdict = VerdictText(report);
  std::string sentences;
  for (const GateResult& gate : report.gates) {
    if (!gate.pass) sentences += StrCat("<li>", EscapeHtml(GateSentence(gate)), "</li>\n");
  }
  if (verdict.empty()) return "";
  const bool good = sentences.empty() && report.status != "gate-failed";
  return StrCat("<p class=\"verdict ", good ? "good" : "bad", "\">", EscapeHtml(verdict), "</p>\n",
                sentences.empty() ? "" : StrCat("<ul class=\"failed\">", sentences, "</ul>\n"));
}

std::string FactOf(const Report& report, const char* name) {
  const auto found = report.environment.find(name);
  return found == report.environment.end() ? "" : found->second;
}

std::string Facts(const Report& report) {
  std::vector<std::string> facts;
  if (!report.data_name.empty()) facts.push_back(DataText(report));
  if (const std::string date = FactOf(report, "date"); !date.empty()) facts.push_back(date);
  return facts.empty() ? "" : Quiet(EscapeHtml(Join(facts)));
}

struct Measure {
  std::string name, value;
  double amount = 0;
};

std::string Bars(const std::string& title, const std::vector<Measure>& measures) {
  if (measures.size() < 2) return "";
  double most = 0;
  for (const Measure& measure : measures) most = std::max(most, measure.amount);
  if (!(most > 0)) return "";
  std::string html = StrCat("<div class=\"measure\"><h3>", title, "</h3>\n");
  for (const Measure& measure : measures) {
    html += StrCat("<div class=\"amount\"><span>", EscapeHtml(measure.name), "</span><b>", measure.value,
                   "</b>", RangeBar(0, measure.amount, 0, most), "</div>\n");
  }
  return html + "</div>\n";
}

constexpr size_t kMostRows = 6;  // that fit a glance

Measure TimeMeasure(const std::string& name, double microseconds) {
  return {name, StrCat(Fixed(microseconds, 1), " µs"), microseconds};
}

// Models beside each other, or the times of the only one.
std::string BenchmarkPicture(const Report& report) {
  std::vector<Measure> times;
  if (report.benchmarks.size() == 1) {
    const BenchmarkResult& only = report.benchmarks.front();
    times = {TimeMeasure("median", only.latency_us.p50), TimeMeasure("90 of 100 runs", only.latency_us.p90),
             TimeMeasure("99 of 100 runs", only.latency_us.p99), TimeMeasure("caches cold", only.cold_us)};
    return Bars("Time of one run", times);
  }
  for (const BenchmarkResult& result : report.benchmarks) {
    if (times.size() < kMostRows)
      times.push_back(
          TimeMeasure(BenchmarkName(result),
                      result.latency_us.p50 / static_cast<double>(std::max<int64_t>(result.batch, 1))));
  }
  return Bars("Median time per example", times);
}

// Sizes and times of what was compared, as bars.
std::string Picture(const Report& report) {
  std::vector<Measure> sizes, times;
  for (const ModelResult* model : MainRows(report)) {
    const std::string name = ShownName(report, *model);
    const int64_t bytes = ModelBytes(*model);
    if (bytes > 0 && model->kind != "checkpoint" && sizes.size() < kMostRows)
      sizes.push_back({name, StrCat(Grouped(bytes), " B"), static_cast<double>(bytes)});
    if (model->latency_us && model->kind != "checkpoint" && times.size() < kMostRows)
      times.push_back(TimeMeasure(name, model->latency_us->p50));
  }
  const std::string bars = Bars("Size", sizes) +
                           Bars(StrCat("Median time of one ", ExampleWord(report)), times) +
                           BenchmarkPicture(report);
  return bars.empty() ? "" : StrCat("<figure class=\"summary\">", bars, "</figure>\n");
}

// Of several outputs each says which it speaks of.
std::string Leads(const Report& report) {
  const std::string of = report.output.empty() ? "" : StrCat("Output '", EscapeHtml(report.output), "': ");
  std::string leads;
  for (const std::string& sentence : Headlines(report))
    leads += StrCat("<p class=\"lead\">", of, EscapeHtml(sentence), "</p>\n");
  return leads;
}

}  // namespace

std::string PageTitle(const Report& report) {
  if (!report.trace.empty()) return "Provenance report";
  return report.benchmarks.empty() ? "Quantization report" : "Benchmark report";
}

std::string PageHeader(const Report& report) {
  const std::string network = FactOf(report, "network");
  std::string lead = Leads(report);
  for (const Report& each : report.other_outputs) lead += Leads(each);
  return StrCat("<header>\n<h1>", PageTitle(report), network.empty() ? "" : StrCat(": ", EscapeHtml(network)),
                "</h1>\n", lead, Facts(report), Verdict(report), Picture(report), "</header>\n");
}

}  // namespace qat
