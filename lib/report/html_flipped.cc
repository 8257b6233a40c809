// The section of the page that shows images whose labels differ.
#include <optional>

#include "base/strings.h"
#include "report/html_parts.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string Answer(const Report& report, const FlippedImage& image, int32_t answer,
                   const std::optional<double>& confidence) {
  return StrCat("<span class=\"", answer == image.label ? "good" : "bad", "\">",
                EscapeHtml(AnswerText(report, answer, confidence)), "</span>");
}

std::string Item(const Report& report, const FlippedImage& image) {
  const std::string label = EscapeHtml(ClassText(report, image.label));
  return StrCat("<li><img src=\"", EscapeHtml(image.picture), "\" alt=\"image ", image.example, ", ", label,
                "\"/><b>", label, "</b> <span class=\"faint\">image ", image.example, "</span><p>",
                Answer(report, image, image.answer_a, image.confidence_a), " → ",
                Answer(report, image, image.answer_b, image.confidence_b), "</p></li>\n");
}

std::string GalleryTitle(const Report& report, const FlippedImage& image, int64_t shown) {
  int64_t total = shown;
  for (const PairResult& pair : report.pairs) {
    if (pair.a == image.a && pair.b == image.b) total = pair.total_flips;
  }
  const std::string of = total > shown ? StrCat("the first ", shown, " of ", Grouped(total)) : StrCat(total);
  return StrCat("<h3>", EscapeHtml(image.a), " → ", EscapeHtml(image.b), ": ", of, "</h3>\n");
}

}  // namespace

std::string FlippedSection(const Report& report) {
  std::string html, items;
  int64_t shown = 0;
  for (size_t i = 0; i < report.flipped.size(); ++i) {
    const FlippedImage& image = report.flipped[i];
    items += Item(report, image);
    ++shown;
    const bool last = i + 1 == report.flipped.size() || report.flipped[i + 1].a != image.a ||
                      report.flipped[i + 1].b != image.b;
    if (!last) continue;
    html += StrCat(GalleryTitle(report, image, shown), "<ul class=\"flips\">\n", items, "</ul>\n");
    items.clear();
    shown = 0;
  }
  if (html.empty()) return "";
  return html +
         Quiet(
             "The true class, then what the first and the second of the pair answer and how sure they are.");
}

}  // namespace qat
