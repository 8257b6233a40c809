// read_network.h: a network to convert, out of a file of ours or of others.
#ifndef QAT_IMPORT_READ_NETWORK_H_
#define QAT_IMPORT_READ_NETWORK_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "import/import_onnx.h"
#include "import/import_tflite.h"
#include "ir/graph.h"
#include "passes/passes.h"

namespace qat {

struct ReadNetworkOptions : TfliteImportOptions {
  std::map<std::string, std::vector<int64_t>> input_shapes;  ///< as OnnxImportOptions has them
};

/// "1,3,96,96" for the only input, or "NAME=1,3,96,96". Errors: kInvalidArgument.
Expected<std::map<std::string, std::vector<int64_t>>> ParseInputShapes(const std::vector<std::string>& texts);

struct ReadNetworkResult {
  Graph graph;
  bool imported = false;  ///< a model of others, or one of ours that was converted already
  /// nobody says what the values of its one input are: bytes as they are is a guess
  bool assumed_bytes = false;
  /// nobody says whether these take bytes or real numbers: the data do; empty: none
  std::vector<bool> open_inputs;
  /// for which of these `mean` and `std` are meant even where they take real numbers: named, or the only one
  std::vector<bool> named_inputs;
  std::vector<FoldedBatchNorm> batch_norms;  ///< of an .onnx: what training takes apart again
  std::map<std::string, AxisOrder> orders;   ///< of an .onnx: where its tensors have the axes of the source
  /// of an .onnx: which have the channels last here and first in the source
  std::vector<bool> moved_inputs, moved_outputs;
  /// how a .tflite of real numbers stores the weights that came in as float32
  WeightStorage weights = WeightStorage::kFloat32;
};

/// A .qgraph as it is, with "graph_sha256" in its provenance; a .tflite by ImportTflite, an .onnx by
/// ImportOnnx. What it is, its first bytes say. Errors: those of all of them, and kCorrupt for other kinds of
/// files; kInvalidArgument for `input_shapes` of another file than an .onnx.
Expected<ReadNetworkResult> ReadNetwork(const std::string& path, const ReadNetworkOptions& options,
                                        std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_READ_NETWORK_H_
