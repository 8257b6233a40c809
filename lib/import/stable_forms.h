// stable_forms.h: functions that an exporter wrote with exponentials that grow without end, as others of the
// same value whose parts stay small. For .cc files of lib/import only.
#ifndef QAT_IMPORT_STABLE_FORMS_H_
#define QAT_IMPORT_STABLE_FORMS_H_

#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// Softplus, log(1 + exp(x)), as relu(x) + log(1 + exp(-|x|)); and exp(x) that is chosen where x is below 0
/// alone, as in selu, as exp(min(x, 0)). The same to real numbers; else the integers of exp(x) are spread up
/// to its largest value, and those that count have hardly a step. A line in `notes` counts them.
void UseStableForms(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_STABLE_FORMS_H_
