// run.h: the work of qat-train: prepares the job, trains, reports.
#ifndef QAT_TOOLS_QAT_TRAIN_RUN_H_
#define QAT_TOOLS_QAT_TRAIN_RUN_H_

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "report/report.h"

namespace qat {

/// Trains as the flags say, or prints the recipe or the network, and fills the report.
Status RunTool(Tool& tool, const TrainFlags& flags, Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_RUN_H_
