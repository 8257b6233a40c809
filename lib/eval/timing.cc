#include "eval/timing.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "base/strings.h"
#include "eval/time_ratio.h"

namespace qat {
namespace {

// A thread whose processor time is this much less than its wall time was waiting for the processor.
constexpr double kPreempted = 0.9;
constexpr int kCalibrationSteps = 20000;
// /proc/stat counts in ticks of usually 10 ms, and what ends in the middle of one is counted for all of it.
constexpr double kTicksOfError = 2;

double Seconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double SecondsOfProcess() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

int64_t PeakResidentBytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

double TickSeconds() { return 1.0 / static_cast<double>(std::max(sysconf(_SC_CLK_TCK), 1L)); }

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

double LoadAverage() {
  double one_minute = 0;
  std::istringstream(FirstLine("/proc/loadavg")) >> one_minute;
  return one_minute;
}

std::string Governor(int64_t processor) {
  return FirstLine(StrCat("/sys/devices/system/cpu/cpu", processor, "/cpufreq/scaling_governor"));
}

// A line of /proc/stat: "cpu0 user nice system idle iowait irq softirq steal …", in seconds.
struct ProcessorTimes {
  double busy = 0, stolen = 0;
};

ProcessorTimes ReadTimes(std::istringstream& line) {
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft_irq = 0, stolen = 0;
  line >> user >> nice >> system >> idle >> wait >> irq >> soft_irq >> stolen;
  return {(user + nice + system + irq + soft_irq) * TickSeconds(), stolen * TickSeconds()};
}

}  // namespace

TimingSession::TimingSession(bool one_thread) : one_thread_(one_thread), load_average_(LoadAverage()) {
  cpu_set_t before, one;
  const int processor = sched_getcpu();
  if (one_thread && processor >= 0 && sched_getaffinity(0, sizeof before, &before) == 0) {
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(processor), &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
      allowed_before_ = before;
      pinned_ = processor;
    }
  }
  begin_ = Now();
}

TimingSession::~TimingSession() {
  if (allowed_before_) sched_setaffinity(0, sizeof *allowed_before_, &*allowed_before_);
}

void TimingSession::Start() {
  if (one_thread_) own_start_ = Seconds(CLOCK_THREAD_CPUTIME_ID);
  wall_start_ = Seconds(CLOCK_MONOTONIC);
}

RunTime TimingSession::Stop() {
  // The thread's clock is read outside the wall's, so an undisturbed run has more of it, and the wall counts.
  const double wall = Seconds(CLOCK_MONOTONIC) - wall_start_;
  const double own = one_thread_ ? Seconds(CLOCK_THREAD_CPUTIME_ID) - own_start_ : wall;
  ++runs_;
  preempted_ += own < kPreempted * wall;
  return {static_cast<float>(1e6 * wall), static_cast<float>(1e6 * std::min(wall, own))};
}

void TimingSession::Calibrate() {
  const double start = Seconds(CLOCK_MONOTONIC);
  uint64_t value = static_cast<uint64_t>(runs_);
  for (int i = 0; i < kCalibrationSteps; ++i) value = value * 6364136223846793005u + 1442695040888963407u;
  asm volatile("" : : "r"(value));
  calibrations_.push_back(static_cast<float>(1e6 * (Seconds(CLOCK_MONOTONIC) - start)));
}

TimingSession::Usage TimingSession::Now() const {
  Usage usage;
  usage.wall = Seconds(CLOCK_MONOTONIC);
  usage.own = SecondsOfProcess();
  usage.own_thread = Seconds(CLOCK_THREAD_CPUTIME_ID);
  usage.processors = 0;
  std::ifstream file("/proc/stat");
  for (std::string text; std::getline(file, text) && text.starts_with("cpu");) {
    std::istringstream line(text);
    std::string name;
    line >> name;
    const ProcessorTimes times = ReadTimes(line);
    if (name == "cpu") {
      usage.busy = times.busy;
      usage.stolen = times.stolen;
      continue;
    }
    ++usage.processors;
    if (pinned_ && name == StrCat("cpu", *pinned_)) usage.pinned_busy = times.busy;
  }
  usage.processors = std::max<int64_t>(usage.processors, 1);
  return usage;
}

TimingConditions TimingSession::Conditions() const {
  const Usage end = Now();
  const double wall = std::max(end.wall - begin_.wall, 1e-6);
  const double error = kTicksOfError * TickSeconds();
  const auto all = static_cast<double>(end.processors) * wall;
  const auto share = [error](double seconds, double of) {
    return std::clamp((seconds - error) / of, 0.0, 1.0);
  };
  TimingConditions conditions;
  conditions.pinned_cpu = pinned_;
  conditions.governor = Governor(pinned_.value_or(0));
  conditions.load_average = load_average_;
  conditions.processors = end.processors;
  conditions.others = share(end.busy - begin_.busy - (end.own - begin_.own), all);
  if (pinned_) {
    const double beside = end.pinned_busy - begin_.pinned_busy - (end.own_thread - begin_.own_thread);
    conditions.others = std::max(conditions.others, share(beside, wall));
  }
  conditions.stolen = share(end.stolen - begin_.stolen, all);
  conditions.preempted = static_cast<double>(preempted_) / static_cast<double>(std::max<int64_t>(runs_, 1));
  if (!calibrations_.empty()) conditions.calibration_us = double{MedianOf(calibrations_)};
  conditions.peak_rss_bytes = PeakResidentBytes();
  return conditions;
}

}  // namespace qat
