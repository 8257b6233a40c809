#include "report/headline.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kSameSize = 0.05;  // ratios of sizes this close to 1 are told as equal

// "3.8 ×", "12 ×", "1.05 ×": two digits, or what tells the ratio from 1.
std::string Times(double ratio) {
  return StrCat(Fixed(ratio, ratio >= 9.95 ? 0 : ratio < 1.095 ? 2 : 1), " ×");
}

std::string SignedFixed(double value, int decimals) {
  const std::string text = Fixed(std::abs(value), decimals);
  if (text.find_first_of("123456789") == std::string::npos) return text;
  return StrCat(value < 0 ? "−" : "+", text);
}

std::string SizeClause(const ModelResult& reference, const ModelResult& row) {
  const bool files = reference.kind != "checkpoint" && row.kind == "tflite";
  if (!files || ModelBytes(reference) <= 0 || ModelBytes(row) <= 0) return "";
  const double ratio = static_cast<double>(ModelBytes(reference)) / static_cast<double>(ModelBytes(row));
  if (std::abs(ratio - 1) < kSameSize) return "as large";
  return ratio > 1 ? StrCat(Times(ratio), " smaller") : StrCat(Times(1 / ratio), " larger");
}

// Within what a model differs from itself, or where the interval holds 1, no difference is claimed.
std::string SpeedClause(const Report& report, const PairResult& pair, const ModelResult& reference) {
  if (!pair.speedup || reference.kind == "checkpoint") return "";
  const double ratio = *pair.speedup, noise = report.timing ? report.timing->noise.value_or(0) : 0;
  const auto& interval = pair.speedup_interval;
  const bool same = (interval && interval->low <= 1 && interval->high >= 1) || std::abs(ratio - 1) <= noise;
  const double factor = std::max(ratio, 1 / ratio);
  if (same || Times(factor) == Times(1)) return "as fast";
  return StrCat(Times(factor), ratio > 1 ? " faster" : " slower");
}

// An end of an interval without 0 is never told as 0.
std::string EndText(double end, int decimals) {
  std::string text = SignedFixed(end, decimals);
  for (int more = decimals + 1;
       end != 0 && more <= decimals + 3 && text.find_first_of("123456789") == std::string::npos; ++more)
    text = SignedFixed(end, more);
  return text;
}

// What decides is what is told: the interval, where there is one.
std::string Told(bool resolved, const std::optional<Interval>& interval, int decimals, double p,
                 const Report& report) {
  if (!resolved) return StrCat(", not distinguishable on ", Counted(report.data_examples, report));
  if (!interval) return StrCat(", more than chance (p ", Significant(p), ")");
  return StrCat(", more than chance (95 %: ", EndText(interval->low, decimals), " to ",
                EndText(interval->high, decimals), ")");
}

std::string AccuracyClause(const Report& report, const PairResult& pair) {
  const std::string what = pair.mcnemar_p ? "accuracy " : "accuracy of pixels ";
  if (pair.total_flips == 0) return StrCat(what, "unchanged");
  const double size = std::abs(pair.drop_pt);
  if (size > 0 && size < 0.0005) return StrCat(what, "changed by less than 0.001 points");
  const int decimals = size < 0.005 ? 3 : 2;
  const std::string drop = StrCat(what, SignedFixed(-pair.drop_pt, decimals), " points");
  if (!pair.mcnemar_p) return drop;
  std::optional<Interval> gain;
  if (pair.drop_interval) gain = Interval{-pair.drop_interval->high, -pair.drop_interval->low};
  return StrCat(drop, Told(pair.resolved(), gain, decimals, *pair.mcnemar_p, report));
}

std::string ErrorClause(const Report& report, const ErrorComparison& errors) {
  if (errors.larger + errors.smaller == 0) return "RMSE unchanged";
  const std::string rise =
      errors.rise_pct ? StrCat("RMSE ", SignedFixed(*errors.rise_pct, 1), " %") : std::string("RMSE above 0");
  return StrCat(rise, Told(errors.resolved(), errors.rise_interval, 1, errors.sign_p, report));
}

std::string NameOf(const Report& report, const ModelResult& reference) {
  const std::string shown = ShownName(report, reference);
  const bool is_float_model = reference.kind == "tflite" && reference.type == "float32";
  return is_float_model || shown != reference.name ? "float" : shown;
}

// What the outputs of two ways of running one model have in common.
std::string WitnessClause(const PairResult& pair, const std::string& whose) {
  if (pair.max_abs_error == 0.0) return StrCat("every byte as ", whose);
  if (!pair.max_abs_error && !pair.max_abs_lsb)
    return pair.total_flips == 0 ? StrCat("every answer as ", whose)
                                 : StrCat(Grouped(pair.total_flips), " answers differ from ", whose);
  if (!pair.max_abs_lsb) return StrCat("outputs differ from ", whose);
  return StrCat("outputs differ from ", whose, " by up to ", *pair.max_abs_lsb,
                *pair.max_abs_lsb == 1 ? " step" : " steps");
}

// Of uint8 and int8 models of one network that were made together: their real numbers are equal where their
// bytes are 128 apart.
std::string TwinClause(const PairResult& pair, const ModelResult& reference, const ModelResult& row) {
  const bool twins = row.provenance.contains("twins") && row.provenance == reference.provenance;
  if (!twins || reference.type == row.type) return "";
  return pair.max_abs_error == 0.0 ? "every byte 128 from its twin's" : WitnessClause(pair, "its twin's");
}

// Size and speed, with what they are compared with named once; then the answers.
std::string ComparisonClauses(const Report& report, const ModelResult& reference, const ModelResult& row) {
  const PairResult* pair = PairOf(report, reference.name, row.name);
  std::vector<std::string> clauses = {SizeClause(reference, row)};
  if (pair != nullptr) clauses.push_back(SpeedClause(report, *pair, reference));
  std::erase(clauses, "");
  const std::string name = NameOf(report, reference);
  if (clauses == std::vector<std::string>{"as large", "as fast"}) clauses = {"as large and as fast"};
  if (!clauses.empty()) clauses.back() += StrCat(clauses.back().starts_with("as ") ? " as " : " than ", name);
  if (pair == nullptr) return Join(clauses);
  std::string answers;
  if (pair->errors) answers = ErrorClause(report, *pair->errors);
  if (row.accuracy && reference.accuracy) answers = AccuracyClause(report, *pair);
  if (!answers.empty() && clauses.empty()) answers = StrCat("compared with ", name, ": ", answers);
  if (!answers.empty()) clauses.push_back(answers);
  if (const std::string twin = TwinClause(*pair, reference, row); !twin.empty()) clauses.push_back(twin);
  return Join(clauses);
}

// TFLite is the better witness: it was made by others.
std::string ProofClause(const Report& report, const ModelResult& row) {
  for (const PairResult& pair : report.pairs) {
    const ModelResult* witness = RowNamed(report, pair.b);
    if (pair.a == row.name && witness != nullptr && witness->kind == "litert")
      return WitnessClause(pair, "TFLite's");
  }
  const PairResult* simulated = PairOf(report, "simulated", row.name);
  if (simulated == nullptr || simulated->max_abs_error != 0.0) return "";
  return WitnessClause(*simulated, "in the simulation");
}

std::string SentenceOn(const Report& report, const ModelResult& row) {
  const ModelResult* reference = HeadlineReference(report, row);
  const std::string compared = reference == nullptr ? "" : ComparisonClauses(report, *reference, row);
  const std::string proof = row.kind == "tflite" ? ProofClause(report, row) : "";
  if (compared.empty() && proof.empty()) return "";
  return StrCat(compared, compared.empty() || proof.empty() ? "" : "; ", proof, ".");
}

bool StartsSmall(const std::string& text) { return !text.empty() && text[0] >= 'a' && text[0] <= 'z'; }

}  // namespace

std::vector<std::string> Headlines(const Report& report) {
  const bool models = std::any_of(report.models.begin(), report.models.end(),
                                  [](const ModelResult& row) { return row.kind == "tflite"; });
  std::vector<std::string> names, sentences;
  for (const ModelResult& row : report.models) {
    if (models ? row.kind != "tflite" : row.type != "simulated") continue;
    const std::string sentence = SentenceOn(report, row);
    if (sentence.empty()) continue;
    names.push_back(row.name);
    sentences.push_back(sentence);
  }
  for (size_t i = 0; i < sentences.size(); ++i) {
    if (sentences.size() > 1) {
      sentences[i] = StrCat(names[i], ": ", sentences[i]);
    } else if (StartsSmall(sentences[i])) {
      sentences[i][0] = static_cast<char>(sentences[i][0] - 'a' + 'A');
    }
  }
  return sentences;
}

std::string VerdictText(const Report& report) {
  if (!report.trace.empty()) return TraceVerdict(report.trace);
  const auto count = [&](bool asked, bool pass) {
    return std::count_if(report.gates.begin(), report.gates.end(),
                         [&](const GateResult& gate) { return gate.asked == asked && gate.pass == pass; });
  };
  const auto failed = count(true, false), set = failed + count(true, true), checks = count(false, false);
  std::string text;
  if (failed > 0) text = StrCat(failed, " of ", set, " gates failed");
  if (failed == 0 && set > 0) text = set == 1 ? "the gate passed" : StrCat("all ", set, " gates passed");
  if (checks == 0) return text;
  return StrCat(text, text.empty() ? "" : "; ", checks, checks == 1 ? " check failed" : " checks failed");
}

std::string DataText(const Report& report) { return StrCat(report.data_name, ": ", ExamplesText(report)); }

}  // namespace qat
