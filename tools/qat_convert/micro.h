// micro.h: sources for a microcontroller, as --emit-micro asks.
#ifndef QAT_TOOLS_QAT_CONVERT_MICRO_H_
#define QAT_TOOLS_QAT_CONVERT_MICRO_H_

#include "base/expected.h"
#include "base/file.h"
#include "cli/tool.h"
#include "flags.h"
#include "ir/graph.h"

namespace qat {

/// Writes the files for a model of this graph. Errors: kUnsupported, where it does not run there.
Status EmitMicro(Tool& tool, const ConvertFlags& flags, const Graph& graph, const Bytes& model,
                 Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_MICRO_H_
