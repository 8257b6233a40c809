// few_steps.h: how many integers tell numbers apart.
#ifndef QAT_QUANT_FEW_STEPS_H_
#define QAT_QUANT_FEW_STEPS_H_

namespace qat {

/// Steps of the integers of 8 bits: what spans fewer says little more than a few classes would.
inline constexpr int kFewSteps = 8;

}  // namespace qat

#endif  // QAT_QUANT_FEW_STEPS_H_
