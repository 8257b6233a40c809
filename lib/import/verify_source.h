// verify_source.h: whether an imported network computes what the framework it comes from does.
#ifndef QAT_IMPORT_VERIFY_SOURCE_H_
#define QAT_IMPORT_VERIFY_SOURCE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "import/onnx_value.h"
#include "ir/graph.h"

namespace qat {

struct VerifyRequest {
  /// an .npy [N, …] for a network of one input, or an .npz with an array for each, by name
  std::string inputs;
  /// an .npy for the first output, or an .npz with outputs and tensors in between, by name
  std::string expected;
  /// Largest difference, as a part of the largest value of the tensor. Between frameworks, float32 differs by
  /// 1e-6 to 1e-5 of it; a padding or an order of channels that is not the same, by 1e-2 and more.
  double tolerance = 1e-4;
  /// Where tensors have the axes that their arrays have, by name; those not listed have them as FitExamples
  /// finds.
  std::map<std::string, AxisOrder> orders = {};
};

struct VerifiedTensor {
  std::string name;
  double difference = 0;  ///< the largest
  double largest = 0;     ///< the largest value expected
};

struct VerifyResult {
  int64_t examples = 0;
  std::vector<VerifiedTensor> tensors;  ///< in the order in which the network computes them
  std::vector<std::string> notes;       ///< what was transposed, which arrays belong to no tensor
};

/// Runs the graph in float32 on every example and compares. Images with the channels first, [N, C, H, W], are
/// transposed, as inputs and as outputs. An array of an .npz belongs to the tensor of its name, or to the
/// last one computed that has the name among the parts of its own, as Keras names them ("model/conv1/Relu"
/// for "conv1").
/// Requires a verified graph without quantization.
/// Errors: kCorrupt (the first tensor that differs by more than the tolerance is named, with where and how
/// much; shapes or numbers of examples that do not fit; values that are not finite; no array that belongs to
/// a tensor), those of the readers.
Expected<VerifyResult> VerifySource(const Graph& graph, const VerifyRequest& request,
                                    const WorkHooks& hooks = {});

}  // namespace qat

#endif  // QAT_IMPORT_VERIFY_SOURCE_H_
