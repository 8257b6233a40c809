// diagnosis.h: what quantization costs, layer by layer: of each layer alone, and of all but this layer.
#ifndef QAT_DEBUG_DIAGNOSIS_H_
#define QAT_DEBUG_DIAGNOSIS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "debug/converted.h"
#include "debug/isolate.h"
#include "debug/observe.h"
#include "debug/quality.h"
#include "report/report.h"

namespace qat {

struct LayerDiagnosis {
  DebugLayer layer;
  std::string tensor;  ///< the name of what it computes
  std::optional<double> own_sqnr_db =
      {};                              ///< of its output, with this layer alone quantized; absent: no noise
  std::optional<double> sqnr_db = {};  ///< of its output, with all layers quantized
  std::optional<double> output_sqnr_db = {};  ///< of the network's answers, with this layer alone quantized
  std::optional<double> only_loss =
      {};  ///< of accuracy (points) or RMSE (percent), with this layer alone quantized
  std::optional<double> float_loss = {};  ///< with all layers quantized but this one, in real arithmetic
  std::optional<Range> range = {};        ///< that its integers can stand for
  std::optional<Range> observed = {};     ///< that its values reach on the data
  double clipped = 0;                     ///< share of values beyond `range`
  double range_used = 0;                  ///< of `range`, 0 to 1
  int64_t channels = 0;
  int64_t coarse_channels = 0;  ///< of what it computes: those that reach fewer than 16 steps
  std::optional<FilterResolution> filter = {};
  std::optional<Histogram> histogram = {};  ///< of real values, the representable range in the middle
};

struct Diagnosis {
  std::string network;
  std::string type;  ///< "int8"
  std::string task;
  Quality reference, quantized;  ///< the float network and the converted one, on `selection`
  std::optional<double> output_sqnr_db;
  double loss = 0;
  std::vector<LayerDiagnosis> layers;  ///< in the order of execution
  std::vector<size_t> ranking;         ///< places in `layers`, the most harmful first
};

/// The data of an analysis: ranges are found on one part, answers judged on the other.
struct DebugData {
  Dataset calibration, selection;
};

/// Splits a sample of the training split: `calibration` of its examples and the others, or in the same
/// proportion where it has fewer.
Expected<DebugData> SplitForDebugging(const Dataset& training, int64_t calibration, int64_t selection,
                                      uint64_t seed);

/// A float .tflite in memory, and a quantized one, as predictors that take raw examples.
Expected<std::unique_ptr<Predictor>> PredictorOf(const Graph& real, const std::string& name);
Expected<std::unique_ptr<Predictor>> PredictorOf(const Converted& converted, const std::string& name);

/// Places of layers by the noise that each alone leaves in the answers (where there are no scores: by what it
/// loses), the most first; layers without any come last, in the order of execution.
std::vector<size_t> RankLayers(const std::vector<LayerDiagnosis>& layers);

/// Errors: those of conversion, of the interpreter and of the data; kInterrupted.
Expected<Diagnosis> Diagnose(const Converted& converted, const std::map<std::string, Observed>& observed,
                             const Dataset& selection, const WorkHooks& hooks);

/// Only `output_sqnr_db` and `only_loss` of each layer, and the ranking: what a search needs in between.
Expected<std::vector<LayerDiagnosis>> MeasureAlone(const Converted& converted, const Quality& reference,
                                                   const Dataset& selection, const WorkHooks& hooks);

}  // namespace qat

#endif  // QAT_DEBUG_DIAGNOSIS_H_
