// run_curves.h: reads what a run directory's metrics.ndjson tells: curves and ranges over steps, and when
// fake quantization began.
#ifndef QAT_EVAL_RUN_CURVES_H_
#define QAT_EVAL_RUN_CURVES_H_

#include <string>
#include <string_view>

#include "base/expected.h"
#include "report/run_record.h"

namespace qat {

/// Parses the events, one JSON object per line; events and keys of later versions are skipped, those that an
/// earlier one did not write are left unknown. An unfinished last line (a run in progress) is not an error.
/// Errors: kCorrupt "SOURCE:LINE: …".
Expected<RunRecord> ParseRunCurves(std::string_view text, const std::string& source);

/// Reads RUN/metrics.ndjson; no curves where there is no such file, or `run` is a checkpoint file and not a
/// directory.
Expected<RunRecord> ReadRunCurves(const std::string& run);

/// The same for a page about the run. Errors: kNotFound where there is no such file.
Expected<RunRecord> ReadRunRecord(const std::string& run);

}  // namespace qat

#endif  // QAT_EVAL_RUN_CURVES_H_
