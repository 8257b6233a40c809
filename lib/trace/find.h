// find.h: where the origins of a file lie, by their hashes.
#ifndef QAT_TRACE_FIND_H_
#define QAT_TRACE_FIND_H_

#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Where to look. Paths, sorted.
struct Places {
  std::vector<std::string> folders;  ///< that may hold graphs and plans
  std::vector<std::string> runs;     ///< run directories
};

/// The directory of `start`, the run that `start` lies in, run directories next to it, and `run` (may be
/// empty).
Places PlacesAround(const std::string& start, const std::string& run);

struct FoundFile {
  std::string path;  ///< empty: nothing
  std::string sha256;
  std::string note;
};

/// `given` if it is not empty. Else the .qgraph file with this hash; else, with another hash, the only one
/// there is.
/// Errors: those of reading `given`.
Expected<FoundFile> FindGraph(const Places& places, const std::string& given, const std::string& sha256);

/// The same among checkpoints; of a `given` run directory the checkpoint that matches, else its last one.
/// Errors: those of ResolveCheckpoint.
Expected<FoundFile> FindCheckpoint(const Places& places, const std::string& given, const std::string& sha256);

/// The plan (.toml) with this hash; no path where none has it.
FoundFile FindPlan(const Places& places, const std::string& sha256);

/// The model (.tflite, .onnx) with this hash, which may be cut; no path where none has it.
FoundFile FindModel(const Places& places, const std::string& sha256);

/// Errors: kInvalidArgument for a model, which is no graph; those of reading.
Status ExpectGraph(const std::string& path);

/// "RUN/config.toml" of "RUN/checkpoints/STEP.ckpt"; empty for a checkpoint that lies elsewhere.
std::string RecipePathOf(const std::string& checkpoint);

}  // namespace qat

#endif  // QAT_TRACE_FIND_H_
