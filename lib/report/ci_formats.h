// ci_formats.h: a report in the forms that continuous integration shows: JUnit XML, a Markdown summary,
// benchmark JSON.
#ifndef QAT_REPORT_CI_FORMATS_H_
#define QAT_REPORT_CI_FORMATS_H_

#include <string>
#include <string_view>

#include "report/report.h"

namespace qat {

/// One test suite, named after the tool and the data, with a case for
/// - a gate: class the model, name the gate, and where it held the model against a row, " against ROW";
/// - a step of a way back: class the file it began with, failed where the step differs, skipped where what it
///   needs is not here;
/// - a measurement: class the model, name the batch, time the median of one run in seconds.
/// A case "evaluation" stands for the run itself: with an <error> where it ended in one, or alone where there
/// is nothing else.
std::string ToJunit(const Report& report);

/// The verdict, then gates, the way back, models, pairs and times as GitHub-flavoured Markdown tables, then
/// warnings.
std::string ToMarkdown(const Report& report);

/// The array that github-action-benchmark reads as "customSmallerIsBetter": median latency in µs, error in %,
/// size in bytes of every row that has them; of a measured model its median latency, its arena in bytes, and
/// the time of each operator.
std::string ToBenchmarkJson(const Report& report);

/// For XML text and attributes: entities for & < > and both quotes, references for line ends; everything else
/// that XML 1.0 cannot hold or an editor obeys as PrintableLines (base/printable.h) writes it.
std::string EscapeXml(std::string_view text);

/// Punctuation of Markdown and HTML loses its meaning, line ends become blanks, the rest as PrintableLines:
/// fit for a table's cell.
std::string EscapeMarkdown(std::string_view text);

}  // namespace qat

#endif  // QAT_REPORT_CI_FORMATS_H_
