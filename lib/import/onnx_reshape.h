// onnx_reshape.h: how a reshape of ONNX's, which counts values in ONNX's order, is one of a tensor whose axes
// lie in another.
#ifndef QAT_IMPORT_ONNX_RESHAPE_H_
#define QAT_IMPORT_ONNX_RESHAPE_H_

#include <optional>

#include "import/onnx_value.h"

namespace qat {

struct ReshapePlan {
  AxisOrder source_order;  ///< what the source must be in; its own order: nothing has to move
  AxisOrder order;         ///< of the result
  std::optional<FlattenedAxis>
      flattened;  ///< an axis of the result whose values lie otherwise than ONNX has them
};

/// A reshape splits and merges groups of neighbouring axes. As long as the axes of each group lie together
/// and in ONNX's order, the groups themselves may lie as they like. Where those of one group that becomes the
/// last of two or three axes lie together in another order, the axis is given as flattened, for a dense layer
/// that can take its columns so. Else the source is put into the nearest order that will do. Requires  as
/// many values in both shapes.
ReshapePlan PlanReshape(const Shape& from, const AxisOrder& order, const Shape& to);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_RESHAPE_H_
