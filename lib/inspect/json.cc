#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "inspect/print.h"

namespace qat {
namespace {

using Json = nlohmann::ordered_json;

// Names that are not UTF-8 lose the bytes that are not.
std::string Dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json Text(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json ToJson(const InspectedTensor& tensor) {
  Json json = {{"name", tensor.name},
               {"type", tensor.type},
               {"shape", tensor.shape},
               {"open", tensor.open},
               {"constant", tensor.constant},
               {"bytes", tensor.bytes},
               {"scale", tensor.scale},
               {"zero_point", tensor.zero_point},
               {"quantized_dimension", tensor.scale.size() > 1 ? Json(tensor.dimension) : Json()}};
  json["range"] = tensor.range ? Json::array({tensor.range->min, tensor.range->max}) : Json();
  const std::vector<float> values = RealValues(tensor);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  json["min"] = values.empty() ? Json() : Json(*low);
  json["max"] = values.empty() ? Json() : Json(*high);
  json["sha256"] = tensor.constant ? Json(Sha256(tensor.data)) : Json();
  return json;
}

Json ToJson(const InspectedOperator& each) {
  return {{"name", each.name},
          {"version", each.version == 0 ? Json() : Json(each.version)},
          {"layer", Text(each.layer)},
          {"known", each.known},
          {"attributes", Text(each.attributes)},
          {"inputs", each.inputs},
          {"outputs", each.outputs},
          {"multiply_accumulates", each.multiply_accumulates ? Json(*each.multiply_accumulates) : Json()}};
}

}  // namespace

std::string InspectionJson(const Inspection& inspection) {
  const InspectionTotals totals = TotalsOf(inspection);
  Json json = {{"schema", "qat-inspect/1"},
               {"path", inspection.path},
               {"kind", inspection.kind},
               {"bytes", inspection.file_bytes},
               {"sha256", inspection.sha256},
               {"made_by", Text(inspection.made_by)},
               {"totals",
                {{"operators", inspection.operators.size()},
                 {"operator_kinds", totals.operators},
                 {"multiply_accumulates", totals.multiply_accumulates},
                 {"tensors", inspection.tensors.size()},
                 {"constants", totals.constants},
                 {"constant_bytes", totals.constant_bytes},
                 {"parameters", totals.parameters}}},
               {"inputs", inspection.inputs},
               {"outputs", inspection.outputs}};
  json["operators"] = Json::array();
  for (const InspectedOperator& each : inspection.operators) json["operators"].push_back(ToJson(each));
  json["tensors"] = Json::array();
  for (const InspectedTensor& tensor : inspection.tensors) json["tensors"].push_back(ToJson(tensor));
  json["contract"] = inspection.contract;
  json["labels"] = inspection.labels;
  json["facts"] = Json::object();
  for (const auto& [key, value] : inspection.facts) json["facts"][key] = value;
  json["metadata"] = Json::array();
  for (const auto& [name, content] : inspection.metadata)
    json["metadata"].push_back({{"name", name}, {"content", content}});
  json["provenance"] = inspection.provenance;
  json["unsupported"] = Text(inspection.unsupported);
  return Dump(json);
}

std::string DifferencesJson(const Inspection& a, const Inspection& b,
                            const std::vector<Difference>& differences) {
  Json json = {
      {"schema", "qat-inspect-diff/1"}, {"a", a.path}, {"b", b.path}, {"equal", differences.empty()}};
  json["differences"] = Json::array();
  for (const Difference& each : differences)
    json["differences"].push_back(
        {{"where", each.where}, {"field", each.field}, {"a", each.a}, {"b", each.b}});
  return Dump(json);
}

}  // namespace qat
