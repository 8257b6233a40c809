#include "runtime/kernels/table.h"

#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

// Bytes that a thread takes at a time, and the work of one in multiply-accumulates.
constexpr int64_t kRun = 4096, kWorkOfAByte = 4;

// True for the tables between uint8 and int8 of the same scale: byte ^ flip.
bool IsFlip(const reference::LookupTable<uint8_t>& table, uint8_t flip) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i] != (i ^ flip)) return false;
  }
  return true;
}

std::unique_ptr<Kernel> MakeFlip(const KernelContext& context, uint8_t flip) {
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "portable", [count, flip](const KernelBuffers& io) {
    const uint8_t* const from = io.inputs[0];
    uint8_t* const to = io.output_bytes;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = from[i] ^ flip;
  });
}

std::unique_ptr<Kernel> Make(const KernelContext& context, const reference::LookupTable<uint8_t>& table) {
  const int64_t count = FlatSize(context.output.shape);
  const bool fast = context.kernels == KernelSet::kFast;
  for (const uint8_t flip : {0x00, 0x80}) {
    if (fast && IsFlip(table, flip)) return MakeFlip(context, flip);
  }
  if (const simd::Instructions* instructions = fast ? simd::InstructionsOf(context.isa) : nullptr) {
    return MakeKernel(context, NameOf(context.isa), [=](const KernelBuffers& io) {
      ForRuns(
          simd::PoolFor(io.pool, count * kWorkOfAByte), count, kRun, [&](int64_t begin, int64_t end, int) {
            instructions->lookup(table.data(), io.inputs[0] + begin, end - begin, io.output_bytes + begin);
          });
    });
  }
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::Lookup(count, table, io.inputs[0], io.output_bytes);
  });
}

}  // namespace

std::unique_ptr<Kernel> MakeTableKernel(const KernelContext& context,
                                        const reference::LookupTable<uint8_t>& table) {
  return ElementByElement(context, Make(context, table));
}

}  // namespace qat
