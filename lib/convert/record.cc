#include "convert/record.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "contract/provenance.h"

namespace qat {
namespace {

using Provenance = std::map<std::string, std::string>;

constexpr std::array kKeys = {
    kTypeKey,          kAppendKey,      kArgMaxTypeKey,       kKeepFloatKey,
    kInt16Key,         kInputTypeKey,   kOutputTypeKey,       kInputLayoutKey,
    kSkippedPassesKey, kInputParamsKey, kDefaultRangeKey,     kObserversKey,
    kRepairsKey,       kTwinsKey,       kCalibrationLimitKey, kFullyConnectedScalesKey};

/// Each text of a request beside its key.
struct Field {
  const char* key;
  std::string ConversionRequest::*text;
};
constexpr std::array kFields = {
    Field{kAppendKey, &ConversionRequest::append},
    Field{kArgMaxTypeKey, &ConversionRequest::argmax_type},
    Field{kKeepFloatKey, &ConversionRequest::keep_float},
    Field{kInt16Key, &ConversionRequest::int16},
    Field{kInputTypeKey, &ConversionRequest::input_type},
    Field{kOutputTypeKey, &ConversionRequest::output_type},
    Field{kInputLayoutKey, &ConversionRequest::input_layout},
    Field{kFullyConnectedScalesKey, &ConversionRequest::fully_connected_scales},
};

std::string ValueOf(const Provenance& provenance, const char* key) {
  const auto found = provenance.find(key);
  return found == provenance.end() ? std::string() : found->second;
}

Error Unknown(const char* key, const std::string& value) {
  return Unsupported(StrCat("it says ", key, "=", value, ", which this version does not know"));
}

/// "0.0078125,128".
Expected<std::array<float, 2>> ReadPair(const char* key, const std::string& text) {
  const std::vector<std::string> pieces = SplitText(text, ',');
  const auto first = ParseNumber<float>(pieces.front()), second = ParseNumber<float>(pieces.back());
  if (pieces.size() != 2 || !first || !second) return Unknown(key, text);
  return std::array{*first, *second};
}

/// As Describe writes them.
Expected<ObserverChoice> ReadObservers(const std::string& text) {
  ObserverChoice choice;
  if (text.empty()) return choice;
  std::string name;
  for (const std::string& piece : SplitText(text, ',')) {
    // A name may hold commas itself.
    name += StrCat(name.empty() ? "" : ",", piece);
    const size_t equals = name.rfind('=');
    const auto observer = ObserverFromName(equals == std::string::npos ? name : name.substr(equals + 1));
    if (!observer) continue;
    if (equals == std::string::npos) {
      choice.usual = *observer;
    } else {
      choice.by_name[name.substr(0, equals)] = *observer;
    }
    name.clear();
  }
  if (!name.empty()) return Unknown(kObserversKey, text);
  return choice;
}

Expected<Repairs> ReadRepairs(const std::string& text) {
  Repairs repairs;
  if (text.empty()) return repairs;
  for (const std::string& name : SplitText(text, ',')) {
    if (name == kEqualizePlanRepair) continue;  // the plan says it
    bool* const repair = name == kEqualizeRepair   ? &repairs.equalize
                         : name == kAdaRoundRepair ? &repairs.adaround
                         : name == kBiasRepair     ? &repairs.bias
                                                   : nullptr;
    if (repair == nullptr) return Unknown(kRepairsKey, text);
    *repair = true;
  }
  return repairs;
}

/// As finding ranges in them notes it.
Status NoteData(const Dataset& data, int64_t limit, Graph& graph) {
  QAT_ASSIGN_OR_RETURN(graph.provenance[kCalibrationKey], Fingerprint(data));
  graph.provenance["calibration_images"] = std::to_string(data.size());
  graph.provenance[kCalibrationLimitKey] = std::to_string(limit);
  return {};
}

}  // namespace

Status Record(Conversion& conversion) {
  Graph& graph = conversion.graph();
  const ConversionRequest usual;
  for (const char* key : kKeys) graph.provenance.erase(key);
  if (NameOf(conversion.type) != graph.scheme) graph.provenance[kTypeKey] = NameOf(conversion.type);
  for (const Field& field : kFields) {
    const std::string& text = conversion.request.*field.text;
    if (text != usual.*field.text) graph.provenance[field.key] = text;
  }
  if (const auto& skipped = conversion.request.skipped_passes; !skipped.empty()) {
    graph.provenance[kSkippedPassesKey] = Join(skipped, ",");
    // Passes that are left make use of them, too.
    if (conversion.data != nullptr)
      QAT_RETURN_IF_ERROR(NoteData(*conversion.data, conversion.request.calibration_limit, graph));
  }
  if (const auto& input = conversion.options.input)
    graph.provenance[kInputParamsKey] = StrCat(input->scale, ",", input->zero_point);
  if (const auto& range = conversion.options.default_range)
    graph.provenance[kDefaultRangeKey] = StrCat(range->min, ",", range->max);
  return {};
}

Expected<RecordedConversion> ReadRecord(const Provenance& provenance, const std::string& scheme) {
  RecordedConversion recorded;
  const std::string named = ValueOf(provenance, kTypeKey);
  const auto type = ModelTypeFromName(named.empty() ? scheme : named);
  if (!type) return Unknown(kTypeKey, named.empty() ? scheme : named);
  recorded.type = *type;
  recorded.twins = provenance.contains(kTwinsKey);
  recorded.options.precisions = type->precisions;
  for (const Field& field : kFields) {
    if (const auto found = provenance.find(field.key); found != provenance.end())
      recorded.request.*field.text = found->second;
  }
  if (const std::string skipped = ValueOf(provenance, kSkippedPassesKey); !skipped.empty())
    recorded.request.skipped_passes = SplitText(skipped, ',');
  if (const std::string text = ValueOf(provenance, kInputParamsKey); !text.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ReadPair(kInputParamsKey, text));
    recorded.options.input = QuantizationParams{pair[0], static_cast<int32_t>(pair[1])};
  }
  if (const std::string text = ValueOf(provenance, kDefaultRangeKey); !text.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ReadPair(kDefaultRangeKey, text));
    recorded.options.default_range = Range{pair[0], pair[1]};
  }
  if (const auto limit = ParseNumber<int64_t>(ValueOf(provenance, kCalibrationLimitKey)))
    recorded.request.calibration_limit = *limit;
  QAT_ASSIGN_OR_RETURN(recorded.observers, ReadObservers(ValueOf(provenance, kObserversKey)));
  QAT_ASSIGN_OR_RETURN(recorded.repairs, ReadRepairs(ValueOf(provenance, kRepairsKey)));
  return recorded;
}

}  // namespace qat
