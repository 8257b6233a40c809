// import_tflite.h: a .tflite model, of whatever writer, as a frozen graph of real numbers.
#ifndef QAT_IMPORT_IMPORT_TFLITE_H_
#define QAT_IMPORT_IMPORT_TFLITE_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"
#include "model/model.h"

namespace qat {

struct TfliteImportOptions {
  /// What a byte of a picture means: real = (byte - mean) / std, one number or one for each channel. Empty:
  /// as the model says, else real = byte.
  std::vector<float> mean, std;
  /// The same of single inputs of several, by the names of InputNames (model/model_contract.h).
  std::map<std::string, std::vector<float>> mean_of = {}, std_of = {};
  /// The key of the signature that `model` was read for; empty: the first subgraph.
  std::string signature = {};
};

/// The network of `model` in real numbers: float32 constants, float16 and 8-bit ones dequantized, quantize
/// and dequantize operators gone; what depends on constants and shapes alone is computed, by the kernels of
/// the runtime, and becomes a constant. Activations that were quantized keep what their integers can stand
/// for as a range. An open batch becomes 1.
/// Names are kept, and made unique. Then Normalize (import/normalize.h).
/// `notes` gets a sentence on each thing that the user should know: what was assumed or folded.
/// Errors: kUnsupported (one list of all operators and tensors that cannot come in, each with its place;
/// sizes other than the batch left open), kCorrupt (shapes, types or values that contradict each other).
/// Messages begin with the source.
Expected<Graph> ImportTflite(const Model& model, const TfliteImportOptions& options,
                             std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_IMPORT_TFLITE_H_
