// gradient_norm.h: how large the gradients of a step are, and how they are kept from being larger.
#ifndef QAT_TRAIN_GRADIENT_NORM_H_
#define QAT_TRAIN_GRADIENT_NORM_H_

#include <span>

#include "train/optimizer.h"

namespace qat {

/// Root of the sum of squares of the gradients of all parameters together, each row's times its unit: as the
/// optimizer takes them.
double NormOfGradients(std::span<const TrainableSpan> parameters);

/// What gradients of this norm are multiplied by: min(1, most / (norm + 1e-6)).
/// Source    Pascanu et al. 2013, as torch.nn.utils.clip_grad_norm_ writes it.
double ClipFactor(double norm, double most);

}  // namespace qat

#endif  // QAT_TRAIN_GRADIENT_NORM_H_
