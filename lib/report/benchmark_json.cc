// Times as JSON.
#include "report/json_values.h"

namespace qat {
namespace {

Json ToJson(const OperatorTime& op) {
  return {{"index", op.index},   {"name", op.name},
          {"shape", op.shape},   {"kernel", op.kernel},
          {"reason", op.reason}, {"time_us", op.time_us},
          {"share", op.share},   {"macs", op.macs},
          {"bytes", op.bytes},   {"roofline", Number(op.roofline)}};
}

void Read(const Json& json, OperatorTime& out) {
  ReadField(json, "index", out.index);
  ReadField(json, "name", out.name);
  ReadField(json, "shape", out.shape);
  ReadField(json, "kernel", out.kernel);
  ReadField(json, "reason", out.reason);
  ReadField(json, "time_us", out.time_us);
  ReadField(json, "share", out.share);
  ReadField(json, "macs", out.macs);
  ReadField(json, "bytes", out.bytes);
  ReadField(json, "roofline", out.roofline);
}

}  // namespace

Json ToJson(const LatencyResult& latency) {
  return {{"min", latency.min},
          {"mean", latency.mean},
          {"p50", latency.p50},
          {"p90", latency.p90},
          {"p99", latency.p99},
          {"runs", latency.runs},
          {"rounds", latency.rounds},
          {"total_seconds", latency.total_seconds},
          {"p50_interval95", ToJson(latency.p50_interval)}};
}

void Read(const Json& json, LatencyResult& out) {
  ReadField(json, "min", out.min);
  ReadField(json, "mean", out.mean);
  ReadField(json, "p50", out.p50);
  ReadField(json, "p90", out.p90);
  ReadField(json, "p99", out.p99);
  ReadField(json, "runs", out.runs);
  ReadField(json, "rounds", out.rounds);
  ReadField(json, "total_seconds", out.total_seconds);
  ReadInterval(json, "p50_interval95", out.p50_interval);
}

Json ToJson(const TimingConditions& timing) {
  return {{"pinned_cpu", Number(timing.pinned_cpu)},
          {"governor", Text(timing.governor)},
          {"load_average", timing.load_average},
          {"processors", Count(timing.processors)},
          {"others", timing.others},
          {"stolen", timing.stolen},
          {"preempted", timing.preempted},
          {"quiet", timing.quiet()},
          {"noise", Number(timing.noise)},
          {"calibration_us", timing.calibration_us},
          {"peak_rss_bytes", Count(timing.peak_rss_bytes)}};
}

void Read(const Json& json, TimingConditions& out) {
  ReadField(json, "pinned_cpu", out.pinned_cpu);
  ReadField(json, "governor", out.governor);
  ReadField(json, "load_average", out.load_average);
  ReadField(json, "processors", out.processors);
  ReadField(json, "others", out.others);
  ReadField(json, "stolen", out.stolen);
  ReadField(json, "preempted", out.preempted);
  ReadField(json, "noise", out.noise);
  ReadField(json, "calibration_us", out.calibration_us);
  ReadField(json, "peak_rss_bytes", out.peak_rss_bytes);
}

Json ToJson(const BenchmarkResult& result) {
  Json operators = Json::array();
  for (const OperatorTime& op : result.operators) operators.push_back(ToJson(op));
  return {{"model", result.model},
          {"batch", result.batch},
          {"threads", result.threads},
          {"load_us", result.load_us},
          {"prepare_us", result.prepare_us},
          {"first_us", result.first_us},
          {"cold_us", result.cold_us},
          {"latency_us", ToJson(result.latency_us)},
          {"examples_per_second", result.examples_per_second},
          {"macs", result.macs},
          {"arena_bytes", result.arena_bytes},
          {"arena_peak_bytes", result.arena_peak_bytes},
          {"peak_rss_bytes", Count(result.peak_rss_bytes)},
          {"ratio", Number(result.ratio)},
          {"ratio_interval95", ToJson(result.ratio_interval)},
          {"ratio_quartiles", ToJson(result.ratio_quartiles)},
          {"operators", std::move(operators)}};
}

void Read(const Json& json, BenchmarkResult& out) {
  ReadField(json, "model", out.model);
  ReadField(json, "batch", out.batch);
  ReadField(json, "threads", out.threads);
  ReadField(json, "load_us", out.load_us);
  ReadField(json, "prepare_us", out.prepare_us);
  ReadField(json, "first_us", out.first_us);
  ReadField(json, "cold_us", out.cold_us);
  Read(json.at("latency_us"), out.latency_us);
  ReadField(json, "examples_per_second", out.examples_per_second);
  ReadField(json, "macs", out.macs);
  ReadField(json, "arena_bytes", out.arena_bytes);
  ReadField(json, "arena_peak_bytes", out.arena_peak_bytes);
  ReadField(json, "peak_rss_bytes", out.peak_rss_bytes);
  ReadField(json, "ratio", out.ratio);
  ReadInterval(json, "ratio_interval95", out.ratio_interval);
  ReadInterval(json, "ratio_quartiles", out.ratio_quartiles);
  for (const Json& op : json.at("operators")) Read(op, out.operators.emplace_back());
}

}  // namespace qat
