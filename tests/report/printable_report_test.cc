// Texts of a report come out of files that strangers made: class names, names of layers, paths. None of them
// may reach a terminal, a page or an editor as a command.
#include "report/printable_report.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "report/ci_formats.h"
#include "support/sample_report.h"

namespace qat {
namespace {

using nlohmann::json;

// Clears the screen, in both encodings of CSI; writes backwards; a carriage return; and a byte that is no
// UTF-8.
const std::string kHostile =
    "\x1b[2J\xc2\x9b"
    "2J\xe2\x80\xae\r\x7f";

// Puts kHostile behind every text of the document but those that say what it is.
void Poison(json& value, const std::string& key) {
  static const std::set<std::string> kWords = {"schema", "status", "picture"};
  if (value.is_string() && kWords.count(key) == 0) value = value.get<std::string>() + kHostile;
  if (!value.is_structured()) return;
  for (const auto& item : value.items()) Poison(item.value(), value.is_object() ? item.key() : key);
}

Report HostileReport() {
  Report report = testing::SampleReport();
  report.pictures = {{"cat.jpg", {{0, "cat", 0.5}}}};
  report.trace = {{"model", "", "m.tflite", "aa", "start", "a note"}};
  json document = json::parse(ToJson(report));
  Poison(document, "");
  auto hostile = ParseReport(document.dump(), "test");
  EXPECT_TRUE(hostile.ok()) << (hostile.ok() ? "" : hostile.error().message);
  return *std::move(hostile);
}

void ExpectHarmless(const std::string& what, const std::string& text) {
  for (const std::string bad : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\r", "\x7f"}) {
    EXPECT_EQ(text.find(bad), std::string::npos) << what << " holds " << json(bad).dump(-1, ' ', true);
  }
  EXPECT_NE(text.find(what == "json" ? "\\u009b2J" : "\\x1b"), std::string::npos) << what;
}

TEST(HostileTexts, AreShownAndNotObeyed) {
  Report report = HostileReport();
  ExpectHarmless("pictures", ToTable(report));
  report.pictures.clear();
  report.trace.clear();
  ExpectHarmless("table", ToTable(report));
  ExpectHarmless("page", ToHtml(report));
  ExpectHarmless("junit", ToJunit(report));
  std::string markdown = ToMarkdown(report);
  std::erase(markdown, '\\');
  EXPECT_NE(markdown.find("x1b"), std::string::npos);
  EXPECT_EQ(markdown.find('\x1b'), std::string::npos);
  EXPECT_EQ(markdown.find("\xc2\x9b"), std::string::npos);
}

TEST(HostileTexts, StayWhatTheyAreInJson) {
  const Report report = HostileReport();
  const std::string text = ToJson(report);
  ExpectHarmless("json", text);
  const auto again = ParseReport(text, "test");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->models[0].name, report.models[0].name);
  EXPECT_EQ(again->models[0].name, "float" + kHostile);
}

}  // namespace
}  // namespace qat
