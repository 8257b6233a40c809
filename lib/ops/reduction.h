// reduction.h: what the operators that reduce axes share. For .cc files of lib/ops only.
#ifndef QAT_OPS_REDUCTION_H_
#define QAT_OPS_REDUCTION_H_

#include "ops/op.h"

namespace qat {

/// "axes" and "keep_dims"; the axes are the image's unless a spec says others.
std::span<const AttributeKey> ReductionKeys();
OpAttributes DefaultReduction();

/// The axes as the second input.
std::vector<IndexOperand> ReductionAxes(const OpAttributes& attributes, const Shape& input);
Expected<Shape> InferReduction(const OpAttributes& attributes, std::span<const Operand> inputs);

void WriteReduction(OptionsWriter& writer, const OpAttributes& attributes);
Expected<OpAttributes> ReadReduction(const OptionsReader& reader);

}  // namespace qat

#endif  // QAT_OPS_REDUCTION_H_
