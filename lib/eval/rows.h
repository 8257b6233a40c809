// rows.h: the things that qat-eval compares, opened: one row of the table each.
#ifndef QAT_EVAL_ROWS_H_
#define QAT_EVAL_ROWS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "model/model.h"
#include "predict/predictor.h"
#include "quant/precision.h"
#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

/// real = (byte - mean) / std; or real numbers as they are.
struct InputStats {
  float mean = 0, std = 1;
  bool reals = false;
};

/// What to compare, as given on the command line; empty: not given.
struct RowRequest {
  std::string float_run;
  std::string checkpoint;
  std::string graph;
  std::vector<std::string> models;
  std::string select;  ///< which checkpoint of a run directory; empty: ChooseCheckpoint's default
  std::function<bool()> data_are_reals;  ///< asked where no model says what it takes; may be empty
  /// gets a sentence on a checkpoint that is not the last; may be empty
  std::function<void(const std::string&)> on_note;
  InterpreterOptions interpreter;
  std::optional<InputStats> input_stats;  ///< of models without an input contract
  /// The TFLite interpreter beside every quantized model: "off"; "auto": where the machine's python3 has one,
  /// which does not lie below the current folder; else a Python
  /// that must have one.
  std::string litert = "off";
  /// A row that is not listed beside every integer model: the same file under the other arithmetic profile.
  bool other_rounding = false;
};

struct Row {
  std::unique_ptr<Predictor> predictor;
  std::shared_ptr<const Model> model;  ///< of the rows of files; else null
  ModelResult result;
  Predictions predictions;  ///< once evaluated
  /// of tasks of numbers: the outputs as targets, [N, targets]; once evaluated
  std::vector<float> numbers = {};
  std::vector<float> turns;          ///< microseconds of Invoke, a median a turn (latency.h); once timed
  std::optional<Precision> filters;  ///< of the simulation: how training rounded filters
  std::string twin;    ///< of TFLite and of another rounding: the row of the same file in our runtime
  bool listed = true;  ///< false: it serves a pair, but is no row of the table

  /// The simulation and TFLite's reference kernels are witnesses: their time says nothing.
  bool timed() const { return listed && result.type != "simulated" && result.kind != "litert"; }
};

struct Rows {
  std::vector<Row>
      /// float, checkpoint, simulated, float-graph, graph, models (each before its twin), what is not listed
      rows;
  std::string network;             ///< its name, from a graph or a model's own description; empty: not known
  std::string litert_version;      ///< of TFLite, where a row is of it; else empty
  std::string litert_python;       ///< the Python that it runs in
  std::vector<LayerRange> ranges;  ///< from the graph, else the checkpoint, else the first quantized model
};

/// The row "fake-quantized", not listed: the float fake quantization of training.
inline constexpr char kFakeQuantizedName[] = "fake-quantized";

/// Opens everything. Beside integer models the float run, else the checkpoint where neither a graph nor a
/// float model is given, is frozen and lowered in memory: the row "float-graph", or "graph". Models without
/// an input contract take `input_stats`, else the checkpoint's or the graph's; without those, a quantized
/// input takes bytes as they are (a warning says so). Contracts that differ are warned about.
/// Errors: kInvalidArgument (nothing given, a model given twice, a float model without any contract), those
/// of the readers.
Expected<Rows> OpenRows(const RowRequest& request, std::vector<std::string>& warnings);

/// A warning where a model has further signatures, which nothing here runs.
void WarnOfSignatures(const Model& model, std::vector<std::string>& warnings);

/// The one model or graph of a request that may hold nothing else.
/// Errors: kInvalidArgument, those of the readers.
Expected<std::shared_ptr<const Model>> OpenOnlyModel(const RowRequest& request,
                                                     std::vector<std::string>& warnings);

/// Its contract, with a warning where nobody says what a byte means. Errors: those of ContractOf.
Expected<Contract> ContractOfRow(const Model& model, const RowRequest& request,
                                 std::vector<std::string>& warnings);

}  // namespace qat

#endif  // QAT_EVAL_ROWS_H_
