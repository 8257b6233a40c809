#include "calibration.h"

#include <algorithm>

#include "base/log.h"
#include "base/named_lists.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "data/dataset.h"
#include "import/real_input.h"
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
  SetOutputs(contract, options);
  options.unlabelled = true;
  options.threads = tool.flags().threads;
  options.hooks = {[&, limit = options.limit](const std::string&, int64_t done, int64_t total) {
                     if (total > 0) progress.Expect(limit > 0 ? std::min(limit, total) : total);
                     progress.Update(done, "reading");
                   },
                   Interrupted};
  LeaveValuesOpen(network.open_inputs, options);
  return OpenDataset(flags.calibrate, Split::kTrain, options);
}

}  // namespace

Status CheckCalibration(const ConvertFlags& flags, const std::optional<ModelType>& type) {
  if (flags.calibrate.empty()) return {};
  if (type && type->is_real())
    return InvalidArgument(
        "--calibrate: finds ranges, of which --type float32, float16, dynamic and dynamic4 have none");
  if (flags.calibration_limit < 0) {
    return InvalidArgument(
        StrCat("--calibration-limit: value ", flags.calibration_limit, ", expected 0 or more"));
  }
  return {};
}

Expected<std::optional<Dataset>> OpenCalibration(Tool& tool, const ConvertFlags& flags,
                                                 ReadNetworkResult& network, Report& report) {
  if (flags.calibrate.empty()) return std::optional<Dataset>();
  CatchInterrupts();
  Progress reading(tool.flags().ProgressStyle(), "read examples", flags.calibration_limit);
  QAT_ASSIGN_OR_RETURN_IN("--calibrate", Dataset dataset, OpenCalibrationData(tool, flags, network, reading));
  for (const std::string& warning : SplitText(dataset.warning, '\n')) {
    if (!warning.empty()) report.warnings.push_back(warning);
  }
  std::vector<std::string> notes;
  TakeValuesOfData(dataset, network.open_inputs, network.named_inputs, network.graph, notes);
  for (const std::string& note : notes) LogInfo(note);
  report.data_name = dataset.name;
  report.data_examples = dataset.size();
  report.data_total = std::max(dataset.available, dataset.size());
  report.data_are_images = dataset.HoldsImages();
  report.data_notes = dataset.notes;
  return std::optional(std::move(dataset));
}

bool ChoosesObserver(const ConvertFlags& flags) { return LowerCase(flags.observer) == "auto"; }

Expected<ObserverChoice> ParseObservers(const ConvertFlags& flags) {
  const auto parse = [&](const std::string& name) -> Expected<Observer> {
    if (const auto observer = ObserverFromName(LowerCase(name))) return *observer;
    return InvalidArgument(StrCat("--observer: value '", flags.observer,
                                  "', expected minmax, moving-average, percentile, mse, kl or auto, or one "
                                  "of the first five for some activations, "
                                  "as conv1=mse,fc=percentile"));
  };
  ObserverChoice choice;
  if (flags.observer.empty()) return choice;
  if (flags.calibrate.empty())
    return InvalidArgument("--observer: says how ranges are found in data; expected --calibrate DATA too");
  if (ChoosesObserver(flags)) return choice;
  if (!HasNames(flags.observer)) {
    QAT_ASSIGN_OR_RETURN(choice.usual, parse(flags.observer));
    return choice;
  }
  const auto lists = ParseNamedLists(flags.observer);
  if (!lists) return parse("").error();
  for (const auto& [name, value] : *lists) {
    QAT_ASSIGN_OR_RETURN(choice.by_name[name], parse(value));
  }
  return choice;
}

Expected<AskedRepairs> ParseRepairs(const ConvertFlags& flags, const std::optional<ModelType>& type) {
  AskedRepairs asked;
  const std::string text = LowerCase(flags.repair);
  if (text == "none") return asked;
  asked.automatic = text == "auto";
  for (const std::string& name : text == "auto" ? std::vector<std::string>() : SplitText(text, ',')) {
    bool* const repair = name == kEqualizeRepair   ? &asked.chosen.equalize
                         : name == kAdaRoundRepair ? &asked.chosen.adaround
                         : name == kBiasRepair     ? &asked.chosen.bias
                                                   : nullptr;
    if (repair == nullptr)
      return InvalidArgument(
          StrCat("--repair: value '", flags.repair,
                 "', expected none, auto, or some of equalize, adaround and bias, separated by commas"));
    *repair = true;
  }
  if (flags.calibrate.empty() || (type && type->is_real()))
    return InvalidArgument(
        "--repair: changes filters by what data says, so ranges have to be found again; expected --calibrate "
        "DATA too");
  return asked;
}

}  // namespace qat
