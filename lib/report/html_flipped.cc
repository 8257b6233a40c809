// The section of the page that shows images whose labels differ between rows.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "report/html_parts.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

// An image, and the rows by what they answer, in the order of the pairs.
struct Answered {
  const FlippedImage* image;
  std::vector<std::pair<std::string, std::vector<std::string>>> answers;  // answer as HTML, names of rows
};

std::string Answer(const Report& report, const FlippedImage& image, int32_t answer,
                   const std::optional<double>& confidence) {
  return StrCat("<span class=\"", answer == image.label ? "good" : "bad", "\">",
                EscapeHtml(AnswerText(report, answer, confidence)), "</span>");
}

bool Names(const Answered& answered, const std::string& row) {
  return std::any_of(answered.answers.begin(), answered.answers.end(), [&](const auto& answer) {
    return std::find(answer.second.begin(), answer.second.end(), row) != answer.second.end();
  });
}

void Add(const std::string& row, const std::string& answer, Answered& answered) {
  if (Names(answered, row)) return;
  const auto same = [&](const auto& other) { return other.first == answer; };
  auto found = std::find_if(answered.answers.begin(), answered.answers.end(), same);
  if (found == answered.answers.end()) found = answered.answers.insert(found, {answer, {}});
  found->second.push_back(row);
}

// Each image once, however many pairs of rows it sets apart; the images in their order.
std::vector<Answered> ByImage(const Report& report) {
  std::map<int64_t, Answered> images;
  for (const FlippedImage& image : report.flipped) {
    Answered& answered = images.try_emplace(image.example, Answered{&image, {}}).first->second;
    Add(image.a, Answer(report, image, image.answer_a, image.confidence_a), answered);
    Add(image.b, Answer(report, image, image.answer_b, image.confidence_b), answered);
  }
  std::vector<Answered> all;
  for (auto& [example, answered] : images) all.push_back(std::move(answered));
  return all;
}

std::string Item(const Report& report, const Answered& answered) {
  const FlippedImage& image = *answered.image;
  const std::string label = EscapeHtml(ClassText(report, image.label));
  const std::string number = StrCat(ExampleWord(report), " ", image.example);
  std::string html = "<li>";
  if (!image.picture.empty())
    html += StrCat("<img src=\"", EscapeHtml(image.picture), "\" alt=\"", number, ", ", label, "\"/>");
  html += StrCat("<b>", label, "</b> <span class=\"faint\">", number, "</span>");
  if (!image.values.empty()) html += StrCat("<p>", EscapeHtml(image.values), "</p>");
  for (const auto& [answer, rows] : answered.answers)
    html += StrCat("<p>", answer, " <span class=\"faint\">", EscapeHtml(Join(rows)), "</span></p>");
  return html + "</li>\n";
}

}  // namespace

std::string FlippedSection(const Report& report) {
  if (report.flipped.empty()) return "";
  std::string items;
  for (const Answered& answered : ByImage(report)) items += Item(report, answered);
  return StrCat("<ul class=\"flips\">\n", items, "</ul>\n",
                Quiet(StrCat("Above, the true class; below, what the rows answer and how sure the first of "
                             "them is. Of each pair of "
                             "rows, the first ",
                             ExampleWord(report),
                             "s are shown on which they differ; the table of pairs has their number.")));
}

}  // namespace qat
