// run_curves.h: what a run directory's metrics.ndjson tells: curves over steps, and when fake quantization began.
#ifndef QAT_EVAL_RUN_CURVES_H_
#define QAT_EVAL_RUN_CURVES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "report/report.h"

namespace qat {

struct RunCurves {
  std::vector<TrainingCurve>
      curves;                ///< "loss", "training_accuracy", then "holdout_accuracy", "holdout_loss", …
  int64_t quant_delay = -1;  ///< step of the event "quantize"; -1: there is none
};

/// Parses the events, one JSON object a line; events and keys of later versions are skipped. An unfinished last line (a run
/// in progress) is not an error. Errors: kCorrupt "SOURCE:LINE: …".
Expected<RunCurves> ParseRunCurves(std::string_view text, const std::string& source);

/// Reads RUN/metrics.ndjson; no curves where there is no such file, or `run` is a checkpoint file and not a directory.
Expected<RunCurves> ReadRunCurves(const std::string& run);

}  // namespace qat

#endif  // QAT_EVAL_RUN_CURVES_H_
