// inspection.h: what a file of ours or of others is made of, as data: a .tflite or .onnx model, a frozen
// graph, a checkpoint or weights.
#ifndef QAT_INSPECT_INSPECTION_H_
#define QAT_INSPECT_INSPECTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "base/shape.h"
#include "quant/params.h"

namespace qat {

struct InspectedTensor {
  std::string name;
  std::string type;   ///< "float32", "int4", …
  Shape shape;        ///< -1 stands for nothing here: an open size is shown by its example
  bool open = false;  ///< a size of it is open
  bool constant = false;
  int64_t bytes = 0;  ///< of its values as they are stored or computed; 0 where the type has no fixed size
  std::vector<float> scale;  ///< empty: none; else one, or one per slice of `dimension`
  std::vector<int64_t> zero_point;
  int32_t dimension = 0;
  std::optional<Range> range;     ///< that training or a calibration found
  std::span<const uint8_t> data;  ///< of constants, kept by Inspection::owner
};

struct InspectedOperator {
  std::string name;                      ///< TFLite's, "CONV_2D"; of training only, as in specs: "dropout"
  int32_t version = 0;                   ///< 0: the file has none
  std::string layer;                     ///< its name in our files, else its first output's
  std::string attributes;                ///< "stride 2x2, padding same"; empty: none, or not known
  std::vector<int32_t> inputs, outputs;  ///< tensors; -1: left out
  std::optional<int64_t> multiply_accumulates;  ///< none: not counted for this operator
  bool known = true;  ///< false: nothing but name, version and tensors is known here
};

struct Inspection {
  std::string path;
  std::string kind;  ///< "model", "onnx", "graph", "checkpoint", "weights"
  int64_t file_bytes = 0;
  std::string sha256;  ///< of the file
  std::string made_by;
  std::vector<InspectedTensor> tensors;
  std::vector<InspectedOperator> operators;  ///< in execution order
  std::vector<int32_t> inputs, outputs;
  std::vector<std::string> contract;  ///< what values mean, a sentence per input
  std::vector<std::string> labels;
  std::vector<std::pair<std::string, std::string>> facts;  ///< what else it says: name, scheme, step, metrics
  /// entries of a model: name and size, short texts themselves
  std::vector<std::pair<std::string, std::string>> metadata;
  std::map<std::string, std::string> provenance;
  std::string unsupported;  ///< what of a model is not known here; empty: nothing
  std::shared_ptr<const void> owner;

  const InspectedTensor& tensor(int32_t index) const { return tensors[static_cast<size_t>(index)]; }
};

/// Sums over an inspection.
struct InspectionTotals {
  int64_t constants = 0;
  int64_t constant_bytes = 0;
  int64_t parameters = 0;  ///< values of real-valued or quantized constants
  int64_t multiply_accumulates = 0;
  std::map<std::string, int64_t> operators;  ///< how many of each
};
InspectionTotals TotalsOf(const Inspection& inspection);

/// Reads `path`, whose kind its bytes say; `select` is which checkpoint of a run ("": the default). Operators
/// and types that cannot be run are shown as the file names them. Errors: those of the readers; kCorrupt for
/// another kind of file.
Expected<Inspection> Inspect(const std::string& path, const std::string& select);

/// The real values of a constant, quantization undone. Empty: not a constant of numbers.
std::vector<float> RealValues(const InspectedTensor& tensor);

}  // namespace qat

#endif  // QAT_INSPECT_INSPECTION_H_
