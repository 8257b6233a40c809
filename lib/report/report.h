// report.h: results as data: the document "qat-report/1" that all four tools write. docs/report.md names
// every field.
#ifndef QAT_REPORT_REPORT_H_
#define QAT_REPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/expected.h"

namespace qat {

/// What a measurement leaves open, at 95 %.
struct Interval {
  double low = 0, high = 0;
};

constexpr bool Excludes0(const Interval& interval) { return interval.low > 0 || interval.high < 0; }

/// Counts are of images, or of pixels where each has a label.
struct AccuracyResult {
  double top1 = 0;  ///< percentage
  int64_t correct = 0;
  int64_t total = 0;
  std::optional<Interval> interval =
      {};  ///< of top1, percentages (Wilson); absent for pixels, which are no independent draws
};

/// The images, or pixels, of one class, and how often a model answers it.
struct ClassCount {
  int64_t correct = 0, total = 0;
  std::optional<int64_t> answers = {};  ///< right or wrong; absent in reports of earlier versions
};

/// What a classifier's answers say beyond one percentage.
struct ClassificationResult {
  std::map<int32_t, int64_t> topk_correct = {};      ///< k -> images whose label is among the k best
  std::vector<std::vector<int64_t>> confusion = {};  ///< [true class][answer]; empty: too many classes
  std::optional<double> calibration_error = {};      ///< points; absent where the model ends in argmax
  std::optional<double> mean_iou = {};               ///< percentage, of one label per pixel; else absent
  std::vector<ClassCount> classes = {};              ///< by label; class_figures.h derives recalls from it
};

/// Answers to yes or no: of one label among several, or of the second of two classes.
struct LabelCount {
  int64_t total = 0;
  int64_t positives = 0;  ///< that have the label
  int64_t answers = 0;    ///< that are said to have it, …
  int64_t found = 0;      ///< … rightly
  /// Of the scores, 0 to 1: the share of pairs (with, without the label) in the right order, equal ones half.
  /// Absent where all or none have it, and behind an argmax.
  std::optional<double> auc = {};
  /// 0 to 1: the mean over those that have it of the precision at their score. Absent likewise.
  std::optional<double> average_precision = {};
};

/// What the figures of label_figures.h are derived from.
struct LabelsResult {
  int64_t exact = 0, examples = 0;  ///< examples of which every label is right
  std::vector<LabelCount> labels = {};
};

/// Errors of reconstruction as a score of anomalies: examples of every class but the normal one
/// (OutputContract::normal; else class 0).
struct AnomalyResult {
  double auc = 0;                         ///< as LabelCount::auc
  std::optional<Interval> interval = {};  ///< of it (Hanley and McNeil 1982)
  int64_t normal = 0, anomalous = 0;      ///< examples
};

/// How far real numbers are from those that belong to the images.
struct ErrorStatistics {
  double rmse = 0, mae = 0;       ///< root of the mean square, mean of the sizes
  double largest = 0;             ///< of the sizes
  std::optional<double> r2 = {};  ///< share of the variance that is explained; absent where there is none
};

struct RegressionResult {
  ErrorStatistics all = {};
  std::optional<Interval> rmse_interval = {};  ///< absent under 20 images
  std::vector<ErrorStatistics> targets = {};   ///< of each number, where an image has several
  /// Of several numbers of an image, whose units may differ: the root of the mean square of each in its own
  /// deviations; else absent.
  std::optional<double> relative_rmse = {};
  std::optional<Interval> relative_interval = {};  ///< of that, as rmse_interval
};

/// Errors of b held against those of a on the same images.
struct ErrorComparison {
  /// Of the RMSE, or of relative_rmse, percent; absent where that of a is 0.
  std::optional<double> rise_pct = {};
  std::optional<Interval> rise_interval = {};  ///< bootstrap over images
  int64_t larger = 0, smaller = 0;  ///< images whose error (over all numbers) is larger or smaller in b
  double sign_p = 1;                ///< of both being as likely; exact, two-sided
  double rms_difference = 0;        ///< of the outputs

  /// The images tell which of the two errs less: the interval of the rise does not hold 0; without one, by
  /// the sign test.
  bool resolved() const;
};

/// Microseconds of Invoke only: input already in the tensor, output unread, one image, one thread.
struct LatencyResult {
  double min = 0, mean = 0, p50 = 0, p90 = 0,
         p99 = 0;  ///< percentiles by nearest rank: each is a time that was measured
  int64_t runs = 0;
  int64_t rounds = 0;                         ///< over the test images
  double total_seconds = 0;                   ///< all rounds together, what the article's table calls time
  std::optional<Interval> p50_interval = {};  ///< of the median, without what other processes took
};

/// The machine while times were measured.
struct TimingConditions {
  std::optional<int64_t> pinned_cpu = {};  ///< the processor that everything ran on
  std::string governor = {};               ///< of its clock rate; empty: the machine names none
  double load_average = 0;                 ///< of the minute before
  int64_t processors = 0;                  ///< of the machine; 0: not known, in reports of earlier versions
  double others = 0;     ///< share that other processes took of all processors, or of ours if that was more
  double stolen = 0;     ///< share of all processors that the hypervisor gave to other machines
  double preempted = 0;  ///< share of timed runs within which another process had the processor
  std::optional<double> noise = {};  ///< how far a model seemed to be from itself; absent: too few turns
  double calibration_us = 0;         ///< of a fixed loop: compares the clock rates of two runs
  int64_t peak_rss_bytes = 0;        ///< most memory of the whole program so far

  /// A quiet machine shows a model within 5 % of itself, as two quiet runs do (eval/time_gates.h). What was
  /// at work on it a minute ago, such as a training that took all processors, may have ended; twice as much
  /// is more than one program brings.
  bool noisy() const { return noise && *noise > 0.05; }
  bool loaded() const { return processors > 0 && load_average > 2 * static_cast<double>(processors); }
  bool quiet() const { return others <= 0.1 && stolen <= 0.02 && !noisy() && !loaded(); }
};

struct ModelResult {
  std::string name;
  std::string kind;  ///< "checkpoint", "graph", "tflite", "litert"
  std::string path;
  /// "float32", "float16" or "dynamic" (weights only), "simulated", "uint8", "int8", "w4a8", "int16x8"; some
  /// layers otherwise: "int8 + int16", "int8 + float32"
  std::string type;
  int64_t bytes = 0;
  std::string sha256;
  int64_t arena_bytes = 0;  ///< 0: not known
  std::optional<AccuracyResult> accuracy;
  std::optional<LatencyResult> latency_us;
  std::optional<ClassificationResult> classification = {};
  std::optional<RegressionResult> regression =
      {};                                     ///< where labels are real numbers; there is no accuracy then
  std::optional<LabelsResult> labels = {};    ///< of yes or no, one label or several
  std::optional<AnomalyResult> anomaly = {};  ///< of a reconstruction, where the data say what is an anomaly
  std::map<std::string, std::string> provenance = {};  ///< what it says it was made from: "graph" -> hash, …
  /// Of TFLite: false where its reference kernels lack an operator, and others answer, which round otherwise.
  bool by_reference = true;
  int64_t model_bytes = 0;  ///< of a graph: the float .tflite that it is lowered to and run as; else 0
};

/// What "resolved" means: differences that chance alone would show less often than this.
inline constexpr double kSignificance = 0.05;

/// The first layer in which two ways of running one integer network differ, on one image.
struct LayerDifference {
  std::string layer;
  std::string op;          ///< "conv_2d"
  int64_t index = -1;      ///< of the operator in the order of execution; -1: the input
  int64_t example = 0;     ///< of the data
  int64_t differing = 0;   ///< values that differ, …
  int64_t values = 0;      ///< … of so many
  int64_t steps = 0;       ///< the largest difference
  std::string grids = {};  ///< both scales and zero points, where they differ; else empty
};

/// b held against a on the same images.
struct PairResult {
  std::string a, b;
  double drop_pt = 0;  ///< accuracy of a minus accuracy of b, in points
  int64_t right_to_wrong = 0, wrong_to_right = 0;
  int64_t total_flips = 0;  ///< labels that differ, right or wrong
  std::optional<int64_t>
      max_abs_lsb;  ///< largest difference of outputs in quantized steps, where both have the same step
  /// Largest difference of real outputs; of normalized targets in the unit of the target.
  std::optional<double> max_abs_error;
  /// Of several numbers in units of their own: the one that differs most in deviations, whose difference
  /// max_abs_error is.
  std::optional<int64_t> max_abs_error_number = {};
  std::optional<Interval> drop_interval = {};     ///< of drop_pt, points (Newcombe, paired)
  std::optional<double> mcnemar_p = {};           ///< of the two being equally accurate; exact, two-sided
  std::optional<double> speedup = {};             ///< time of a / time of b, median over turns side by side
  std::optional<Interval> speedup_interval = {};  ///< bootstrap over runs of consecutive turns

  std::optional<int64_t> equal_outputs = {};  ///< images whose outputs are all equal
  /// Most of their layers have other scales or types: neither is a witness of the other's integers. Not
  /// stored.
  bool quantized_apart = false;

  std::optional<LayerDifference> first_difference = {};  ///< of two integer ways; null: none was found
  std::optional<ErrorComparison> errors = {};  ///< of real numbers; drop and flips mean nothing then

  /// The images tell which of the two is more accurate: the interval of the drop does not hold 0; without
  /// one, by McNemar's p.
  bool resolved() const {
    if (drop_interval) return Excludes0(*drop_interval);
    return mcnemar_p && *mcnemar_p <= kSignificance;
  }
};

struct GateResult {
  std::string name;
  std::string model;      ///< the row that was judged; empty: the whole run
  std::string reference;  ///< the row it was held against; "baseline": an earlier report; empty: the limit is
                          ///< absolute
  double limit = 0;
  double value = 0;
  bool pass = false;
  std::optional<double> p = {};  ///< McNemar's, of the row and its reference, where both are of this run
  std::string note = {};         ///< why it passed although the value is beyond the limit, or where it failed
  std::string subject = {};      ///< what of the row was judged, "class 'cat'"; empty: all of it
  bool asked = true;             ///< false: a check that is made whether or not a limit was set
};

inline bool ErrorComparison::resolved() const {
  return rise_interval ? Excludes0(*rise_interval) : sign_p <= kSignificance;
}

/// What a page about training needs; read from the run directory's metrics.ndjson.
struct TrainingCurve {
  std::string name;                                ///< "loss", "training_accuracy", "holdout_accuracy", …
  std::vector<std::pair<int64_t, double>> points;  ///< (step, value)
};

/// Values counted in cells of equal width over [low, high]; those beyond it in the outermost.
struct Histogram {
  double low = 0, high = 0;
  std::vector<int64_t> counts = {};
};

struct LayerRange {
  std::string layer;
  double min = 0, max = 0;
  double scale = 0;
  int64_t zero_point = 0;
  std::optional<Histogram> histogram = {};  ///< of a filter's values over this range
};

/// How finely a layer's filter tells weights apart; a channel has as many steps as its largest |quantized -
/// zero point|.
struct FilterResolution {
  int64_t channels = 0;         ///< output channels
  int64_t coarse_channels = 0;  ///< those with fewer than 16 steps
  int64_t least_steps = 0;      ///< of the coarsest channel
};

/// What quantization costs one layer: a quantized model against the same network in float.
struct LayerError {
  std::string model, reference;
  std::string layer;
  std::string op;
  int64_t index = -1;                      ///< of the operator in the order of execution; -1: the input
  int64_t images = 0;                      ///< the first ones of the data
  std::optional<double> sqnr_db = {};      ///< signal to noise, with all that came before
  std::optional<double> own_sqnr_db = {};  ///< by rounding this output alone
  double scale = 0;                        ///< of this output
  double max_steps = 0;                    ///< largest difference, in steps of this output
  double range_used = 0;                   ///< of the representable range, 0 to 1
  double clipped = 0;                      ///< share of float values beyond the representable range
  /// Of the float values: the representable range, and an eighth of it on either side; null in older reports.
  std::optional<Histogram> histogram = {};
  std::optional<FilterResolution> filter = {};  ///< null: it has none, or one that is not constant bytes
};

/// An image that two rows of a pair answer differently.
struct FlippedImage {
  std::string a, b;
  int64_t example = 0;
  int32_t label = 0, answer_a = 0, answer_b = 0;
  std::optional<double> confidence_a = {}, confidence_b = {};  ///< 0 to 1; unknown behind an argmax
  std::string picture = {};                                    ///< "data:image/png;base64,…"
  std::string values = {};  ///< of a row of features instead: "age 41, weight 80.5"
};

/// A class that a model sees in a picture.
struct Guess {
  int32_t label = 0;
  std::string name;                        ///< empty: the model carries no name for it
  std::optional<double> probability = {};  ///< absent where the model ends in argmax
};

/// A real number that a network gives, in the unit of its target.
struct NamedNumber {
  std::string name;
  double value = 0;
};

struct PictureResult {
  std::string file;
  std::vector<Guess> best;                ///< the most likely class first
  std::vector<NamedNumber> numbers = {};  ///< instead, of a network of real numbers
};

/// One operator of a model, by itself.
struct OperatorTime {
  int64_t index = 0;   ///< in the file
  std::string name;    ///< "conv_2d"
  std::string shape;   ///< of its first output
  std::string kernel;  ///< "avx512vnni", "portable", "reference", "folded", "fused"
  std::string reason;  ///< why that one
  double time_us = 0;  ///< median
  double share = 0;    ///< of the sum over all operators, 0 to 1
  int64_t macs = 0;    ///< multiply-accumulates
  int64_t bytes = 0;   ///< read and written, constants included
  std::optional<double> roofline =
      {};  ///< its speed, of what this machine reaches at best with as many MACs a byte
};

/// One model at one batch size, of --bench.
struct BenchmarkResult {
  std::string model;
  int64_t batch = 1;
  int64_t threads = 1;
  double load_us = 0, prepare_us = 0,
         first_us = 0;             ///< file to tables, tables to kernels, first answer: medians
  double cold_us = 0;              ///< median of Invoke with nothing left in the caches
  LatencyResult latency_us;        ///< of the whole batch, caches warm
  double examples_per_second = 0;  ///< by the median
  int64_t macs = 0;                ///< of the whole batch
  int64_t arena_bytes = 0, arena_peak_bytes = 0;
  int64_t peak_rss_bytes = 0;        ///< of a process that loads the model and runs it once; 0: not known
  std::optional<double> ratio = {};  ///< to the first model at this batch: median over rounds
  std::optional<Interval> ratio_interval = {};
  std::optional<Interval> ratio_quartiles = {};
  std::vector<OperatorTime> operators = {};  ///< of --operators
};

/// A step of the way from a model back to its data.
struct TraceLink {
  std::string what;  ///< "graph", "checkpoint", "network", "recipe", "data", …
  std::string
      expected;       ///< hash that the artefact before it names, perhaps only its first digits; empty: none
  std::string file;   ///< where it was found; empty: nowhere
  std::string found;  ///< SHA-256 of what is there
  std::string state;  ///< "start", "matches", "differs", "not here"
  std::string note = {};
};

struct Report {
  std::string tool;
  std::string version;
  std::string command;        ///< as it was typed, quoted for a shell; empty where nobody typed one
  std::string status = "ok";  ///< "ok", "gate-failed", "error"
  int exit_code = 0;
  std::string error;  ///< with status "error"

  std::string data_name;
  int64_t data_examples = 0;
  int64_t data_total = 0;       ///< what the split holds, of which data_examples were looked at; 0: not known
  bool data_are_images = true;  ///< else rows of a table, series, measured numbers: examples
  std::vector<std::string> data_notes;   ///< sentences on how the data were understood
  std::string data_sha256;               ///< of sizes, images and labels: the same data wherever it lies
  std::vector<std::string> class_names;  ///< in label order, or one per label or number; may be empty
  /// what the outputs mean, a name of contract/task.h; empty: not known
  std::string task;
  std::string output;  ///< of several outputs: the one that the figures here are of
  /// What was found of each output after the first, in the order of the network: output, task, class_names,
  /// models, pairs.
  std::vector<Report> other_outputs;
  std::vector<ModelResult> models;
  std::vector<PairResult> pairs;
  std::vector<GateResult> gates;
  std::optional<TimingConditions> timing;   ///< where times were measured
  std::vector<PictureResult> pictures;      ///< of --image
  std::vector<BenchmarkResult> benchmarks;  ///< of --bench
  std::vector<TraceLink> trace;             ///< of --trace, in the order of the way back
  std::vector<std::string> warnings;

  std::vector<TrainingCurve> curves;
  int64_t quant_delay = -1;  ///< step at which fake quantization began; -1: never or unknown
  std::vector<LayerRange> ranges;
  std::vector<LayerError> layers;                  ///< by model, in the order of execution
  std::vector<FlippedImage> flipped;               ///< the first ones, pair by pair
  std::map<std::string, std::string> environment;  ///< "cpu", "isa", "kernels", "threads", …
  std::map<std::string, std::string> outputs;      ///< files made: what -> path
  std::map<std::string, double> metrics;  ///< numbers of the other tools: "holdout_accuracy", "steps", …
};

/// The document, two-space indented, keys in a fixed order, ending in a newline. What is absent is null; a
/// number that is not finite is null too. Bytes that are not UTF-8 are replaced.
std::string ToJson(const Report& report);

/// Reads a document back, for --baseline and --report. Unknown fields are ignored. Errors: kCorrupt "SOURCE:
/// …" (no JSON, a field of another type); another "schema" than qat-report/1 is kUnsupported.
Expected<Report> ParseReport(std::string_view text, const std::string& source);

/// The JSON Schema (draft 2020-12) of the document: schemas/report.schema.json, as a string in the library.
std::string_view ReportSchema();

struct TableOptions {
  bool details = false;  ///< every row, pairs, layers, classes and checks that passed, too
  bool colour = false;   ///< escape sequences around "pass" and "FAIL", for a terminal
  /// how the reader asks for the details, "--details"; empty: the last line does not say so
  std::string more = {};
};

/// Aligned text for a terminal: what was asked first (MainRows, main_rows.h), the sentence on it
/// (headline.h), gates that were set or failed, warnings. A report on pictures: what was seen in each.
std::string ToTable(const Report& report, const TableOptions& options = {});

/// One self-contained page: table, curves with the delay marked, ranges. No script, no request.
std::string ToHtml(const Report& report);

}  // namespace qat

#endif  // QAT_REPORT_REPORT_H_
