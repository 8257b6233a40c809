// qat-train: data and a recipe in, a run directory out.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/output_name.h"
#include "cli/tool.h"
#include "data/dataset.h"
#include "report/text_format.h"
#include "spec/auto_network.h"
#include "spec/auto_recipe.h"
#include "spec/network_spec.h"
#include "spec/train_config.h"
#include "train/train_job.h"
#include "train/trainer.h"

namespace qat {
namespace {

// The defaults that help names are those of the recipe that is derived; a preset may have others.
constexpr char kRecipe[] = "Recipe";
constexpr char kFine[] = "Recipe, seldom changed";
constexpr char kChanges[] = "Random changes of training images (default: none)";

struct TrainFlags {
  std::string run;
  std::string preset;
  std::string init;
  std::string select;
  std::map<std::string, std::string> keys;  // flag without "--" -> its text
  bool resume = false;
  bool resume_if_exists = false;
  bool print_network = false;
  bool strict = false;
};

struct KeyFlag {
  const char* key;
  const char* type;
  const char* group;
  const char* text;
};

// Every key of TrainConfig but seed and threads, which all tools have, and preset.
constexpr KeyFlag kKeyFlags[] = {
    {"network", "NAME|FILE", kRecipe, "from the zoo, or a spec file (default auto: one that fits the data)"},
    {"width", "X", kRecipe, "factor for the filters of a network that has this parameter (default: as its spec says)"},
    {"resolution", "N", kRecipe, "height and width of the network's input (default: as its spec says)"},
    {"classes", "N", kRecipe, "number of outputs (default: the classes of the data)"},
    {"data", "NAME|DIR", kRecipe,
     "digits (generated), or a path: IDX or CIFAR files, NumPy arrays, pictures (default digits)"},
    {"task", "NAME", kRecipe,
     "what whole numbers stored as floats are: classes, or numbers to be learned (default auto: asked)"},
    {"data-cache", "MIB", kRecipe, "decoded pictures stay in memory if all of them fit (default 1024)"},
    {"mean", "X,...", kRecipe,
     "of a byte: one for all channels, one per channel, or dataset (default: of the data, rounded, one for all)"},
    {"std", "X,...", kRecipe, "the same: real = (byte - mean) / std (default: of the data, rounded, one for all)"},
    {"scheme", "SCHEME", kRecipe, "uint8, int8, or float32: never quantized (default uint8)"},
    {"steps", "N", kRecipe, "number of training steps (default: by the number of examples and the cost of a step)"},
    {"epochs", "X", kRecipe, "the same in passes over the training data (default: as --steps)"},
    {"budget", "TIME", kRecipe,
     "train at most this long, as 90s, 10m or 2h; the schedule is fitted to the steps that it allows (default: no limit)"},
    {"patience", "N", kRecipe,
     "stop after N evaluations without a better one; 0: train to the last step (default 0)"},
    {"batch-size", "N", kRecipe, "examples per step (default: 16 to 128, by the number of examples)"},
    {"optimizer", "NAME", kRecipe, "adam or sgd (default adam)"},
    {"learning-rate", "X", kRecipe, "peak learning rate (default: by the size of the network)"},
    {"schedule", "NAME", kRecipe, "schedule of the learning rate: constant or cosine (default cosine)"},
    {"quant-delay", "STEPS", kRecipe, "steps before fake quantization starts (default: 0.6 of the run)"},
    {"bn-freeze", "STEPS", kRecipe,
     "steps before batch norms use their moving averages (default: 0.8 of the run)"},
    {"ema-decay", "X", kRecipe,
     "decay of the moving averages of activation ranges (default: they cover a fortieth of the run)"},
    {"holdout", "N", kRecipe,
     "training examples kept to choose the best checkpoint on (default auto: a tenth); 0: use the test set"},
    {"log-every", "STEPS", "Output", "log training loss and accuracy (default: 100, less in a short run)"},
    {"eval-every", "STEPS", "Output",
     "measure accuracy on the holdout (default: 20 times per run; 0: after every epoch)"},
    {"checkpoint-every", "STEPS", "Output", "write a checkpoint (default 0: as --eval-every)"},
    {"warmup-steps", "STEPS", kFine, "steps in which the learning rate rises from 0 (default: 0.05 of the run)"},
    {"weight-decay", "X", kFine, "decay of filters; decoupled from the gradient with adam (default 0.05, 0.02 with batch norm; sgd: 0.0005)"},
    {"label-smoothing", "X", kFine, "part of each label that is spread over all classes (default 0)"},
    {"scale-to-targets", "true|false", kFine,
     "real numbers: learn them as if they were normalized (default true)"},
    {"warmup-fraction", "X", kFine, "--warmup-steps as a part of all steps (default 0.05)"},
    {"quant-delay-fraction", "X", kFine, "--quant-delay as a part of all steps (default 0.6)"},
    {"bn-freeze-fraction", "X", kFine, "--bn-freeze as a part of all steps (default 0.8)"},
    {"eval-every-fraction", "X", kFine, "--eval-every as a part of all steps (default 0.05)"},
    {"checkpoint-every-fraction", "X", kFine, "--checkpoint-every as a part of all steps (default: not used)"},
    {"freeze-ranges-fraction", "X", kFine,
     "part of all steps after which activation ranges stop moving (default 1)"},
    {"weight-average-decay", "X", kFine,
     "decay of the moving average of weights that is kept instead of the last ones; 0: off (default: it covers a "
     "sixtieth of the run)"},
    {"flip", "true|false", kChanges, "mirror every other image, left to right (default false)"},
    {"shift-pixels", "N", kChanges,
     "shift by up to N pixels, zeros coming in: a random crop of the padded image (default 0)"},
    {"cutout", "N", kChanges, "a random square of N pixels becomes 0 (default 0)"},
    {"rotate-degrees", "X", kChanges, "rotate by up to X degrees (default 0)"},
    {"scale-percent", "X", kChanges, "zoom by up to X percent (default 0)"},
};

void AddFlags(Tool& tool, TrainFlags& flags) {
  CLI::App& app = tool.app();
  app.add_option("-o,--output", flags.run, "the run directory: checkpoints, metrics, events, config")
      ->type_name("RUN")
      ->group("Output");
  app.add_flag("--resume", flags.resume, "continue exactly where RUN stopped, with its own recipe")
      ->group("Output");
  app.add_flag("--resume-if-exists", flags.resume_if_exists,
               "the same, or start where there is no checkpoint")
      ->group("Output");
  app.add_option("--preset", flags.preset,
                 StrCat("start from this recipe: ", Join(PresetNames()), " (default ", kAutoPreset,
                        ": derived from data and network); other flags change it"))
      ->type_name("NAME")
      ->group(kRecipe);
  app.add_option("--init", flags.init,
                 "fine-tune: start with the parameters of this run's checkpoint, or of a file")
      ->type_name("RUN|FILE")
      ->group(kRecipe);
  app.add_option("--select", flags.select, "which checkpoint of --init: best, last or a step (default best)")
      ->type_name("WHICH")
      ->group(kRecipe);
  for (const KeyFlag& flag : kKeyFlags) {
    app.add_option(StrCat("--", flag.key), flags.keys[flag.key], flag.text)
        ->type_name(flag.type)
        ->group(flag.group);
  }
  tool.AddThreads(tool.command(), kRecipe, "worker threads; 0: all cores");
  tool.AddSeed(tool.command(), kRecipe, "random seed");
  tool.SetUsual({"--output", "--data", "--network", "--preset", "--scheme", "--steps", "--epochs", "--budget", "--learning-rate",
                 "--holdout", "--init", "--resume", "--resume-if-exists", "--seed", "--json"});
  app.add_flag("--strict", flags.strict, "stop at a picture that cannot be read instead of leaving it out")
      ->group(kRecipe);
  app.add_flag("--print-network", flags.print_network, "print the layers and stop")->group("Output");
}

Status ApplyKeys(Tool& tool, const TrainFlags& flags, TrainConfig& config) {
  if (tool.Given("--steps") && tool.Given("--epochs")) {
    return InvalidArgument("--steps and --epochs: expected one of them to say how long to train");
  }
  for (const auto& [key, text] : flags.keys) {
    if (tool.Given("--" + key)) QAT_RETURN_IF_ERROR_IN("--" + key, SetKey(config, key, text));
  }
  if (tool.Given("--seed")) {
    QAT_RETURN_IF_ERROR_IN("--seed", SetKey(config, "seed", std::to_string(tool.flags().seed)));
  }
  if (tool.Given("--threads")) config.threads = tool.flags().threads;
  return {};
}

/// A recipe as it was asked for.
struct Asked {
  TrainConfig config;
  std::set<std::string> given;  // keys that --config or a flag decided
  bool automatic() const { return config.preset == kAutoPreset; }
};

// A preset, then --config, which may name the one that it changes; without either, auto.
Expected<Asked> LoadRecipe(const std::string& preset, const std::string& path) {
  Asked asked;
  std::string text, name = preset;
  if (!path.empty()) {
    QAT_ASSIGN_OR_RETURN(text, ReadTextFile(path));
    QAT_ASSIGN_OR_RETURN(const TrainConfig file, ParseTrainConfig(text, path, {}));
    if (name.empty()) name = file.preset;
  }
  if (name.empty()) name = kAutoPreset;
  QAT_ASSIGN_OR_RETURN_IN(preset.empty() ? path : std::string("--preset"), TrainConfig base, LoadPreset(name));
  QAT_ASSIGN_OR_RETURN(asked.config, ParseTrainConfig(text, path, std::move(base), &asked.given));
  asked.config.preset = name;
  return asked;
}

Expected<Asked> RecipeFromFlags(Tool& tool, const TrainFlags& flags) {
  QAT_ASSIGN_OR_RETURN(Asked asked, LoadRecipe(flags.preset, tool.flags().config));
  QAT_RETURN_IF_ERROR(ApplyKeys(tool, flags, asked.config));
  for (const auto& [key, text] : flags.keys) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '-', '_');
    if (tool.Given("--" + key)) asked.given.insert(name);
  }
  // A budget decides the number of steps anew, also where a file holds what an earlier one decided.
  if (tool.Given("--budget") && !tool.Given("--steps") && asked.config.steps > 0 && asked.automatic()) {
    asked.given.erase("steps");
  }
  TrainConfig checked = asked.config;
  // Its length is decided later.
  if (asked.automatic() && !asked.given.contains("steps") && !asked.given.contains("epochs")) checked.epochs = 1;
  QAT_RETURN_IF_ERROR(Validate(checked));
  return asked;
}

// The first key in which two recipes differ; where data and network lie may, since what is in them is compared later.
Status RefuseOtherRecipe(const std::string& run, const TrainConfig& saved, TrainConfig asked) {
  asked.data = saved.data;
  asked.data_cache = saved.data_cache;
  asked.network = saved.network;
  const std::vector<std::string> before = SplitText(ToToml(saved), '\n');
  const std::vector<std::string> now = SplitText(ToToml(asked), '\n');
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == now[i]) continue;
    return InvalidArgument(StrCat(run, ": asked for ", now[i], ", but the run has ", before[i],
                                  "; it is resumed as it was, so leave that out or choose another -o"));
  }
  return {};
}

// `saved` with the keys that were given.
Expected<TrainConfig> Overlaid(const TrainConfig& saved, const Asked& recipe) {
  std::string given;
  for (const std::string& line : SplitText(ToToml(recipe.config), '\n')) {
    if (recipe.given.contains(line.substr(0, line.find(' ')))) given += line + "\n";
  }
  return ParseTrainConfig(given, "--config", saved);
}

Expected<TrainConfig> ConfigOfResumedRun(Tool& tool, const TrainFlags& flags) {
  const std::string path = JoinPath(flags.run, "config.toml");
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  QAT_ASSIGN_OR_RETURN(const TrainConfig saved, ParseTrainConfig(text, path, TrainConfig()));
  TrainConfig asked = saved;
  if (!flags.preset.empty() || !tool.flags().config.empty()) {
    QAT_ASSIGN_OR_RETURN(const Asked recipe, RecipeFromFlags(tool, flags));
    asked = recipe.config;
    if (recipe.automatic() && (saved.preset == kAutoPreset || saved.preset.empty())) {
      // What was derived stays; what is asked for counts where it is written.
      QAT_ASSIGN_OR_RETURN(asked, Overlaid(saved, recipe));
    }
  } else {
    QAT_RETURN_IF_ERROR(ApplyKeys(tool, flags, asked));
  }
  // A budget has become a number of steps.
  if (saved.budget > 0 && asked.budget == saved.budget) {
    asked.steps = saved.steps;
    asked.epochs = saved.epochs;
  }
  QAT_RETURN_IF_ERROR(RefuseOtherRecipe(flags.run, saved, asked));
  return asked;
}

// Whether this is a resumed run; refuses what would overwrite a run, or resume nothing.
Expected<bool> DecideResume(const TrainFlags& flags) {
  if (flags.run.empty()) return InvalidArgument("--output: expected the directory of the run (-o RUN)");
  if (flags.run == "-")
    return InvalidArgument("--output: a run is a directory, it cannot go to standard output");
  if (FileExists(flags.run) && !IsDirectory(flags.run)) {
    return InvalidArgument(StrCat("--output: ", flags.run, " is a file, expected the directory of the run"));
  }
  if (!FileExists(flags.run)) QAT_RETURN_IF_ERROR(CheckOutputName({"--output", "a run directory", {}}, flags.run));
  std::vector<int64_t> steps;
  if (IsDirectory(JoinPath(flags.run, "checkpoints"))) {
    QAT_ASSIGN_OR_RETURN(steps, ListCheckpoints(flags.run));
  }
  const bool wanted = flags.resume || flags.resume_if_exists;
  if (!steps.empty() && !wanted) {
    return InvalidArgument(
        StrCat(flags.run, ": holds checkpoints up to step ", steps.back(),
               "; continue with --resume (scripts: --resume-if-exists), or choose another -o"));
  }
  if (steps.empty() && flags.resume) {
    return NotFound(
        StrCat(flags.run, ": has no checkpoint to resume; leave --resume out, or use --resume-if-exists"));
  }
  return !steps.empty();
}

// A network whose last layer has more outputs than the data have classes, unless a flag says so; else empty.
std::string SpareOutputs(const NetworkSpec& spec, int32_t asked, const Dataset& data) {
  const auto classes = std::ssize(data.class_names);
  const int32_t outputs = spec.layers.back().output_shape.back();
  if (data.targets > 0 || asked != 0 || outputs <= classes) return "";
  return StrCat("network '", spec.name, "' has ", outputs, " outputs for the ", classes, " classes of ", data.name,
                ", as its spec says; ", outputs - classes,
                " of them are never right. units = \"classes\" in the last layer follows the data");
}

std::string Percent(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f %%", value);
  return text;
}

/// The bar, made when the trainer says how many steps there are.
class TrainDisplay {
 public:
  explicit TrainDisplay(Progress::Style style) : style_(style) {}
  void Show(const TrainProgress& at) {
    if (!progress_) progress_.emplace(style_, "train", at.steps);
    std::string detail;
    if (std::isnan(at.training_accuracy)) {
      detail = StrCat("squared error ", Significant(at.loss));
      if (at.evaluated) detail += StrCat("  held out RMSE ", Significant(std::sqrt(at.holdout_loss)));
    } else {
      detail = StrCat("loss ", Fixed(at.loss, 4), "  accuracy ", Percent(at.training_accuracy));
      if (at.evaluated) detail += StrCat("  held out ", Percent(at.holdout_accuracy));
    }
    progress_->Update(at.step, detail);
  }
  void Finish() {
    if (progress_) progress_->Finish();
  }

 private:
  Progress::Style style_;
  std::optional<Progress> progress_;
};

void FillReport(const TrainResult& result, const TrainFlags& flags, Report& report) {
  report.metrics["steps"] = static_cast<double>(result.step);
  report.metrics["seconds"] = result.seconds;
  if (!std::isnan(result.holdout_accuracy)) {
    report.metrics["holdout_accuracy"] = result.holdout_accuracy;
    report.metrics["best_accuracy"] = result.best_accuracy;
    report.metrics["best_step"] = static_cast<double>(result.best_step);
  }
  if (!std::isnan(result.holdout_rmse)) {
    report.metrics["holdout_rmse"] = result.holdout_rmse;
    report.metrics["best_rmse"] = result.best_rmse;
    report.metrics["best_step"] = static_cast<double>(result.best_step);
  }
  report.outputs["run"] = flags.run;
  report.outputs["checkpoint"] = result.checkpoint;
}

// Which targets a scheme is for, and how to get the other.
std::string SchemeText(const std::string& scheme) {
  if (scheme == "uint8") {
    return "uint8: TFLite on phones and servers, the Edge TPU; TFLite Micro, CMSIS-NN and most NPUs need --scheme int8";
  }
  if (scheme == "int8") return "int8: TFLite, TFLite Micro, CMSIS-NN, Edge TPU, NPUs; one scale per tensor, as in 2018: --scheme uint8";
  return "float32: never quantized; --scheme uint8 or int8 trains for integers, qat-convert --calibrate needs no training";
}

// The checkpoint that freezing takes.
std::string CheckpointText(const TrainResult& result, const std::string& run) {
  const std::string best = CheckpointPath(run, result.best_step);
  if (result.best_step == result.step) return StrCat(best, ", the last and the best");
  return StrCat(best, ", the best; --select last takes that of step ", result.step);
}

std::string Summary(const TrainResult& result, const TrainConfig& config, bool held_out,
                    const TrainFlags& flags) {
  std::string text = StrCat("trained     ", result.step, " steps in ", DurationText(result.seconds),
                            result.out_of_patience ? StrCat(", ended by --patience ", config.patience) : "", "\n");
  const std::string_view split = held_out ? "holdout     " : "test set    ";
  if (!std::isnan(result.holdout_rmse)) {
    text += StrCat(split, "RMSE ", Significant(result.holdout_rmse), ", best ", Significant(result.best_rmse),
                   " at step ", result.best_step, "\n");
  }
  if (!std::isnan(result.holdout_accuracy)) {
    text += StrCat(split, Percent(result.holdout_accuracy), ", best ", Percent(result.best_accuracy),
                   " at step ", result.best_step, "\n");
  }
  text += StrCat("checkpoint  ", CheckpointText(result, flags.run), "\n");
  text += StrCat("scheme      ", SchemeText(config.scheme), "\n");
  return StrCat(text, "next        qat-freeze ", flags.run, " -o ", JoinPath(flags.run, "model.qgraph"),
                "\n");
}

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

// Without opening data that nobody named: what is known of the recipe, and what the data will decide.
Status PrintRecipe(Tool& tool, const Asked& asked) {
  if (!asked.automatic()) {
    tool.Print(ToToml(asked.config));
    return {};
  }
  std::vector<std::string> open;
  std::string known;
  const TrainConfig untouched = *LoadPreset(kAutoPreset);
  const std::vector<std::string> keys = TrainConfigKeys(), now = SplitText(ToToml(asked.config), '\n'),
                                 before = SplitText(ToToml(untouched), '\n');
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool decided = asked.given.contains(keys[i]) || now[i] != before[i] || keys[i] == "preset";
    if (decided) known += now[i] + "\n";
    if (!decided) open.push_back(keys[i]);
  }
  tool.Print(StrCat(known, "# decided when data are given (--data): ", Join(open), "\n"));
  return {};
}

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

void DeclareFiles(const TrainFlags& flags, FileUse& use) {
  const std::string& data = flags.keys.at("data");
  const std::string& network = flags.keys.at("network");
  if (data != "digits") use.Read("--data", data);
  if (FileExists(network)) use.Read("--network", network);
  use.ReadRun("--init", flags.init);
  const bool resumed = flags.resume || (flags.resume_if_exists && IsDirectory(JoinPath(flags.run, "checkpoints")));
  use.WriteRun("--output", flags.run, resumed);
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::Tool tool(
      "qat-train", "Trains a network with fake quantization; every key of --config is a flag, too.",
      "  qat-train --data mnist/ --preset lenet -o runs/lenet\n"
      "  qat-train --data mnist/ --steps 2000 --quant-delay 1000 -o runs/quick --resume-if-exists\n");
  tool.OwnConfig();
  qat::TrainFlags flags;
  qat::AddFlags(tool, flags);
  tool.DeclareFiles([&](qat::FileUse& use) { qat::DeclareFiles(flags, use); });
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
