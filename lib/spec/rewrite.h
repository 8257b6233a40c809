// rewrite.h: from the layers that a spec lists to those that are trained: fused blocks, as TFLite has them.
#ifndef QAT_SPEC_REWRITE_H_
#define QAT_SPEC_REWRITE_H_

#include <string>

#include "spec/network_spec.h"

namespace qat {

/// In this order:
///   - a batch_norm layer becomes the batch normalization of the layer before it, where that has a filter, no
///     activation, no batch normalization and no other reader; else, on [N, H, W, C], a 1x1 depthwise
///     convolution that starts with ones;
///   - relu, relu6 and relu_n1_to_1 become the activation of the layer before them, where that takes one, has
///     none, has a range of its own and no other reader;
/// Layers that vanish are listed in LayerSpec::fused. Users cannot write '/' in names, so none is taken
/// twice.
/// Errors: kUnsupported "SOURCE:LINE:COLUMN: layer 'bn': …" with a way out, all of them at once.
Status Rewrite(NetworkSpec& spec, const std::string& source);

}  // namespace qat

#endif  // QAT_SPEC_REWRITE_H_
