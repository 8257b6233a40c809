// import_onnx.h: an ONNX network as a frozen graph of real numbers, its channels last.
#ifndef QAT_IMPORT_IMPORT_ONNX_H_
#define QAT_IMPORT_IMPORT_ONNX_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "import/onnx_value.h"
#include "ir/folded_batch_norm.h"
#include "ir/graph.h"
#include "onnx/onnx_model.h"

namespace qat {

struct OnnxImportOptions {
  /// What a byte of a picture means: real = (byte - mean) / std, one number or one for each channel. Empty:
  /// real = byte.
  std::vector<float> mean, std;
  /// The same of single inputs of several, by their names.
  std::map<std::string, std::vector<float>> mean_of = {}, std_of = {};
  /// Sizes of inputs that leave some open, in ONNX's order, by name; "": of the only input. Those left out: a
  /// batch of 1.
  std::map<std::string, std::vector<int64_t>> input_shapes = {};
};

struct OnnxImport {
  Graph graph;
  /// What went into filters and can be taken apart again (checkpoint/make_trainable.h).
  std::vector<FoldedBatchNorm> batch_norms;
  /// By name of a tensor of the graph: which axis of ONNX's each of its axes is. Tensors that are not listed
  /// have none of their own.
  std::map<std::string, AxisOrder> orders;
  bool takes_bytes = false;  ///< the only input is uint8 in the source: real = byte
};

/// Operators of ONNX as those of the graph, from opset 7 on; shapes and what depends on constants alone are
/// computed. Every tensor keeps the order of axes that suits its operators: pictures are [N, H, W, C], series
/// [N, W, C]; transposes of ONNX's are orders, and where two orders meet, one transpose is added, which
/// `notes` says. Inputs and outputs that have channels have them last. A flatten before a dense layer
/// permutes that layer's columns. Batch normalizations go into the filter before them;
/// ranges of QuantizeLinear become ranges. An open batch becomes 1. Names are kept, and made unique. Then
/// Normalize (import/normalize.h).
/// Errors: kUnsupported (one list of all nodes that cannot come in, each with a way out; sizes left open),
/// kCorrupt (shapes, types or values that contradict each other). Messages begin with the source.
Expected<OnnxImport> ImportOnnx(onnx::Model model, const OnnxImportOptions& options,
                                std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_IMPORT_ONNX_H_
