#include "runtime/kernels/table.h"

#include <cstring>

#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

// Bytes that a thread takes at a time, and the work of one in multiply-accumulates (estimate).
constexpr int64_t kRun = 4096, kWorkOfAByte = 4;

// True for the tables between uint8 and int8 of the same scale: byte ^ flip.
bool IsFlip(const reference::LookupTable<uint8_t>& table, uint8_t flip) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (table[i] != (i ^ flip)) return false;
  }
  return true;
}

// Eight bytes at a time: the baseline's compiler makes no vectors of the loop.
void Flip(const uint8_t* from, int64_t size, uint8_t flip, uint8_t* to) {
  const uint64_t flips = 0x0101010101010101u * flip;
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, from + i, sizeof(bytes));
    bytes ^= flips;
    std::memcpy(to + i, &bytes, sizeof(bytes));
  }
  for (; i < size; ++i) to[i] = from[i] ^ flip;
}

std::unique_ptr<Kernel> MakeFlip(const KernelContext& context, uint8_t flip) {
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "portable", [count, flip](const KernelBuffers& io) {
    ForRuns(io.pool, count, count, kRun, [&](int64_t begin, int64_t end, int) {
      Flip(io.inputs[0] + begin, end - begin, flip, io.output_bytes + begin);
    });
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
      ForRuns(io.pool, count * kWorkOfAByte, count, kRun, [&](int64_t begin, int64_t end, int) {
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

std::unique_ptr<Kernel> MakeTableKernel(const KernelContext& context, const reference::Int16Table& table) {
  return MakeInt16Kernel(context, [table](int16_t value) { return reference::LookUp(table, value); });
}

}  // namespace qat
