// printable_report.h: a report whose texts no terminal obeys.
#ifndef QAT_REPORT_PRINTABLE_REPORT_H_
#define QAT_REPORT_PRINTABLE_REPORT_H_

#include "report/report.h"

namespace qat {

/// The report with every text in the form of Printable (base/printable.h): names of classes, layers, models
/// and files come out of files that strangers made. Errors and warnings keep their line breaks.
Report PrintableReport(Report report);

}  // namespace qat

#endif  // QAT_REPORT_PRINTABLE_REPORT_H_
