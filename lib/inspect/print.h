// print.h: an inspection as text, JSON and Graphviz, and the differences of two.
#ifndef QAT_INSPECT_PRINT_H_
#define QAT_INSPECT_PRINT_H_

#include <string>

#include "inspect/difference.h"
#include "inspect/inspection.h"

namespace qat {

/// A summary and one line per operator; with `details` one per tensor as well. Text of the file is as it is
/// there:
/// PrintableLines of base/printable.h makes it harmless.
std::string InspectionText(const Inspection& inspection, bool details);

/// "qat-inspect/1" (docs/formats.md).
std::string InspectionJson(const Inspection& inspection);

/// A graph in the language of Graphviz: operators as boxes, labelled edges for the tensors that they pass on.
/// Names from the file are escaped.
std::string InspectionDot(const Inspection& inspection);

/// One line per difference; one sentence where there is none.
std::string DifferencesText(const Inspection& a, const Inspection& b,
                            const std::vector<Difference>& differences);

/// "qat-inspect-diff/1" (docs/formats.md).
std::string DifferencesJson(const Inspection& a, const Inspection& b,
                            const std::vector<Difference>& differences);

}  // namespace qat

#endif  // QAT_INSPECT_PRINT_H_
