// pads.h: the borders of pad and mirror_pad in a spec, and as the second input of a node. For .cc files of
// lib/ops only.
#ifndef QAT_OPS_PADS_H_
#define QAT_OPS_PADS_H_

#include "ops/op.h"

namespace qat {

inline constexpr std::string_view kPadsText =
    "a list of counts before and after each axis but the batch; for an image [top, bottom, left, right]";

/// At most 10 counts, two per axis.
Expected<std::vector<int32_t>> ToPads(const AttributeValue& value);

/// [rank, 2]; the batch and axes not listed get nothing.
std::vector<IndexOperand> PadsOperand(const std::vector<int32_t>& pads, const Shape& input);

}  // namespace qat

#endif  // QAT_OPS_PADS_H_
