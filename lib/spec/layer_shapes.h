// layer_shapes.h: parameters, output and cost of a layer, from its operator, attributes and inputs.
#ifndef QAT_SPEC_LAYER_SHAPES_H_
#define QAT_SPEC_LAYER_SHAPES_H_

#include "spec/network_spec.h"

namespace qat {

/// Sets parameters, output_shape and multiply_accumulates of a layer that reads layers of `spec`.
/// Errors: kInvalidArgument, in terms of shapes; the caller names the layer.
Status InferLayer(const NetworkSpec& spec, LayerSpec& layer);

}  // namespace qat

#endif  // QAT_SPEC_LAYER_SHAPES_H_
