// train_job.h: what a training run works on: data, network and recipe, each as asked for, or chosen to fit
// the others.
// No LibTorch here.
#ifndef QAT_TRAIN_TRAIN_JOB_H_
#define QAT_TRAIN_TRAIN_JOB_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "checkpoint/checkpoint.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "spec/train_config.h"

namespace qat {

struct JobRequest {
  TrainConfig config;
  bool automatic = false;       ///< derive the keys that are not among `given`
  std::set<std::string> given;  ///< keys that a person decided
  std::string resumed;          ///< directory of a run that goes on with the network it has; empty: none
  /// trainable; what the recipe's `network` names, where that is no spec; null: it is
  const Graph* network = nullptr;
  const Checkpoint* init = nullptr;     ///< whose network is meant where none is named; null: none
  const Checkpoint* teacher = nullptr;  ///< TrainStart::teacher
  bool trained = false;     ///< starts from trained parameters that come without a network: weights
  bool strict = false;      ///< OpenOptions::strict
  bool fit_budget = false;  ///< the recipe's budget decides the number of steps, by measuring
  WorkHooks hooks = {};     ///< of reading, and of measuring the speed
};

struct TrainJob {
  TrainConfig config;  ///< valid; every key decided
  Graph network;       ///< its classes are those of the data, unless a flag says otherwise
  Dataset train;
  Dataset test;
  std::vector<std::string> lines;     ///< what was chosen, for people; empty where everything was named
  std::vector<std::string> warnings;  ///< of data that integers will not tell apart
};

/// Whether the recipe's `network` is a model (.tflite, .onnx), which JobRequest::network brings, and no spec.
bool NamesModel(const TrainConfig& config);

/// Opens the data, chooses or reads the network and completes the recipe.
/// Errors: those of OpenDataset, LoadNetworkSpec and Validate.
Expected<TrainJob> PrepareJob(const JobRequest& request);

}  // namespace qat

#endif  // QAT_TRAIN_TRAIN_JOB_H_
