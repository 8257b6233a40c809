// lower.h: what a [[layer]] block can express as one layer but operators need several for: explicit padding,
// groups, the parts of a split.
#ifndef QAT_SPEC_LOWER_H_
#define QAT_SPEC_LOWER_H_

#include "spec/network_spec.h"

namespace qat {

/// Infers `layer` and appends it to `spec`, in the form that is trained:
///   - explicit padding becomes a `pad` layer "<layer>/pad" in front and padding valid; or padding same,
///     where a convolution would pad the same way;
///   - groups become a split "<layer>/in", a convolution "<layer>/groupN" each and a concatenation with the
///     layer's name; or a depthwise convolution, where every channel is a group;
///   - a split becomes a layer "<layer>:N" for each part.
/// The last layer appended stands for the block, or the last SplitAttributes::splits ones.
/// Errors: kInvalidArgument, in terms of shapes; the caller names the layer.
Status AppendLowered(NetworkSpec& spec, LayerSpec layer);

}  // namespace qat

#endif  // QAT_SPEC_LOWER_H_
