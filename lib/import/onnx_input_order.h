// onnx_input_order.h: whether an input has channels, and where. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_INPUT_ORDER_H_
#define QAT_IMPORT_ONNX_INPUT_ORDER_H_

#include <string>

#include "import/onnx_value.h"
#include "onnx/onnx_model.h"

namespace qat {

/// The order in which our graph takes an input: channels last where the first operators that tell axes apart are those of images or
/// series with the channels as axis 1 (convolutions, pools, batch normalizations); ONNX's own where they are transposes, products
/// of matrices or reshapes; where nothing tells, channels last for four axes.
AxisOrder InputOrder(const onnx::Graph& graph, const std::string& input, size_t rank);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_INPUT_ORDER_H_
