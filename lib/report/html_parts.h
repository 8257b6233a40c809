// html_parts.h: what the sections of the report page are made of, and those sections that have a file of
// their own.
#ifndef QAT_REPORT_HTML_PARTS_H_
#define QAT_REPORT_HTML_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace qat {

struct Column {
  std::string label;
  std::string css;  ///< "name", "word", "number", "interval", "wide" or ""
};

/// A cell is HTML: callers escape what comes from outside.
using Cells = std::vector<std::string>;

std::string Table(const std::vector<Column>& columns, const std::vector<Cells>& rows);

/// Nothing where the body is empty.
std::string Section(std::string_view title, const std::string& body);

/// An entry of a chart's legend: a line drawn with the CSS class, and a label in HTML.
std::string LegendItem(std::string_view css, std::string_view label);

/// Whether there is anything to draw.
bool HasPoints(const TrainingCurve& curve);

/// A paragraph that explains.
std::string Quiet(std::string_view text);

/// "Quantization report", or what else the report is of.
std::string PageTitle(const Report& report);

/// What the page opens with: network, sentence, data and date, verdict, and a picture of sizes and times.
std::string PageHeader(const Report& report);

/// Accuracy, latency and size of the models in one picture; empty where fewer than two have been timed.
std::string TradeoffSection(const Report& report);

/// Times of models, with their operators; empty where none were measured by themselves.
std::string BenchmarksSection(const Report& report);

/// What quantization costs each layer, one table per model, and where two integer ways part.
std::string LayersSection(const Report& report);

/// Errors of real numbers; empty where labels are classes.
std::string RegressionSection(const Report& report);

/// Answers to yes or no, by label; empty where there are none.
std::string LabelsSection(const Report& report);

/// Accuracy of each class, and which classes are confused.
std::string ClassesSection(const Report& report);

/// Images whose labels differ between rows, each once, with what every row answers.
std::string FlippedSection(const Report& report);

}  // namespace qat

#endif  // QAT_REPORT_HTML_PARTS_H_
