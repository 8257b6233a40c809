// data_facts.h: what the automatic network and recipe need to know about a training set.
#ifndef QAT_SPEC_DATA_FACTS_H_
#define QAT_SPEC_DATA_FACTS_H_

#include <cstdint>

#include "contract/task.h"

namespace qat {

struct DataFacts {
  int64_t examples = 0;  ///< to train on, without the held-out ones
  int64_t held_out = 0;
  int32_t inputs = 1;  ///< of the network; what follows is of the first
  int32_t height = 0;  ///< of the network's input
  int32_t width = 0;
  int32_t channels = 0;
  int32_t classes = 0;  ///< 0: the labels are real numbers
  int32_t targets = 0;  ///< real numbers per example; 0: it has labels
  Task task = Task::kClasses;
  int32_t label_height = 1;  ///< 1 and 1: one label per example
  int32_t label_width = 1;
  bool reals = false;  ///< the values are real numbers, not bytes
  double mean = 0;     ///< of all bytes of the training split, whatever their channel
  double std = 0;

  bool LabelsPixels() const { return targets == 0 && (label_height > 1 || label_width > 1); }
  /// Of the network's last layer.
  int32_t Outputs() const { return task == Task::kYesNo ? 1 : targets > 0 ? targets : classes; }
};

}  // namespace qat

#endif  // QAT_SPEC_DATA_FACTS_H_
