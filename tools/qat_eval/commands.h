// commands.h: what each command of qat-eval does, from its flags to its report. The work itself is in
// lib/eval and lib/trace.
#ifndef QAT_TOOLS_QAT_EVAL_COMMANDS_H_
#define QAT_TOOLS_QAT_EVAL_COMMANDS_H_

#include "base/expected.h"
#include "cli/tool.h"
#include "flags.h"
#include "report/report.h"

namespace qat {

Status RunCompare(EvalFlags& flags, Tool& tool, Report& report);
Status RunBenchmark(EvalFlags& flags, Tool& tool, Report& report);
Status RunClassify(EvalFlags& flags, Tool& tool, Report& report);
Status RunModel(EvalFlags& flags, Tool& tool, Report& report);
Status RunTrace(EvalFlags& flags, Tool& tool, Report& report);
Status RunDebug(EvalFlags& flags, Tool& tool, Report& report);
Status RunInspect(EvalFlags& flags, Tool& tool, Report& report);
Status ShowReport(EvalFlags& flags, Tool& tool, Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_EVAL_COMMANDS_H_
