#include "train/train_job.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/named_lists.h"
#include "base/strings.h"
#include "contract/fit.h"
#include "spec/build_graph.h"
#include "train/preparation.h"
#include "train/run_store.h"

namespace qat {
namespace {

// Of the network's last layer.
int32_t OutputsFor(const OutputLabels& data) {
  switch (data.task) {
    case Task::kYesNo:
      return 1;
    case Task::kMultiLabel:
      return data.label_width;
    case Task::kNumbers:
    case Task::kReconstruction:
      return data.targets;
    default:
      return static_cast<int32_t>(data.class_names.size());
  }
}

// What yes is, which labels there are.
std::string DescribeTask(const OutputLabels& data) {
  constexpr size_t kShown = 6;
  const auto& names = data.class_names;
  if (data.task == Task::kYesNo) return StrCat("; yes is '", names[1], "', no is '", names[0], "'");
  if (data.task == Task::kReconstruction) {
    const std::string normal = NormalClassOf(data);
    return StrCat("; the network learns to give its input",
                  normal.empty() ? "" : StrCat(", and class '", normal, "' is normal"));
  }
  if (names.empty() || data.task == Task::kClasses) return "";
  const auto shown = std::span(names).first(std::min(names.size(), kShown));
  return StrCat(": ", Join(shown),
                names.size() > kShown ? StrCat(" and ", names.size() - kShown, " more") : "");
}

// What an output out of several learns.
std::string DescribeOutput(const OutputLabels& data, double weight) {
  std::string text = StrCat("output '", data.output, "': ", NameOf(data.task));
  if (data.task == Task::kNumbers)
    text += data.targets == 1 ? std::string(", one per example") : StrCat(", ", data.targets, " per example");
  if (data.task == Task::kClasses) {
    text += StrCat(
        ", ", data.class_names.size(),
        data.LabelsPerImage() > 1 ? StrCat(" per pixel, ", data.label_height, "x", data.label_width) : "");
  } else {
    text += DescribeTask(data);
  }
  const auto missing = data.task == Task::kNumbers
                           ? std::count_if(data.numbers.begin(), data.numbers.end(),
                                           [](float number) { return std::isnan(number); })
                           : std::count(data.labels.begin(), data.labels.end(), kIgnoredLabel);
  if (missing > 0)
    text += StrCat("; ", missing, data.task == Task::kNumbers ? " numbers" : " labels",
                   " are not known and not learned");
  if (weight != 1)
    text += StrCat("; its loss weighs ", weight, weight == 0 ? ", so it learns nothing of its own" : "");
  return text;
}

// Whole numbers that may be measured rather than named: many different ones.
std::string HintAtNumbers(const OutputLabels& data) {
  constexpr size_t kMany = 20;
  const auto is_whole = [](const std::string& name) { return ParseNumber<int64_t>(name).has_value(); };
  const auto& names = data.class_names;
  const bool asks = data.task == Task::kClasses && data.LabelsPerImage() == 1 && names.size() > kMany;
  if (!asks || !std::all_of(names.begin(), names.end(), is_whole)) return "";
  return StrCat("labels are ", names.size(), " different whole numbers, ", names.front(), " to ",
                names.back(),
                ", and learned as classes; if they are measured or counted, as ages are, `task` numbers "
                "learns them as numbers");
}

// How many values lie in the first axis, in the first two, …
std::set<int64_t> FirstProducts(const Shape& shape) {
  std::set<int64_t> products = {1};
  int64_t product = 1;
  for (const int32_t size : shape) products.insert(product *= size);
  return products;
}

// The same values in the same order: one splits or joins axes of the other, as [28, 28] and [784] do; [64, 3]
// and [3, 64] do not.
bool HaveOneOrder(const Shape& a, const Shape& b) {
  const std::set<int64_t> of_a = FirstProducts(a), of_b = FirstProducts(b);
  return std::includes(of_a.begin(), of_a.end(), of_b.begin(), of_b.end()) ||
         std::includes(of_b.begin(), of_b.end(), of_a.begin(), of_a.end());
}

std::vector<std::string> NamesOf(const std::map<std::string, std::string>& lists) {
  std::vector<std::string> names;
  for (const auto& [name, list] : lists) names.push_back(name);
  return names;
}

}  // namespace

ScalingFlags Preparation::Scaling() const {
  const TrainConfig& config = job_.config;
  // The size of a network that is chosen goes by the data, which have been opened at the resolution asked
  // for.
  return {config.width, NetworkIsOpen() ? 0 : config.resolution, config.classes};
}

Status Preparation::Parse(const std::string& text, const std::string& source) {
  text_ = text;
  source_ = source;
  QAT_ASSIGN_OR_RETURN(const std::string scaled, WithScaling(text, source, Scaling()));
  QAT_ASSIGN_OR_RETURN(NetworkSpec spec, ParseNetworkSpec(scaled, source));
  return Use(spec);
}

Status Preparation::Use(const NetworkSpec& spec) {
  QAT_ASSIGN_OR_RETURN(job_.network, BuildGraph(spec));
  values_.clear();
  for (const InputSpec& input : spec.inputs) values_.push_back(input.values);
  has_network_ = true;
  return {};
}

// The network of a checkpoint: by its text, whose classes can follow the data; without one, as it is.
Status Preparation::TakeOver(const Graph& network, const Contract& contract) {
  options_.features = contract.input().features;
  if (const std::string text = SourceTextOf(network); !text.empty()) return Parse(text, network.name);
  job_.network = network;
  has_network_ = true;
  const Shape& scores = network.tensor(network.outputs[0]).shape;
  if (network.outputs.size() == 1 && scores.size() == 2 && contract.labels().empty())
    options_.scores = scores.back();
  return {};
}

// What can be known before the data are.
Status Preparation::ReadNetwork() {
  if (request_.network != nullptr) return TakeOver(*request_.network, request_.network->contract);
  // A run of a model goes on without the model.
  const bool has_own = NamesModel(job_.config) && !request_.resumed.empty();
  if (!NetworkIsOpen() && !has_own) {
    QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, LoadNetworkSpec(job_.config.network, Scaling()));
    return Use(spec);
  }
  if (!request_.resumed.empty()) {
    QAT_ASSIGN_OR_RETURN(const std::optional<SavedRun> saved, LoadNewestRun(request_.resumed));
    if (saved) return TakeOver(saved->checkpoint.network, saved->checkpoint.contract);
  }
  if (request_.init != nullptr) {
    job_.lines.push_back(StrCat("network: ", request_.init->network.name, ", that of `init`"));
    return TakeOver(request_.init->network, request_.init->contract);
  }
  return {};
}

Expected<Dataset> Preparation::Open(Split split, OpenOptions& options) const {
  options.hooks.progress = [&, what = split == Split::kTrain ? "read training set" : "read test set"](
                               const std::string&, int64_t done, int64_t total) {
    request_.hooks.Progress(what, done, total);
  };
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(job_.config.data, split, options));
  // Pictures of both splits share the cache.
  options.cache_bytes -= static_cast<int64_t>(dataset.images.size());
  options.class_names = dataset.class_names;
  options.height = dataset.input().height;
  options.width = dataset.input().width;
  options.channels = dataset.input().channels;
  options.values = dataset.input().values;
  options.white = dataset.white;
  options.features = dataset.input().features;
  for (size_t i = 0; i < options.inputs.size(); ++i) options.inputs[i].values = dataset.inputs[i].values;
  for (size_t i = 0; i < options.outputs.size(); ++i)
    options.outputs[i].class_names = dataset.output_labels(i).class_names;
  if (has_network_) TakeShapes(dataset);
  return dataset;
}

// A network that takes no [1, H, W, C] has the data's axes; those in another order are left for CheckFits to
// refuse.
void Preparation::TakeShapes(Dataset& dataset) const {
  for (size_t i = 0; i < std::min(dataset.inputs.size(), job_.network.inputs.size()); ++i) {
    const Shape& shape = job_.network.tensor(job_.network.inputs[i]).shape;
    ExampleInput& input = dataset.inputs[i];
    if (shape.size() == 4 || FlatSize(shape) != input.ValueCount()) continue;
    const Shape own = input.shape.empty() ? Shape{input.height, input.width, input.channels} : input.shape;
    const Shape expected(shape.begin() + 1, shape.end());
    if (HaveOneOrder(own, expected)) input.shape = expected;
  }
}

// [1, F] as 1 x 1 x F, [1, T, C] as 1 x T x C.
Expected<InputRequest> Preparation::RequestOf(size_t index) const {
  const GraphTensor& input = job_.network.tensor(job_.network.inputs[index]);
  const Shape& shape = input.shape;
  if (shape.size() < 2 || shape.size() > 4 || shape[0] != 1) {
    return Unsupported(StrCat(
        "network '", job_.network.name, "' takes ", ToString(shape), " as '", input.name,
        "', expected [1, features], [1, steps, channels] or [1, height, width, channels] in training"));
  }
  InputRequest request = {input.name, 1, 1, shape.back()};
  if (shape.size() > 2) request.width = shape[shape.size() - 2];
  if (shape.size() > 3) request.height = shape[1];
  if (index < values_.size() && values_[index] != InputValues::kOfData)
    request.values = values_[index] == InputValues::kReals ? ValueType::kReal : ValueType::kByte;
  return request;
}

Status Preparation::AskForInputs() {
  std::vector<InputRequest> requests;
  for (size_t i = 0; i < job_.network.inputs.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(InputRequest request, RequestOf(i));
    requests.push_back(std::move(request));
  }
  options_.height = requests[0].height;
  options_.width = requests[0].width;
  options_.channels = requests[0].channels;
  options_.values = requests[0].values;
  if (requests.size() > 1) options_.inputs = std::move(requests);
  return {};
}

// Keys of a recipe that name outputs name those that there are.
Status Preparation::CheckOutputNames(const char* key, const std::vector<std::string>& names) const {
  std::vector<std::string> known;
  for (const int32_t output : job_.network.outputs) known.push_back(job_.network.tensor(output).name);
  for (const std::string& name : names) {
    if (known.size() == 1 || !has_network_)
      return InvalidArgument(
          StrCat("`", key, "`: names the output '", name, "', expected no name: the network has one output"));
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = Nearest(name, known);
    return InvalidArgument(StrCat(
        "`", key, "`: names the output '", name, "', expected ",
        nearest.empty() ? Join(known) : StrCat("one of ", Join(known), "; did you mean '", nearest, "'?")));
  }
  return {};
}

// Each of several outputs by its name, with the task and the columns that the recipe names for it.
Status Preparation::AskForOutputs() {
  const TrainConfig& config = job_.config;
  const bool several = has_network_ && job_.network.outputs.size() > 1;
  const auto tasks = HasNames(config.task) ? ParseNamedLists(config.task) : std::nullopt;
  if (tasks) QAT_RETURN_IF_ERROR(CheckOutputNames("task", NamesOf(*tasks)));
  std::vector<std::string> weighted;
  double sum = 0;
  for (const auto& [name, weight] : config.output_weights) {
    weighted.push_back(name);
    sum += weight;
  }
  QAT_RETURN_IF_ERROR(CheckOutputNames("output_weights", weighted));
  if (!several) return {};
  if (weighted.size() == job_.network.outputs.size() && sum == 0)
    return InvalidArgument("`output_weights`: every output has the weight 0, expected one that learns");
  const auto columns = ParseNamedLists(config.label);
  if (!config.label.empty() && !columns) {
    return InvalidArgument(StrCat("`label`: is '", config.label, "', expected columns by output, as ",
                                  job_.network.tensor(job_.network.outputs[0]).name,
                                  "=COLUMN,…: the network has ", job_.network.outputs.size(), " outputs"));
  }
  if (columns && !config.label.empty()) QAT_RETURN_IF_ERROR(CheckOutputNames("label", NamesOf(*columns)));
  const std::optional<Task> for_all = TaskFromName(config.task);
  for (const int32_t output : job_.network.outputs) {
    OutputRequest request = {job_.network.tensor(output).name};
    request.task = for_all.value_or(Task::kAuto);
    if (tasks && tasks->contains(request.name))
      request.task = TaskFromName(tasks->at(request.name)).value_or(Task::kAuto);
    if (request.task == Task::kReconstruction)
      return Unsupported(
          StrCat("`task`: reconstruction is learned by a network with one output, and this one has ",
                 job_.network.outputs.size()));
    if (columns && columns->contains(request.name)) request.columns = columns->at(request.name);
    options_.outputs.push_back(std::move(request));
  }
  return {};
}

Status Preparation::OpenTraining() {
  if (has_network_) {
    QAT_RETURN_IF_ERROR(AskForInputs());
  } else {
    options_.height = options_.width = job_.config.resolution;
  }
  QAT_RETURN_IF_ERROR(AskForOutputs());
  // Parameters that are taken over have seen pictures so.
  if (request_.init != nullptr && !request_.given.contains("fit") && request_.resumed.empty())
    job_.config.fit = NameOf(request_.init->contract.input().fit);
  options_.fit = FitFromName(job_.config.fit).value_or(Fit::kCrop);
  options_.layout = LayoutFromName(job_.config.layout).value_or(ArrayLayout::kAuto);
  options_.label = job_.config.label;
  options_.leave_out = job_.config.leave_out;
  options_.strict = request_.strict;
  options_.task = TaskFromName(job_.config.task).value_or(Task::kAuto);
  if (job_.config.ignore_label != kAutomaticIgnoreLabel) options_.ignore_label = job_.config.ignore_label;
  options_.cache_bytes = job_.config.data_cache << 20;
  options_.threads = job_.config.threads;
  options_.hooks = request_.hooks.Quiet();
  QAT_ASSIGN_OR_RETURN(job_.train, Open(Split::kTrain, options_));
  if (request_.given.contains("fit") && !job_.train.of_pictures)
    job_.lines.push_back(
        StrCat("`fit` says nothing here: ", job_.train.name, " holds no pictures of other sizes"));
  if (!options_.leave_out.empty() && job_.train.input().features.empty())
    return InvalidArgument(
        StrCat("`leave_out`: names columns of a table, and ", job_.train.name, " is none"));
  if (const ExampleInput& input = job_.train.input();
      !has_network_ && job_.config.resolution != 0 && (input.height == 1 || input.width == 1)) {
    return InvalidArgument(StrCat("`resolution`: ", job_.train.name, " holds examples of ", input.height, "x",
                                  input.width, "x", input.channels,
                                  ", which are no pictures; leave it out, or read pictures by `layout`"));
  }
  if (job_.train.output_count() > 1) {
    DecideTasks();
  } else {
    DecideTask();
  }
  classes_ = ClassesToFollow();
  return {};
}

// What `classes` in a spec follows: of several outputs those of the only one that has classes.
int32_t Preparation::ClassesToFollow() const {
  const Dataset& data = job_.train;
  if (data.output_count() == 1) return OutputsFor(data);
  int32_t found = 0;
  for (size_t i = 0; i < data.output_count(); ++i) {
    if (data.output_labels(i).task != Task::kClasses) continue;
    if (found > 0) return 0;
    found = OutputsFor(data.output_labels(i));
  }
  return found;
}

// Of each output: two classes are yes or no where it has one value.
void Preparation::DecideTasks() {
  for (size_t i = 0; i < options_.outputs.size(); ++i) {
    OutputLabels& own = i == 0 ? job_.train : job_.train.others[i - 1];
    const int32_t values = job_.network.tensor(job_.network.outputs[i]).shape.back();
    if (options_.outputs[i].task == Task::kAuto && own.task == Task::kClasses && values == 1 &&
        own.class_names.size() == 2)
      own.task = Task::kYesNo;
    options_.outputs[i].task = own.task;
    const auto weight = job_.config.output_weights.find(own.output);
    job_.lines.push_back(
        DescribeOutput(own, weight == job_.config.output_weights.end() ? 1 : weight->second));
  }
}

// The first that the network fits: two classes are yes or no to a network of one output.
void Preparation::DecideTask() {
  const Task found = job_.train.task;
  std::string why;
  if (options_.task != Task::kAuto) {
    why = "as asked for";
  } else if (found == Task::kClasses && has_network_ && !FollowsClasses(job_.network) &&
             job_.network.outputs.size() == 1 &&
             job_.network.tensor(job_.network.outputs[0]).shape.back() == 1 &&
             job_.train.class_names.size() == 2) {
    job_.train.task = Task::kYesNo;
    why = "since the labels are of two classes and the network has one output";
  } else if (found == Task::kMultiLabel) {
    why = "since each label is a row of zeros and ones";
  } else if (found == Task::kNumbers) {
    why = "since the labels are real numbers";
  }
  if (why.empty()) {
    if (const std::string hint = HintAtNumbers(job_.train); !hint.empty()) job_.lines.push_back(hint);
  }
  options_.task = job_.train.task;
  // Classes, one per image or per pixel, are what labels mostly are.
  if (why.empty()) return;
  job_.lines.push_back(StrCat("task: ", NameOf(job_.train.task), ", ", why, DescribeTask(job_.train)));
}

Status Preparation::OpenTest() {
  QAT_ASSIGN_OR_RETURN(job_.test, Open(Split::kTest, options_));
  return {};
}

Status Preparation::ChooseNetworkForData() {
  if (has_network_) return {};
  const AutoNetwork network = ChooseNetwork(Shapes());
  job_.lines.push_back(StrCat("network: ", network.name, ", ", network.reason,
                              " (`network` names another one, `print_network` shows it)"));
  return Parse(network.text, StrCat(network.name, ".toml"));
}

// The last layer has as many outputs as the data have classes, unless a flag says otherwise.
Status Preparation::FollowClasses() {
  if (!FollowsClasses(job_.network) || job_.config.classes != 0 || classes_ == 0) return {};
  ScalingFlags scaling = Scaling();
  scaling.classes = classes_;
  if (text_.empty()) {
    QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, LoadNetworkSpec(job_.config.network, scaling));
    return Use(spec);
  }
  QAT_ASSIGN_OR_RETURN(const std::string text, WithScaling(text_, source_, scaling));
  QAT_ASSIGN_OR_RETURN(const NetworkSpec spec, ParseNetworkSpec(text, source_));
  return Use(spec);
}

bool NamesModel(const TrainConfig& config) {
  return config.network.ends_with(".tflite") || config.network.ends_with(".onnx");
}

Expected<TrainJob> PrepareJob(const JobRequest& request) {
  Preparation preparation(request);
  QAT_RETURN_IF_ERROR(preparation.ReadNetwork());
  QAT_RETURN_IF_ERROR(preparation.OpenTraining());
  QAT_RETURN_IF_ERROR(preparation.ChooseNetworkForData());
  QAT_RETURN_IF_ERROR(preparation.FollowClasses());
  QAT_RETURN_IF_ERROR(preparation.OpenTest());
  QAT_RETURN_IF_ERROR(preparation.CompleteRecipe());
  return std::move(preparation).Take();
}

}  // namespace qat
