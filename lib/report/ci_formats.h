// ci_formats.h: a report in the forms that continuous integration shows: JUnit XML, a Markdown summary, benchmark JSON.
#ifndef QAT_REPORT_CI_FORMATS_H_
#define QAT_REPORT_CI_FORMATS_H_

#include <string>
#include <string_view>

#include "report/report.h"

namespace qat {

/// One test suite, named after the tool and the data, and a case a gate: class the model, name the gate, and where it held
/// the model against a row, " against ROW". A case "evaluation" stands for the run itself: with an <error> where it ended in
/// one, or alone where there are no gates.
std::string ToJunit(const Report& report);

/// The verdict, the gates, the models and the pairs as GitHub-flavoured Markdown tables, then warnings.
std::string ToMarkdown(const Report& report);

/// The array that github-action-benchmark reads as "customSmallerIsBetter": median latency in µs, error in %, size in bytes
/// of every row that has them.
std::string ToBenchmarkJson(const Report& report);

/// For XML text and attributes: entities for & < > and both quotes, references for line ends; everything else that XML 1.0
/// cannot hold or an editor obeys as PrintableLines (base/printable.h) writes it.
std::string EscapeXml(std::string_view text);

/// Punctuation of Markdown and HTML loses its meaning, line ends become blanks, the rest as PrintableLines: fit for a table's cell.
std::string EscapeMarkdown(std::string_view text);

}  // namespace qat

#endif  // QAT_REPORT_CI_FORMATS_H_
