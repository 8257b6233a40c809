#include "convert/conversion.h"

#include <algorithm>

#include "base/join_some.h"
#include "base/strings.h"
#include "calibrate/channel_reach.h"
#include "calibrate/repair_filters.h"
#include "contract/provenance.h"
#include "convert/record.h"
#include "convert/rewrites.h"
#include "import/real_input.h"
#include "passes/passes.h"
#include "plan/twins.h"
#include "report/text_format.h"

namespace qat {
namespace {

/// A step that runs all examples.
WorkHooks Begin(std::string_view step, const Conversion& c) {
  return c.hooks.begin ? c.hooks.begin(step, c.data->size()) : WorkHooks();
}

void Done(const Conversion& c) {
  if (c.hooks.done) c.hooks.done();
}

Status Append(Conversion& c) { return AppendAsAsked(c.request, c.graph()); }

/// Without data the ranges of what a network does to its input stand, as they were trained. An imported model
/// of integers that does it in float32 has none of them, nor has a plan that was made with data.
Status NormalizeInput(Conversion& c) {
  std::vector<std::string> notes;
  const auto is_planned = [&](const std::string& layer) {
    if (!c.plan) return false;
    const std::vector<std::string>& kept = c.plan->keep_float;
    return c.plan->activations.contains(layer) || std::find(kept.begin(), kept.end(), layer) != kept.end();
  };
  if (c.data) {
    TakeInputNormalizations(c.graph(), notes);
  } else if (!c.type.is_real()) {
    const auto has_range = [&](const std::string& input) { return c.plan && c.plan->inputs.contains(input); };
    TakeFloatInputNormalizations(is_planned, has_range, c.graph(), notes);
  }
  for (const std::string& note : notes) c.Note(note);
  return {};
}

Status Limit(Conversion& c) {
  if (!c.data || c.type.is_real()) return {};
  const std::vector<std::string> sums = LimitMasks(c.graph());
  if (!sums.empty())
    c.Note(StrCat("masks before softmax hide by no more than they must, so that scores keep their steps: ",
                  JoinSome(sums, 6)));
  return {};
}

/// The model says what it was repaired by, in the order of the passes.
void NoteRepair(std::string_view name, Conversion& c) {
  std::string& made = c.graph().provenance[kRepairsKey];
  made += StrCat(made.empty() ? "" : ",", name);
}

/// Null: no data.
Expected<std::optional<ChannelReach>> ReachOnData(Conversion& c) {
  if (!c.data) return std::optional<ChannelReach>();
  if (ClippedLayers(c.graph()).empty()) return std::optional(ChannelReach());
  QAT_ASSIGN_OR_RETURN_IN(c.source, ChannelReach reach,
                          FindChannelReach(c.graph(), *c.data, nullptr, Begin("equalize", c)));
  Done(c);
  return std::optional(std::move(reach));
}

/// The ranges that the plan names hold afterwards. Where all layers are equalized, so are these.
Status EqualizeByPlan(Conversion& c) {
  if (!c.plan || c.plan->equalize.empty() || c.repairs.chosen.equalize) return {};
  QAT_ASSIGN_OR_RETURN(const std::optional<ChannelReach> reach, ReachOnData(c));
  QAT_RETURN_IF_ERROR_IN(StrCat(c.plan_source, ": equalize"),
                         EqualizeNamed(c.plan->equalize, c.graph(), reach ? &*reach : nullptr));
  c.equalized = c.plan->equalize;
  NoteRepair(kEqualizePlanRepair, c);
  return {};
}

Status TakePlannedRanges(Conversion& c) {
  if (c.plan && !c.type.is_real()) TakeRangesFirst(*c.plan, c.graph());
  return {};
}

Status KeepInFloat(Conversion& c) {
  QAT_ASSIGN_OR_RETURN(c.kept_float, KeepFloatAsAsked(c));
  return {};
}

Status WidenLayers(Conversion& c) {
  QAT_ASSIGN_OR_RETURN(Int16Layers layers, KeepInt16AsAsked(c));
  c.int16 = std::move(layers.named);
  c.options.int16_nodes = std::move(layers.nodes);
  return {};
}

/// A plan may say otherwise of single filters.
Status ShareFullyConnectedScales(Conversion& c) {
  const std::string& scales = c.request.fully_connected_scales;
  if (scales == "channel") return {};
  if (scales != "tensor")
    return InvalidArgument(
        StrCat("`fully_connected_scales`: value '", scales, "', expected channel or tensor"));
  if (c.type.is_real())
    return InvalidArgument(
        "`fully_connected_scales`: chooses scales of integers, and a model of real numbers has none of "
        "filters; "
        "expected `type` int8, int16x8 or w4a8");
  for (const GraphNode& node : c.graph().nodes) {
    if (node.type != OpType::kFullyConnected) continue;
    const int32_t filter = node.inputs[static_cast<size_t>(node.definition().filter_input)];
    if (c.graph().tensor(filter).is_constant())
      c.options.filters[c.graph().tensor(filter).name].granularity = Granularity::kTensor;
  }
  return {};
}

/// Before ranges are found, which takes time.
Status CheckTwins(Conversion& c) {
  if (!c.twins) return {};
  QAT_RETURN_IF_ERROR_IN("`twins`", ExpectTwins(c.graph()));
  return {};
}

Expected<QuantizationPlan> PlanAsAsked(Conversion& c, std::vector<std::string>& warnings) {
  QAT_ASSIGN_OR_RETURN(QuantizationPlan plan, PlanQuantization(c.graph(), c.options, warnings));
  if (c.twins) QAT_RETURN_IF_ERROR_IN("`twins`", MatchTwinScales(c.graph(), plan, warnings));
  return plan;
}

std::string TrialText(const RepairTrial& trial) {
  return StrCat(trial.name, " ", Significant(trial.error), trial.kept ? ", kept" : ", left out");
}

/// Says what each choice costs on examples held out.
void SayTrials(const std::vector<RepairTrial>& tried, std::string_view of, Conversion& c) {
  std::vector<std::string> trials;
  for (const RepairTrial& trial : tried) {
    trials.push_back(TrialText(trial));
    c.metrics[StrCat("held_out_error_", trial.name)] = trial.error;
  }
  c.Note(StrCat(of, " by their error on examples held out: ", Join(trials, "; ")));
}

Status ChooseRanges(Conversion& c) {
  if (!c.chooses_observer) return {};
  const RepairTask task = {*c.data, c.calibration, c.options, c.plan ? &*c.plan : nullptr};
  QAT_ASSIGN_OR_RETURN_IN(c.source, const ChosenObserver chosen,
                          ChooseObserver(c.graph(), task, Begin("choose observer", c)));
  Done(c);
  c.calibration.observers.usual = chosen.observer;
  SayTrials(chosen.trials, "observers", c);
  return {};
}

Status Choose(Conversion& c) {
  if (!c.repairs.automatic) return {};
  const RepairTask task = {*c.data, c.calibration, c.options, c.plan ? &*c.plan : nullptr};
  QAT_ASSIGN_OR_RETURN_IN(c.source, const ChosenRepairs chosen,
                          ChooseRepairs(c.graph(), task, Begin("choose repairs", c)));
  Done(c);
  c.repairs.chosen = chosen.repairs;
  SayTrials(chosen.trials, "repairs", c);
  return {};
}

Status Equalize(Conversion& c) {
  if (!c.repairs.chosen.equalize) return {};
  const bool by_plan = !c.equalized.empty();
  c.equalized.clear();
  QAT_ASSIGN_OR_RETURN(const std::optional<ChannelReach> reach, ReachOnData(c));
  const ChannelReach* const known = reach ? &*reach : nullptr;
  for (const EqualizablePair& pair : EqualizablePairs(c.graph(), known)) c.equalized.push_back(pair.first);
  const std::vector<std::string> pairs = EqualizeFilters(c.graph(), nullptr, known);
  if (!pairs.empty() && !by_plan) NoteRepair(kEqualizeRepair, c);
  c.Note(pairs.empty() ? "equalize: no two layers with filters follow each other in a way that allows it; "
                         "nothing was changed"
                       : StrCat("equalized, channel by channel: ", JoinSome(pairs, 6)));
  return {};
}

Status FindRanges(Conversion& c) {
  if (!c.data) return {};
  QAT_ASSIGN_OR_RETURN(const auto types, OutputTypesAsAsked(c.request, c.graph()));
  c.calibration.float_outputs.clear();
  for (const auto& type : types) c.calibration.float_outputs.push_back(type == DType::kFloat32);
  c.calibration.int16_nodes = c.options.int16_nodes;
  QAT_RETURN_IF_ERROR_IN(c.source,
                         Calibrate(*c.data, c.calibration, Begin("calibrate", c), c.graph(), c.warnings));
  Done(c);
  c.graph().provenance[kCalibrationLimitKey] = std::to_string(c.request.calibration_limit);
  return {};
}

Status TakePlan(Conversion& c) {
  if (!c.plan) return {};
  QAT_RETURN_IF_ERROR_IN(c.plan_source, TakeChoices(*c.plan, c.graph(), c.options));
  c.graph().provenance[kPlanKey] = c.plan_sha256;
  return {};
}

/// Warnings are those of the plan that is applied.
Status RepairRounding(const FilterRepairs& repairs, std::string_view name, Conversion& c) {
  std::vector<std::string> none;
  QAT_ASSIGN_OR_RETURN_IN(c.source, const QuantizationPlan plan, PlanAsAsked(c, none));
  if (!c.real_filters) c.real_filters = c.graph();
  QAT_ASSIGN_OR_RETURN_IN(
      c.source, const RepairedFilters result,
      RepairFilters(repairs, plan, *c.data, nullptr, Begin(name, c), *c.real_filters, c.graph()));
  Done(c);
  std::string text = StrCat(name, ": ", result.repaired.empty() ? "no layer" : JoinSome(result.repaired, 6));
  if (repairs.adaround && result.error_before > 0)
    text += StrCat("; the error of their sums fell to ",
                   static_cast<int>(100 * result.error_after / result.error_before + 0.5),
                   " % of that of nearest integers");
  if (!result.repaired.empty()) NoteRepair(name, c);
  if (!result.left.empty()) text += StrCat("; left as they are: ", JoinSome(result.left, 6));
  c.Note(text);
  return {};
}

Status RoundByData(Conversion& c) {
  return c.repairs.chosen.adaround ? RepairRounding({.adaround = true}, kAdaRoundRepair, c) : Status();
}

Status CorrectBias(Conversion& c) {
  return c.repairs.chosen.bias ? RepairRounding({.correct_bias = true}, kBiasRepair, c) : Status();
}

/// Decides and applies; the plan is written in between.
Status Quantize(Conversion& c) {
  if (c.options.is_real()) {
    if (c.hooks.write_plan)
      return InvalidArgument(StrCat(
          "`write_plan`: a model of real numbers has no plan, expected one of `type` ", IntegerNames()));
    QAT_RETURN_IF_ERROR_IN(c.source, ChooseQuantization(c.graph(), c.options, c.warnings));
    return {};
  }
  QAT_ASSIGN_OR_RETURN_IN(c.source, const QuantizationPlan plan, PlanAsAsked(c, c.warnings));
  if (c.hooks.write_plan) {
    QAT_RETURN_IF_ERROR(c.hooks.write_plan(PlanText(plan, c.graph(), {c.kept_float, c.int16, c.equalized})));
    if (c.repairs.chosen.adaround || c.repairs.chosen.bias)
      c.Note(
          "the plan holds ranges and types, not how adaround rounded filters or what bias moved; give "
          "`calibrate` and `repair` with `plan` again");
  }
  ApplyPlan(plan, c.graph(), c.warnings);
  if (!c.twins) return {};
  c.graph().provenance[kTwinsKey] = kTwinTypes;
  c.twin = UInt8TwinOf(c.graph());
  return {};
}

Status Store(Conversion& c) {
  StoreWeights(c.type.weights, c.graph(), c.warnings);
  return {};
}

Status SetInput(Conversion& c) {
  QAT_RETURN_IF_ERROR(SetInputAsAsked(c.request, c.graph()));
  return c.twin ? SetInputAsAsked(c.request, *c.twin) : Status();
}

Status SetOutput(Conversion& c) {
  QAT_RETURN_IF_ERROR(SetOutputAsAsked(c.request, c.graph()));
  return c.twin ? SetOutputAsAsked(c.request, *c.twin) : Status();
}

Status SetLayout(Conversion& c) {
  QAT_RETURN_IF_ERROR(SetLayoutAsAsked(c, c.graph()));
  return c.twin ? SetLayoutAsAsked(c, *c.twin) : Status();
}

Status ExpectNames(const std::vector<std::string>& skipped) {
  std::vector<std::string> names;
  for (const ConversionPass& pass : ConversionPasses()) names.emplace_back(pass.name);
  for (const std::string& name : skipped) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return InvalidArgument(
          StrCat("`skip_pass`: ", UnknownName("pass", name, names), "; `list_passes` prints them all"));
    if (name == "quantize")
      return InvalidArgument("`skip_pass`: nothing can be written without 'quantize', expected another pass");
  }
  return {};
}

}  // namespace

const std::vector<ConversionPass>& ConversionPasses() {
  static const std::vector<ConversionPass> kPasses = {
      {"append", "adds what `append` names after the last layer", Append},
      {"input-normalization",
       "an input of reals: what the network does to it first, by constants, becomes mean and std of the "
       "contract",
       NormalizeInput},
      {"equalize-plan", "equalizes the layers that `plan` names", EqualizeByPlan},
      {"plan-ranges", "gives activations the ranges of `plan`, for what the next passes put between them",
       TakePlannedRanges},
      {"keep-float",
       "puts layers without an integer kernel, and those named, between dequantize and quantize",
       KeepInFloat},
      {"keep-int16",
       "puts layers that `int16` and the plan name between nodes that change the number of bits",
       WidenLayers},
      {"fully-connected-scales", "gives filters of fully connected layers one scale, where asked for",
       ShareFullyConnectedScales},
      {"check-twins", "`twins`: refuses what cannot be equal for uint8 and int8", CheckTwins},
      {"choose-observer", "`observer` auto: tries each observer on examples held out", ChooseRanges},
      {"choose-repairs", "`repair` auto: tries each repair on examples held out", Choose},
      {"equalize",
       "cross-layer equalization: filters that follow each other reach equally far in each channel",
       Equalize},
      {"calibrate", "finds ranges of activations in data", FindRanges},
      {"limit-masks", "masks of scores before a softmax become no larger than they must be", Limit},
      {"take-plan",
       "takes ranges and types of filters from `plan`, and refuses names that the network does not have",
       TakePlan},
      {"adaround", "rounds filters up or down by what the sums of their layer lose", RoundByData},
      {"bias", "moves biases by what rounding the filter moves the mean of each channel", CorrectBias},
      {"quantize", "decides for every tensor and makes integers of it; `twins`: of both types", Quantize},
      {"store-weights", "filters of a float model in half, a quarter or an eighth of their size", Store},
      {"input-type", "gives inputs the types asked for", SetInput},
      {"output-type", "gives outputs the types asked for", SetOutput},
      {"input-layout", "turns inputs and outputs to have the channels first, where asked for", SetLayout},
  };
  return kPasses;
}

std::string ListOfPasses() {
  constexpr size_t kColumn = 24;
  std::string text;
  for (const ConversionPass& pass : ConversionPasses())
    text += StrCat(pass.name, std::string(kColumn - pass.name.size(), ' '), pass.summary, "\n");
  return text;
}

Status RunPasses(Conversion& conversion) {
  const std::vector<std::string>& skipped = conversion.request.skipped_passes;
  QAT_RETURN_IF_ERROR(ExpectNames(skipped));
  QAT_RETURN_IF_ERROR(Record(conversion));
  for (const ConversionPass& pass : ConversionPasses()) {
    if (std::find(skipped.begin(), skipped.end(), pass.name) != skipped.end()) continue;
    QAT_RETURN_IF_ERROR(pass.run(conversion));
    QAT_RETURN_IF_ERROR_IN(StrCat(conversion.source, ": after the pass ", pass.name),
                           Verify(conversion.graph()));
    if (conversion.twin)
      QAT_RETURN_IF_ERROR_IN(StrCat(conversion.source, ": the twin after the pass ", pass.name),
                             Verify(*conversion.twin));
  }
  return {};
}

}  // namespace qat
