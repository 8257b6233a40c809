// plan_edits.h: what could be changed in a plan for one layer.
#ifndef QAT_DEBUG_PLAN_EDITS_H_
#define QAT_DEBUG_PLAN_EDITS_H_

#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "debug/converted.h"
#include "debug/diagnosis.h"
#include "debug/observe.h"
#include "debug/suggest.h"
#include "ir/graph.h"
#include "plan/plan_file.h"

namespace qat {

/// What a kind of edit costs, the cheapest first.
enum class EditPrice { kNothing, kScales, kBits, kInt16, kFloat };

struct PossibleEdit {
  PlanEdit edit;
  std::function<void(PlanChoices&)> apply;
  EditPrice price = EditPrice::kNothing;
};

class EditFinder {
 public:
  /// All four outlive it.
  EditFinder(const Graph& network, const OwnIntegers& own, const Dataset& calibration, const WorkHooks& hooks)
      : network_(network), own_(own), calibration_(calibration), hooks_(hooks) {}

  /// Edits of `choices` that differ from what they say. Errors: those of Convert and Observe.
  Expected<std::vector<PossibleEdit>> Find(const LayerDiagnosis& layer, const PlanChoices& choices);

 private:
  using Ranges = std::map<std::string, Observed>;

  /// What tensors reach once these layers are equalized.
  Expected<const Ranges*> ObservedFor(const Converted& now, const PlanChoices& choices);
  void AddRanges(const LayerDiagnosis& layer, const Converted& now, const Ranges& observed,
                 const PlanChoices& choices, std::vector<PossibleEdit>& edits) const;
  static void AddInputRanges(const LayerDiagnosis& layer, const Ranges& observed, const PlanChoices& choices,
                             std::vector<PossibleEdit>& edits);
  static void AddFilters(const LayerDiagnosis& layer, const Converted& now, const PlanChoices& choices,
                         std::vector<PossibleEdit>& edits);
  Status AddEqualizations(const LayerDiagnosis& layer, const Ranges& observed, const PlanChoices& choices,
                          std::vector<PossibleEdit>& edits);
  void AddInt16(const LayerDiagnosis& layer, const PlanChoices& choices,
                std::vector<PossibleEdit>& edits) const;
  void AddFloats(const LayerDiagnosis& layer, const PlanChoices& choices,
                 std::vector<PossibleEdit>& edits) const;
  /// Nodes that read a tensor, also through those that only hand it on; these included.
  std::vector<std::string> ReadersOf(std::set<int32_t> tensors) const;
  struct Place {
    std::vector<std::string> own;  // the layer; of an input none
    std::vector<std::string> readers;
  };
  Place PlaceOf(const LayerDiagnosis& layer) const;

  const Graph& network_;
  const OwnIntegers& own_;
  const Dataset& calibration_;
  const WorkHooks& hooks_;
  /// By what is equalized, what stays real and what has 16 bits.
  std::map<std::array<std::vector<std::string>, 3>, Ranges> observed_;
};

}  // namespace qat

#endif  // QAT_DEBUG_PLAN_EDITS_H_
