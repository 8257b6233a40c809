#include "calibration.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "calibrate/calibrate.h"
#include "contract/provenance.h"
#include "data/dataset.h"
#include "network.h"

namespace qat {
namespace {

Expected<Dataset> OpenCalibrationData(Tool& tool, const ConvertFlags& flags, const ReadNetworkResult& network,
                                      Progress& progress) {
  const Contract& contract = network.graph.contract;
  OpenOptions options;
  options.limit = flags.calibration_limit;
  SetInputs(contract, options);
  options.class_names = contract.labels();
  if (!contract.outputs.empty()) options.label = contract.outputs.front().name;
  options.unlabelled = true;
  options.threads = tool.flags().threads;
  options.progress = [&, limit = options.limit](int64_t done, int64_t total) {
    if (total > 0) progress.Expect(limit > 0 ? std::min(limit, total) : total);
    progress.Update(done, "reading");
  };
  options.interrupted = Interrupted;
  if (network.assumed_bytes) options.values.reset();
  return OpenDataset(flags.calibrate, Split::kTrain, options);
}

/// Bytes were a guess; real numbers go in as they are.
void TakeReals(const Dataset& dataset, Graph& graph) {
  InputContract& input = graph.contract.input();
  if (dataset.input().values != ValueType::kReal || input.values == ValueType::kReal) return;
  input.values = ValueType::kReal;
  input.low = -1;
  input.high = 1;
  LogInfo(StrCat(dataset.name,
                 ": holds real numbers, which go into the network as they are; bytes were only assumed"));
}

}  // namespace

Status CalibrateAsAsked(Tool& tool, const ConvertFlags& flags, const ModelType& type, ReadNetworkResult& network,
                        Report& report) {
  if (flags.calibrate.empty()) return {};
  if (type.is_real())
    return InvalidArgument(
        "--calibrate: finds ranges, of which --type float32, float16, dynamic and dynamic4 have none");
  if (flags.calibration_limit < 0) {
    return InvalidArgument(
        StrCat("--calibration-limit: value ", flags.calibration_limit, ", expected 0 or more"));
  }
  CatchInterrupts();
  const Progress::Style style = tool.flags().ProgressStyle();
  Progress reading(style, "read images", flags.calibration_limit);
  QAT_ASSIGN_OR_RETURN_IN("--calibrate", const Dataset dataset,
                          OpenCalibrationData(tool, flags, network, reading));
  if (!dataset.warning.empty()) report.warnings.push_back(dataset.warning);
  Graph& graph = network.graph;
  if (network.assumed_bytes) TakeReals(dataset, graph);
  Progress progress(style, "calibrate", dataset.size());
  const auto show = [&](int64_t done, int64_t) -> Status {
    if (Interrupted()) return InterruptedHere();
    progress.Update(done, "");
    return {};
  };
  QAT_RETURN_IF_ERROR_IN(flags.graph, Calibrate(dataset, type.precisions, show, graph, report.warnings));
  progress.Finish();
  report.data_name = dataset.name;
  report.data_examples = dataset.size();
  report.data_total = std::max(dataset.available, dataset.size());
  report.data_notes = dataset.notes;
  graph.provenance[kCalibrationLimitKey] = std::to_string(flags.calibration_limit);
  report.data_sha256 = graph.provenance["calibration_sha256"];
  return {};
}

}  // namespace qat
