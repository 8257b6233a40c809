// evaluate.h: all of qat-eval except its command line: rows on the same images in one process, into a report.
#ifndef QAT_EVAL_EVALUATE_H_
#define QAT_EVAL_EVALUATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "eval/gates.h"
#include "eval/rows.h"
#include "report/report.h"

namespace qat {

inline constexpr int32_t kMostRounds = 1000;

struct EvalRequest {
  std::string data;   ///< "digits" or a path; the test split is read
  int64_t limit = 0;  ///< a sample of so many examples; 0: all
  /// of data without a test split, all examples are it, instead of a tenth
  bool whole = false;
  /// of models of others with several outputs: the one that labels are held against; empty: as data have
  /// labels
  std::string judge;
  Task task = Task::kAuto;  ///< of labels that could be classes or numbers
  /// a file of class names, one per line, of models that name none; or empty
  std::string labels;
  bool strict = false;                 ///< a broken picture is an error
  int64_t data_cache = 1024;           ///< MiB that decoded pictures may take
  std::vector<int32_t> topk = {1, 5};  ///< the k of top-k
  /// Rounds over the images when timing; 0: no timing. Absent: one, or with a gate of time as many as two
  /// seconds take.
  std::optional<int32_t> repeat = {};
  RowRequest rows;
  GateLimits gates;
  std::string baseline;  ///< an earlier report, or empty
  uint64_t seed = 1;     ///< of the bootstrap
};

/// What one can see before anything is read. Errors: kInvalidArgument.
Status CheckRequest(const EvalRequest& request);

/// Fills `report`: data, models, pairs, gates, warnings, curves, ranges, environment; status "gate-failed"
/// where a gate failed. On an error it holds what was found before. Returns the predictions as CSV: index,
/// label, one column a row.
/// Errors: those of the readers, of CheckContract, of JudgeGates; kInterrupted.
Expected<std::string> Evaluate(const EvalRequest& request, const WorkHooks& hooks, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_EVALUATE_H_
