// file_modules.h: the tensors of a weights file put together as the modules they were parts of.
#ifndef QAT_WEIGHTS_FILE_MODULES_H_
#define QAT_WEIGHTS_FILE_MODULES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "weights/layout.h"
#include "weights/weights_file.h"

namespace qat {

/// Indices into the tensors of the file; -1: there is none.
struct FileModule {
  enum class Kind { kFilter, kNorm, kSlope, kUnknown };
  std::string name;  ///< "layer1.0.conv1"; of a tensor without a module, its own
  Kind kind = Kind::kUnknown;
  int32_t filter = -1;
  int32_t bias = -1;
  int32_t gamma = -1, beta = -1, mean = -1, variance = -1;
  int32_t slope = -1;
  std::vector<int32_t> unknown;  ///< tensors of no role that a layer here has
};

/// In the order of the file. Names as PyTorch ("conv1.weight", "bn1.running_mean"), Keras ("conv2d/kernel",
/// "bn/gamma:0") and checkpoints of ours ("conv1/filter") have them; arrays without names (arr_0, arr_1, …)
/// by their ranks, in the order of Keras's get_weights: a filter, a bias, then gamma, beta, mean and
/// variance. Counters (num_batches_tracked) belong to no module.
std::vector<FileModule> FindModules(const WeightsFile& file);

/// By the names of the tensors; without any, Keras's, whose get_weights has none.
WeightsLayout GuessLayout(const WeightsFile& file);

/// Whether it is a counter that says nothing about the network.
bool IsCounter(const WeightTensor& tensor);

}  // namespace qat

#endif  // QAT_WEIGHTS_FILE_MODULES_H_
