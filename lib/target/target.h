// target.h: whether a model runs where it is to run: its operators, types, versions and shapes against what
// the target takes, as lib/target/rules.inc lists it.
#ifndef QAT_TARGET_TARGET_H_
#define QAT_TARGET_TARGET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "model/model.h"

namespace qat {

enum class Target : uint8_t {
  kTflite,       ///< TFLite's interpreter
  kXnnpack,      ///< every operator in XNNPACK's delegate of it
  kTfliteMicro,  ///< TensorFlow Lite for Microcontrollers
  kEthosU,       ///< every operator on an Arm Ethos-U55 or U65, as Vela places it
};

/// "tflite", "xnnpack", "tflite-micro", "ethos-u".
std::optional<Target> TargetFromName(std::string_view name);
std::string_view NameOf(Target target);
std::vector<std::string> TargetNames();

/// Why one operator does not run on a target.
struct TargetViolation {
  size_t place = 0;       ///< of the operator in the file
  std::string layer;      ///< the tensor that it computes
  std::string operation;  ///< "CONV_2D"
  std::string what;       ///< "takes int8 with filters of int8, not uint8 with uint8"
  std::string way_out;    ///< what to do instead; never empty
};

/// All violations, in the order of execution. Requires a model whose operators are all known or listed as
/// unsupported.
std::vector<TargetViolation> CheckTarget(const Model& model, Target target);

/// Errors: kUnsupported, all violations in one sentence.
Status ExpectTarget(const Model& model, Target target);

}  // namespace qat

#endif  // QAT_TARGET_TARGET_H_
