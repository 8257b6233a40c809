// The array of github-action-benchmark.
#include "report/ci_formats.h"

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/text_format.h"

namespace qat {

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
                                          model.accuracy->total, " ", ExampleWord(report), "s")}});
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
  for (const BenchmarkResult& result : report.benchmarks) {
    const std::string name = BenchmarkName(result);
    const LatencyResult& latency = result.latency_us;
    entries.push_back({{"name", name + ": latency p50"},
                       {"unit", "µs"},
                       {"value", latency.p50},
                       {"extra", StrCat("p90 ", Fixed(latency.p90, 1), ", p99 ", Fixed(latency.p99, 1))}});
    entries.push_back({{"name", name + ": arena"}, {"unit", "bytes"}, {"value", result.arena_bytes}});
    for (const OperatorTime& op : result.operators) {
      entries.push_back({{"name", StrCat(name, ": operator ", op.index, " ", op.name)},
                         {"unit", "µs"},
                         {"value", op.time_us},
                         {"extra", op.kernel}});
    }
  }
  return PrintableJson(entries.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace qat
