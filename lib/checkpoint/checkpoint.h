// checkpoint.h: the border between training and everything after it. A FlatBuffer of ours
// (schemas/checkpoint.fbs): the trainable graph, named float tensors, ranges, recipe, input contract,
// metrics, provenance. No LibTorch on either side.
#ifndef QAT_CHECKPOINT_CHECKPOINT_H_
#define QAT_CHECKPOINT_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"
#include "contract/contract.h"
#include "ir/graph.h"
#include "quant/params.h"

namespace qat {

/// Float tensor in TFLite's layout (filter [O, H, W, I] or [O, I], bias [O]).
struct NamedTensor {
  Shape shape;
  std::vector<float> values;
  bool operator==(const NamedTensor&) const = default;
};

/// A trained range. `drift` is how far its ends moved over the last tenth of training, relative to its width:
/// what "settled" is judged by.
struct NamedRange {
  Range range;
  float drift = 0;
  bool operator==(const NamedRange&) const = default;
};

struct Checkpoint {
  int64_t step = 0;
  std::string scheme;       ///< "float32", "uint8" or "int8"
  Graph network;            ///< the trainable graph
  std::string config_text;  ///< TrainConfig as TOML, without paths and threads
  Contract contract;
  /// "<layer>/filter", "<layer>/bias", …: the trained tensors of the network
  std::map<std::string, NamedTensor> tensors;
  std::map<std::string, NamedRange> ranges;  ///< "<layer>" its output, "<layer>/filter" its filter
  /// "<layer>/filter": learned ends of its range, one per channel before a batch normalization is folded into
  /// it, or one of the whole folded filter, which `ranges` has, too; 0: it holds every value. Empty: ranges
  /// are observed.
  std::map<std::string, NamedTensor> filter_ranges;
  /// "holdout_accuracy", "test_loss", …, as MetricsOf in merit.h writes them.
  std::map<std::string, double> metrics;
  /// "<layer>": how far the statistics of its batch norm were from those of other batches when they were
  /// taken, in deviations (train/batch_statistics.h). Empty: no batch norm, or written before this was
  /// measured.
  std::map<std::string, double> batch_norm_gaps;
  std::map<std::string, std::string> provenance;  ///< "data_sha256", "tool_version", …: no path, time or host
  std::string version1_sha256;  ///< of the file, where it was one of version 1; else empty, and not written

  bool operator==(const Checkpoint&) const = default;
};

/// Same checkpoint, same bytes. A SHA-256 of the payload is inside, so that damage is told from content.
Bytes Serialize(const Checkpoint& checkpoint);

/// Verifies structure, hash, shapes against values, contract. Errors: kCorrupt "SOURCE: …"; a wrong file kind
/// is named ("is a .tflite model, expected a checkpoint"); a newer format version is kUnsupported. A file of
/// version 1, which holds its network as a spec, is read as what it would be today.
Expected<Checkpoint> ParseCheckpoint(std::span<const uint8_t> bytes, const std::string& source);
Expected<Checkpoint> ReadCheckpoint(const std::string& path);

/// SHA-256 of the checkpoint's file: other files name it by this.
std::string FileHash(const Checkpoint& checkpoint);

/// What resuming needs besides: optimizer moments, range-observer state, moving averages; beside the
/// checkpoint as STEP.state, same envelope. Generators need none: base/random.h.
struct TrainerState {
  int64_t step = 0;
  std::map<std::string, NamedTensor> tensors;
  std::map<std::string, double> scalars;
  bool operator==(const TrainerState&) const = default;
};
Bytes Serialize(const TrainerState& state);
Expected<TrainerState> ReadTrainerState(const std::string& path);

/// What was chosen of a run, and a sentence on it where that is not the last checkpoint; empty: it is the
/// last, or a file, or was asked for by its step.
struct ChosenCheckpoint {
  std::string path;
  std::string note;
};

/// Resolves what a user calls a checkpoint: a file, or a run directory under which `select` chooses: "last",
/// "best", a step, or "" for the default: the last, unless the best of those measured on held-out examples is
/// better beyond chance (TakenOf in merit.h). "best" is the highest "holdout_accuracy" (without one,
/// "test_accuracy"; of real numbers, the lowest loss), of equals the one with the lowest loss, then the
/// earliest, and a checkpoint measured without fake quantization only where there is no other. One function
/// for all tools. Errors: kNotFound, with what is there instead; kInvalidArgument for a `select` that is none
/// of these; kCorrupt for a checkpoint that has to be compared and cannot be read. By default, such
/// checkpoints are left out, which the note says, and it is an error only where there is no other.
Expected<ChosenCheckpoint> ChooseCheckpoint(const std::string& run_or_file, const std::string& select);
/// The path alone.
Expected<std::string> ResolveCheckpoint(const std::string& run_or_file, const std::string& select);

/// RUN/checkpoints/0000012000.ckpt and .state; steps found there, ascending.
std::string CheckpointPath(const std::string& run, int64_t step);
std::string TrainerStatePath(const std::string& run, int64_t step);
Expected<std::vector<int64_t>> ListCheckpoints(const std::string& run);

}  // namespace qat

#endif  // QAT_CHECKPOINT_CHECKPOINT_H_
