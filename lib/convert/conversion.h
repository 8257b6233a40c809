// conversion.h: the steps from a network to the graph that is written, as an ordered list of passes with a
// name each. qat-convert makes models by them, and a trace makes them again.
#ifndef QAT_CONVERT_CONVERSION_H_
#define QAT_CONVERT_CONVERSION_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "calibrate/repair.h"
#include "convert/model_type.h"
#include "convert/request.h"
#include "data/dataset.h"
#include "import/read_network.h"
#include "plan/plan_file.h"

namespace qat {

struct AskedRepairs {
  Repairs chosen;
  bool automatic = false;  ///< those that help on examples held out, yet to be found
};

/// What the caller hears while it goes on; each may be empty.
struct ConversionHooks {
  /// Before each step that runs all examples, and after it.
  std::function<WorkHooks(std::string_view step, int64_t examples)> begin = {};
  std::function<void()> done = {};
  std::function<void(const std::string& note)> note = {};
  std::function<Status(const std::string& text)> write_plan =
      {};  ///< takes the plan; empty: nobody asks for it
};

/// What passes read and change.
struct Conversion {
  const ConversionRequest& request;
  ReadNetworkResult network;
  std::string source;  ///< the file that the network is from, as messages name it
  ModelType type;
  QuantizationOptions options = {};  ///< `precisions` are those of `type`
  bool twins = false;                ///< of both types
  std::optional<PlanChoices> plan = {};
  std::string plan_source = {}, plan_sha256 = {};
  const Dataset* data = nullptr;  ///< to find ranges in; null: none
  CalibrationOptions calibration = {};
  AskedRepairs repairs = {};
  bool chooses_observer = false;  ///< the best on examples held out
  ConversionHooks hooks = {};

  // What comes out, besides the graph.
  std::vector<std::string> warnings = {};
  std::map<std::string, double> metrics = {};
  std::optional<Graph> real_filters = {};  ///< the network as it was before filters were rounded
  std::vector<std::string> kept_float = {};
  std::vector<std::string> int16 = {};      ///< as the plan lists them
  std::vector<std::string> equalized = {};  ///< layers, with those that read them
  std::optional<Graph> twin = {};           ///< the same of uint8

  Graph& graph() { return network.graph; }
  void Note(const std::string& text) const {
    if (hooks.note) hooks.note(text);
  }
};

struct ConversionPass {
  std::string_view name;
  std::string_view summary;
  Status (*run)(Conversion& conversion);
};

/// In the order that they run in; each does nothing where nothing is asked of it.
const std::vector<ConversionPass>& ConversionPasses();

/// "append           adds softmax, …", a line each; fields stand in backquotes.
std::string ListOfPasses();

/// All passes that are not skipped; the graph is verified after each. What was asked for is recorded first
/// (record.h). Errors:
/// kInvalidArgument for a name that no pass has, those of the passes.
Status RunPasses(Conversion& conversion);

}  // namespace qat

#endif  // QAT_CONVERT_CONVERSION_H_
