// sample_pages FOLDER: report pages of every kind and of awkward sizes, for a browser to look at.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/strings.h"
#include "report/run_page.h"
#include "support/sample_report.h"
#include "support/sample_run.h"

namespace qat {
namespace {

Report Everything() {
  Report report = testing::SampleReport();
  report.timing = testing::SampleTiming();
  return report;
}

Report ManyModelsOfLongNames() {
  Report report = Everything();
  const std::string folder =
      "/srv/ci/workspace/quantization-aware-training/nightly/2026-11-27/artifacts/release/";
  for (int i = 0; i < 6; ++i) {
    ModelResult model = testing::SampleModel(StrCat(folder, "model-", i, ".tflite"), "tflite", "int8",
                                             65432 + 9000 * i, 9900 + 7 * i);
    model.latency_us->p50 = 12.5 * (1 + i);
    report.models.push_back(model);
    PairResult pair = report.pairs[2];
    pair.b = model.name;
    report.pairs.push_back(pair);
    GateResult gate = report.gates[static_cast<size_t>(i % 2)];
    gate.model = model.name;
    gate.note =
        "largest rounding loss: "
        "a_layer_with_quite_a_long_name/expanded_conv_13/project (conv_2d, "
        "operator 113), 21.4 dB, 12 % of its range used";
    report.gates.push_back(gate);
    report.warnings.push_back(model.name + ": was quantized with different ranges from simulated");
  }
  report.command = "qat-eval --data " + folder + "data --model " + folder + "0.tflite";
  return report;
}

// A network of twenty layers with long names, and names that a page must not obey.
Report TwentyLayers() {
  Report report = Everything();
  report.environment["network"] = "mobilenet_v2 <b>\xe2\x80\xae";
  report.environment["date"] = "2026-11-27";
  const LayerError first = report.layers[1];
  report.layers.resize(1);
  for (int i = 0; i < 20; ++i) {
    LayerError layer = first;
    layer.layer = StrCat("MobilenetV2/expanded_conv_", i, "/depthwise_and_project_with_batch_norm");
    layer.op = i % 2 == 0 ? "depthwise_conv_2d" : "fully_connected";
    layer.index = i;
    report.layers.push_back(layer);
    report.ranges.push_back({layer.layer, -1.5 * i, 3.0 * i + 1, 0.0125, 120 + i});
  }
  report.class_names = {"<script>alert(1)</script>", std::string(120, 'W'), "\" onload=\"x"};
  for (int i = 0; i < 3; ++i) {
    for (const FlippedImage& image : testing::SampleReport().flipped) {
      report.flipped.push_back(image);
      report.flipped.back().b = StrCat("model-", i, ".tflite");
    }
  }
  return report;
}

Report HundredClasses() {
  Report report = Everything();
  ClassificationResult& classes = *report.models[4].classification;
  classes.confusion.assign(100, std::vector<int64_t>(100, 0));
  report.class_names.clear();
  for (size_t i = 0; i < 100; ++i) {
    classes.confusion[i][i] = 90;
    classes.confusion[i][(i * 7 + 3) % 100] += 10;
    report.class_names.push_back("class number " + std::to_string(i));
  }
  return report;
}

Report Segmentation() {
  Report report = Everything();
  for (ModelResult& model : report.models) {
    model.accuracy->interval.reset();
    model.classification =
        ClassificationResult{{{1, 9939}}, {{4960, 40, 0}, {15, 2985, 0}, {3, 3, 1994}}, 0.42, 81.25};
  }
  for (PairResult& pair : report.pairs) {
    pair.mcnemar_p.reset();
    pair.drop_interval.reset();
  }
  report.flipped.clear();
  return report;
}

// Of an autoencoder, whose two figures have an interval each.
Report Anomalies() {
  Report report = testing::RegressionReport();
  report.task = "reconstruction";
  for (ModelResult& model : report.models) {
    model.regression->targets.clear();
    model.regression->relative_rmse = 0.1234;
    model.regression->relative_interval = Interval{0.1123, 0.1345};
    model.anomaly = AnomalyResult{0.9876, Interval{0.9812, 0.9941}, 5000, 5000};
    model.latency_us = LatencyResult{11234.5, 12345.6, 12345.6, 13456.7, 14567.8, 400000, 40, 1234.56};
  }
  return report;
}

Report Failed() {
  Report report;
  report.tool = "qat-eval";
  report.version = "0.1.0";
  report.status = "error";
  report.exit_code = 3;
  report.error = "build/demo/model.tflite: has 12 bytes, expected a FlatBuffer that begins with TFL3";
  return report;
}

Report Times() {
  Report report = Failed();
  report.status = "ok";
  report.exit_code = 0;
  report.error.clear();
  report.timing = testing::SampleTiming();
  for (int64_t i = 0; i < 4; ++i) {
    BenchmarkResult result;
    result.model = StrCat("build/demo/model-with-quite-a-long-name-", i / 2, ".tflite");
    result.batch = i % 2 == 0 ? 1 : 32;
    result.threads = 4;
    const double factor = static_cast<double>(result.batch * (1 + i));
    result.latency_us =
        LatencyResult{50 * factor, 52 * factor, 51 * factor, 55 * factor, 61 * factor, 1000, 40, 1};
    result.examples_per_second = 2e4;
    result.arena_bytes = result.arena_peak_bytes = 1234567 * result.batch;
    result.operators = {
        {0, "depthwise_conv_2d", "[32, 112, 112, 96]", "avx512vnni",
         "the best instruction set of this machine", 40.5, 0.8, 1000, 2000, 0.5},
        {1, "softmax", "[32, 1000]", "reference", "asked for, or nothing faster", 10.1, 0.2, 0, 2000, {}}};
    report.benchmarks.push_back(result);
  }
  return report;
}

Report Chain() {
  Report report = Failed();
  report.status = "gate-failed";
  report.exit_code = 1;
  report.error.clear();
  report.trace = {
      {"model", "", "build/demo/model.tflite", std::string(64, 'a'), "start", "made by qat-convert 0.1.0"},
      {"graph", std::string(24, 'b'), "build/demo/model.qgraph", std::string(64, 'b'), "matches",
       "made by qat-freeze 0.1.0"},
      {"network", std::string(64, 'c'), "lenet", std::string(64, 'd'), "differs", ""},
      {"data", std::string(64, 'e'), "", "", "not here", "/srv/data cannot be read here"}};
  return report;
}

// Three runs overlaid, their tensors named as in imported networks; one is under way.
std::vector<RunRecord> RunsOfLongNames() {
  std::vector<RunRecord> runs;
  for (const char* name : {"baseline", "runs/2026-11-27/mobilenet_v1_0.25-with-a-long-name", "<b>"})
    runs.push_back(testing::SampleRun(name));
  for (RunRecord& run : runs) {
    for (int i = 0; i < 12; ++i) {
      run.ranges.push_back(run.ranges[static_cast<size_t>(i % 3)]);
      run.ranges.back().tensor =
          StrCat("MobilenetV1/expanded_conv_", i, "/depthwise_and_project_with_batch_norm/filter");
    }
  }
  runs[1].ended = false;
  runs[1].steps = 1'250'000;
  for (RangeCurve& curve : runs[1].ranges) {
    for (RangePoint& point : curve.points) point.max *= 1.4;
  }
  return runs;
}

Status Write(const std::string& folder) {
  const std::pair<const char*, Report> pages[] = {{"sample", Everything()},
                                                  {"many", ManyModelsOfLongNames()},
                                                  {"classes", HundredClasses()},
                                                  {"layers", TwentyLayers()},
                                                  {"segmentation", Segmentation()},
                                                  {"regression", testing::RegressionReport()},
                                                  {"anomalies", Anomalies()},
                                                  {"times", Times()},
                                                  {"chain", Chain()},
                                                  {"error", Failed()}};
  for (const auto& [name, report] : pages)
    QAT_RETURN_IF_ERROR(WriteFile(JoinPath(folder, std::string(name) + ".html"), ToHtml(report)));
  QAT_RETURN_IF_ERROR(WriteFile(JoinPath(folder, "run.html"), RunPage({testing::SampleRun("lenet")})));
  return WriteFile(JoinPath(folder, "runs.html"), RunPage(RunsOfLongNames()));
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  const qat::Status status = qat::Write(argc > 1 ? argv[1] : ".");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
