// reduction.h: what the operators that reduce some axes have in common.
#ifndef QAT_RUNTIME_KERNELS_REDUCTION_H_
#define QAT_RUNTIME_KERNELS_REDUCTION_H_

#include <cstdint>
#include <type_traits>
#include <vector>

#include "ops/shape_rules.h"
#include "runtime/kernels/indices.h"
#include "runtime/kernels/kernel.h"

namespace qat {

/// The axes are the second input.
struct ReductionPlan {
  Shape input;
  std::vector<int64_t> steps;  ///< of reference::Reduce
  int64_t count = 1;           ///< values that one result is made of
  int64_t results = 1;
};

inline ReductionPlan ReductionOf(const KernelContext& context) {
  ReductionPlan plan{context.inputs[0]->shape, {}, 1, FlatSize(context.output.shape)};
  std::vector<bool> reduced(plan.input.size());
  for (const int64_t axis : IndicesOf(*context.inputs[1])) reduced[*ResolveAxis(axis, reduced.size())] = true;
  plan.steps.assign(plan.input.size(), 0);
  int64_t step = 1;
  for (size_t i = plan.input.size(); i-- > 0;) {
    if (reduced[i]) {
      plan.count *= plan.input[i];
    } else {
      plan.steps[i] = step;
      step *= plan.input[i];
    }
  }
  return plan;
}

/// Integers wrap.
template <class Sum, class T>
Sum WrappingSum(Sum sum, T value) {
  if constexpr (std::is_integral_v<Sum>) {
    using Unsigned = std::make_unsigned_t<Sum>;
    return static_cast<Sum>(static_cast<Unsigned>(sum) + static_cast<Unsigned>(value));
  } else {
    return sum + value;
  }
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_REDUCTION_H_
