// suggest.h: the smallest edit of a plan that keeps what quantization loses within a limit, found by trying
// edits and running them.
#ifndef QAT_DEBUG_SUGGEST_H_
#define QAT_DEBUG_SUGGEST_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "debug/diagnosis.h"
#include "ir/graph.h"
#include "plan/plan_file.h"

namespace qat {

struct PlanEdit {
  std::string kind;  ///< "range", "filter", "equalize", "int16", "keep_float"
  std::string layer;
  std::string text;  ///< a sentence: what changes, from what to what
};

struct Suggestion {
  std::vector<PlanEdit> edits;  ///< empty: the plan meets the limit as it is
  PlanChoices choices;          ///< with the edits
  bool met = false;             ///< on the selection
  double loss_before = 0, loss_after = 0;
  int64_t bytes_before = 0, bytes_after = 0;
  double time_us_before = 0, time_us_after = 0;  ///< medians of Invoke, measured in turns
  std::string plan;                              ///< the whole plan, with the edits as comments at its top
  int64_t tried = 0;                             ///< conversions that were run
};

/// Edits are tried at the three most harmful layers at a time: another range of what they compute (what was
/// observed, what gives the least square error, what 99.9 or 99 % of the values lie in), of an input or a
/// filter; a scale for each channel of a filter; 8 bits instead of 4 for it; equalization with a neighbour;
/// the layer and those that read it on int16, in a network of int8; the layer in float, alone or with those
/// that read it; of an input those that read it. One that meets the limit alone is taken, the one with the
/// fewest bytes first; else the one that makes the answers most alike those of the float network, those that
/// cost nothing first; and so on. Where the limit is met, but by less than two standard errors of the loss,
/// edits without a price that at least halve the error of the answers are taken, too. In the end edits that
/// turn out not to be needed are dropped.
/// `own` as Convert takes it; a plan does not hold it.
/// Errors: those of Convert and of running; kInterrupted. No edit found: `met` is false.
Expected<Suggestion> Suggest(const Graph& network, const PlanChoices& choices, const Diagnosis& diagnosis,
                             const DebugData& data, double max_loss, const WorkHooks& hooks,
                             const OwnIntegers& own = {});

}  // namespace qat

#endif  // QAT_DEBUG_SUGGEST_H_
