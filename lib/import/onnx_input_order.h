// onnx_input_order.h: whether an input has channels, and where. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_INPUT_ORDER_H_
#define QAT_IMPORT_ONNX_INPUT_ORDER_H_

#include <map>
#include <string>

#include "import/onnx_value.h"
#include "onnx/onnx_model.h"

namespace qat {

/// The order in which our graph takes an input: channels last where the first operators that tell axes apart
/// are those of images or series with the channels as axis 1 (convolutions, pools, batch normalizations);
/// ONNX's own where they are transposes, products of matrices or reshapes; where nothing tells, channels last
/// for four axes. A global pool tells nothing of a series that such a product reads, too. [steps, N, values]
/// of a recurrent layer, and its states [directions, N, values], have the batch as their second axis:
/// {1, 0, 2}. `constants`: the initializers.
AxisOrder InputOrder(const onnx::Graph& graph, const std::map<std::string, OnnxValue>& constants,
                     const std::string& input, size_t rank);

/// Whether an input [steps, values] becomes [steps, 1, values] for a recurrent layer: it has no batch.
bool IsOneExample(const onnx::Graph& graph, const std::map<std::string, OnnxValue>& constants,
                  const std::string& input, size_t rank);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_INPUT_ORDER_H_
