// float_run.h: a network on the examples of a data set, in float32 or at least between borders of it, every
// value in reach.
#ifndef QAT_CALIBRATE_FLOAT_RUN_H_
#define QAT_CALIBRATE_FLOAT_RUN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "runtime/interpreter.h"

namespace qat {

/// Which examples are used; null: all.
using ChosenExamples = std::function<bool(int64_t example)>;

/// What progress of such a run is called.
inline constexpr std::string_view kRunOfExamples = "calibrate";

class FloatRun {
 public:
  /// Requires  a verified graph that outlives this, without quantization or with inputs and outputs of
  /// float32. Errors: those of the writer and the interpreter.
  static Expected<FloatRun> Create(const Graph& graph);

  /// Runs each example and calls `after` with its number. Errors: those of the data set, of `after`;
  /// kInterrupted. Progress is kRunOfExamples.
  Status ForEach(const Dataset& dataset, const ChosenExamples& chosen, const WorkHooks& hooks,
                 const std::function<Status(int64_t)>& after);

  /// Runs the inputs of another run's last example. Requires  a run of a network with the same inputs.
  void Repeat(const FloatRun& other);

  /// What the last example gave this tensor of real numbers; a quantize or dequantize node gives what it
  /// reads.
  std::span<const float> Values(int32_t tensor) const;
  /// The same of an input of the graph, by its position.
  std::span<const float> Input(size_t position) const;

 private:
  FloatRun(const Graph& graph, std::unique_ptr<Interpreter> interpreter);

  const Graph* graph_;
  std::unique_ptr<Interpreter> interpreter_;
  std::map<int32_t, int32_t> carrier_;  // by tensor of the graph: which of the model has its values
};

}  // namespace qat

#endif  // QAT_CALIBRATE_FLOAT_RUN_H_
