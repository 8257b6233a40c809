// onnx_convert.h: ONNX's operators, one function each. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_CONVERT_H_
#define QAT_IMPORT_ONNX_CONVERT_H_

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/onnx_builder.h"
#include "import/onnx_node.h"
#include "ir/folded_batch_norm.h"

namespace qat {

/// What conversions share.
struct OnnxConversion {
  OnnxBuilder& build;
  std::vector<FoldedBatchNorm>& batch_norms;
  std::map<std::string, int>& readers;  ///< of each name: how many nodes and outputs read it
  std::map<int32_t, std::vector<std::string>> names_of =
      {};                                              ///< by tensor: all names that stand for it so far
  std::map<int32_t, int32_t> hard_sigmoid_of = {};     ///< by tensor: what it is relu6(x + 3) / 6 of
  int64_t batch_norms_in_training = 0;                 ///< that said they would normalize by the batch
  std::set<std::string> into_softmax = {};             ///< names that a softmax alone reads
  std::string scheme = "float32";                      ///< of QuantizeLinear nodes: what they were made for
  std::map<int32_t, OnnxValue> saturated = {};         ///< by tensor: behind the activation put back there
  std::vector<std::string> restored_activations = {};  ///< "relu behind 'conv'"
  int64_t unrolled_nodes = 0;                          ///< of recurrent layers
};

using Converted = Expected<std::vector<OnnxValue>>;

struct OnnxConverter {
  std::string_view op;
  size_t inputs;  ///< at least
  Converted (*convert)(OnnxConversion& conversion, const OnnxNode& node);
};

std::span<const OnnxConverter> ConvolutionConverters();
std::span<const OnnxConverter> PoolConverters();
std::span<const OnnxConverter> ElementwiseConverters();
std::span<const OnnxConverter> ActivationConverters();
std::span<const OnnxConverter> LayoutConverters();  // reshapes, slices, joins
std::span<const OnnxConverter> ImageConverters();   // resizes, depth to space
std::span<const OnnxConverter> ReductionConverters();
std::span<const OnnxConverter> NormalizationConverters();
std::span<const OnnxConverter> MatrixConverters();
std::span<const OnnxConverter> EinsumConverters();
std::span<const OnnxConverter> AttentionConverters();
std::span<const OnnxConverter> RecurrentConverters();
std::span<const OnnxConverter> PlaceConverters();
std::span<const OnnxConverter> QuantizationConverters();

/// Null: none of ONNX's that comes in.
const OnnxConverter* FindConverter(std::string_view op);
/// What to do about an operator that does not come in.
std::string WayOutFor(const std::string& op, const std::string& domain);

inline Converted One(Expected<OnnxValue> value) {
  if (!value.ok()) return std::move(value).error();
  return std::vector<OnnxValue>{*std::move(value)};
}

/// An input as a value of the graph: a constant becomes a tensor of one.
OnnxValue Scalar(float value);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_CONVERT_H_
