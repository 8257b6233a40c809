#include "report/ci_formats.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/sample_report.h"
#include "support/subprocess.h"

namespace qat {
namespace {

// What Python's XML parser, which knows nothing of our writer, finds: a line an element, its attributes sorted, its text.
std::string ParsedXml(const std::string& document) {
  const testing::TempDir folder;
  testing::WriteText(folder / "junit.xml", document);
  const auto result =
      testing::Run({"/usr/bin/env", "python3", "-c",
                    "import sys, xml.etree.ElementTree as tree\n"
                    "sys.stdout.reconfigure(encoding='utf-8')\n"
                    "for e in tree.parse(sys.argv[1]).iter():\n"
                    "  print(e.tag, sorted(e.attrib.items()), repr((e.text or '').strip()))\n",
                    folder / "junit.xml"});
  EXPECT_EQ(result.exit_code, 0) << result.err << document;
  return result.out;
}

TEST(Junit, HasACaseAGateWithTheReasonOfTheFailure) {
  EXPECT_EQ(
      ParsedXml(ToJunit(testing::SampleReport())),
      "testsuites [('errors', '0'), ('failures', '1'), ('name', 'qat-eval'), ('tests', '2')] ''\n"
      "testsuite [('errors', '0'), ('failures', '1'), ('name', 'qat-eval digits'), ('skipped', '0'), "
      "('tests', '2'), ('time', '0')] ''\n"
      "testcase [('classname', 'build/demo/model.tflite'), ('name', 'max-drop against float'), ('time', "
      "'0')] ''\n"
      "system-out [] 'max-drop of build/demo/model.tflite against float: 0.06 pt, limit 0.10 pt'\n"
      "testcase [('classname', 'build/demo/model.tflite'), ('name', 'max-size'), ('time', '0')] ''\n"
      "failure [('message', 'max-size of build/demo/model.tflite: 65,432 B, limit 65,000 B'), ('type', "
      "'max-size')] 'max-size of build/demo/model.tflite: 65,432 B, limit 65,000 B'\n");
}

TEST(Junit, ARunThatEndedInAnErrorIsACaseWithThatError) {
  Report report;
  report.tool = "qat-eval";
  report.status = "error";
  report.error = "m.tflite: is an empty file";
  const std::string parsed = ParsedXml(ToJunit(report));
  EXPECT_NE(parsed.find("testsuites [('errors', '1'), ('failures', '0')"), std::string::npos) << parsed;
  EXPECT_NE(parsed.find("error [('message', 'm.tflite: is an empty file')"), std::string::npos) << parsed;
}

TEST(Junit, SurvivesEveryByteInANameAndKeepsWhatXmlCanHold) {
  Report report = testing::SampleReport();
  std::string every = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";  // é € and an emoji
  for (int byte = 1; byte < 256; ++byte) every += static_cast<char>(byte);
  every += "\xED\xA0\x80\xC0\x80\xF5\x80\x80\x80\xEF\xBF\xBF]]><!--";
  report.gates[0].model = report.gates[0].name = report.gates[1].name = report.data_name = every;
  const std::string parsed = ParsedXml(ToJunit(report));
  EXPECT_NE(parsed.find("('classname', 'é€😀"), std::string::npos) << parsed;
  EXPECT_NE(parsed.find("\\\\t\\n\\\\x0b"), std::string::npos) << "line ends of attributes are kept";
  EXPECT_NE(parsed.find("]]><!--"), std::string::npos);
}

TEST(Markdown, ShowsVerdictGatesModelsPairsAndWarnings) {
  const std::string text = ToMarkdown(testing::SampleReport());
  EXPECT_EQ(text.rfind("### qat-eval: 1 of 2 gates failed\n", 0), 0u) << text;
  EXPECT_NE(text.find("| max-size | **FAIL** | build/demo/model.tflite |  | 65,432 B | 65,000 B |\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("not distinguishable on 10,000 images (p 0.109)"), std::string::npos);
  EXPECT_NE(text.find("\n- warning: build/demo/model.tflite: its input"), std::string::npos);
}

TEST(Markdown, ANameCannotBreakTheTableOrBecomeMarkup) {
  Report report = testing::SampleReport();
  report.models[0].name = "a|b\n<img src=x>*c*`d`&amp;";
  const std::string text = ToMarkdown(report);
  EXPECT_NE(text.find("| a\\|b &lt;img src=x\\>\\*c\\*\\`d\\`&amp;amp; | float32 |"), std::string::npos)
      << text;
}

TEST(BenchmarkJson, HoldsNumbersOfWhichSmallerIsBetter) {
  const auto entries = nlohmann::json::parse(ToBenchmarkJson(testing::SampleReport()));
  ASSERT_EQ(entries.size(), 14u);  // five rows, three numbers each; 'simulated' is not timed
  EXPECT_EQ(entries[0]["name"], "float: latency p50");
  EXPECT_EQ(entries[0]["unit"], "µs");
  EXPECT_EQ(entries[0]["value"], 110.25);
  EXPECT_NEAR(entries[12]["value"].get<double>(), 0.61, 1e-9);
  EXPECT_EQ(entries[12]["unit"], "%");
  EXPECT_EQ(entries[13]["value"], 65432);
}

}  // namespace
}  // namespace qat
