#include "report/html_parts.h"

#include "base/strings.h"

namespace qat {

std::string Table(const std::vector<Column>& columns, const std::vector<Cells>& rows) {
  constexpr size_t kFewColumns = 9;  // more of them need a desk's width to stand side by side
  std::string html = StrCat(columns.size() > kFewColumns ? "<table class=\"many\">" : "<table>", "<thead><tr>");
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

std::string Quiet(std::string_view text) { return StrCat("<p class=\"quiet\">", text, "</p>\n"); }

}  // namespace qat
