// passes.h: rewrites of a frozen graph, each one idea, in the order that qat-convert runs them.
#ifndef QAT_PASSES_PASSES_H_
#define QAT_PASSES_PASSES_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/input_params.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace qat {

/// Appends softmax to output `index` of the graph, "logits": the output becomes "<output>/softmax".
/// Errors of all three: kInvalidArgument for an output whose task it does not fit, as softmax of yes or no,
/// and of softmax and argmax for an output with one value.
Status AppendSoftmax(Graph& graph, size_t index = 0);

/// Appends a sigmoid: of yes or no the probability of yes, of several labels that of each. The output becomes
/// "<output>/sigmoid".
Status AppendSigmoid(Graph& graph, size_t index = 0);

/// Appends argmax over the last axis: the output becomes int32 or int64 [N].
Status AppendArgMax(Graph& graph, DType output_type, size_t index = 0);

struct KeptFloat {
  std::vector<std::string> must;   ///< no kernel computes them on these integers: "'name' (operator)"
  std::vector<std::string> asked;  ///< names of nodes
};

/// Puts every node that has no kernel for `activations` (uint8, int8 or int16), and those named, between
/// `dequantize` and `quantize` nodes, so that it computes on real numbers; outputs of the graph are integers
/// all the same. What a `quantize` node gives has the range of what it reads, where that is known. Names that
/// are none of the graph's are left alone.
KeptFloat KeepFloat(Graph& graph, DType activations, const std::set<std::string>& names = {});

/// Gives nodes that are named 16-bit activations in a network of int8: `quantize` nodes stand where the
/// number of bits changes, and outputs of the graph are int8 all the same. Ranges as KeepFloat. Returns the
/// nodes whose outputs are int16, for QuantizationOptions::int16_nodes. Names that are none of the graph's
/// are left alone.
std::set<std::string> KeepInt16(Graph& graph, const std::set<std::string>& names);

/// The largest value of each channel of a layer's output on data, by the layer's name.
using ChannelReach = std::map<std::string, std::vector<float>>;

/// Cross-layer equalization: where one layer with a filter alone reads what another one computes (also
/// through pools, means over the picture and reshapes), channel c of the first is multiplied by sqrt(reads[c]
/// / writes[c]) and what reads it divided by it, so that both filters reach as far in this channel; `writes`
/// and `reads` are the largest magnitudes of the filters. Exact but for rounding behind no activation or a
/// relu; a layer with another one is left alone. A relu6 goes on clipping at 6, wherever the channel lies by
/// then; so such a layer takes part where `reach` has it, a channel that reached 6 stays as it is, and the
/// others are not raised beyond 6: on the data that `reach` comes from, nothing is clipped that was not, and
/// the other way round.
/// Ranges of activations no longer hold afterwards. Returns the pairs, "'conv1' and 'conv2'". `only`: names
/// of first layers; null: all.
/// Source    Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019.
std::vector<std::string> EqualizeFilters(Graph& graph, const std::set<std::string>* only = nullptr,
                                         const ChannelReach* reach = nullptr);

/// Layers with a filter and a fused relu6, whose reach decides whether they can be equalized.
std::vector<int32_t> ClippedLayers(const Graph& graph);

/// What a constant mask adds to hide scores from a softmax, -1e4 or the lowest float, would take all steps of
/// their sum. Once ranges are known, it becomes 16 more than the width of the scores, and the sum reaches 16
/// below the least of them: there it saturates, and what is hidden has e^-16 of the weight of the least score
/// at most. Returns the names of the sums.
std::vector<std::string> LimitMasks(Graph& graph);
/// The same without ranges, as before training: what hides becomes `hidden`.
std::vector<std::string> LimitMasks(Graph& graph, float hidden);

/// A layer that EqualizeFilters can equalize, and the one that reads it.
struct EqualizablePair {
  std::string first, second;
};
std::vector<EqualizablePair> EqualizablePairs(const Graph& graph, const ChannelReach* reach = nullptr);

/// EqualizeFilters of pairs whose first layers are named. Errors: kInvalidArgument, for a name that is none
/// of them, or is of a layer with a relu6 without its reach.
Status EqualizeNamed(const std::vector<std::string>& names, Graph& graph,
                     const ChannelReach* reach = nullptr);

/// MakePlan, and warnings of input parameters that contradict the contract and of ranges trained for another
/// scheme.
/// Errors: those of MakePlan; kInvalidArgument for a graph that is quantized already.
Expected<QuantizationPlan> PlanQuantization(const Graph& graph, const QuantizationOptions& options,
                                            std::vector<std::string>& warnings);

/// PlanQuantization and ApplyPlan. Scheme float32: takes out `quantize` and `dequantize` nodes, which say
/// nothing to real numbers, and does nothing else. Errors: the graph is then as before.
Status ChooseQuantization(Graph& graph, const QuantizationOptions& options,
                          std::vector<std::string>& warnings);

/// ChooseQuantization for a model of real numbers. Errors: kInvalidArgument for a graph that is quantized
/// already.
Status LowerToReal(Graph& graph);

/// How a model with real arithmetic stores its weights.
enum class WeightStorage : uint8_t {
  kFloat32,
  /// real constants of 64 values or more in halves, ties to even; a DEQUANTIZE widens each when the model is
  /// prepared
  kFloat16,
  /// "dynamic range": filters of convolutions, depthwise and fully connected layers of 256 values or more,
  /// where that saves bytes, symmetric in [-127, 127]; TFLite quantizes the inputs of such layers while it
  /// runs
  kInt8,
  /// the same in [-7, 7], two to a byte, with a scale per channel; smaller filters in 8 bits, also per
  /// channel, where that saves bytes
  kInt4,
};

/// Requires  a graph that ChooseQuantization made float32. Warns of values that no half holds, and where
/// nothing was stored.
void StoreWeights(WeightStorage storage, Graph& graph, std::vector<std::string>& warnings);

/// What the model takes as one of its inputs, after ChooseQuantization: `type` is float32, uint8, int8 or
/// int16. Reals come in with the shape of the data, and where they are float32 the graph normalizes them by
/// itself (SUB and MUL, InputContract::inside); a QUANTIZE then makes what the network takes of them. Of
/// bytes float32 are normalized values, uint8 and int8 those of the network or 128 apart; where only one of
/// input and network has 16 bits, the input has the parameters that the contract gives its type.
/// Errors: kUnsupported (integers for a float32 network), kInvalidArgument (another type).
Status SetInputType(DType type, size_t index, Graph& graph);

/// What the model gives as one of its outputs, after ChooseQuantization: `type` is float32 (a DEQUANTIZE) or
/// uint8, int8 or int16 (a QUANTIZE; bytes are 128 apart). The output keeps its name; a node at the end that
/// only changes the type is taken off first.
/// Errors: kUnsupported (indices, integers of a float32 output, uint8 of int16), kInvalidArgument (another
/// type); the graph is then as before.
Status SetOutputType(DType type, size_t index, Graph& graph);

/// What the model takes as an input, or gives as an output, [1, H, W, C] or [1, T, C], with the channels
/// first, after all other passes: a TRANSPOSE, or a RESHAPE where no value moves, under the name of the
/// border, which the contract records. Returns whether values move.
bool TakeChannelsFirst(size_t index, Graph& graph);
bool GiveChannelsFirst(size_t index, Graph& graph);

/// One sentence on what `given` does to the data if it is not what the contract says, both values in it; else
/// empty.
std::string DescribeInputContradiction(const InputContract& contract, QuantizationParams given);

}  // namespace qat

#endif  // QAT_PASSES_PASSES_H_
