#include "run.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/interrupt.h"
#include "data/test_split.h"
#include "init.h"
#include "messages.h"
#include "model_network.h"
#include "recipe.h"
#include "spec/auto_network.h"
#include "spec/build_graph.h"
#include "spec/print_spec.h"
#include "train/train_job.h"
#include "train/trainer.h"
#include "train/workers.h"

namespace qat {
namespace {

std::string Text(const ChannelNumbers& numbers) {
  if (numbers.values.empty()) return "of the data";
  std::vector<std::string> texts;
  for (const double value : numbers.values) texts.push_back(NumberText(value));
  return Join(texts, ",");
}

// Bytes become the real numbers that the network learned with, which the file does not say.
void WarnOfNormalization(const Asked& asked, const TrainConfig& config) {
  if (asked.given.contains("mean") && asked.given.contains("std")) return;
  LogWarning(StrCat(
      "bytes are normalized with mean ", Text(config.mean), " and std ", Text(config.std),
      ", but the weights of --init were "
      "learned with their own: --mean and --std say which (of PyTorch's ToTensor() alone: 0 and 255)"));
}

// What fills the network that was prepared: the tensors as a checkpoint without ranges.
Expected<Checkpoint> TakeInit(const Init& init, const Asked& asked, const TrainJob& job, Tool& tool,
                              bool print) {
  QAT_ASSIGN_OR_RETURN_IN("--init", TakenWeights taken, FillFromWeights(init, job));
  if (print) {
    tool.Print(PrintableLines(taken.table));
  } else {
    LogInfo(StrCat("--init: ", taken.line));
  }
  for (const std::string& note : taken.notes) LogInfo(StrCat("--init: ", note));
  for (const std::string& warning : taken.warnings) LogWarning(StrCat("--init: ", warning));
  if (!print) WarnOfNormalization(asked, job.config);
  Checkpoint checkpoint;
  checkpoint.tensors = std::move(taken.tensors);
  checkpoint.provenance["weights_sha256"] = init.weights->sha256();
  return checkpoint;
}

// A run that learned ranges of filters goes on learning them, unless somebody has named others.
void KeepFilterRanges(Tool& tool, const Checkpoint& init, TrainConfig& config) {
  const bool named = tool.Given("--filter-ranges") || !tool.flags().config.empty();
  if (named || init.filter_ranges.empty() || config.scheme != init.scheme) return;
  const std::string usual = std::exchange(config.filter_ranges, std::string(kLearnedRanges));
  LogInfo(StrCat("filter-ranges ", kLearnedRanges, ", as the run of --init has them; --filter-ranges ", usual,
                 " changes that"));
}

// What was made for other integers than the default's goes on so, unless somebody has named a scheme.
void KeepScheme(Tool& tool, const Checkpoint& init, TrainConfig& config) {
  const bool named = tool.Given("--scheme") || !tool.flags().config.empty();
  if (named || init.scheme == "float32" || init.scheme.empty() || config.scheme == init.scheme) return;
  const std::string usual = std::exchange(config.scheme, init.scheme);
  const std::string source = NamesModel(config) ? config.network : "the run of --init";
  LogInfo(StrCat("scheme ", init.scheme, ", as ", source, " has it; --scheme ", usual, " changes that"));
}

Expected<TrainJob> Prepare(Tool& tool, const TrainFlags& flags, const Asked& asked, bool resume,
                           const Init& init, const Graph* network, const Checkpoint* teacher) {
  std::optional<Progress> progress;
  std::string shown;
  JobRequest request;
  request.config = asked.config;
  request.automatic = asked.automatic() && !resume;
  request.given = asked.given;
  request.resumed = resume ? flags.run : "";
  request.init = init.checkpoint ? &*init.checkpoint : nullptr;
  request.network = network;
  request.teacher = teacher;
  request.trained = init.weights.has_value();
  request.strict = flags.strict;
  request.fit_budget =
      !resume && !flags.no_training && (tool.Given("--budget") || !asked.given.contains("steps"));
  request.hooks.interrupted = Interrupted;
  request.hooks.progress = [&](const std::string& what, int64_t done, int64_t total) {
    if (what != shown) progress.emplace(tool.flags().ProgressStyle(), shown = what, total);
    progress->Update(done, "");
  };
  auto job = PrepareJob(request);
  if (progress) progress->Clear();
  if (!job.ok()) return job;
  std::set<std::string> said;  // both splits may say the same
  for (const Dataset* data : {&job->train, &job->test}) {
    for (const std::string& warning : SplitText(data->warning, '\n')) {
      if (!warning.empty() && said.insert(warning).second)
        LogWarning(StrCat(asked.config.data, ": ", warning));
    }
    for (std::string note : data->notes) {
      // What only other programs can do.
      if (const size_t hint = note.find(kWholeHint); hint != std::string::npos)
        note.erase(hint, kWholeHint.size());
      if (said.insert(note).second) LogInfo(StrCat(asked.config.data, ": ", note));
    }
  }
  return job;
}

/// As a table, as a spec, or both.
Status PrintAsAsked(Tool& tool, const TrainFlags& flags, const Graph& network) {
  if (flags.print_network) tool.Print(PrintNetwork(network));
  if (!flags.print_spec) return {};
  QAT_ASSIGN_OR_RETURN(const std::string spec, PrintSpec(network));
  tool.Print(spec);
  return {};
}

Status PrintNamedNetwork(Tool& tool, const TrainFlags& flags, const TrainConfig& config) {
  QAT_ASSIGN_OR_RETURN(const NetworkSpec spec,
                       LoadNetworkSpec(config.network, {config.width, config.resolution, config.classes}));
  QAT_ASSIGN_OR_RETURN(const Graph network, BuildGraph(spec));
  return PrintAsAsked(tool, flags, network);
}

}  // namespace

namespace {

// Ranges come from training; what is not trained is float32.
Status AdaptToNoTraining(const TrainFlags& flags, bool has_start, bool resume, Asked& asked) {
  if (!flags.no_training) return {};
  if (resume)
    return InvalidArgument("--no-training: a run that is resumed is trained on, expected a new one");
  if (!has_start) {
    return InvalidArgument(
        "--no-training: expected parameters to start from, by --init or --network FILE.tflite: fresh ones "
        "are random");
  }
  if (asked.given.contains("scheme") && asked.config.scheme != "float32") {
    return InvalidArgument(StrCat("--no-training: scheme ", asked.config.scheme,
                                  " needs ranges, which training finds, expected "
                                  "float32; qat-convert --calibrate finds them from data"));
  }
  asked.config.scheme = "float32";
  asked.given.insert("scheme");
  if (asked.config.steps == 0 && asked.config.epochs == 0) asked.config.steps = 1;
  asked.given.insert("steps");
  return {};
}

}  // namespace

Status RunTool(Tool& tool, const TrainFlags& flags, Report& report) {
  QAT_ASSIGN_OR_RETURN(const WorkerPlace place, PlaceFromEnvironment());
  const bool print_only =
      tool.flags().print_config || flags.print_network || flags.print_spec || flags.print_init;
  // Flags are judged before the directory is.
  QAT_ASSIGN_OR_RETURN(Asked asked, RecipeFromFlags(tool, flags));
  bool resume = false;
  if (!print_only || flags.resume) {
    QAT_ASSIGN_OR_RETURN(resume, DecideResume(flags));
  }
  if (resume) {
    QAT_ASSIGN_OR_RETURN(asked.config, ConfigOfResumedRun(tool, flags));
  }
  QAT_RETURN_IF_ERROR(RefuseIdleFlags(tool, asked.config));
  QAT_ASSIGN_OR_RETURN(Init init, ReadInit(flags));
  std::optional<Checkpoint> model;
  if (!resume) {
    QAT_ASSIGN_OR_RETURN(model, ReadModelNetwork(asked, flags));
  }
  if (model && !flags.reinitialize && flags.init.empty()) init.checkpoint = *model;
  if (init.checkpoint && !resume) {
    KeepScheme(tool, *init.checkpoint, asked.config);
    KeepFilterRanges(tool, *init.checkpoint, asked.config);
  }
  const bool data_decide = flags.print_init || (asked.automatic() && asked.given.contains("data"));
  QAT_RETURN_IF_ERROR(AdaptToNoTraining(flags, init.checkpoint || init.weights, resume, asked));
  if (print_only && !data_decide && !resume) {
    if (tool.flags().print_config) QAT_RETURN_IF_ERROR(PrintRecipe(tool, asked));
    if (!flags.print_network && !flags.print_spec) return {};
    if (model) return PrintAsAsked(tool, flags, model->network);
    if (asked.config.network != kAutoNetwork) return PrintNamedNetwork(tool, flags, asked.config);
  }
  CatchInterrupts();
  if (!place.alone()) {
    LogInfo(
        StrCat(place.size,
               " processes (RANK and WORLD_SIZE of the environment): each computes a share of every batch"));
  }
  std::optional<Checkpoint> teacher;
  if (!print_only) {
    QAT_ASSIGN_OR_RETURN(teacher, ReadTeacher(asked.config));
  }
  QAT_ASSIGN_OR_RETURN(TrainJob job,
                       Prepare(tool, flags, asked, resume, init, model ? &model->network : nullptr,
                               teacher ? &*teacher : nullptr));
  if (tool.flags().print_config && (data_decide || resume)) tool.Print(ToToml(job.config));
  QAT_RETURN_IF_ERROR(PrintAsAsked(tool, flags, job.network));
  if (init.weights && !resume && (flags.print_init || !print_only)) {
    QAT_ASSIGN_OR_RETURN(init.checkpoint, TakeInit(init, asked, job, tool, flags.print_init));
  }
  if (print_only) return {};
  report.data_name = job.train.name;
  report.data_examples = job.train.size();
  QAT_ASSIGN_OR_RETURN(report.data_sha256, Fingerprint(job.train));
  TrainDisplay display(tool.flags().ProgressStyle());
  TrainCallbacks callbacks;
  const std::string spare_outputs = SpareOutputs(job.network, job.config.classes, job.train);
  int64_t held_out = 0;
  callbacks.on_start = [&](const HoldoutSplit& split) {
    held_out = std::ssize(split.holdout);
    for (const std::string& line : job.lines) {
      if (!flags.no_training || line.starts_with("input")) LogInfo(line);
    }
    for (const std::string& warning : job.warnings) callbacks.on_warning(warning);
    if (!spare_outputs.empty()) LogWarning(spare_outputs);
    if (!split.description.empty()) LogInfo(split.description);
    if (const std::string few = FewHeldOut(held_out, job.train.own_holdout > 0); !few.empty()) LogInfo(few);
  };
  callbacks.on_warning = [&](const std::string& warning) {
    LogWarning(warning);
    report.warnings.push_back(warning);
  };
  callbacks.on_note = LogInfo;
  callbacks.on_step = [&](const TrainProgress& at) { display.Show(at); };
  callbacks.interrupted = Interrupted;
  const TrainStart start = {resume, init.checkpoint ? &*init.checkpoint : nullptr, flags.no_training, place,
                            teacher ? &*teacher : nullptr};
  auto result = Train(job.network, job.config, job.train, job.test, flags.run, start, callbacks);
  display.Finish();
  if (!result.ok() && !place.writes())
    return std::move(result).error().Prefixed(StrCat("process ", place.rank));
  if (!result.ok()) return std::move(result).error();
  if (!place.writes()) return {};
  FillReport(*result, flags, job.train, report);
  tool.Print(Summary(*result, job.config, {held_out, job.test.size()}, job.train, flags));
  return {};
}

}  // namespace qat
