// conversion.h: the steps from a network to what is written, as an ordered list of passes with a name each.
#ifndef QAT_TOOLS_QAT_CONVERT_CONVERSION_H_
#define QAT_TOOLS_QAT_CONVERT_CONVERSION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "calibrate/repair.h"
#include "cli/tool.h"
#include "data/dataset.h"
#include "flags.h"
#include "import/read_network.h"
#include "model_type.h"
#include "plan/plan_file.h"

namespace qat {

struct AskedRepairs {
  Repairs chosen;
  bool automatic = false;  ///< --repair auto: those that help on examples held out
};

/// What passes read and change.
struct Conversion {
  Tool& tool;
  const ConvertFlags& flags;
  Report& report;
  ReadNetworkResult network;
  ModelType type;
  QuantizationOptions options;
  const std::optional<PlanChoices>& plan;
  std::string plan_sha256 = {};
  OutputFile* plan_output = nullptr;
  std::optional<Dataset> data = {};
  CalibrationOptions calibration = {};
  AskedRepairs repairs = {};
  bool chooses_observer = false;           ///< --observer auto
  std::optional<Graph> real_filters = {};  ///< the network as it was before filters were rounded
  std::vector<std::string> kept_float = {};
  std::vector<std::string> int16 = {};  ///< as the plan lists them
  std::vector<std::string> equalized = {};  ///< layers, with those that read them
  std::optional<Graph> twin = {};  ///< --twins: the same of uint8

  Graph& graph() { return network.graph; }
};

struct ConversionPass {
  std::string_view name;
  std::string_view summary;
  Status (*run)(Conversion& conversion);
};

/// In the order that they run in; each does nothing where nothing is asked of it.
const std::vector<ConversionPass>& ConversionPasses();

/// "append           adds softmax, …", a line each.
std::string ListOfPasses();

/// --repair. `type`: as flags say. Errors: kInvalidArgument.
Expected<AskedRepairs> ParseRepairs(const ConvertFlags& flags, const std::optional<ModelType>& type);

/// All passes that are not skipped; the graph is verified after each. Errors: kInvalidArgument for a name that no pass has, those of
/// the passes.
Status RunPasses(Conversion& conversion);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_CONVERSION_H_
