#include "run.h"

#include <optional>
#include <set>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/interrupt.h"
#include "messages.h"
#include "recipe.h"
#include "spec/auto_network.h"
#include "train/train_job.h"
#include "train/trainer.h"

namespace qat {
namespace {

Expected<std::optional<Checkpoint>> ReadInit(const TrainFlags& flags) {
  if (flags.init.empty()) return std::optional<Checkpoint>();
  QAT_ASSIGN_OR_RETURN_IN("--init", const ChosenCheckpoint chosen, ChooseCheckpoint(flags.init, flags.select));
  if (!chosen.note.empty()) LogInfo(StrCat("--init: ", chosen.note));
  QAT_ASSIGN_OR_RETURN_IN("--init", Checkpoint checkpoint, ReadCheckpoint(chosen.path));
  return std::optional<Checkpoint>(std::move(checkpoint));
}

// A run for int8 goes on as one, unless somebody has named a scheme.
void KeepScheme(Tool& tool, const Checkpoint& init, TrainConfig& config) {
  const bool named = tool.Given("--scheme") || !tool.flags().config.empty();
  if (named || init.scheme != "int8" || config.scheme == init.scheme) return;
  config.scheme = init.scheme;
  LogInfo("scheme int8, as the run of --init has it; --scheme uint8 changes that");
}

Expected<TrainJob> Prepare(Tool& tool, const TrainFlags& flags, const Asked& asked, bool resume,
                           const std::optional<Checkpoint>& init) {
  std::optional<Progress> progress;
  std::string shown;
  JobRequest request;
  request.config = asked.config;
  request.automatic = asked.automatic() && !resume;
  request.given = asked.given;
  request.resumed = resume ? flags.run : "";
  request.init = init ? &*init : nullptr;
  request.strict = flags.strict;
  request.fit_budget = !resume && (tool.Given("--budget") || !asked.given.contains("steps"));
  request.interrupted = Interrupted;
  request.progress = [&](std::string_view what, int64_t done, int64_t total) {
    if (what != shown) progress.emplace(tool.flags().ProgressStyle(), shown = what, total);
    progress->Update(done, "");
  };
  auto job = PrepareJob(request);
  if (progress) progress->Clear();
  if (!job.ok()) return job;
  std::set<std::string> said;  // both splits may say the same
  for (const Dataset* data : {&job->train, &job->test}) {
    if (!data->warning.empty() && said.insert(data->warning).second)
      LogWarning(StrCat(asked.config.data, ": ", data->warning));
    for (const std::string& note : data->notes) {
      if (said.insert(note).second) LogInfo(StrCat(asked.config.data, ": ", note));
    }
  }
  return job;
}

Status PrintNamedNetwork(Tool& tool, const TrainConfig& config) {
  QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, LoadNetworkSpec(config.network, {config.width, config.resolution, config.classes}));
  tool.Print(PrintNetwork(spec));
  return {};
}

}  // namespace

Status RunTool(Tool& tool, const TrainFlags& flags, Report& report) {
  const bool print_only = tool.flags().print_config || flags.print_network;
  // Flags are judged before the directory is.
  QAT_ASSIGN_OR_RETURN(Asked asked, RecipeFromFlags(tool, flags));
  bool resume = false;
  if (!print_only || flags.resume) {
    QAT_ASSIGN_OR_RETURN(resume, DecideResume(flags));
  }
  if (resume) {
    QAT_ASSIGN_OR_RETURN(asked.config, ConfigOfResumedRun(tool, flags));
  }
  QAT_ASSIGN_OR_RETURN(const std::optional<Checkpoint> init, ReadInit(flags));
  if (init && !resume) KeepScheme(tool, *init, asked.config);
  const bool data_decide = asked.automatic() && asked.given.contains("data");
  if (print_only && !data_decide && !resume) {
    if (tool.flags().print_config) QAT_RETURN_IF_ERROR(PrintRecipe(tool, asked));
    if (!flags.print_network) return {};
    if (asked.config.network != kAutoNetwork) return PrintNamedNetwork(tool, asked.config);
  }
  CatchInterrupts();
  QAT_ASSIGN_OR_RETURN(TrainJob job, Prepare(tool, flags, asked, resume, init));
  if (tool.flags().print_config && (data_decide || resume)) tool.Print(ToToml(job.config));
  if (flags.print_network) tool.Print(PrintNetwork(job.spec));
  if (print_only) return {};
  report.data_name = job.train.name;
  report.data_examples = job.train.size();
  QAT_ASSIGN_OR_RETURN(report.data_sha256, Fingerprint(job.train));
  TrainDisplay display(tool.flags().ProgressStyle());
  TrainCallbacks callbacks;
  const std::string spare_outputs = SpareOutputs(job.spec, job.config.classes, job.train);
  bool held_out = false;
  callbacks.on_start = [&](const HoldoutSplit& split) {
    held_out = !split.holdout.empty();
    for (const std::string& line : job.lines) LogInfo(line);
    if (!spare_outputs.empty()) LogWarning(spare_outputs);
    if (!split.description.empty()) LogInfo(split.description);
  };
  callbacks.on_warning = [&](const std::string& warning) {
    LogWarning(warning);
    report.warnings.push_back(warning);
  };
  callbacks.on_note = LogInfo;
  callbacks.on_step = [&](const TrainProgress& at) { display.Show(at); };
  callbacks.interrupted = Interrupted;
  auto result = Train(job.spec, job.config, job.train, job.test, flags.run, {resume, init ? &*init : nullptr},
                      callbacks);
  display.Finish();
  if (!result.ok()) return std::move(result).error();
  FillReport(*result, flags, report);
  tool.Print(Summary(*result, job.config, held_out, flags));
  return {};
}

}  // namespace qat
