// flags.h: the flags of qat-train, and what they fill.
#ifndef QAT_TOOLS_QAT_TRAIN_FLAGS_H_
#define QAT_TOOLS_QAT_TRAIN_FLAGS_H_

#include <map>
#include <string>

#include "cli/tool.h"

namespace qat {

struct TrainFlags {
  std::string run;
  std::string preset;
  std::string init;
  std::string init_map, init_layout, init_flatten;  // of weights
  bool print_init = false;
  std::string select;
  std::map<std::string, std::string> keys;  // flag without "--" -> its text
  bool resume = false;
  bool resume_if_exists = false;
  bool reinitialize = false;
  bool no_training = false;
  std::vector<std::string> input_shapes;
  bool print_network = false;
  bool print_spec = false;
  bool strict = false;
};

/// Adds all of them: one for every key of a recipe, and those of the run.
void AddFlags(Tool& tool, TrainFlags& flags);

/// Which files they name: inputs and outputs.
void DeclareFiles(const TrainFlags& flags, FileUse& use);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_FLAGS_H_
