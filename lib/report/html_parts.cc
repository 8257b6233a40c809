#include "report/html_parts.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace qat {

std::string Table(const std::vector<Column>& columns, const std::vector<Cells>& rows) {
  constexpr size_t kFewColumns = 9;  // more of them need a desk's width to stand side by side
  // So do two figures with an interval each beside the times.
  const auto intervals = std::count_if(columns.begin(), columns.end(), [&](const Column& column) {
    const auto at = static_cast<size_t>(&column - columns.data());
    return column.css == "interval" && std::any_of(rows.begin(), rows.end(), [=](const Cells& cells) {
             return cells[at].find('[') != std::string::npos;
           });
  });
  const bool many = columns.size() > kFewColumns || (columns.size() == kFewColumns && intervals > 1);
  std::string html = StrCat(many ? "<table class=\"many\">" : "<table>", "<thead><tr>");
  for (const Column& column : columns) {
    html += StrCat("<th scope=\"col\" class=\"", column.css, "\">", column.label, "</th>");
  }
  html += "</tr></thead><tbody>\n";
  for (const Cells& cells : rows) {
    html += "<tr>";
    for (size_t i = 0; i < columns.size(); ++i) {
      html += StrCat("<td class=\"", columns[i].css, "\" data-label=\"", columns[i].label, "\">", cells[i],
                     "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table>\n";
}

std::string Section(std::string_view title, const std::string& body) {
  return body.empty() ? "" : StrCat("<section><h2>", title, "</h2>\n", body, "</section>\n");
}

std::string LegendItem(std::string_view css, std::string_view label) {
  return StrCat("<li><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\"><line class=\"", css,
                "\" x1=\"0\" y1=\"4\" x2=\"28\" y2=\"4\"/></svg>", label, "</li>");
}

bool HasPoints(const TrainingCurve& curve) {
  return std::any_of(curve.points.begin(), curve.points.end(),
                     [](const auto& point) { return std::isfinite(point.second); });
}

std::string Quiet(std::string_view text) { return StrCat("<p class=\"quiet\">", text, "</p>\n"); }

}  // namespace qat
