// Layers and images in the document: where two ways part, and what quantization costs.
#include "report/json_values.h"

namespace qat {

Json ToJson(const std::optional<Histogram>& histogram) {
  if (!histogram) return {};
  return {{"low", histogram->low}, {"high", histogram->high}, {"counts", histogram->counts}};
}

void ReadHistogram(const Json& json, const char* key, std::optional<Histogram>& out) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return;
  out.emplace();
  ReadField(*found, "low", out->low);
  ReadField(*found, "high", out->high);
  ReadField(*found, "counts", out->counts);
}

Json ToJson(const std::optional<FilterResolution>& filter) {
  if (!filter) return {};
  return {{"channels", filter->channels},
          {"coarse_channels", filter->coarse_channels},
          {"least_steps", filter->least_steps}};
}

void ReadFilter(const Json& json, std::optional<FilterResolution>& out) {
  const auto found = json.find("filter");
  if (found == json.end() || found->is_null()) return;
  out.emplace();
  ReadField(*found, "channels", out->channels);
  ReadField(*found, "coarse_channels", out->coarse_channels);
  ReadField(*found, "least_steps", out->least_steps);
}

Json ToJson(const LayerDifference& difference) {
  return {{"layer", difference.layer},         {"op", difference.op},
          {"index", difference.index},         {"example", difference.example},
          {"differing", difference.differing}, {"values", difference.values},
          {"steps", difference.steps},         {"grids", Text(difference.grids)}};
}

void Read(const Json& json, LayerDifference& out) {
  ReadField(json, "layer", out.layer);
  ReadField(json, "op", out.op);
  ReadField(json, "index", out.index);
  ReadField(json, "example", out.example);
  ReadField(json, "differing", out.differing);
  ReadField(json, "values", out.values);
  ReadField(json, "steps", out.steps);
  ReadField(json, "grids", out.grids);
}

Json ToJson(const FlippedImage& flipped) {
  return {{"a", flipped.a},
          {"b", flipped.b},
          {"example", flipped.example},
          {"label", flipped.label},
          {"answer_a", flipped.answer_a},
          {"answer_b", flipped.answer_b},
          {"confidence_a", Number(flipped.confidence_a)},
          {"confidence_b", Number(flipped.confidence_b)},
          {"picture", flipped.picture.empty() ? Json() : Json(flipped.picture)},
          {"values", flipped.values.empty() ? Json() : Json(flipped.values)}};
}

void Read(const Json& json, FlippedImage& out) {
  ReadField(json, "a", out.a);
  ReadField(json, "b", out.b);
  ReadField(json, "example", out.example);
  ReadField(json, "label", out.label);
  ReadField(json, "answer_a", out.answer_a);
  ReadField(json, "answer_b", out.answer_b);
  ReadField(json, "confidence_a", out.confidence_a);
  ReadField(json, "confidence_b", out.confidence_b);
  ReadField(json, "picture", out.picture);
  ReadField(json, "values", out.values);
}

Json ToJson(const LayerError& error) {
  return {{"model", error.model},
          {"reference", error.reference},
          {"layer", error.layer},
          {"op", error.op},
          {"index", error.index},
          {"images", error.images},
          {"sqnr_db", Number(error.sqnr_db)},
          {"own_sqnr_db", Number(error.own_sqnr_db)},
          {"scale", error.scale},
          {"max_steps", error.max_steps},
          {"range_used", error.range_used},
          {"clipped", error.clipped},
          {"histogram", ToJson(error.histogram)},
          {"filter", ToJson(error.filter)}};
}

void Read(const Json& json, LayerError& out) {
  ReadField(json, "model", out.model);
  ReadField(json, "reference", out.reference);
  ReadField(json, "layer", out.layer);
  ReadField(json, "op", out.op);
  ReadField(json, "index", out.index);
  ReadField(json, "images", out.images);
  ReadField(json, "sqnr_db", out.sqnr_db);
  ReadField(json, "own_sqnr_db", out.own_sqnr_db);
  ReadField(json, "scale", out.scale);
  ReadField(json, "max_steps", out.max_steps);
  ReadField(json, "range_used", out.range_used);
  ReadField(json, "clipped", out.clipped);
  ReadHistogram(json, "histogram", out.histogram);
  ReadFilter(json, out.filter);
}

}  // namespace qat
