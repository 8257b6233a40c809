// normalize.h: a graph of others in the forms that the rest of the project works on.
#ifndef QAT_IMPORT_NORMALIZE_H_
#define QAT_IMPORT_NORMALIZE_H_

#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// UseDilation, UseStableForms and UseIntegerForms; then folds what follows a layer into it, where nothing
/// else reads what lies between:
///   a product with, or a sum of, constants per channel, as a batch normalization leaves them, into the
///   filter and the bias of conv_2d, depthwise_conv_2d and fully_connected: the same to real numbers, and to
///   float32 within its rounding;
///   relu, relu6 and relu_n1_to_1 as the fused activation, which is the same bit for bit.
/// A convolution without a bias gets one of zeros.
/// Requires a verified graph of real numbers. `notes` says what was folded, and into how many layers.
void Normalize(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_NORMALIZE_H_
