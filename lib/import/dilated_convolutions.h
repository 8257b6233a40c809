// dilated_convolutions.h: convolutions that TensorFlow's converter left between SPACE_TO_BATCH_ND and
// BATCH_TO_SPACE_ND. For .cc files of lib/import only.
#ifndef QAT_IMPORT_DILATED_CONVOLUTIONS_H_
#define QAT_IMPORT_DILATED_CONVOLUTIONS_H_

#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// SPACE_TO_BATCH_ND, a convolution of stride 1 without padding (of a series, between two reshapes), and
/// BATCH_TO_SPACE_ND of the same blocks become a pad and a convolution dilated by the block: the same sums of
/// the same products. A line in `notes` counts them.
void UseDilation(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_DILATED_CONVOLUTIONS_H_
