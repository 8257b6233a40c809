// sample_report.h: a report with every section filled, in the order of the pipeline, for the tests of the
// writers.
#ifndef QAT_TESTS_SUPPORT_SAMPLE_REPORT_H_
#define QAT_TESTS_SUPPORT_SAMPLE_REPORT_H_

#include <cmath>
#include <string>

#include "report/report.h"

namespace qat::testing {

inline ModelResult SampleModel(std::string name, std::string kind, std::string type, int64_t bytes,
                               int64_t correct) {
  ModelResult model;
  model.name = std::move(name);
  model.kind = std::move(kind);
  model.type = std::move(type);
  model.path = "build/demo/" + model.name;
  model.bytes = bytes;
  model.sha256 = std::string(64, 'a');
  const double top1 = static_cast<double>(correct) / 100;
  model.accuracy = AccuracyResult{top1, correct, 10000, Interval{top1 - 0.2, top1 + 0.1}};
  model.latency_us = LatencyResult{90, 112.5, 110.25, 130, 171.5, 100000, 10, 11.25};
  return model;
}

inline Report SampleReport() {
  Report report;
  report.tool = "qat-eval";
  report.version = "0.1.0";
  report.command = "qat-eval --data digits --model build/demo/model.tflite";
  report.status = "gate-failed";
  report.exit_code = 1;
  report.data_name = "digits";
  report.data_examples = 10000;
  report.data_sha256 = std::string(64, 'd');
  report.models = {SampleModel("float", "checkpoint", "float32", 251234, 9945),
                   SampleModel("checkpoint", "checkpoint", "float32", 251240, 9941),
                   SampleModel("simulated", "checkpoint", "simulated", 251240, 9939),
                   SampleModel("graph", "graph", "float32", 247800, 9941),
                   SampleModel("build/demo/model.tflite", "tflite", "uint8", 65432, 9939)};
  ClassificationResult classification;
  classification.topk_correct = {{1, 9939}, {2, 9990}};
  classification.confusion = {{4960, 40, 0}, {15, 2985, 0}, {3, 3, 1994}};
  classification.calibration_error = 0.42;
  report.models[4].classification = classification;
  report.class_names = {"0", "one", "eleven"};
  report.models[2].latency_us.reset();
  report.models[4].arena_bytes = 8192;
  report.models[4].provenance = {{"calibration_images", "50"}, {"graph", std::string(24, 'b')}};
  report.pairs = {{"checkpoint", "graph", 0, 0, 0, 0, std::nullopt, 2.4e-6},
                  {"simulated", "build/demo/model.tflite", 0, 0, 0, 0, 0, 0.0},
                  {"float", "build/demo/model.tflite", 0.06, 8, 2, 11, std::nullopt, 0.31}};
  report.pairs[1].mcnemar_p = 1;
  report.pairs[1].drop_interval = Interval{-0.04, 0.04};
  report.pairs[2].mcnemar_p = 0.109375;  // (1 + 10 + 45) / 512
  report.pairs[2].drop_interval = Interval{-0.008, 0.13};
  report.pairs[2].speedup = 2.104;
  report.pairs[2].speedup_interval = Interval{2.08, 2.13};
  report.gates = {{"max-drop", "build/demo/model.tflite", "float", 0.1, 0.06, true},
                  {"max-size", "build/demo/model.tflite", "", 65000, 65432, false}};
  report.warnings = {"build/demo/model.tflite: its input contract differs from the checkpoint's"};
  TrainingCurve loss{"loss", {}}, training{"training_accuracy", {}}, holdout{"holdout_accuracy", {}};
  for (int64_t step = 100; step <= 4000; step += 100) {
    const double left = std::exp(-static_cast<double>(step) / 700) + (step > 2400 ? 0.012 : 0.005);
    loss.points.emplace_back(step, 2.3 * left);
    training.points.emplace_back(step, 100 - 70 * left);
    if (step % 500 == 0) holdout.points.emplace_back(step, 100 - 60 * left);
  }
  training.points.back().second = 100;  // an axis up to 99.95 %, the longest label
  report.curves = {loss, training, holdout};
  report.quant_delay = 2400;
  report.ranges = {{"conv1", 0, 3.4, 3.4 / 255, 0},
                   {"conv1/filter", -0.41, 0.52, 0.93 / 254, 113},
                   {"fc2", -21.5, 30.25, 51.75 / 255, 106},
                   {"fc2/filter", -0.61, 0.44, 1.05 / 254, 149}};
  const std::string picture =
      "data:image/png;base64,"
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
  report.flipped = {{"float", "build/demo/model.tflite", 17, 0, 0, 1, 0.512, 0.498, picture},
                    {"float", "build/demo/model.tflite", 230, 2, 1, 2, std::nullopt, std::nullopt, picture}};
  report.pairs[1].first_difference = LayerDifference{"conv2", "conv_2d", 2, 17, 3, 1600, 1};
  report.layers = {{"build/demo/model.tflite", "graph", "input", "input", -1, 32, std::nullopt, std::nullopt,
                    1.0 / 255, 0, 1, 0},
                   {"build/demo/model.tflite", "graph", "conv1", "conv_2d", 0, 32, 39.5, 40.25, 3.4 / 255,
                    1.4, 0.97, 0.0012},
                   {"build/demo/model.tflite", "graph", "fc2", "fully_connected", 5, 32, 31.2, 41.75,
                    51.75 / 255, 3.6, 0.64, 0}};
  report.ranges[1].histogram = Histogram{-0.41, 0.52, {1, 20, 300, 40, 0, 2}};
  report.layers[1].histogram = Histogram{-0.4, 3.8, {0, 900, 70, 30, 2, 1}};
  report.layers[1].filter = FilterResolution{32, 20, 2};
  report.layers[2].filter = FilterResolution{10, 0, 31};
  report.environment = {{"cpu", "Example CPU"}, {"kernels", "fast"}, {"threads", "1"}};
  report.outputs = {{"html", "build/demo/report.html"}};
  report.metrics = {{"holdout_accuracy", 99.3}, {"step", 4000}};
  return report;
}

inline TimingConditions SampleTiming() {
  return {1, "performance", 0.42, 4, 0.01, 0, 0.002, 0.012, 31.5, int64_t{48} << 20};
}

/// The same of a network whose labels are two real numbers per image.
inline Report RegressionReport() {
  Report report = SampleReport();
  report.timing = SampleTiming();
  for (ModelResult& model : report.models) {
    model.accuracy.reset();
    model.classification.reset();
    model.regression = RegressionResult{{0.0831, 0.0612, 0.412, 0.9731},
                                        Interval{0.0792, 0.0868},
                                        {{0.091, 0.067, 0.412, 0.969}, {0.074, 0.055, 0.33, 0.977}}};
  }
  for (PairResult& pair : report.pairs)
    pair.errors = ErrorComparison{1.25, Interval{-0.3, 2.9}, 5123, 4877, 0.0143, 0.0112};
  report.gates = {{"max-rmse", "build/demo/model.tflite", "", 0.1, 0.0831, true},
                  {"max-error-rise", "build/demo/model.tflite", "float", 1, 1.25, false, 0.0143}};
  report.flipped.clear();
  report.curves.erase(report.curves.begin() + 1, report.curves.end());
  return report;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_SAMPLE_REPORT_H_
