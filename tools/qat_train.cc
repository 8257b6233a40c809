// qat-train: data and a recipe in, a run directory out.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/tool.h"
#include "data/dataset.h"
#include "report/text_format.h"
#include "spec/network_spec.h"
#include "spec/train_config.h"
#include "train/trainer.h"

namespace qat {
namespace {

constexpr char kDefaultPreset[] = "lenet";
constexpr char kRecipe[] = "Recipe, unless said otherwise the preset's";
constexpr char kFine[] = "Recipe, seldom changed";

constexpr char kChanges[] = "Random changes of training images, unless said otherwise the preset's";

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
    {"network", "NAME|FILE", kRecipe, "from the zoo, or a spec file"},
    {"width", "X", kRecipe, "factor of the filters of a network that has this parameter"},
    {"resolution", "N", kRecipe, "height and width of its input"},
    {"classes", "N", kRecipe, "of its output (default: those of the data)"},
    {"data", "NAME|DIR", kRecipe,
     "digits (generated), or a path: IDX or CIFAR files, NumPy arrays, pictures (default digits)"},
    {"data-cache", "MIB", kRecipe, "decoded pictures stay in memory where all fit (default 1024)"},
    {"mean", "X,...", kRecipe, "of a byte, one for all channels, one each, or dataset (default 0)"},
    {"std", "X,...", kRecipe, "the same: real = (byte - mean) / std (default 255)"},
    {"scheme", "SCHEME", kRecipe, "uint8, int8, or float32: never quantized"},
    {"steps", "N", kRecipe, "training steps in total"},
    {"epochs", "X", kRecipe, "the same in rounds over the training data"},
    {"batch-size", "N", kRecipe, "examples a step"},
    {"optimizer", "NAME", kRecipe, "adam or sgd"},
    {"learning-rate", "X", kRecipe, "at its highest"},
    {"schedule", "NAME", kRecipe, "of the learning rate: constant or cosine"},
    {"quant-delay", "STEPS", kRecipe, "before fake quantization starts"},
    {"bn-freeze", "STEPS", kRecipe,
     "before batch norms keep to their moving averages (default: 0.8 of the run)"},
    {"ema-decay", "X", kRecipe, "of the moving averages of activation ranges"},
    {"holdout", "N", kRecipe, "training examples kept to choose the best checkpoint on (default auto: a tenth); 0: use the test set"},
    {"log-every", "STEPS", "Output", "training loss and accuracy (default 100)"},
    {"eval-every", "STEPS", "Output", "accuracy on the holdout; 0: after every epoch"},
    {"checkpoint-every", "STEPS", "Output", "a checkpoint; 0: as --eval-every"},
    {"warmup-steps", "STEPS", kFine, "in which the learning rate rises from 0"},
    {"weight-decay", "X", kFine, "decoupled from the gradient"},
    {"label-smoothing", "X", kFine, "part of each label that is spread over all classes"},
    {"flip", "true|false", kChanges, "mirror every other image, left to right"},
    {"shift-pixels", "N", kChanges,
     "shift by up to N pixels, zeros coming in: a random crop of the padded image"},
    {"cutout", "N", kChanges, "a square of N pixels becomes 0"},
    {"rotate-degrees", "X", kChanges, "rotate by up to X degrees"},
    {"scale-percent", "X", kChanges, "zoom by up to X percent"},
    {"quant-delay-fraction", "X", kFine, "--quant-delay as a part of all steps"},
    {"bn-freeze-fraction", "X", kFine, "--bn-freeze as a part of all steps"},
    {"freeze-ranges-fraction", "X", kFine, "part of all steps after which activation ranges stop moving"},
    {"weight-average-decay", "X", kFine, "of the moving average of weights that is kept instead of the last ones; 0: off"},
};

void AddFlags(Tool& tool, TrainFlags& flags) {
  CLI::App& app = tool.app();
  app.add_option("-o,--output", flags.run, "the run directory: checkpoints, metrics, events, config")
      ->type_name("RUN")
      ->group("Output");
  app.add_flag("--resume", flags.resume, "go on exactly where RUN stopped, with its own recipe")
      ->group("Output");
  app.add_flag("--resume-if-exists", flags.resume_if_exists,
               "the same, or start where there is no checkpoint")
      ->group("Output");
  app.add_option("--preset", flags.preset,
                 StrCat("start from this recipe: ", Join(PresetNames()), " (default ", kDefaultPreset,
                        "); other flags change it"))
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
  tool.SetUsual({"--output", "--data", "--network", "--preset", "--scheme", "--steps", "--epochs", "--learning-rate",
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

// The recipe (a preset, then --config) without the single flags.
Expected<TrainConfig> LoadRecipe(const std::string& preset, const std::string& path) {
  if (path.empty()) return LoadPreset(preset.empty() ? kDefaultPreset : preset);
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  TrainConfig base;
  if (!preset.empty()) {
    QAT_ASSIGN_OR_RETURN(base, LoadPreset(preset));
  }
  QAT_ASSIGN_OR_RETURN(TrainConfig config, ParseTrainConfig(text, path, base));
  if (!preset.empty() || config.preset.empty()) return config;
  // The file names the recipe that it changes.
  QAT_ASSIGN_OR_RETURN_IN(path, base, LoadPreset(config.preset));
  return ParseTrainConfig(text, path, base);
}

Expected<TrainConfig> ConfigFromFlags(Tool& tool, const TrainFlags& flags) {
  QAT_ASSIGN_OR_RETURN(TrainConfig config, LoadRecipe(flags.preset, tool.flags().config));
  QAT_RETURN_IF_ERROR(ApplyKeys(tool, flags, config));
  return config;
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

Expected<TrainConfig> ConfigOfResumedRun(Tool& tool, const TrainFlags& flags) {
  const std::string path = JoinPath(flags.run, "config.toml");
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  QAT_ASSIGN_OR_RETURN(const TrainConfig saved, ParseTrainConfig(text, path, TrainConfig()));
  TrainConfig asked = saved;
  if (!flags.preset.empty() || !tool.flags().config.empty()) {
    QAT_ASSIGN_OR_RETURN(asked, ConfigFromFlags(tool, flags));
  } else {
    QAT_RETURN_IF_ERROR(ApplyKeys(tool, flags, asked));
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
  std::vector<int64_t> steps;
  if (IsDirectory(JoinPath(flags.run, "checkpoints"))) {
    QAT_ASSIGN_OR_RETURN(steps, ListCheckpoints(flags.run));
  }
  const bool wanted = flags.resume || flags.resume_if_exists;
  if (!steps.empty() && !wanted) {
    return InvalidArgument(
        StrCat(flags.run, ": holds checkpoints up to step ", steps.back(),
               "; go on with --resume (scripts: --resume-if-exists), or choose another -o"));
  }
  if (steps.empty() && flags.resume) {
    return NotFound(
        StrCat(flags.run, ": has no checkpoint to resume; leave --resume out, or use --resume-if-exists"));
  }
  return !steps.empty();
}

struct Splits {
  Dataset train;
  Dataset test;
};

// Both splits as the network takes them; the pictures of both share the cache.
Expected<Splits> OpenSplits(const NetworkSpec& spec, const TrainConfig& config, const TrainFlags& flags,
                            Progress::Style style) {
  OpenOptions options;
  options.height = spec.input_shape[1];
  options.width = spec.input_shape[2];
  options.channels = spec.input_shape[3];
  options.strict = flags.strict;
  options.cache_bytes = config.data_cache << 20;
  options.threads = config.threads;
  options.interrupted = Interrupted;
  Splits splits;
  for (const Split split : {Split::kTrain, Split::kTest}) {
    const bool training = split == Split::kTrain;
    std::optional<Progress> progress;
    options.progress = [&](int64_t done, int64_t total) {
      if (!progress) progress.emplace(style, training ? "read training set" : "read test set", total);
      progress->Update(done, "");
    };
    QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(config.data, split, options));
    if (progress) progress->Clear();
    if (!dataset.warning.empty()) LogWarning(StrCat(config.data, ": ", dataset.warning));
    options.cache_bytes -= static_cast<int64_t>(dataset.images.size());
    options.class_names = dataset.class_names;
    (training ? splits.train : splits.test) = std::move(dataset);
  }
  return splits;
}

// A network whose last layer has more outputs than the data have classes, unless a flag says so; else empty.
std::string SpareOutputs(const NetworkSpec& spec, const ScalingFlags& scaling, const Dataset& data) {
  const auto classes = std::ssize(data.class_names);
  const int32_t outputs = spec.layers.back().output_shape.back();
  if (data.targets > 0 || scaling.classes != 0 || outputs <= classes) return "";
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
    char detail[64];
    if (std::isnan(at.training_accuracy)) {
      std::snprintf(detail, sizeof(detail), "squared error %.4g", at.loss);
    } else {
      std::snprintf(detail, sizeof(detail), "loss %.4f  accuracy %.2f %%", at.loss, at.training_accuracy);
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
    return "uint8: TensorFlow Lite, Edge TPU; microcontrollers (TFLite Micro, CMSIS-NN) and most NPUs need --scheme int8";
  }
  if (scheme == "int8") return "int8: TensorFlow Lite, TFLite Micro, CMSIS-NN, NPUs; --scheme uint8 for TensorFlow 1 tools";
  return "float32: never quantized; --scheme uint8 or int8 trains for integers, qat-convert --calibrate needs no training";
}

std::string Summary(const TrainResult& result, bool held_out, const std::string& scheme, const TrainFlags& flags) {
  std::string text = StrCat("trained     ", result.step, " steps in ", DurationText(result.seconds), "\n");
  const std::string_view split = held_out ? "holdout     " : "test set    ";
  if (!std::isnan(result.holdout_rmse)) {
    text += StrCat(split, "RMSE ", Significant(result.holdout_rmse), ", best ", Significant(result.best_rmse),
                   " at step ", result.best_step, "\n");
  }
  if (!std::isnan(result.holdout_accuracy)) {
    text += StrCat(split, Percent(result.holdout_accuracy), ", best ", Percent(result.best_accuracy),
                   " at step ", result.best_step, "\n");
  }
  text += StrCat("checkpoint  ", result.checkpoint, "\n");
  text += StrCat("scheme      ", SchemeText(scheme), "\n");
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

Status RunTool(Tool& tool, const TrainFlags& flags, Report& report) {
  const bool print_only = tool.flags().print_config || flags.print_network;
  bool resume = false;
  if (!print_only || flags.resume) {
    QAT_ASSIGN_OR_RETURN(resume, DecideResume(flags));
  }
  QAT_ASSIGN_OR_RETURN(TrainConfig config,
                       resume ? ConfigOfResumedRun(tool, flags) : ConfigFromFlags(tool, flags));
  QAT_ASSIGN_OR_RETURN(const std::optional<Checkpoint> init, ReadInit(flags));
  if (init && !resume) KeepScheme(tool, *init, config);
  QAT_RETURN_IF_ERROR(Validate(config));
  ScalingFlags scaling{config.width, config.resolution, config.classes};
  QAT_ASSIGN_OR_RETURN(NetworkSpec spec, LoadNetworkSpec(config.network, scaling));
  if (tool.flags().print_config) tool.Print(ToToml(config));
  if (flags.print_network) tool.Print(PrintNetwork(spec));
  if (print_only) return {};

  CatchInterrupts();
  QAT_ASSIGN_OR_RETURN(const Splits data, OpenSplits(spec, config, flags, tool.flags().ProgressStyle()));
  const auto classes =
      data.train.targets > 0 ? data.train.targets : static_cast<int32_t>(data.train.class_names.size());
  if (spec.classes != 0 && scaling.classes == 0 && classes > 0) {
    scaling.classes = classes;
    QAT_ASSIGN_OR_RETURN(spec, LoadNetworkSpec(config.network, scaling));
  }
  report.data_name = data.train.name;
  report.data_examples = data.train.size();
  QAT_ASSIGN_OR_RETURN(report.data_sha256, Fingerprint(data.train));
  TrainDisplay display(tool.flags().ProgressStyle());
  TrainCallbacks callbacks;
  const std::string spare_outputs = SpareOutputs(spec, {config.width, config.resolution, config.classes}, data.train);
  bool held_out = false;
  callbacks.on_start = [&](const HoldoutSplit& split) {
    held_out = !split.holdout.empty();
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
  auto result =
      Train(spec, config, data.train, data.test, flags.run, {resume, init ? &*init : nullptr}, callbacks);
  display.Finish();
  if (!result.ok()) return std::move(result).error();
  FillReport(*result, flags, report);
  tool.Print(Summary(*result, held_out, config.scheme, flags));
  return {};
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
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
