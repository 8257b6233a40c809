#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <regex>

#include "report/report.h"
#include "report/svg_chart.h"
#include "support/sample_report.h"

namespace qat {
namespace {

size_t CountOf(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t place = text.find(word); place != std::string::npos; place = text.find(word, place + 1))
    ++count;
  return count;
}

// Every element of the body that is opened is closed, in order.
void ExpectBalanced(const std::string& html) {
  std::vector<std::string> open = {"html", "head"};
  const std::string body = html.substr(html.find("</style>") + 8);
  const std::regex tag("<(/?)([a-z0-9]+)([^>]*)>");
  for (std::sregex_iterator it(body.begin(), body.end(), tag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if ((*it)[3].str().ends_with("/")) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << name;
      ASSERT_EQ(open.back(), name);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty());
}

TEST(ReportHtml, IsOneFileThatAsksForNothing) {
  const std::string html = ToHtml(testing::SampleReport());
  for (const char* forbidden : {"<script", "http:", "https:", "url(", "@import"}) {
    EXPECT_EQ(html.find(forbidden), std::string::npos) << forbidden;
  }
  EXPECT_EQ(CountOf(html, "src="), CountOf(html, "src=\"data:image/png;base64,"));
  ExpectBalanced(html);
}

TEST(ReportHtml, EscapesEveryTextFromOutside) {
  Report report = testing::SampleReport();
  const std::string evil = "<b onclick=\"x\">&'";
  report.data_name = report.error = evil;
  report.models[0].name = report.models[0].type = evil;
  report.pairs[0].a = report.pairs[0].b = evil;
  report.gates[0].name = report.gates[0].model = report.gates[0].reference = evil;
  report.warnings = {evil};
  report.curves[0].name = evil + "loss";
  report.class_names = {evil, "<b "};
  report.models[4].name = evil;
  report.ranges[0].layer = evil;
  report.layers[0].model = report.layers[0].layer = report.layers[0].op = report.layers[0].reference = evil;
  report.pairs[1].first_difference->layer = report.pairs[1].first_difference->grids = evil;
  report.flipped[0].a = report.flipped[0].picture = evil;
  report.command = evil;
  report.models[1].provenance = {{evil, evil}};
  report.environment = {{evil, evil}};
  report.outputs = {{evil, evil}};
  report.metrics = {{evil, 1}};
  for (const char* status : {"gate-failed", "error"}) {
    report.status = status;
    const std::string html = ToHtml(report);
    EXPECT_EQ(html.find("<b "), std::string::npos);
    EXPECT_EQ(html.find("onclick=\""), std::string::npos);
    EXPECT_GE(CountOf(html, "&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;"), 14u);
    ExpectBalanced(html);
  }
}

TEST(ReportHtml, ShowsEverySection) {
  const std::string html = ToHtml(testing::SampleReport());
  for (const char* title :
       {"Models", "Accuracy, latency and size", "Gates", "Warnings", "Pairs", "Images whose label differs",
        "Layers", "Classes", "Training", "Ranges", "Environment", "How it was made"}) {
    EXPECT_NE(html.find("<h2>" + std::string(title) + "</h2>"), std::string::npos) << title;
  }
  EXPECT_NE(html.find("1 of 2 gates failed"), std::string::npos);
  EXPECT_NE(html.find("<li>max-size of build/demo/model.tflite: 65,432 B, limit 65,000 B</li>"),
            std::string::npos);
  EXPECT_EQ(CountOf(html, "<svg class=\"bar\""), 4u + 3u + 3u);  // ranges, layers
  EXPECT_EQ(CountOf(html, "<svg class=\"bar tall\""), 2u);
}

TEST(ReportHtml, ShowsAFlippedImageWithItsClassAndBothAnswers) {
  const std::string html = ToHtml(testing::SampleReport());
  EXPECT_NE(
      html.find("<b>eleven</b> <span class=\"faint\">image 230</span><p><span class=\"bad\">one</span> <span "
                "class=\"faint\">float</span></p><p><span class=\"good\">eleven</span> <span class=\"faint\">"
                "build/demo/model.tflite</span></p>"),
      std::string::npos)
      << html;
}

TEST(ReportHtml, ShowsAFlippedRowByItsValues) {
  Report report = testing::SampleReport();
  report.data_are_images = false;
  for (FlippedImage& row : report.flipped) row.picture.clear(), row.values = "age 41, <b> 2";
  const std::string html = ToHtml(report);
  EXPECT_NE(html.find("<h2>Examples whose label differs</h2>"), std::string::npos);
  EXPECT_NE(html.find("<span class=\"faint\">example 17</span><p>age 41, &lt;b&gt; 2</p>"),
            std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
}

TEST(ReportHtml, NamesTheFirstLayerThatDiffers) {
  EXPECT_NE(ToHtml(testing::SampleReport())
                .find("first in conv2 (conv_2d, operator 2), image 17: 3 of 1,600 values, up to 1 step"),
            std::string::npos);
}

TEST(ReportHtml, SaysHowItWasMade) {
  const std::string html = ToHtml(testing::SampleReport());
  EXPECT_NE(html.find("<dt>command</dt><dd>qat-eval --data digits --model build/demo/model.tflite</dd>"),
            std::string::npos);
  EXPECT_NE(html.find("made from graph</td>"), std::string::npos);
  EXPECT_EQ(html.find("made from calibration_images"), std::string::npos);
  EXPECT_NE(html.find(std::string(24, 'b')), std::string::npos);
}

TEST(ReportHtml, LeavesOutSectionsWithoutContent) {
  Report report;
  report.tool = "qat-eval";
  const std::string html = ToHtml(report);
  EXPECT_EQ(html.find("<h2>Training"), std::string::npos);
  EXPECT_EQ(html.find("<h2>Models"), std::string::npos);
  ExpectBalanced(html);
}

TEST(ReportHtml, ShowsTimesAsATableAndAsBars) {
  Report report;
  report.tool = "qat-eval";
  BenchmarkResult result;
  result.model = "<i>.tflite";
  result.latency_us = LatencyResult{50, 52, 51.25, 55, 61.5, 1000, 40, 0.05};
  result.operators = {{0, "conv_2d", "[1, 14, 14, 8]", "avx2", "best", 40.5, 0.8, 1000, 2000, 0.5}};
  report.benchmarks = {result};
  const std::string one = ToHtml(report);
  EXPECT_NE(one.find("<h1>Benchmark report</h1>"), std::string::npos);
  EXPECT_NE(one.find("<span>99 of 100 runs</span><b>61.5 µs</b>"), std::string::npos) << one;
  EXPECT_NE(one.find("data-label=\"p99 µs\">61.5</td>"), std::string::npos) << one;
  EXPECT_NE(one.find("<h3>Operators of &lt;i&gt;.tflite, batch 1</h3>"), std::string::npos) << one;
  ExpectBalanced(one);
  report.benchmarks.push_back(result);
  report.benchmarks[1].batch = 4;
  report.benchmarks[1].latency_us.p50 = 100;
  EXPECT_NE(ToHtml(report).find("<span>&lt;i&gt;.tflite, batch 4</span><b>25.0 µs</b>"), std::string::npos)
      << "per image";
}

// A model keeps 24 digits of a hash; what was found has all of them.
TEST(ReportHtml, ShowsWholeHashesOfAWayBackAndSaysWhatTookAPlace) {
  Report report;
  report.status = "gate-failed";
  report.trace = {{"model", "", "m.tflite", std::string(64, 'a'), "start", ""},
                  {"graph", std::string(24, 'b'), "g.qgraph", std::string(64, 'b'), "matches", ""},
                  {"data", std::string(64, 'd'), "mnist", std::string(64, 'e'), "differs", ""}};
  const std::string html = ToHtml(report);
  EXPECT_NE(html.find(std::string(64, 'b')), std::string::npos) << html;
  EXPECT_NE(html.find("it is " + std::string(64, 'e')), std::string::npos) << html;
  EXPECT_NE(html.find("<p class=\"verdict bad\">the chain breaks at: data</p>"), std::string::npos) << html;
}

TEST(ReportHtml, SurvivesCurvesWithoutAFiniteNumber) {
  Report report = testing::SampleReport();
  report.curves = {{"loss", {{0, std::numeric_limits<double>::quiet_NaN()}}}, {"holdout_accuracy", {}}};
  EXPECT_EQ(ToHtml(report).find("<h2>Training"), std::string::npos);
}

TEST(LineChart, MarksTheDelayAtItsStep) {
  ChartOptions options;
  options.mark_step = 50;
  options.mark_label = "fake quantization from step 50";
  const std::string svg = LineChart({{"loss", {{0, 1.0}, {100, 0.1}}}}, options);
  // Halfway between the ends of the axis, 62 and 408.
  EXPECT_NE(svg.find("<line class=\"mark\" x1=\"235.0\""), std::string::npos);
  EXPECT_NE(svg.find(">fake quantization from step 50</text>"), std::string::npos);
}

TEST(LineChart, ALargerLossIsDrawnHigher) {
  const std::string svg = LineChart({{"loss", {{0, 1.0}, {100, 0.1}}}}, {});
  std::smatch match;
  ASSERT_TRUE(std::regex_search(svg, match, std::regex("d=\"M62\\.0 ([0-9.]+)L408\\.0 ([0-9.]+)\"")));
  EXPECT_LT(std::stod(match[1]), std::stod(match[2]));
}

TEST(LineChart, ThinningKeepsASingleSpike) {
  TrainingCurve curve{"loss", {}};
  for (int64_t step = 0; step < 100000; ++step) curve.points.emplace_back(step, step == 54321 ? 9.0 : 0.5);
  const std::string svg = LineChart({curve}, {});
  EXPECT_LT(CountOf(svg, "L"), 900u);
  const double spike_x = 62 + 54321.0 / 99999 * (408 - 62);
  char text[32];
  std::snprintf(text, sizeof text, "L%.1f ", spike_x);
  const size_t place = svg.find(text);
  ASSERT_NE(place, std::string::npos);
  EXPECT_LT(std::stod(svg.substr(place + std::string(text).size())), 60);
}

TEST(LineChart, AGapInTheValuesIsAGapInTheLine) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = LineChart({{"loss", {{0, 1.0}, {1, 0.9}, {2, nan}, {3, 0.8}, {4, 0.7}}}}, {});
  std::smatch match;
  ASSERT_TRUE(std::regex_search(svg, match, std::regex("<path class=\"c0\" d=\"([^\"]*)\"")));
  EXPECT_EQ(CountOf(match[1], "M"), 2u);
}

// A damaged report may hold any number: the axes still have few ticks.
TEST(LineChart, AxesEndForAnyStepAndValue) {
  const int64_t last = std::numeric_limits<int64_t>::max();
  const std::string steps = LineChart({{"loss", {{0, 1.0}, {last, 0.1}}}}, {});
  EXPECT_NE(steps.find(">8e+12M</text>"), std::string::npos) << steps;
  EXPECT_LT(CountOf(steps, "<line class=\"axis\""), 8u);
  ChartOptions options;
  options.scale = ChartScale::kLinear;
  for (const double value : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()})
    EXPECT_LT(CountOf(LineChart({{"rate", {{0, value}, {9, value}}}}, options), "<line class=\"grid\""), 8u)
        << value;
}

TEST(ConfusionChart, ColoursRightAndWrongAnswersByTheirShareOfTheRow) {
  const std::string svg = ConfusionChart({{75, 25}, {0, 400}}, {"cat", "<dog>"});
  EXPECT_EQ(CountOf(svg, "class=\"hit\""), 2u);
  EXPECT_EQ(CountOf(svg, "class=\"miss\""), 2u);
  // 0.12 + 0.88 * sqrt(0.25); nothing at all stays empty, a full row is full.
  EXPECT_NE(svg.find("fill-opacity=\"0.56\"><title>25 of 100 of class cat answered with 1</title>"),
            std::string::npos)
      << svg;
  EXPECT_NE(svg.find("fill-opacity=\"0.00\"><title>0 of 400"), std::string::npos);
  EXPECT_NE(svg.find("fill-opacity=\"1.00\"><title>400 of 400"), std::string::npos);
  EXPECT_EQ(svg.find("<dog>"), std::string::npos);
}

TEST(ConfusionChart, OfManyClassesHasNoCountsAndFewLabels) {
  std::vector<std::vector<int64_t>> confusion(100, std::vector<int64_t>(100, 0));
  for (size_t i = 0; i < 100; ++i) confusion[i][i] = 1;
  confusion[3][4] = 2;
  const std::string svg = ConfusionChart(confusion, {});
  EXPECT_EQ(CountOf(svg, "<rect"), 102u) << "what was never answered is not drawn, but a frame";
  EXPECT_EQ(CountOf(svg, "<text"), 20u);
}

// The numbers behind the dots: centre, radius.
std::vector<std::array<double, 3>> DotsOf(const std::string& svg) {
  std::vector<std::array<double, 3>> dots;
  const std::regex dot("<circle class=\"dot\" cx=\"([^\"]*)\" cy=\"([^\"]*)\" r=\"([^\"]*)\"");
  for (std::sregex_iterator it(svg.begin(), svg.end(), dot), end; it != end; ++it) {
    dots.push_back({std::stod((*it)[1]), std::stod((*it)[2]), std::stod((*it)[3])});
  }
  return dots;
}

TEST(TradeoffChart, FasterIsLeftBetterIsUpAndAreasAreBytes) {
  const auto model = [](double p50, int64_t bytes, int64_t correct) {
    ModelResult result = testing::SampleModel("m", "tflite", "uint8", bytes, correct);
    result.latency_us->p50 = p50;
    return result;
  };
  const ModelResult slow = model(100, 400'000, 9900), fast = model(10, 100'000, 9800),
                    between = model(std::sqrt(1000.0), 0, 9850);
  const auto dots = DotsOf(TradeoffChart({&slow, &fast, &between}, "image"));
  ASSERT_EQ(dots.size(), 3u);
  EXPECT_LT(dots[1][0], dots[0][0]);
  EXPECT_GT(dots[1][1], dots[0][1]);
  EXPECT_NEAR(dots[2][0], (dots[0][0] + dots[1][0]) / 2, 0.11) << "logarithmic";
  EXPECT_NEAR(dots[2][1], (dots[0][1] + dots[1][1]) / 2, 0.11) << "linear";
  EXPECT_NEAR(dots[0][2], 2 * dots[1][2], 0.11) << "four times the bytes";
  EXPECT_GE(dots[2][2], 3) << "a dot can be seen";
}

TEST(TradeoffChart, NumbersOfModelsThatAreAlikeDoNotOverlap) {
  const ModelResult model = testing::SampleModel("m", "tflite", "uint8", 10, 9900);
  const std::string svg = TradeoffChart({&model, &model, &model, &model}, "image");
  std::vector<std::pair<double, double>> places;
  const std::regex number("<text x=\"([^\"]*)\" y=\"([^\"]*)\" text-anchor=\"middle\">[1-4]</text>");
  for (std::sregex_iterator it(svg.begin(), svg.end(), number), end; it != end; ++it) {
    places.emplace_back(std::stod((*it)[1]), std::stod((*it)[2]));
  }
  ASSERT_EQ(places.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool apart = std::abs(places[i].first - places[j].first) > 14 ||
                         std::abs(places[i].second - places[j].second) > 13;
      EXPECT_TRUE(apart) << i << " and " << j;
    }
  }
}

TEST(TradeoffChart, ModelsThatAreAlikeStayInsideThePicture) {
  ModelResult perfect = testing::SampleModel("m", "tflite", "uint8", 10, 10000);
  perfect.accuracy->interval = {100, 100};
  const std::string svg = TradeoffChart({&perfect, &perfect}, "example");
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  for (const auto& [x, y, r] : DotsOf(svg)) {
    EXPECT_GE(x - r, 0);
    EXPECT_LE(x + r, 420);
    EXPECT_GE(y - r, 0);
    EXPECT_LE(y + r, 270);
  }
  // A label that ends left of the axis begins inside the picture: digits of 14 px are up to 9 px wide.
  const std::regex label("<text x=\"([^\"]*)\" y=\"[^\"]*\" text-anchor=\"end\">([^<]*)</text>");
  for (std::sregex_iterator it(svg.begin(), svg.end(), label), end; it != end; ++it)
    EXPECT_GE(std::stod((*it)[1]), 9.0 * static_cast<double>((*it)[2].length())) << (*it)[2];
  EXPECT_EQ(CountOf(svg, "median time of one example"), 1u);
  EXPECT_GE(CountOf(svg, "µs</text>"), 1u);
  EXPECT_GE(CountOf(svg, "%</text>"), 1u);
}

TEST(HistogramBar, ColumnsAreLogarithmicOverTheRange) {
  const std::string svg = HistogramBar({-2, 2, {0, 3, 15, 0}}, -1, 1, -4, 4);
  // Cells [-1, 0) and [0, 1): log(1 + 15) is the full height of 40, log(1 + 3) half of it.
  EXPECT_NE(svg.find("d=\"M375.0 40.0V20.0H500.0V40.0ZM500.0 40.0V0.0H625.0V40.0Z\""), std::string::npos)
      << svg;
  EXPECT_NE(svg.find("class=\"chosen\" x=\"375.0\" y=\"0\" width=\"250.0\""), std::string::npos) << svg;
}

TEST(RangeBar, PutsTheZeroLineWhereRealZeroIs) {
  const std::string svg = RangeBar(-1, 3, -2, 6);
  EXPECT_NE(svg.find("x=\"125.0\""), std::string::npos);      // (-1 + 2) / 8
  EXPECT_NE(svg.find("width=\"500.0\""), std::string::npos);  // 4 / 8
  EXPECT_NE(svg.find("x1=\"250.0\""), std::string::npos);     // 2 / 8
}

TEST(ReportHtml, ShowsAFlippedImageOnceHoweverManyPairsItSetsApart) {
  Report report = testing::SampleReport();
  report.flipped.push_back(report.flipped[0]);
  report.flipped.back().a = "checkpoint";
  report.flipped.push_back(report.flipped[0]);
  report.flipped.back().b = "litert";
  const std::string html = ToHtml(report);
  EXPECT_EQ(CountOf(html, ">image 17</span>"), 1u);
  EXPECT_NE(html.find("float, checkpoint</span>"), std::string::npos);
  EXPECT_NE(html.find("build/demo/model.tflite, litert</span>"), std::string::npos);
}

TEST(ReportHtml, OpensWithNetworkSentenceDateAndPicture) {
  Report report = testing::SampleReport();
  report.environment["network"] = "lenet";
  report.environment["date"] = "2026-11-27";
  const std::string html = ToHtml(report);
  const std::string header =
      html.substr(html.find("<header>"), html.find("</header>") - html.find("<header>"));
  EXPECT_NE(
      header.find(
          "<h1>Quantization report: lenet</h1>\n<p class=\"lead\">3.8 × smaller than float; every byte"),
      std::string::npos)
      << header;
  EXPECT_NE(header.find("digits: 10,000 images, 2026-11-27"), std::string::npos);
  EXPECT_NE(header.find("<figure class=\"summary\">"), std::string::npos);
}

TEST(ReportHtml, OfSeveralOutputsSaysWhichIsSpokenOf) {
  Report report = testing::SampleReport();
  const std::string one = ToHtml(report);
  EXPECT_NE(one.find("<h2>Models</h2>"), std::string::npos);
  report.other_outputs = {testing::RegressionReport()};
  report.other_outputs[0].output = "box";
  report.other_outputs[0].task = "numbers";
  report.output = "kind";
  report.task = "classes";
  const std::string both = ToHtml(report);
  for (const char* piece : {"<p class=\"lead\">Output 'kind': ", "<h2>Models: output 'kind' (classes)</h2>",
                            "<h2>Pairs: output 'kind' (classes)</h2>",
                            "<p class=\"lead\">Output 'box': ", "<h2>Output 'box' (numbers)</h2>"})
    EXPECT_NE(both.find(piece), std::string::npos) << piece;
  EXPECT_EQ(both.find("<h2>Models</h2>"), std::string::npos);
}

TEST(ReportHtml, CountsOnlyGatesThatWereSet) {
  Report report = testing::SampleReport();
  report.status = "ok";
  for (GateResult& gate : report.gates) {
    gate.asked = false;
    gate.pass = true;
  }
  EXPECT_EQ(ToHtml(report).find("class=\"verdict"), std::string::npos) << "none was set";
  report.gates[0].asked = true;
  EXPECT_NE(ToHtml(report).find("<p class=\"verdict good\">the gate passed</p>"), std::string::npos);
  report.gates[1].pass = false;
  EXPECT_NE(ToHtml(report).find("<p class=\"verdict bad\">the gate passed; 1 check failed</p>"),
            std::string::npos);
}

TEST(ReportHtml, KeepsHashesInAFold) {
  const std::string html = ToHtml(testing::SampleReport());
  EXPECT_GT(html.find(std::string(64, 'a')), html.find("<details><summary>Hashes of all files</summary>"));
}

}  // namespace
}  // namespace qat
