// flags.h: the flags of qat-eval as one table, and what they fill.
#ifndef QAT_TOOLS_QAT_EVAL_FLAGS_H_
#define QAT_TOOLS_QAT_EVAL_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/output_name.h"
#include "cli/tool.h"
#include "eval/bench.h"
#include "eval/evaluate.h"
#include "eval/picture_run.h"
#include "eval/tensor_run.h"
#include "trace/trace.h"

namespace qat {

/// Bits of the commands, for the rows of the table.
enum EvalCommand : uint32_t {
  kCompare = 1,
  kBench = 2,
  kClassify = 4,
  kRun = 8,
  kTrace = 16,
  kReport = 32,
  kInspect = 64,
  kDebug = 128,
};

struct EvalOutput {
  OutputFormat format;
  std::string path;
};

/// What only the command debug has.
struct DebugFlags {
  std::string plan, type;
  std::string suggest;     ///< OUT.toml
  std::string reproducer;  ///< a folder
  std::string layer;       ///< to cut out; empty: the most harmful
  int64_t limit = 500, calibration_limit = 500;
  std::optional<double> max_drop, max_error_rise;
};

struct EvalFlags {
  std::vector<std::string> arguments;  ///< models, and pictures after the model
  std::string argument;                ///< of commands that take one
  EvalRequest request;
  TensorRunRequest tensors;
  PictureRunRequest pictures;
  BenchRequest bench;
  TraceRequest trace;
  DebugFlags debug;
  std::string input_stats;
  std::string task = "auto";
  std::string max_flips, min_speedup, max_latency_ratio;
  std::vector<std::string> min_recall, max_rmse;
  std::vector<std::string> min_accuracy, max_drop, min_balanced_accuracy, max_error_rise, min_auc, min_f1,
      min_iou;
  std::string kernels = "fast";
  std::string profile = "tflite";
  std::string html, predictions;
  std::string dot, spec;
  bool diff = false;
  std::string junit, markdown, benchmark_json;
  bool schema = false;
  bool details = false;

  /// All files that it may write; an empty path: not asked for.
  std::vector<EvalOutput> Outputs() const;
};

/// Adds the rows of the table that `command` has, --threads and --seed where they have an effect, and the
/// names of fields.
void AddEvalFlags(Tool& tool, Command& command, EvalCommand bit, EvalFlags& flags);

/// Which files they name: inputs and outputs of any command.
void DeclareFiles(const EvalFlags& flags, FileUse& use);

/// Whether each output is named as its format is, and at most one is standard output. Errors:
/// kInvalidArgument.
Status CheckEvalOutputs(const EvalFlags& flags, Tool& tool);

/// Checks what CLI11 cannot, and fills the requests. Errors: kInvalidArgument.
Status ApplyEvalFlags(EvalFlags& flags, Tool& tool);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_EVAL_FLAGS_H_
