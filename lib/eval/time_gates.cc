#include "eval/time_gates.h"

#include <algorithm>

#include "base/strings.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kLeastMicroseconds = 1e-3;

Status CheckTimes(const char* field, const ModelResult& row) {
  if (row.latency_us) return {};
  return InvalidArgument(StrCat("`", field, "`: '", row.name, "' has no latency"));
}

// What a report says of the machine, put into a case. `when`: in front of it, "then " of the baseline.
void AddConditions(const std::optional<TimingConditions>& timing, const char* when, TimeCase& time) {
  if (!timing) return;
  time.noise += timing->noise.value_or(0);
  if (timing->quiet()) return;
  time.disturbed += StrCat(time.disturbed.empty() ? "" : "; ", when, DisturbanceText(*timing));
}

// A passing gate beyond its limit is said aloud.
void Append(GateResult gate, Report& report) {
  if (gate.pass && gate.note.starts_with("too noisy")) {
    report.warnings.push_back(StrCat(gate.name, " of ", gate.model,
                                     gate.reference.empty() ? "" : StrCat(" against ", gate.reference), ": ",
                                     GateNumber(gate, gate.value), " is beyond the limit ",
                                     GateNumber(gate, gate.limit), ", but ", gate.note));
  }
  report.gates.push_back(std::move(gate));
}

// How many times longer the row takes than the reference of the same run.
TimeCase CaseWithin(const ModelResult& reference, const ModelResult& row, const Report& report) {
  TimeCase time;
  const PairResult* pair = PairOf(report, reference.name, row.name);
  if (pair != nullptr && pair->speedup) {
    time.value = 1 / std::max(*pair->speedup, 1e-9);
    if (pair->speedup_interval) time.low = 1 / std::max(pair->speedup_interval->high, 1e-9);
  } else {
    time.value = row.latency_us->p50 / std::max(reference.latency_us->p50, kLeastMicroseconds);
  }
  AddConditions(report.timing, "", time);
  return time;
}

// … of an earlier run. How many times slower a fixed loop runs now is taken off, but a faster machine adds
// nothing.
TimeCase CaseAcross(const Report& baseline, const ModelResult& reference, const ModelResult& row,
                    const Report& report) {
  TimeCase time;
  time.busy_factor = kBusyAcrossRuns;
  time.noise = kAcrossRuns;
  double slower = 1;
  if (baseline.timing && report.timing && baseline.timing->calibration_us > 0)
    slower = std::max(1.0, report.timing->calibration_us / baseline.timing->calibration_us);
  const LatencyResult &now = *row.latency_us, &then = *reference.latency_us;
  time.value = now.p50 / std::max(then.p50, kLeastMicroseconds) / slower;
  if (now.p50_interval) {
    const double most = then.p50_interval ? then.p50_interval->high : then.p50;
    time.low = std::min(time.value, now.p50_interval->low / std::max(most, kLeastMicroseconds) / slower);
  }
  AddConditions(report.timing, "", time);
  AddConditions(baseline.timing, "then ", time);
  return time;
}

GateResult RatioGate(double limit, bool speedup, const std::string& reference, const ModelResult& row,
                     const TimeCase& time) {
  TimeCase judged = time;
  judged.limit = speedup ? 1 / std::max(limit, 1e-9) : limit;
  const TimeVerdict verdict = JudgeTime(judged);
  GateResult gate;
  gate.name = speedup ? "min-speedup" : "max-latency-ratio";
  gate.model = row.name;
  gate.reference = reference;
  gate.limit = limit;
  gate.value = speedup ? 1 / std::max(time.value, 1e-9) : time.value;
  gate.pass = verdict.pass;
  gate.note = verdict.note;
  return gate;
}

std::string ProcessorOf(const Report& report) {
  const auto found = report.environment.find("cpu");
  return found == report.environment.end() ? "" : found->second;
}

}  // namespace

TimeVerdict JudgeTime(const TimeCase& time) {
  if (time.value <= time.limit) return {};
  const bool sure = time.low && time.disturbed.empty();
  const double most = time.limit * (1 + time.noise) * (sure ? 1 : time.busy_factor);
  if (time.low.value_or(time.value) > most) return {false, ""};
  std::string why = StrCat("too noisy to tell: measurement noise ", Fixed(100 * time.noise, 1), " %");
  if (!time.low) why += ", too few turns were measured";
  if (!time.disturbed.empty()) why += StrCat(", ", time.disturbed);
  return {true, why};
}

Status JudgeLatency(double limit, const ModelResult& row, Report& report) {
  QAT_RETURN_IF_ERROR(CheckTimes("max_latency", row));
  TimeCase time;
  time.value = row.latency_us->p50;
  if (row.latency_us->p50_interval) time.low = std::min(time.value, row.latency_us->p50_interval->low);
  time.limit = limit;
  time.busy_factor = kBusyAcrossRuns;
  AddConditions(report.timing, "", time);
  const TimeVerdict verdict = JudgeTime(time);
  GateResult gate;
  gate.name = "max-latency";
  gate.model = row.name;
  gate.limit = limit;
  gate.value = time.value;
  gate.pass = verdict.pass;
  gate.note = verdict.note;
  Append(std::move(gate), report);
  return {};
}

Status JudgeTimeAgainstRow(double limit, bool speedup, const ModelResult& reference, const ModelResult& row,
                           Report& report) {
  for (const ModelResult* of : {&row, &reference})
    QAT_RETURN_IF_ERROR(CheckTimes(speedup ? "min_speedup" : "max_latency_ratio", *of));
  Append(RatioGate(limit, speedup, reference.name, row, CaseWithin(reference, row, report)), report);
  return {};
}

Status JudgeTimeAgainstBaseline(double limit, bool speedup, const Report& baseline,
                                const ModelResult& reference, const ModelResult& row, Report& report) {
  for (const ModelResult* of : {&row, &reference})
    QAT_RETURN_IF_ERROR(CheckTimes(speedup ? "min_speedup" : "max_latency_ratio", *of));
  GateResult gate = RatioGate(limit, speedup, "baseline", row, CaseAcross(baseline, reference, row, report));
  const std::string then = ProcessorOf(baseline), now = ProcessorOf(report);
  if (!gate.pass && !then.empty() && !now.empty() && then != now) {
    gate.pass = true;
    gate.note = StrCat("too noisy to tell: the baseline was measured on another processor, ", then);
  }
  Append(std::move(gate), report);
  return {};
}

}  // namespace qat
