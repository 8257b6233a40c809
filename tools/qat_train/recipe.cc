#include "recipe.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/ending.h"
#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/output_name.h"
#include "train/train_job.h"

namespace qat {
namespace {

std::string Replaced(std::string_view text, char from, char to) {
  std::string replaced(text);
  std::replace(replaced.begin(), replaced.end(), from, to);
  return replaced;
}

Status ApplyKeys(Tool& tool, const TrainFlags& flags, TrainConfig& config) {
  for (const auto& [key, text] : flags.keys) {
    if (!tool.Given("--" + key)) continue;
    const std::string other = Replaced(AlternativeOf(Replaced(key, '-', '_')), '_', '-');
    if (!other.empty() && tool.Given("--" + other))
      return InvalidArgument(StrCat("--", key, " and --", other, " say the same, expected one of them"));
    QAT_RETURN_IF_ERROR_IN("--" + key, SetKey(config, key, text));
  }
  if (tool.Given("--seed")) {
    QAT_RETURN_IF_ERROR_IN("--seed", SetKey(config, "seed", std::to_string(tool.flags().seed)));
  }
  if (tool.Given("--threads")) config.threads = tool.flags().threads;
  return {};
}

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
  QAT_ASSIGN_OR_RETURN_IN(preset.empty() ? path : std::string("--preset"), TrainConfig base,
                          LoadPreset(name));
  QAT_ASSIGN_OR_RETURN(asked.config, ParseTrainConfig(text, path, std::move(base), &asked.given));
  asked.config.preset = name;
  return asked;
}

// The first key in which two recipes differ; where data and network lie may, since what is in them is
// compared later, and so may the threads of this machine.
Status RefuseOtherRecipe(const std::string& run, const TrainConfig& saved, TrainConfig asked) {
  asked.data = saved.data;
  asked.data_cache = saved.data_cache;
  asked.network = saved.network;
  asked.teacher = saved.teacher;
  asked.threads = saved.threads;
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

// A run names its files as they were called where it began.
Status ExpectFilesOf(const std::string& recipe, const TrainConfig& saved, const TrainConfig& asked) {
  const bool is_spec = HasEnding(saved.network, ".toml");  // a model is in the checkpoint
  for (const auto& [key, was, is] : {std::tuple("data", saved.data, asked.data),
                                     std::tuple("network", is_spec ? saved.network : "", asked.network)}) {
    if (was.empty() || is != was || is == "digits" || FileExists(is)) continue;
    return NotFound(StrCat(recipe, ": ", key, " is '", is,
                           "', which is not to be found from this folder; expected --", key,
                           " with its place now, or --resume from the folder that the run began in"));
  }
  return {};
}

}  // namespace

Expected<Asked> RecipeFromFlags(Tool& tool, const TrainFlags& flags) {
  QAT_ASSIGN_OR_RETURN(Asked asked, LoadRecipe(flags.preset, tool.flags().config));
  QAT_RETURN_IF_ERROR(ApplyKeys(tool, flags, asked.config));
  for (const auto& [key, text] : flags.keys) {
    if (tool.Given("--" + key)) asked.given.insert(Replaced(key, '-', '_'));
  }
  // A budget decides the number of steps anew, also where a file holds what an earlier one decided.
  if (tool.Given("--budget") && !tool.Given("--steps") && asked.config.steps > 0 && asked.automatic()) {
    asked.given.erase("steps");
  }
  TrainConfig checked = asked.config;
  // Its length is decided later.
  if (asked.automatic() && !asked.given.contains("steps") && !asked.given.contains("epochs"))
    checked.epochs = 1;
  // What it starts from may bring another scheme.
  const bool may_bring_scheme = !flags.init.empty() || NamesModel(asked.config);
  if (may_bring_scheme && !asked.given.contains("scheme")) {
    checked.filter_ranges = TrainConfig().filter_ranges;
    checked.activation_ranges = TrainConfig().activation_ranges;
  }
  QAT_RETURN_IF_ERROR(Validate(checked));
  return asked;
}

Status RefuseIdleFlags(Tool& tool, const TrainConfig& config) {
  struct Owner {
    const char* flag;
    const char* key;
    const std::string& is;
    const char* needed;
  };
  const Owner owners[] = {{"--momentum", "optimizer", config.optimizer, "sgd"},
                          {"--nesterov", "optimizer", config.optimizer, "sgd"},
                          {"--milestones", "schedule", config.schedule, "step"},
                          {"--milestone-factor", "schedule", config.schedule, "step"}};
  for (const Owner& each : owners) {
    if (!tool.Given(each.flag) || each.is == each.needed) continue;
    return InvalidArgument(
        StrCat(each.flag, ": is for --", each.key, " ", each.needed, ", and the recipe has ", each.is));
  }
  for (const char* flag : {"--teacher-weight", "--teacher-temperature"}) {
    if (tool.Given(flag) && config.teacher.empty())
      return InvalidArgument(StrCat(flag, ": is for --teacher, and the recipe has none"));
  }
  return {};
}

Expected<bool> DecideResume(const TrainFlags& flags) {
  if (flags.run.empty()) return InvalidArgument("--output: expected the directory of the run (-o RUN)");
  if (flags.run == "-")
    return InvalidArgument("--output: a run is a directory, it cannot go to standard output");
  if (FileExists(flags.run) && !IsDirectory(flags.run)) {
    return InvalidArgument(StrCat("--output: ", flags.run, " is a file, expected the directory of the run"));
  }
  if (!FileExists(flags.run))
    QAT_RETURN_IF_ERROR(CheckOutputName({"--output", "a run directory", {}}, flags.run));
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
  QAT_RETURN_IF_ERROR(ExpectFilesOf(path, saved, asked));
  QAT_RETURN_IF_ERROR(RefuseOtherRecipe(flags.run, saved, asked));
  asked.threads = tool.Given("--threads") ? tool.flags().threads : saved.threads;
  if (asked.threads != saved.threads) {
    LogInfo(StrCat(
        flags.run, ": goes on with --threads ", asked.threads, " instead of ", saved.threads,
        ": sums are made in another order, so its bytes are not those of a run that was never stopped"));
  }
  return asked;
}

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

}  // namespace qat
