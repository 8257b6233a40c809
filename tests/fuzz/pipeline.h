// pipeline.h: what happens to a file behind its reader, for targets whose readers begin a chain.
#ifndef QAT_TESTS_FUZZ_PIPELINE_H_
#define QAT_TESTS_FUZZ_PIPELINE_H_

#include "base/expected.h"
#include "base/file.h"
#include "ir/graph.h"
#include "passes/passes.h"
#include "quant/precision.h"

namespace qat::fuzz {

/// The .tflite of a frozen graph, as qat-convert writes it without data: what has no integer kernel stays
/// real.
Expected<Bytes> ModelOf(Graph graph, const Precisions& precisions,
                        WeightStorage weights = WeightStorage::kFloat32);

/// Lowers a graph to every type of qat-convert, of integers and of real numbers with smaller weights, and
/// loads and runs what was written.
void ConvertAndRun(const Graph& graph);

/// Loads a .tflite; shows it, imports it, and runs it by the reference kernels and under every instruction
/// set of this machine. Integer outputs must be the same under all of them. What asks for more memory or work
/// than a step of a fuzzer may take (16 MiB of tensors, four million products) is loaded, but not run: it is
/// a demand and no fault.
void RunModel(const Bytes& bytes);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_PIPELINE_H_
