// repair.h: from a float network to its plan, with the repairs that need no training, and which of them are
// worth it.
#ifndef QAT_CALIBRATE_REPAIR_H_
#define QAT_CALIBRATE_REPAIR_H_

#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "calibrate/calibrate.h"
#include "plan/plan_file.h"

namespace qat {

/// In the order in which they are made.
struct Repairs {
  bool equalize = false;
  bool adaround = false;
  bool bias = false;
  bool operator==(const Repairs&) const = default;
};

struct RepairTask {
  const Dataset& dataset;
  CalibrationOptions calibration;
  QuantizationOptions quantization;
  const PlanChoices* choices = nullptr;  ///< of a plan file; null: none
};

/// How much the integers of a network lose on examples that nothing was chosen by.
struct RepairTrial {
  std::string name;  ///< "none", "equalize", …: what was tried beside what was kept before
  double error =
      /// of the outputs: sum of squared differences from the float network's by the sum of their squares; of
      /// indices the part that differs
      0;
  bool kept = false;
};

struct ChosenRepairs {
  Repairs repairs;
  std::vector<RepairTrial> trials;
};

/// Tries equalize, adaround and bias, one after the other, beside what has helped so far: ranges and rounding
/// by four of five examples, the error by the fifth. What does not lower the error is left out. Requires  a
/// verified graph without quantization, operators without an integer kernel kept float, at least 10 examples
/// (kInvalidArgument). Errors: those of the steps.
Expected<ChosenRepairs> ChooseRepairs(const Graph& graph, const RepairTask& task, const WorkHooks& hooks);

struct ChosenObserver {
  Observer observer = Observer::kMinMax;
  std::vector<RepairTrial> trials;  ///< of each observer by its name; the chosen one is kept
};

/// Tries each observer for all activations, in the same way, and keeps the one with the least error of those
/// that are better than minmax by more than chance (t test over the examples, 5 %); else minmax. Requires
/// and errors: as ChooseRepairs.
Expected<ChosenObserver> ChooseObserver(const Graph& graph, const RepairTask& task, const WorkHooks& hooks);

}  // namespace qat

#endif  // QAT_CALIBRATE_REPAIR_H_
