#include "report/ci_formats.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/sample_report.h"
#include "support/subprocess.h"

namespace qat {
namespace {

// What Python's XML parser, which knows nothing of our writer, finds: a line an element, its attributes
// sorted, its text.
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

// Readers key cases by class and name.
TEST(Junit, GatesOfSeveralClassesHaveNamesOfTheirOwn) {
  Report report = testing::SampleReport();
  report.gates.resize(1);
  report.gates[0].name = "min-recall";
  report.gates[0].model = "m.tflite";
  report.gates[0].reference = "";
  report.gates[0].subject = "class 'cat'";
  report.gates.push_back(report.gates[0]);
  report.gates[1].subject = "class 'dog'";
  const std::string parsed = ParsedXml(ToJunit(report));
  EXPECT_NE(parsed.find("[('classname', 'm.tflite'), ('name', \"min-recall of class 'cat'\")"),
            std::string::npos)
      << parsed;
  EXPECT_NE(parsed.find("[('classname', 'm.tflite'), ('name', \"min-recall of class 'dog'\")"),
            std::string::npos)
      << parsed;
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

// A model whose graph was replaced and whose data are elsewhere; it names hashes by their first 24 digits.
Report BrokenChain() {
  Report report;
  report.tool = "qat-eval";
  report.status = "gate-failed";
  const std::string a(64, 'a'), b(64, 'b'), c(64, 'c');
  report.trace = {{"model", "", "m.tflite", a, "start", "made by qat-convert 0.1.0"},
                  {"graph", b.substr(0, 24), "g.qgraph", c, "differs", ""},
                  {"graph, frozen again", c, "g.qgraph", b, "differs", "tensor 'x': has other values"},
                  {"recipe", a.substr(0, 24), "run/config.toml", a, "matches", ""},
                  {"data", b, "", "", "not here", "mnist cannot be read here"}};
  return report;
}

Report Times() {
  Report report;
  report.tool = "qat-eval";
  BenchmarkResult result;
  result.model = "m.tflite";
  result.latency_us = LatencyResult{50, 52, 51.25, 55, 61.5, 1000, 40, 0.05};
  result.examples_per_second = 19512.2;
  result.arena_bytes = 4096;
  result.operators = {{0, "conv_2d", "[1, 14, 14, 8]", "avx2", "best", 40.5, 0.8, 1000, 2000, 0.5}};
  report.benchmarks = {result, result};
  report.benchmarks[1].batch = 32;
  report.benchmarks[1].threads = 4;
  report.benchmarks[1].latency_us.p50 = 1500;
  report.benchmarks[1].operators.clear();
  return report;
}

TEST(Junit, EachStepOfAWayBackIsACaseThatFailsWhereItDiffersAndIsSkippedWhereItIsNotHere) {
  const std::string parsed = ParsedXml(ToJunit(BrokenChain()));
  EXPECT_EQ(
      parsed.find("testsuites [('errors', '0'), ('failures', '2'), ('name', 'qat-eval'), ('tests', '5')]"),
      0u)
      << parsed;
  EXPECT_NE(parsed.find("('skipped', '1')"), std::string::npos) << parsed;
  EXPECT_NE(parsed.find("testcase [('classname', 'm.tflite'), ('name', 'graph'), ('time', '0')] ''\nfailure "
                        "[('message', 'graph "
                        "differs: g.qgraph is " +
                        std::string(64, 'c') + ", expected " + std::string(24, 'b') + "')"),
            std::string::npos)
      << parsed;
  EXPECT_NE(
      parsed.find("the same step gives " + std::string(64, 'b') + ", g.qgraph is " + std::string(64, 'c')),
      std::string::npos)
      << parsed;
  EXPECT_NE(parsed.find("skipped [('message', 'data is not here: expected " + std::string(64, 'b') +
                        "; mnist cannot be read here')]"),
            std::string::npos)
      << parsed;
  EXPECT_NE(parsed.find("system-out [] 'recipe: run/config.toml has the SHA-256 " + std::string(64, 'a')),
            std::string::npos)
      << parsed;
}

TEST(Junit, AModelThatNamesNoOriginIsNotProved) {
  Report report = BrokenChain();
  report.trace.resize(1);
  const std::string parsed = ParsedXml(ToJunit(report));
  EXPECT_NE(parsed.find("('failures', '0')"), std::string::npos) << parsed;
  EXPECT_NE(parsed.find("('skipped', '1'), ('tests', '1')"), std::string::npos) << parsed;
}

TEST(Junit, EachMeasurementIsACaseWithItsTimeInSeconds) {
  const std::string parsed = ParsedXml(ToJunit(Times()));
  EXPECT_NE(parsed.find("testcase [('classname', 'm.tflite'), ('name', 'batch 1'), ('time', '0.000051250')]"),
            std::string::npos)
      << parsed;
  EXPECT_NE(
      parsed.find(
          "testcase [('classname', 'm.tflite'), ('name', 'batch 32, 4 threads'), ('time', '0.001500000')]"),
      std::string::npos)
      << parsed;
  EXPECT_NE(parsed.find("'median 51.2 µs, p99 61.5 µs, 19,512 images/s'"), std::string::npos) << parsed;
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
  EXPECT_NE(text.find("not distinguishable on 10,000 images |"), std::string::npos);
  EXPECT_NE(text.find("\n- warning: build/demo/model.tflite: its input"), std::string::npos);
}

TEST(Markdown, ShowsAWayBackAsATableBelowItsVerdict) {
  const std::string text = ToMarkdown(BrokenChain());
  EXPECT_EQ(text.rfind("### qat-eval: the chain breaks at: graph, graph, frozen again\n", 0), 0u) << text;
  EXPECT_NE(text.find("| graph | differs | " + std::string(24, 'b') + " | g.qgraph | it is " +
                      std::string(64, 'c') + " |\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("| recipe | matches | " + std::string(64, 'a') + " | run/config.toml |  |\n"),
            std::string::npos)
      << text;
}

TEST(Markdown, ShowsTimesWithTheirBatchThreadsAndOperators) {
  const std::string text = ToMarkdown(Times());
  EXPECT_EQ(text.rfind("### qat-eval: times, without a gate\n", 0), 0u) << text;
  EXPECT_NE(text.find("| m.tflite | 1 | 1 | 51.2 | 55.0 | 61.5 | 0.0 | 19,512 | - |\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("| m.tflite | 32 | 4 | 1500.0 |"), std::string::npos) << text;
  EXPECT_NE(text.find("#### m.tflite, batch 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("| 0 conv\\_2d | avx2 | \\[1, 14, 14, 8\\] | 40.50 | 80.0 % |"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("#### m.tflite, batch 32"), std::string::npos) << "its operators were not timed";
}

TEST(Markdown, ChecksThatNobodyAskedForAreCountedWhereNoGateWasSet) {
  Report report = testing::SampleReport();
  for (GateResult& gate : report.gates) {
    gate.asked = false;
    gate.pass = true;
  }
  const std::string text = ToMarkdown(report);
  EXPECT_EQ(text.rfind("### qat-eval: no gate was set; 2 checks passed\n", 0), 0u) << text;
  EXPECT_NE(text.find("| max-size (default) | pass |"), std::string::npos) << text;
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

TEST(BenchmarkJson, HoldsEachMeasurementAndItsOperators) {
  const auto entries = nlohmann::json::parse(ToBenchmarkJson(Times()));
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0]["name"], "m.tflite, batch 1: latency p50");
  EXPECT_EQ(entries[0]["value"], 51.25);
  EXPECT_EQ(entries[0]["extra"], "p90 55.0, p99 61.5");
  EXPECT_EQ(entries[1]["value"], 4096);
  EXPECT_EQ(entries[2]["name"], "m.tflite, batch 1: operator 0 conv_2d");
  EXPECT_EQ(entries[2]["value"], 40.5);
  EXPECT_EQ(entries[3]["name"], "m.tflite, batch 32, 4 threads: latency p50");
}

}  // namespace
}  // namespace qat
