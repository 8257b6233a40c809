#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "report/report.h"
#include "support/places.h"
#include "support/sample_report.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::ordered_json;

TEST(ReportJson, HasTheFieldsThatConsumersRelyOn) {
  const auto json = ordered_json::parse(ToJson(testing::SampleReport()));
  EXPECT_EQ(json["schema"], "qat-report/1");
  EXPECT_EQ(json["data"]["examples"], 10000);
  EXPECT_EQ(json["models"][4]["name"], "build/demo/model.tflite");
  EXPECT_EQ(json["models"][4]["bytes"], 65432);
  EXPECT_DOUBLE_EQ(json["models"][4]["accuracy"]["top1"], 99.39);
  EXPECT_DOUBLE_EQ(json["models"][0]["latency_us"]["p99"], 171.5);
  EXPECT_EQ(json["pairs"][2]["flips"]["right_to_wrong"], 8);
  EXPECT_EQ(json["pairs"][2]["flips"]["total"], 11);
  EXPECT_EQ(json["pairs"][1]["max_abs_lsb"], 0);
  EXPECT_EQ(json["gates"][1]["pass"], false);
  EXPECT_EQ(json["quant_delay"], 2400);
  EXPECT_EQ(json["models"][4]["accuracy"]["interval95"], ordered_json({99.39 - 0.2, 99.39 + 0.1}));
  const auto classification = json["models"][4]["classification"];
  EXPECT_EQ(classification["topk"][1]["k"], 2);
  EXPECT_DOUBLE_EQ(classification["topk"][1]["accuracy"], 99.9);
  EXPECT_DOUBLE_EQ(classification["classes"][1]["top1"], 99.5);
  EXPECT_EQ(classification["classes"][2]["total"], 2000);
  EXPECT_EQ(classification["confusion"][0][1], 40);
  EXPECT_TRUE(json["models"][0]["classification"].is_null());
  EXPECT_DOUBLE_EQ(json["pairs"][2]["mcnemar_p"], 0.109375);
  EXPECT_EQ(json["pairs"][2]["resolved"], false);
  EXPECT_TRUE(json["pairs"][0]["resolved"].is_null());
  EXPECT_EQ(json["pairs"][2]["drop_interval95"], ordered_json({-0.008, 0.13}));
  EXPECT_EQ(json["pairs"][2]["speedup_interval95"], ordered_json({2.08, 2.13}));
  EXPECT_EQ(json["pairs"][1]["first_difference"]["layer"], "conv2");
  EXPECT_EQ(json["pairs"][1]["first_difference"]["steps"], 1);
  EXPECT_TRUE(json["pairs"][0]["first_difference"].is_null());
  EXPECT_EQ(json["layers"][1]["own_sqnr_db"], 40.25);
  EXPECT_TRUE(json["layers"][0]["sqnr_db"].is_null());
  EXPECT_TRUE(json["layers"][0]["filter"].is_null());
  EXPECT_EQ(json["layers"][1]["filter"],
            ordered_json({{"channels", 32}, {"coarse_channels", 20}, {"least_steps", 2}}));
  EXPECT_EQ(json["flipped"][0]["example"], 17);
  EXPECT_EQ(json["flipped"][0]["answer_b"], 1);
  EXPECT_EQ(json["flipped"][0]["confidence_a"], 0.512);
  EXPECT_TRUE(json["flipped"][1]["confidence_b"].is_null());
  EXPECT_TRUE(json["flipped"][0]["values"].is_null());
}

TEST(ReportJson, AFlippedRowOfFeaturesHasValuesInsteadOfAPicture) {
  Report report = testing::SampleReport();
  report.flipped[1].picture = "";
  report.flipped[1].values = "age 41";
  const std::string text = ToJson(report);
  const auto json = ordered_json::parse(text);
  EXPECT_TRUE(json["flipped"][1]["picture"].is_null());
  EXPECT_EQ(json["flipped"][1]["values"], "age 41");
  const auto read = ParseReport(text, "r.json");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(read->flipped[1].picture, "");
  EXPECT_EQ(read->flipped[1].values, "age 41");
  EXPECT_EQ(read->flipped[0].picture, report.flipped[0].picture);
}

TEST(ReportJson, WhatIsAbsentIsNull) {
  const auto json = ordered_json::parse(ToJson(testing::SampleReport()));
  EXPECT_TRUE(json["models"][2]["latency_us"].is_null());
  EXPECT_TRUE(json["models"][0]["arena_bytes"].is_null());
  EXPECT_TRUE(json["pairs"][0]["max_abs_lsb"].is_null());
  EXPECT_TRUE(json["gates"][1]["reference"].is_null());
  EXPECT_TRUE(ordered_json::parse(ToJson(Report()))["data"].is_null());
}

TEST(ReportJson, KeepsTheOrderOfKeysAndEndsInANewline) {
  const std::string text = ToJson(testing::SampleReport());
  EXPECT_EQ(text.back(), '\n');
  size_t last = 0;
  for (const char* key : {"\"schema\"", "\"tool\"", "\"version\"", "\"status\"", "\"exit_code\"", "\"data\"",
                          "\"models\"", "\"pairs\"", "\"gates\"", "\"warnings\""}) {
    const size_t place = text.find(key);
    ASSERT_NE(place, std::string::npos) << key;
    EXPECT_GT(place, last == 0 ? 0 : last) << key;
    last = place;
  }
}

TEST(ReportJson, SurvivesNumbersAndBytesThatJsonCannotHold) {
  Report report = testing::SampleReport();
  report.metrics["loss"] = std::numeric_limits<double>::quiet_NaN();
  report.warnings = {"caf\xe9"};
  const auto json = ordered_json::parse(ToJson(report));
  EXPECT_TRUE(json["metrics"]["loss"].is_null());
  EXPECT_EQ(json["warnings"][0], "caf\xEF\xBF\xBD");
}

TEST(ReportJson, ReadsBackWhatItWrote) {
  const std::string text = ToJson(testing::SampleReport());
  const auto read = ParseReport(text, "eval.json");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(ToJson(*read), text);
}

TEST(ReportJson, HoldsErrorsOfRealNumbersInsteadOfAccuracies) {
  const std::string text = ToJson(testing::RegressionReport());
  const auto json = ordered_json::parse(text);
  EXPECT_TRUE(json["models"][0]["accuracy"].is_null());
  EXPECT_EQ(json["models"][0]["regression"]["rmse"], 0.0831);
  EXPECT_EQ(json["models"][0]["regression"]["targets"][1]["r2"], 0.977);
  EXPECT_TRUE(json["pairs"][2]["flips"].is_null());
  EXPECT_TRUE(json["pairs"][2]["drop_pt"].is_null());
  EXPECT_EQ(json["pairs"][2]["errors"]["larger"], 5123);
  EXPECT_EQ(json["timing"]["pinned_cpu"], 1);
  EXPECT_EQ(json["timing"]["quiet"], true);
  const auto read = ParseReport(text, "r.json");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(ToJson(*read), text);
}

TEST(ReportJson, RefusesWhatIsNoReport) {
  QAT_EXPECT_ERROR(ParseReport("{\"schema\": ", "a.json"), ErrorCode::kCorrupt, "a.json: is no JSON at byte");
  QAT_EXPECT_ERROR(ParseReport("[1, 2]", "a.json"), ErrorCode::kCorrupt, "has no field \"schema\"");
  QAT_EXPECT_ERROR(ParseReport("{\"schema\": \"qat-report/2\"}", "a.json"), ErrorCode::kUnsupported,
                   "qat-report/2");
  QAT_EXPECT_ERROR(ParseReport(R"({"schema": "qat-report/1", "models": [{"bytes": "many"}]})", "a.json"),
                   ErrorCode::kCorrupt, "a field has another type");
  const std::string ragged =
      R"({"schema": "qat-report/1", "models": [{"classification": {"confusion": [[1, 2], [3]]}}]})";
  QAT_EXPECT_ERROR(ParseReport(ragged, "a.json"), ErrorCode::kCorrupt, "a.json: confusion is not square");
}

// The validator is Python's jsonschema: it knows nothing of our writer.
TEST(ReportJson, RefusesNumbersThatAFieldDoesNotHold) {
  for (const char* number : {"8.5e37", "1.5", "4294967296", "-1e400"}) {
    const std::string text = StrCat(R"({"schema": "qat-report/1", "exit_code": )", number, "}");
    EXPECT_FALSE(ParseReport(text, "r.json").ok()) << number;
  }
  const auto report = ParseReport(R"({"schema": "qat-report/1", "exit_code": 8.5e37})", "r.json");
  QAT_EXPECT_ERROR(report, ErrorCode::kCorrupt, "r.json: 8.5e+37 is out of place, expected a whole number");
}

TEST(Json, BringsPicturesBack) {
  Report report;
  report.pictures = {{"a.jpg", {{3, "cat", 0.5}, {12, "", {}}}}};
  const auto read = ParseReport(ToJson(report), "r.json");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(ToJson(*read), ToJson(report));
  EXPECT_EQ(read->pictures.at(0).best.at(0).name, "cat");
  EXPECT_FALSE(read->pictures[0].best.at(1).probability);
}

Report BenchReport() {
  Report report;
  report.tool = "qat-eval";
  report.version = "0.1.0";
  BenchmarkResult& first = report.benchmarks.emplace_back();
  first.model = "a.tflite";
  first.batch = 8;
  first.latency_us.p50 = 12.5;
  BenchmarkResult& second = report.benchmarks.emplace_back();
  second.model = "b.tflite";
  second.ratio = 0.5;
  second.ratio_quartiles = Interval{0.25, 0.75};
  second.ratio_interval = Interval{0.48, 0.52};
  second.peak_rss_bytes = 12345678;
  second.operators = {{0, "conv_2d", "[1, 4, 4, 2]", "portable", "why", 3.5, 1.0, 288, 40, 0.25},
                      {1, "reshape", "[1, 32]", "folded", "why", 0, 0, 0, 64, {}}};
  return report;
}

TEST(Json, BringsBenchmarksBack) {
  const std::string text = ToJson(BenchReport());
  const auto read = ParseReport(text, "r.json");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(ToJson(*read), text);
  EXPECT_EQ(read->benchmarks.at(0).latency_us.p50, 12.5);
  EXPECT_EQ(read->benchmarks.at(1).operators.at(0).roofline, 0.25);
  EXPECT_FALSE(read->benchmarks[1].operators.at(1).roofline);
}

class ReportSchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    QAT_NEEDS_PYTHON("jsonschema");
    testing::WriteText(folder_ / "schema.json", std::string(ReportSchema()));
    testing::WriteText(
        folder_ / "validate.py",
        "import json, sys, jsonschema\n"
        "schema = json.load(open(sys.argv[1]))\n"
        "jsonschema.Draft202012Validator.check_schema(schema)\n"
        "errors = list(jsonschema.Draft202012Validator(schema).iter_errors(json.load(open(sys.argv[2]))))\n"
        "for error in errors: print(f'{error.json_path}: {error.message}')\n");
  }

  // One line a fault, beginning with its JSON path.
  std::string Complaints(const std::string& document) {
    testing::WriteText(folder_ / "report.json", document);
    const auto result = testing::Run(
        {testing::kLitertPython, folder_ / "validate.py", folder_ / "schema.json", folder_ / "report.json"});
    EXPECT_EQ(result.err, "");
    return result.out;
  }

  testing::TempDir folder_;
};

TEST_F(ReportSchemaTest, AcceptsEveryReportThatWeWrite) {
  Report report = testing::SampleReport();
  EXPECT_EQ(Complaints(ToJson(report)), "");
  report.pictures = {{"a.jpg", {{3, "cat", 0.5}, {12, "", {}}}}};
  EXPECT_EQ(Complaints(ToJson(report)), "");
  EXPECT_EQ(Complaints(ToJson(BenchReport())), "");
  EXPECT_EQ(Complaints(ToJson(testing::RegressionReport())), "");
  Report error;
  error.tool = "qat-convert";
  error.version = "0.1.0";
  error.status = "error";
  error.exit_code = 3;
  error.error = "a.qgraph: is an empty file, expected a frozen graph (.qgraph)";
  EXPECT_EQ(Complaints(ToJson(error)), "");
}

TEST_F(ReportSchemaTest, RefusesAReportThatLies) {
  auto json = ordered_json::parse(ToJson(testing::SampleReport()));
  json["status"] = "ok";  // with exit code 1
  EXPECT_EQ(Complaints(json.dump()).rfind("$.exit_code: ", 0), 0u);
  json = ordered_json::parse(ToJson(testing::SampleReport()));
  json["models"][0]["accuracy"]["top1"] = 101;
  EXPECT_EQ(Complaints(json.dump()).rfind("$.models[0].accuracy.top1: ", 0), 0u);
  json = ordered_json::parse(ToJson(testing::SampleReport()));
  json["pairs"][2]["drop_interval95"] = ordered_json::array({0.1});
  EXPECT_EQ(Complaints(json.dump()).rfind("$.pairs[2].drop_interval95: ", 0), 0u);
  json = ordered_json::parse(ToJson(testing::SampleReport()));
  json["pairs"][0].erase("flips");
  EXPECT_EQ(Complaints(json.dump()).rfind("$.pairs[0]: 'flips'", 0), 0u);
}

TEST(ReportSchema, IsTheFileInTheTree) {
  EXPECT_EQ(std::string(ReportSchema()),
            testing::ReadText(std::string(testing::kSourceDir) + "/schemas/report.schema.json"));
}

}  // namespace
}  // namespace qat
