#include "model_type.h"

#include "base/strings.h"
#include "cli/number_pair.h"

namespace qat {
namespace {

/// What both are made of: filters of one scale, around 0.
constexpr std::string_view kTwinsType = "int8-per-tensor";

/// Two halves given by flags of their own, as one.
Expected<std::string> JoinHalves(const std::string& whole, const std::string& first,
                                 const std::string& second, std::string_view names) {
  if (first.empty() && second.empty()) return whole;
  if (first.empty() || second.empty() || !whole.empty()) {
    return InvalidArgument(StrCat("expected both or neither of ", names));
  }
  return StrCat(first, ",", second);
}

}  // namespace

Expected<std::optional<ModelType>> ParseType(const ConvertFlags& flags,
                                             const std::optional<PlanChoices>& plan) {
  std::string type = LowerCase(flags.type);
  if (!flags.twins.empty()) {
    const ModelType twins = {*IntegersFromName(kTwinsType)};
    if (plan && plan->precisions != twins.precisions)
      return InvalidArgument(StrCat("--twins: the plan ", flags.plan, " is for ", NameOf(plan->precisions),
                                    ", expected one for ", kTwinsType));
    if (type.empty() || type == kTwinsType) return std::optional(twins);
    return InvalidArgument(StrCat("--type: value '", flags.type,
                                  "', but both models of --twins have the filters of ", kTwinsType,
                                  "; leave --type out"));
  }
  if (plan) {
    const std::string_view planned = NameOf(plan->precisions);
    if (type.empty() || type == planned || type == StrCat("quantized_", planned))
      return std::optional(ModelType{plan->precisions});
    return InvalidArgument(StrCat("--type: value '", flags.type, "', but the plan ", flags.plan, " is for ",
                                  planned, "; leave --type out, or write a plan for it"));
  }
  if (type.empty()) return std::optional<ModelType>();
  // The classic converter's names.
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  if (const std::optional<ModelType> known = ModelTypeFromName(type)) return known;
  return InvalidArgument(StrCat("--type: value '", flags.type, "', expected ", IntegerNames(),
                                ", float32, float16, dynamic or dynamic4"));
}

ModelType TypeOf(const ConvertFlags& flags, const ReadNetworkResult& network) {
  const bool has_ranges =
      !flags.default_range.empty() || !flags.range_min.empty() || !flags.calibrate.empty();
  const Precisions trained = PrecisionsFromName(network.graph.scheme).value_or(Precisions());
  if (!trained.is_real()) return {trained};
  return has_ranges ? ModelType{PrecisionsOf(Scheme::kUInt8)} : ModelType{trained, network.weights};
}

Expected<QuantizationOptions> ParseQuantization(const ConvertFlags& flags) {
  QuantizationOptions options;
  QAT_ASSIGN_OR_RETURN(const std::string stats, JoinHalves(flags.input_stats, flags.mean, flags.std,
                                                           "--mean-values and --std-dev-values"));
  if (!stats.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ParseStats("--input-stats", stats));
    options.input = InputStatsParams(pair[0], pair[1]);
  }
  QAT_ASSIGN_OR_RETURN(const std::string range,
                       JoinHalves(flags.default_range, flags.range_min, flags.range_max,
                                  "--default-ranges-min and --default-ranges-max"));
  if (!range.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ParsePair("--default-range", "MIN,MAX as in 0,6", range));
    if (!(pair[0] < pair[1])) {
      return InvalidArgument(
          StrCat("--default-range: ", pair[0], " to ", pair[1], ", expected MIN below MAX"));
    }
    options.default_range = Range{static_cast<float>(pair[0]), static_cast<float>(pair[1])};
  }
  return options;
}

}  // namespace qat
