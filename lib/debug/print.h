// print.h: a diagnosis and what was suggested, as text for a terminal and as a document of its own.
#ifndef QAT_DEBUG_PRINT_H_
#define QAT_DEBUG_PRINT_H_

#include <string>

#include "debug/diagnosis.h"
#include "debug/suggest.h"

namespace qat {

/// What is shown beside the layers.
struct DebugSummary {
  std::string data;
  int64_t calibration = 0, selection = 0;  ///< examples
  const Diagnosis* diagnosis = nullptr;
  const Suggestion* suggestion = nullptr;  ///< null: not asked for
  double max_loss = 0;
  double test_reference = 0, test_edited = 0, test_loss = 0;  ///< with a suggestion, on the test split
  int64_t test_examples = 0;
  std::string plan_path, reproducer;  ///< what was written; empty: nothing
};

/// Layers by rank, the first ten or with `details` all.
std::string DebugText(const DebugSummary& summary, bool details);

/// "schema": "qat-debug/1"; docs/debug.md names its fields.
std::string DebugJson(const DebugSummary& summary);

}  // namespace qat

#endif  // QAT_DEBUG_PRINT_H_
