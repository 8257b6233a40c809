// tflite_writer.h: graph -> .tflite bytes, wire-compatible with TensorFlow Lite's format
// (schemas/tflite.fbs).
#ifndef QAT_TFLITE_TFLITE_WRITER_H_
#define QAT_TFLITE_TFLITE_WRITER_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "ir/graph.h"

namespace qat {

struct TfliteWriterOptions {
  std::vector<std::string> input_names;   ///< empty: the graph's tensor names; else one per graph input
  std::vector<std::string> output_names;  ///< the same for outputs
  /// False: what the contract says of the input was only assumed, so the file says nothing of it.
  bool says_input = true;
};

/// The whole model: operator codes (both fields, versions by OpDefinition::version), tensors, 16-byte aligned
/// buffers with buffer 0 empty, the open batch of inputs and outputs in shape_signature (not beside
/// TRANSPOSE_CONV, BROADCAST_TO and SLICE, whose batch is fixed), signature "serving_default", metadata
/// min_runtime_version, TFLite's standard description (contract/model_description.h), the input contract with
/// its labels, and the provenance. Behind the FlatBuffer a ZIP archive with the label file, where the
/// contract names classes.
/// Same graph and options, same bytes. Constants of equal content share a buffer.
/// Requires  a graph that verifies.
/// Errors: kUnsupported (operators that .tflite does not have), kInvalidArgument (names: their count, empty,
/// taken twice).
Expected<Bytes> WriteTflite(const Graph& graph, const TfliteWriterOptions& options);

}  // namespace qat

#endif  // QAT_TFLITE_TFLITE_WRITER_H_
