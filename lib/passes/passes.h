// passes.h: rewrites of a frozen graph, each one idea, in the order that qat-convert runs them.
#ifndef QAT_PASSES_PASSES_H_
#define QAT_PASSES_PASSES_H_

#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/input_params.h"
#include "ir/graph.h"

namespace qat {

/// Appends softmax to the graph's output "logits": the output becomes "<output>/softmax".
/// Errors of both: kInvalidArgument for an output with one value, and for a network that was trained for real numbers.
Status AppendSoftmax(Graph& graph);

/// Appends argmax over the last axis: the output becomes int32 or int64 [N].
Status AppendArgMax(Graph& graph, DType output_type);

struct QuantizationOptions {
  Scheme scheme = Scheme::kUInt8;  ///< of the model to write
  std::optional<QuantizationParams>
      input;                           ///< overrides the contract's: a classic input_stats, as of uint8
  std::optional<Range> default_range;  ///< for activations that have none (dummy quantization, warned about)
};

/// Puts every node that has no kernel for the integers of `scheme` between `dequantize` and `quantize` nodes, so that it computes
/// on real numbers; outputs of the graph are integers all the same. To be run before ranges are found. Returns what was kept,
/// "'name' (operator)".
std::vector<std::string> KeepFloat(Graph& graph, Scheme scheme);

/// Gives every real tensor its scale and zero point and turns parameters into integers: activations by NudgedParams of
/// their range; filters narrow by QuantizeFakeQuant, per tensor for uint8 and per output channel, symmetric, for int8;
/// biases int32 by QuantizeBias; other constants by the range of their values; outputs that share or fix parameters by the
/// operator's rule; a fused relu or relu6 that the range already implies is kept (it costs nothing).
/// What lies between `dequantize` and `quantize` stays real. Indices and truth values stay as they are.
/// Scheme kFloat32: takes out `quantize` and `dequantize` nodes, which say nothing to real numbers, and does nothing else.
/// A uint8 filter without a range gets that of its own values. Warns of a default range, of input parameters that
/// contradict the contract, of ranges trained for another scheme, and of accumulators that could leave int32.
/// Errors: kUnsupported listing every activation that has no range; the graph is then as before.
Status ChooseQuantization(Graph& graph, const QuantizationOptions& options,
                          std::vector<std::string>& warnings);

/// How a model with real arithmetic stores its weights.
enum class WeightStorage : uint8_t {
  kFloat32,
  kFloat16,  ///< real constants of 64 values or more in halves, ties to even; a DEQUANTIZE widens each when the model is prepared
  kInt8,     ///< "dynamic range": filters of convolutions, depthwise and fully connected layers of 1,024 values or more, symmetric
             ///< in [-127, 127]; TFLite quantizes the inputs of such layers while it runs
};

/// Requires  a graph that ChooseQuantization made float32. Warns of values that no half holds, and where nothing was stored.
void StoreWeights(WeightStorage storage, Graph& graph, std::vector<std::string>& warnings);

/// What the model takes as one of its inputs, after ChooseQuantization: `type` is float32, uint8 or int8. Reals come in with the shape of the data, and
/// where they are float32 the graph normalizes them by itself (SUB and MUL, InputContract::inside); a QUANTIZE then makes what
/// the network takes of them. Of bytes float32 are normalized values, uint8 and int8 those of the network or 128 apart.
/// Errors: kUnsupported (integers for a float32 network), kInvalidArgument (another type).
Status SetInputType(DType type, size_t index, Graph& graph);

/// One sentence on what `given` does to the data if it is not what the contract says, both values in it; else empty.
std::string DescribeInputContradiction(const InputContract& contract, QuantizationParams given);

}  // namespace qat

#endif  // QAT_PASSES_PASSES_H_
