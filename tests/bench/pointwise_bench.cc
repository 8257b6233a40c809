// How near 1x1 convolutions with exact requantization come to the processor's peak, by depth: int8 with a
// filter quantized per axis. Kernel and peak take turns; the share is the median over the turns. Prints a
// table in Markdown.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/random.h"
#include "runtime/interpreter.h"
#include "runtime/kernels/simd/peak.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"

namespace qat {
namespace {

constexpr int32_t kSide = 14;
constexpr int kTurns = 200;

using Clock = std::chrono::steady_clock;

template <class F>
double Nanoseconds(const F& f) {
  const Clock::time_point start = Clock::now();
  f();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

std::vector<uint8_t> PointwiseModel(int32_t depth, int32_t units) {
  Random random(static_cast<uint64_t>(depth));
  testing::ModelBuilder builder;
  const int32_t input =
      builder.AddTensor("x", {1, kSide, kSide, depth}, DType::kInt8, testing::Quantized(0.02f, 3));
  std::vector<int8_t> values;
  for (int64_t i = 0; i < int64_t{units} * depth; ++i)
    values.push_back(static_cast<int8_t>(static_cast<int32_t>(random.Below(255)) - 127));
  testing::TensorQuantization per_axis{{}, {}, 0};
  for (int32_t i = 0; i < units; ++i) {
    per_axis.scale.push_back(0.001f + 0.0001f * static_cast<float>(i % 7));
    per_axis.zero_point.push_back(0);
  }
  const int32_t filter = builder.AddConstant("w", {units, 1, 1, depth}, values, per_axis);
  const int32_t bias =
      builder.AddConstant("b", {units}, std::vector<int32_t>(static_cast<size_t>(units), 1000));
  const int32_t output =
      builder.AddTensor("y", {1, kSide, kSide, units}, DType::kInt8, testing::Quantized(0.05f, -5));
  builder.AddConv2D(input, filter, bias, output, {});
  return builder.Finish({input}, {output});
}

std::unique_ptr<Interpreter> OpenPointwise(int32_t depth, int32_t units, Isa isa) {
  InterpreterOptions options;
  options.isa = isa;
  auto model = RunnableFromBytes(PointwiseModel(depth, units), "pointwise");
  auto interpreter = model.ok() ? Interpreter::Create(*model, options) : model.error();
  if (!interpreter.ok()) {
    std::fprintf(stderr, "qat_pointwise_bench: %s\n", interpreter.error().message.c_str());
    std::exit(1);
  }
  return *std::move(interpreter);
}

// Share of the peak, in percent.
double ShareOfPeak(int32_t depth, int32_t units, Isa isa, const simd::Peak& peak) {
  const auto interpreter = OpenPointwise(depth, units, isa);
  const double macs = double{kSide} * kSide * depth * units;
  const auto steps = static_cast<int64_t>(macs / static_cast<double>(peak.macs_a_step)) + 1;
  const double steps_share = static_cast<double>(steps * peak.macs_a_step) / macs;
  std::vector<double> shares;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double best = Nanoseconds([&] { peak.run(steps); }) / steps_share;
    shares.push_back(100 * best / Nanoseconds([&] { interpreter->Invoke(); }));
  }
  std::nth_element(shares.begin(), shares.begin() + kTurns / 2, shares.end());
  return shares[kTurns / 2];
}

const simd::Peak* PeakOf(Isa isa) { return simd::PeakOf(isa, DType::kInt8); }

void PrintTable(int32_t units) {
  std::printf("| depth, to %d channels |", units);
  for (const Isa isa : AvailableIsas()) {
    if (PeakOf(isa) != nullptr) std::printf(" %s, %% of its peak |", std::string(NameOf(isa)).c_str());
  }
  std::printf("\n| --- |");
  for (const Isa isa : AvailableIsas()) std::printf(PeakOf(isa) != nullptr ? " --- |" : "");
  std::printf("\n");
  for (const int32_t depth : {8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512}) {
    std::printf("| %d |", depth);
    for (const Isa isa : AvailableIsas()) {
      if (const simd::Peak* peak = PeakOf(isa)) std::printf(" %.0f |", ShareOfPeak(depth, units, isa, *peak));
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::PrintTable(argc > 1 ? std::atoi(argv[1]) : 128);
  return 0;
}
