// integer_forms.h: operators that TFLite computes on real numbers only, as others that have integer kernels.
// For .cc files of lib/import only.
#ifndef QAT_IMPORT_INTEGER_FORMS_H_
#define QAT_IMPORT_INTEGER_FORMS_H_

#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// a + (-b) as a - b, another -b as b times -1, the square of b as b times b: the same real numbers, bit by
/// bit, and no detour over float32 once the network is quantized. A line in `notes` counts them.
void UseIntegerForms(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_INTEGER_FORMS_H_
