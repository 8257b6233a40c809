// flags.h: the flags of qat-convert, and what they fill.
#ifndef QAT_TOOLS_QAT_CONVERT_FLAGS_H_
#define QAT_TOOLS_QAT_CONVERT_FLAGS_H_

#include <string>
#include <utility>
#include <vector>

#include "cli/tool.h"
#include "convert/request.h"

namespace qat {

struct ConvertFlags : ConversionRequest {
  std::string graph;
  std::string output;
  std::string type;
  std::string input_stats, mean, std;
  std::string picture_mean, picture_std, fit;
  std::vector<std::string> input_shapes;
  std::string signature;
  std::pair<std::string, std::string> verify;  // X and Y
  double verify_tolerance = 1e-4;
  std::string default_range, range_min, range_max;
  std::string input_names, output_names;
  std::string calibrate;
  std::string repair = "none";
  std::string observer;
  bool list_passes = false;
  std::string plan, write_plan;
  std::string target, emit_micro;
  std::string twins;
  bool print = false;
};

void AddFlags(Tool& tool, ConvertFlags& flags);

/// Which files they name: inputs and outputs.
void DeclareFiles(const ConvertFlags& flags, FileUse& use);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_FLAGS_H_
