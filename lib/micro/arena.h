// arena.h: how much memory TensorFlow Lite for Microcontrollers takes to run a model.
#ifndef QAT_MICRO_ARENA_H_
#define QAT_MICRO_ARENA_H_

#include <cstddef>
#include <cstdint>

#include "model/model.h"

namespace qat {

struct MicroArena {
  size_t tensors = 0;     ///< at its beginning: what nodes compute and need while they run
  size_t structures = 0;  ///< at its end: tables of tensors and nodes, multipliers of channels
  size_t total() const { return tensors + structures; }
};

/// Tensors are placed as by its greedy planner: the largest first (of equal ones the last), each in the first
/// gap among those that live at the same time, all aligned to 16 bytes. Structures are those of a 64-bit
/// processor, which a 32-bit one has smaller, by what its recording allocator reports for each operator;
/// where it varies, by the largest. So the total is enough, and a little more.
/// Source    tflite-micro, memory_planner/greedy_memory_planner.cc; measured with 0.dev20261023182759.
MicroArena EstimateArena(const Model& model);

}  // namespace qat

#endif  // QAT_MICRO_ARENA_H_
