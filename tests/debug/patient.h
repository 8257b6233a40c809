// patient.h: a network that is examined and repaired.
#ifndef QAT_TESTS_DEBUG_PATIENT_H_
#define QAT_TESTS_DEBUG_PATIENT_H_

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "calibrate/calibrate.h"
#include "debug/converted.h"
#include "debug/diagnosis.h"
#include "debug/observe.h"
#include "debug/suggest.h"

namespace qat::testing {

/// A network, calibrated on digits, and what is asked of it.
class Patient {
 public:
  explicit Patient(Graph graph, const std::string& type = "int8")
      : Patient(std::move(graph), Digits(), type) {}

  Patient(Graph graph, const Dataset& data, const std::string& type)
      : graph_(std::move(graph)), data_(*SplitForDebugging(data, 150, 300, 1)) {
    choices_.precisions = *IntegersFromName(type);
    std::vector<std::string> warnings;
    QAT_CHECK(Calibrate(data_.calibration, {.precisions = choices_.precisions}, WorkHooks(), graph_, warnings)
                  .ok());
    CollectRanges(graph_, choices_);
  }

  PlanChoices& choices() { return choices_; }
  const Graph& graph() const { return graph_; }
  const DebugData& data() const { return data_; }

  Diagnosis Examine() const {
    std::vector<std::string> warnings;
    const Converted converted = *Convert(graph_, choices_, warnings);
    const auto observed = *Observe(converted.real, data_.calibration, {});
    auto diagnosis = Diagnose(converted, observed, data_.selection, {});
    if (!diagnosis.ok()) ADD_FAILURE() << diagnosis.error().message;
    return *std::move(diagnosis);
  }

  Suggestion Repair(const Diagnosis& diagnosis, double max_drop) const {
    auto suggestion = Suggest(graph_, choices_, diagnosis, data_, max_drop, {});
    if (!suggestion.ok()) ADD_FAILURE() << suggestion.error().message;
    return *std::move(suggestion);
  }

 private:
  static Dataset Digits() {
    OpenOptions options;
    options.limit = 450;
    return *OpenDataset("digits", Split::kTrain, options);
  }

  Graph graph_;
  PlanChoices choices_;
  DebugData data_;
};

inline const LayerDiagnosis& First(const Diagnosis& diagnosis) {
  return diagnosis.layers[diagnosis.ranking[0]];
}

}  // namespace qat::testing

#endif  // QAT_TESTS_DEBUG_PATIENT_H_
