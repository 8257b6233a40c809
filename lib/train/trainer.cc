#include "train/trainer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <tuple>

#include "base/file.h"
#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"
#include "checkpoint/run_lock.h"
#include "contract/provenance.h"
#include "data/degenerate.h"
#include "data/leaks.h"
#include "ir/output_source.h"
#include "spec/build_graph.h"
#include "train/class_weights.h"
#include "train/in_threads.h"
#include "train/run_contract.h"
#include "train/run_store.h"
#include "train/teacher.h"
#include "train/threads.h"
#include "train/torch_error.h"
#include "train/train_loop.h"

namespace qat {
namespace {

constexpr char kInitKey[] = "init_sha256", kTeacherKey[] = "teacher_sha256";

std::string HashIn(const Checkpoint& checkpoint, const char* key) {
  const auto found = checkpoint.provenance.find(key);
  return found == checkpoint.provenance.end() ? std::string("none") : found->second;
}

// The weights file, where the tensors are one's.
std::string HashOfInit(const Checkpoint& init) {
  const auto weights = init.provenance.find("weights_sha256");
  return weights == init.provenance.end() ? FileHash(init) : weights->second;
}

const GraphTensor& OutputOf(const Graph& network, size_t index) {
  return network.tensor(network.outputs[index]);
}

// "network 'x'", or of several "output 'class' of network 'x'".
std::string OutputText(const Graph& network, size_t index) {
  const std::string text = StrCat("network '", network.name, "'");
  return network.outputs.size() == 1 ? text
                                     : StrCat("output '", OutputOf(network, index).name, "' of ", text);
}

Status CheckNetwork(const Graph& network) {
  QAT_RETURN_IF_ERROR(Verify(network));
  const bool learns = std::any_of(network.tensors.begin(), network.tensors.end(),
                                  [](const GraphTensor& tensor) { return tensor.trained.has_value(); });
  if (learns) return {};
  return InvalidArgument(
      StrCat("network '", network.name,
             "' has no parameters, expected a layer that can learn, as fully_connected can"));
}

// A score or number for each value that the labels have.
Status CheckValues(const Graph& network, size_t index, const Dataset& data, int64_t values,
                   std::string_view split) {
  const Shape& output = OutputOf(network, index).shape;
  if (FlatSize(output) == values) return {};
  std::string what = values == 1 ? std::string("one score") : StrCat(values, " scores");
  if (data.task == Task::kNumbers)
    what = values == 1 ? std::string("a real number") : StrCat(values, " real numbers");
  if (data.task == Task::kReconstruction) what = StrCat("the ", values, " values of the input");
  if (data.task == Task::kYesNo && data.LabelsPerImage() == 1) what = "yes or no, one score";
  const bool numbers = IsOfNumbers(data.task);
  return InvalidArgument(
      StrCat(OutputText(network, index), network.outputs.size() == 1 ? " ends in " : " is ", ToString(output),
             ", expected ", values, values == 1 ? " value" : " values", ": the ", split, " labels of ",
             data.name, " are ", what, " per image; the last layer needs units = ", values,
             numbers ? " and no activation" : " and no activation but logistic",
             data.task == Task::kYesNo ? ", or `task` classes needs two" : ""));
}

// Every class has an output of its own.
Status CheckClasses(const Graph& network, size_t index, const Dataset& data, std::string_view split) {
  const auto largest = std::max_element(data.labels.begin(), data.labels.end());
  const int64_t needed = std::max(std::ssize(data.class_names),
                                  largest == data.labels.end() ? int64_t{0} : int64_t{*largest} + 1);
  const int32_t outputs = OutputOf(network, index).shape.back();
  if (needed <= outputs) return {};
  const GraphNode* last = ProducerOf(network, network.outputs[index]);
  OpAttributes attributes = last == nullptr ? OpAttributes() : last->attributes;
  const std::string_view key = FiltersOf(attributes) != nullptr ? "filters" : "units";
  const std::string follow =
      SourceTextOf(network).empty()
          ? StrCat("`classes` ", needed,
                   " gives a network out of a model a last layer that is learned afresh")
      : FollowsClasses(network)
          ? StrCat("`classes` ", needed, ", or leave `classes` out")
          : StrCat("write ", key, " = \"classes\" there and classes = ", needed, " at the top",
                   needed == 2 && outputs == 1 ? ", or learn yes or no, by one score: `task` yes-no" : "");
  return InvalidArgument(StrCat("the ", split, " labels of ", data.name, " are of ", needed,
                                " classes, but the last layer '", OutputOf(network, index).name,
                                "' of network '", network.name, "' has ", outputs,
                                outputs == 1 ? " output" : " outputs", ", expected one per class: ", follow));
}

// The values of an example in the order of axes that the network has, whatever its rank.
Status CheckInputs(const Graph& network, const Dataset& data, std::string_view split) {
  if (data.inputs.size() != network.inputs.size()) {
    return InvalidArgument(StrCat("the ", split, " examples of ", data.name, " have ", data.inputs.size(),
                                  data.inputs.size() == 1 ? " input" : " inputs", ", expected ",
                                  network.inputs.size(), " as network '", network.name, "' takes"));
  }
  for (size_t i = 0; i < data.inputs.size(); ++i) {
    const ExampleInput& input = data.inputs[i];
    const GraphTensor& expected = network.tensor(network.inputs[i]);
    Shape shape = {1, input.height, input.width, input.channels};
    if (expected.shape.size() != shape.size() && !input.shape.empty()) {
      shape = input.shape;
      shape.insert(shape.begin(), 1);
    }
    if (shape == expected.shape) continue;
    const Shape& axes = expected.shape;
    const bool swapped = axes.size() > 2 && input.shape == Shape{axes.back(), axes[axes.size() - 2]};
    return InvalidArgument(
        StrCat("the ", split,
               data.inputs.size() == 1 ? " examples" : StrCat(" values for input '", expected.name, "'"),
               " of ", data.name, " are ", ToString(shape), ", expected ", ToString(expected.shape),
               " as network '", network.name, "' takes",
               swapped ? "; if the axes are only in another order: x.transpose(0, 2, 1)"
               : SourceTextOf(network).empty() ? ""
                                               : "; `network` auto is one that fits the data"));
  }
  return {};
}

// What one output gives, and what `data` want of it.
Status CheckOutput(const Graph& network, size_t index, const Dataset& data, std::string_view split) {
  const Shape& output = OutputOf(network, index).shape;
  if (output.empty()) return Internal(StrCat("network '", network.name, "' ends in a scalar"));
  if (IsOfNumbers(data.task)) return CheckValues(network, index, data, data.targets, split);
  if (IsOfYesNo(data.task)) return CheckValues(network, index, data, data.LabelsPerImage(), split);
  Shape expected = {1, output.back()};
  if (data.LabelsPerImage() > 1) expected = {1, data.label_height, data.label_width, output.back()};
  if (output != expected) {
    const bool pixels = expected.size() > 2;
    return InvalidArgument(StrCat(
        OutputText(network, index), network.outputs.size() == 1 ? " ends in " : " is ", ToString(output),
        ", expected ",
        pixels
            ? StrCat("[1, ", data.label_height, ", ", data.label_width, ", classes], a score for each label")
            : std::string("[1, classes]"),
        ": the ", split, " labels of ", data.name, " are ", pixels ? "one per pixel" : "one per image",
        !pixels && output.size() == 4 ? "; a mean or reshape layer after it makes rows of maps" : ""));
  }
  return CheckClasses(network, index, data, split);
}

Status CheckData(const Graph& network, const Dataset& data, std::string_view split) {
  QAT_RETURN_IF_ERROR(CheckInputs(network, data, split));
  const size_t outputs = network.outputs.size();
  if (data.output_count() != outputs) {
    return InvalidArgument(StrCat("the ", split, " labels of ", data.name, " are for ", data.output_count(),
                                  data.output_count() == 1 ? " output" : " outputs", ", expected ", outputs,
                                  " as network '", network.name, "' has"));
  }
  if (outputs == 1) return CheckOutput(network, 0, data, split);
  for (size_t i = 0; i < outputs; ++i)
    QAT_RETURN_IF_ERROR(CheckOutput(network, i, ForOutput(data, i), split));
  return {};
}

// "classes", or of several outputs "class=classes,box=numbers".
std::string TasksText(const Dataset& data) {
  if (data.output_count() == 1) return std::string(NameOf(data.task));
  std::vector<std::string> texts;
  for (size_t i = 0; i < data.output_count(); ++i)
    texts.push_back(StrCat(data.output_labels(i).output, "=", NameOf(data.output_labels(i).task)));
  return Join(texts, ",");
}

Expected<Checkpoint> MakeHeader(const Graph& network, const TrainConfig& config, const Dataset& train) {
  Checkpoint header;
  header.scheme = config.scheme;
  header.network = network;
  header.config_text = PortableToml(config);
  QAT_ASSIGN_OR_RETURN(header.contract, MakeContract(config, train, network));
  QAT_ASSIGN_OR_RETURN(const std::string identity, Fingerprint(train));
  header.provenance = {
      {"data_sha256", identity}, {kTaskKey, TasksText(train)}, {"tool_version", std::string(Version())}};
  return header;
}

// "0.52, 12.5": the first ones.
std::string SomeNumbers(std::span<const float> numbers) {
  constexpr size_t kShown = 10;
  std::vector<std::string> texts;
  for (const float number : numbers.first(std::min(numbers.size(), kShown))) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", static_cast<double>(number));
    texts.push_back(text);
  }
  return StrCat(Join(texts), numbers.size() > kShown ? " …" : "");
}

// The first line that differs, as "'learning_rate = 0.1', now 'learning_rate = 0.2'".
std::string FirstDifference(const std::string& before, const std::string& now) {
  const std::vector<std::string> a = SplitText(before, '\n');
  const std::vector<std::string> b = SplitText(now, '\n');
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "";
    const std::string right = i < b.size() ? b[i] : "";
    if (left != right) return StrCat("'", left, "', now '", right, "'");
  }
  return "";
}

std::string NetworkDifference(const Graph& before, const Graph& now) {
  const std::string text = SourceTextOf(before), now_text = SourceTextOf(now);
  if (text.empty() || now_text.empty() || text == now_text) return FirstDifference(Print(before), Print(now));
  return FirstDifference(text, now_text);
}

// The recipe of a saved run with the keys that came since, at what they mean when they are left out.
std::string RecipeOf(const Checkpoint& saved) {
  const auto config = ParseTrainConfig(saved.config_text, saved.network.name, TrainConfig());
  return config.ok() ? PortableToml(*config) : saved.config_text;
}

// A resumed run goes on as the same run or not at all.
Status CheckSame(const Checkpoint& saved, const Checkpoint& now, const std::string& run) {
  const auto differs = [&](std::string_view what, const std::string& difference) {
    return InvalidArgument(StrCat(run, ": was trained with another ", what, ": ", difference,
                                  "; resume with the same, or start a new run"));
  };
  if (const std::string recipe = RecipeOf(saved); recipe != now.config_text) {
    return differs("configuration", FirstDifference(recipe, now.config_text));
  }
  if (!SameNetwork(saved.network, now.network))
    return differs("network", NetworkDifference(saved.network, now.network));
  for (const auto& [key, what, flag] :
       {std::tuple(kInitKey, "start", "init"), {kTeacherKey, "teacher", "teacher"}}) {
    const std::string before = HashIn(saved, key), after = HashIn(now, key);
    if (before != after) return differs(what, StrCat("`", flag, "` with SHA-256 ", before, ", now ", after));
  }
  const auto hash = saved.provenance.find("data_sha256");
  if (hash != saved.provenance.end() && hash->second != now.provenance.at("data_sha256")) {
    return differs("training set",
                   StrCat("SHA-256 ", hash->second, ", now ", now.provenance.at("data_sha256")));
  }
  return {};
}

// Which examples are held out is a part of what a run is. One that was begun before that was recorded keeps
// its shuffle.
Expected<HoldoutSplit> MakeSplit(const TrainConfig& config, const Dataset& train,
                                 const std::optional<SavedRun>& saved, Checkpoint& header) {
  constexpr char kKey[] = "holdout_sha256";
  QAT_ASSIGN_OR_RETURN(HoldoutSplit split, SplitHoldout(train, config.holdout, config.seed));
  if (split.holdout.empty()) return split;
  const std::string fingerprint = Fingerprint(split);
  if (saved) {
    const auto found = saved->checkpoint.provenance.find(kKey);
    const bool recorded = found != saved->checkpoint.provenance.end();
    if (!recorded && config.holdout > 0) return ShuffledHoldout(train.size(), config.holdout, config.seed);
    // Other labels hold out others, too, and CheckSame says that.
    const bool same_data = HashIn(saved->checkpoint, kTrainingDataKey) == HashIn(header, kTrainingDataKey);
    if (recorded && same_data && found->second != fingerprint) {
      return Unsupported(
          "this version holds out other examples than the one that began the run; resume it with that "
          "version, or start a new run");
    }
  }
  header.provenance[kKey] = fingerprint;
  return split;
}

// The processes of a run agree on what they train: rank 0 says the recipe, since a time budget is measured by
// each of them.
Status Agree(Workers& workers, const Graph& network, TrainConfig& config, Checkpoint& header) {
  const std::string recipe = workers.Broadcast(header.config_text);
  const std::string what =
      StrCat(header.provenance.at("data_sha256"), "\n", HashIn(header, kTeacherKey), "\n", Print(network));
  const bool differs = workers.Broadcast(what) != what;
  if (workers.Any(differs)) {
    return InvalidArgument(StrCat(
        differs ? StrCat("process ", workers.place().rank) : std::string("another process"),
        " has other data, another network or another teacher than process 0, expected the same in all ",
        workers.place().size));
  }
  if (config.batch_size < workers.place().size) {
    return InvalidArgument(StrCat("`batch_size`: ", config.batch_size, ", expected at least ",
                                  workers.place().size, ": each process computes a share of every batch"));
  }
  QAT_ASSIGN_OR_RETURN(config, ParseTrainConfig(recipe, network.name, config));
  header.config_text = recipe;
  return {};
}

// Processes of one machine share its cores.
int ThreadsOf(const TrainConfig& config, const WorkerPlace& place) {
  if (config.threads > 0 || place.alone()) return config.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / place.local_size);
}

Expected<TrainResult> RunLoop(TrainInputs inputs, const std::optional<SavedRun>& saved) {
  QAT_ASSIGN_OR_RETURN(const auto loop, TrainLoop::Create(std::move(inputs), saved));
  return loop->Run();
}

// Each thread with a share of every batch and a network of its own; the first one writes and calls back.
Expected<TrainResult> TrainInThreads(const TrainInputs& inputs, const std::optional<SavedRun>& saved,
                                     int ranks, int threads) {
  const TrainCallbacks none;
  return InThreads<TrainResult>(ranks, threads, [&](std::shared_ptr<Workers> workers) {
    const bool writes = workers->place().writes();
    TrainInputs own{inputs.network,
                    inputs.config,
                    inputs.train,
                    inputs.test,
                    inputs.run,
                    inputs.init,
                    writes ? inputs.callbacks : none,
                    inputs.split,
                    inputs.only_start,
                    inputs.class_weights,
                    inputs.header,
                    inputs.teacher,
                    std::move(workers),
                    writes ? threads : 0};
    return RunLoop(std::move(own), saved);
  });
}

Expected<TrainResult> TrainChecked(const Graph& network, TrainConfig config, const Dataset& train,
                                   const Dataset& test, const std::string& run, TrainStart start,
                                   const TrainCallbacks& callbacks) {
  QAT_RETURN_IF_ERROR(Validate(config));
  QAT_RETURN_IF_ERROR(CheckFits(network, train, test));
  QAT_ASSIGN_OR_RETURN(const std::optional<SavedRun> saved, LoadNewestRun(run));
  if (saved && !start.resume) {
    return InvalidArgument(StrCat(run, ": already contains a run, up to step ", saved->state.step,
                                  "; continue with `resume`, or choose another directory"));
  }
  QAT_ASSIGN_OR_RETURN(Checkpoint header, MakeHeader(network, config, train));
  if (start.teacher != nullptr) {
    QAT_RETURN_IF_ERROR_IN("`teacher`", CheckTeacher(*start.teacher, network, header.contract));
    header.provenance[kTeacherKey] = FileHash(*start.teacher);
  }
  std::unique_ptr<Workers> workers;
  if (!start.place.alone()) {
    QAT_ASSIGN_OR_RETURN(workers, Workers::Join(start.place, callbacks.interrupted, callbacks.on_note));
    QAT_RETURN_IF_ERROR(Agree(*workers, network, config, header));
  }
  QAT_ASSIGN_OR_RETURN(HoldoutSplit split, MakeSplit(config, train, saved, header));
  QAT_ASSIGN_OR_RETURN(std::vector<std::vector<float>> weights,
                       WeightsOfOutputs(config.class_weights, train, split.train));
  for (size_t i = 0; config.class_weights.balanced && callbacks.on_note && i < weights.size(); ++i) {
    const std::string& name = train.output_labels(i).output;
    if (!weights[i].empty())
      callbacks.on_note(StrCat("`class_weights`: balanced are ", SomeNumbers(weights[i]),
                               name.empty() ? "" : StrCat(" of '", name, "'")));
  }
  TrainInputs inputs{network,
                     config,
                     train,
                     test,
                     run,
                     start.init,
                     callbacks,
                     std::move(split),
                     start.only,
                     std::move(weights),
                     std::move(header)};
  inputs.teacher = start.teacher;
  if (start.init != nullptr) inputs.header.provenance[kInitKey] = HashOfInit(*start.init);
  // A run that was fine-tuned is resumed without its origin at hand, too.
  if (saved && start.init == nullptr && saved->checkpoint.provenance.contains(kInitKey)) {
    inputs.header.provenance[kInitKey] = saved->checkpoint.provenance.at(kInitKey);
  }
  if (saved) {
    QAT_RETURN_IF_ERROR(CheckSame(saved->checkpoint, inputs.header, run));
    // The words in which the run began are kept, so that its later checkpoints say the same.
    inputs.header.network.provenance = saved->checkpoint.network.provenance;
  }
  inputs.workers = std::move(workers);
  const int threads = ThreadCount(ThreadsOf(config, start.place));
  const int ranks = start.place.alone() && !start.only ? RanksOf(threads, config.batch_size) : 1;
  if (!start.place.writes()) {
    ConfigureThreads(ThreadsOf(config, start.place));
    return RunLoop(std::move(inputs), saved);
  }
  QAT_ASSIGN_OR_RETURN(const OutputFolder folder, OutputFolder::Make(JoinPath(run, "checkpoints")));
  QAT_ASSIGN_OR_RETURN(const RunLock lock, RunLock::Take(run));
  const std::string recipe = JoinPath(run, "config.toml");
  const bool is_new = !FileExists(recipe);
  QAT_RETURN_IF_ERROR(WriteFile(recipe, ToToml(config)));
  if (callbacks.on_start) callbacks.on_start(inputs.split);
  if (callbacks.on_warning) {
    if (saved && !saved->warning.empty()) callbacks.on_warning(saved->warning);
    QAT_ASSIGN_OR_RETURN(const std::vector<std::string> degenerate,
                         FindDegenerate(train, inputs.split.train));
    for (const std::string& warning : degenerate) callbacks.on_warning(warning);
    for (const std::string& warning : KnownExamples(train, inputs.split, test)) callbacks.on_warning(warning);
    for (size_t i = 0; i < train.output_count(); ++i) {
      const std::string warning = ClassesOnlyInTest(train.output_labels(i), test.output_labels(i));
      const std::string& output = train.output_labels(i).output;
      if (!warning.empty())
        callbacks.on_warning(output.empty() ? warning : StrCat("output '", output, "': ", warning));
    }
  }
  ConfigureThreads(threads);
  auto result = ranks > 1 ? TrainInThreads(inputs, saved, ranks, threads) : RunLoop(std::move(inputs), saved);
  // What is refused before the first line of the log leaves nothing behind.
  if (!result.ok() && is_new && !FileExists(JoinPath(run, "metrics.ndjson"))) ::unlink(recipe.c_str());
  return result;
}

}  // namespace

Status CheckFits(const Graph& network, const Dataset& train, const Dataset& test) {
  QAT_RETURN_IF_ERROR(CheckNetwork(network));
  QAT_RETURN_IF_ERROR(CheckData(network, train, "training"));
  QAT_RETURN_IF_ERROR(CheckData(network, test, "test"));
  for (size_t i = 0; i < train.output_count(); ++i) {
    const OutputLabels &a = train.output_labels(i), &b = test.output_labels(i);
    if (a.task == b.task && a.targets == b.targets) continue;
    return InvalidArgument(StrCat(train.name, ": labels of one split mean ", NameOf(a.task),
                                  ", those of the other ", NameOf(b.task), ", expected the same of both"));
  }
  return {};
}

Expected<TrainResult> Train(const Graph& network, const TrainConfig& config, const Dataset& train,
                            const Dataset& test, const std::string& run, TrainStart start,
                            const TrainCallbacks& callbacks) {
  return Guarded<TrainResult>(
      [&] { return TrainChecked(network, config, train, test, run, start, callbacks); });
}

}  // namespace qat
