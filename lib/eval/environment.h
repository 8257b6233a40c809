// environment.h: what a reader of a report must know of the machine and of how models ran on it.
#ifndef QAT_EVAL_ENVIRONMENT_H_
#define QAT_EVAL_ENVIRONMENT_H_

#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

/// Fills report.environment: "cpu", "threads", "kernels", "isa", "profile".
void DescribeEnvironment(const InterpreterOptions& options, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_ENVIRONMENT_H_
