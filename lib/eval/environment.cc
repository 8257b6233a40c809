#include "eval/environment.h"

#include <ctime>
#include <fstream>
#include <string>

namespace qat {
namespace {

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// Of today, UTC: "2026-11-27".
std::string Today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  char text[16] = "";
  if (::gmtime_r(&now, &parts) != nullptr) std::strftime(text, sizeof text, "%F", &parts);
  return text;
}

}  // namespace

void DescribeEnvironment(const InterpreterOptions& options, Report& report) {
  report.environment["cpu"] = CpuName();
  report.environment["date"] = Today();
  report.environment["threads"] = std::to_string(options.threads);
  report.environment["kernels"] = options.kernels == KernelSet::kReference ? "reference" : "fast";
  if (options.kernels == KernelSet::kFast) {
    const auto isa = options.isa.has_value() ? Expected<Isa>(*options.isa) : ChooseIsa();
    if (isa.ok()) report.environment["isa"] = std::string(NameOf(*isa));
  }
  report.environment["profile"] = options.profile == ArithmeticProfile::kTflite ? "tflite" : "tflite-classic";
}

}  // namespace qat
