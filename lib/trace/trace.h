// trace.h: the way from a model back to its graph, checkpoint, network, recipe and data: each artefact names
// the hash of what it was made from, so that one sees where a file was replaced.
#ifndef QAT_TRACE_TRACE_H_
#define QAT_TRACE_TRACE_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "report/report.h"

namespace qat {

/// What to trace and where its origins are, if they are not next to it.
struct TraceRequest {
  std::string start;     ///< a .tflite, .qgraph or .ckpt file
  std::string graph;     ///< a .qgraph file, or empty
  std::string run;       ///< a run directory or checkpoint, or empty
  std::string data;      ///< the training data, or empty: what the recipe of the run says
  WorkHooks hooks = {};  ///< polled while data are read; progress is that of converting again
};

/// Walks the chain. An artefact is looked for among the given files, then next to `start`: .qgraph files in
/// its directory and in run directories there, checkpoints in those runs. Of several that do not match, none
/// is taken to be the one meant.
/// Where origin and result are both at hand and of this version of the tools, the step between them is taken
/// again and its bytes are compared: a file that was changed and kept its hashes differs, and the note names
/// its first tensor that does.
/// Errors: those of reading `start` and of files that were given; kInterrupted.
Expected<std::vector<TraceLink>> Trace(const TraceRequest& request);

}  // namespace qat

#endif  // QAT_TRACE_TRACE_H_
