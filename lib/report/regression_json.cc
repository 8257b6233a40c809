// Errors of real numbers as JSON.
#include "report/json_values.h"

namespace qat {
namespace {

Json ToJson(const ErrorStatistics& errors) {
  return {{"rmse", errors.rmse}, {"mae", errors.mae}, {"largest", errors.largest}, {"r2", Number(errors.r2)}};
}

void Read(const Json& json, ErrorStatistics& out) {
  ReadField(json, "rmse", out.rmse);
  ReadField(json, "mae", out.mae);
  ReadField(json, "largest", out.largest);
  ReadField(json, "r2", out.r2);
}

}  // namespace

Json ToJson(const RegressionResult& result) {
  Json json = ToJson(result.all), targets = Json::array();
  for (const ErrorStatistics& target : result.targets) targets.push_back(ToJson(target));
  json["rmse_interval95"] = ToJson(result.rmse_interval);
  json["relative_rmse"] = Number(result.relative_rmse);
  json["relative_rmse_interval95"] = ToJson(result.relative_interval);
  json["targets"] = std::move(targets);
  return json;
}

void Read(const Json& json, RegressionResult& out) {
  Read(json, out.all);
  ReadInterval(json, "rmse_interval95", out.rmse_interval);
  ReadField(json, "relative_rmse", out.relative_rmse);
  ReadInterval(json, "relative_rmse_interval95", out.relative_interval);
  if (const auto found = json.find("targets"); found != json.end()) {
    for (const Json& target : *found) Read(target, out.targets.emplace_back());
  }
}

Json ToJson(const ErrorComparison& errors) {
  return {{"rise_pct", Number(errors.rise_pct)},
          {"rise_interval95", ToJson(errors.rise_interval)},
          {"larger", errors.larger},
          {"smaller", errors.smaller},
          {"sign_p", errors.sign_p},
          {"resolved", errors.resolved()},
          {"rms_difference", errors.rms_difference}};
}

void Read(const Json& json, ErrorComparison& out) {
  ReadField(json, "rise_pct", out.rise_pct);
  ReadInterval(json, "rise_interval95", out.rise_interval);
  ReadField(json, "larger", out.larger);
  ReadField(json, "smaller", out.smaller);
  ReadField(json, "sign_p", out.sign_p);
  ReadField(json, "rms_difference", out.rms_difference);
}

}  // namespace qat
