#include "debug/suggest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>

#include "base/printable.h"
#include "base/strings.h"
#include "data/sample.h"
#include "debug/plan_edits.h"

namespace qat {
namespace {

constexpr size_t kLayersAtOnce = 3;
constexpr double kWorthIt = 0.3;  // decibels of the answers; less is noise of rounding
constexpr double kClearly = 6;    // decibels: half the error
// standard errors: one loss in forty is further above what was measured
constexpr double kDoubts = 2;
constexpr int64_t kExamplesToRank = 100;  // between edits; the diagnosis has ranked on all
constexpr int kTimedRounds = 50;

struct Outcome {
  double loss = 0;
  double doubt = 0;  ///< standard error of `loss`
  std::optional<double> sqnr_db;
  int64_t bytes = 0;
};

/// Whether answers came nearer to those of the float network.
bool IsBetter(const Outcome& now, const Outcome& before) {
  if (!now.sqnr_db || !before.sqnr_db) return now.loss < before.loss || (!now.sqnr_db && before.sqnr_db);
  return *now.sqnr_db > *before.sqnr_db + kWorthIt;
}

bool IsBest(const Outcome& a, const Outcome& b) {
  if (a.sqnr_db && b.sqnr_db && *a.sqnr_db != *b.sqnr_db) return *a.sqnr_db > *b.sqnr_db;
  return a.loss < b.loss;
}

/// Of points of accuracy that differ by chance of the examples: answers that became right or wrong count. 0
/// where nobody says what is right.
double DoubtOf(const Quality& reference, const Quality& other, const std::vector<int32_t>& labels) {
  const std::vector<int32_t>&a = reference.predictions.labels, &b = other.predictions.labels;
  if (reference.of_numbers || labels.empty() || a.size() != labels.size() || b.size() != labels.size())
    return 0;
  double changed = 0;
  for (size_t i = 0; i < labels.size(); ++i) changed += (a[i] == labels[i]) != (b[i] == labels[i]);
  return 100 * std::sqrt(changed) / static_cast<double>(labels.size());
}

/// Whether the answers of `a` have at most half the error of those of `b`.
bool IsClearlyNearer(const Outcome& a, const Outcome& b) {
  return a.sqnr_db && b.sqnr_db && *a.sqnr_db >= *b.sqnr_db + kClearly;
}

class Search {
 public:
  Search(const Graph& network, const OwnIntegers& own, const PlanChoices& choices, const Diagnosis& diagnosis,
         const DebugData& data, double max_loss, const WorkHooks& hooks)
      : network_(network),
        own_(own),
        initial_(choices),
        diagnosis_(diagnosis),
        data_(data),
        max_loss_(max_loss),
        hooks_(hooks),
        few_(data.selection),
        finder_(network, own, data.calibration, hooks) {
    Keep(SampleOf(data.selection, kExamplesToRank, 1), few_);
    if (data.selection.size() <= kExamplesToRank) few_ = data.selection;
  }

  Expected<Suggestion> Run() {
    PlanChoices choices = initial_;
    QAT_ASSIGN_OR_RETURN(Outcome outcome, Try(choices));
    out_.loss_before = outcome.loss;
    out_.bytes_before = outcome.bytes;
    std::vector<LayerDiagnosis> layers = diagnosis_.layers;
    const size_t most_edits = 2 * layers.size() + 2;
    while (outcome.loss > max_loss_ && taken_.size() < most_edits) {
      QAT_ASSIGN_OR_RETURN(const bool found, TakeNext(layers, choices, outcome));
      if (!found) break;
      if (outcome.loss <= max_loss_) break;
      QAT_ASSIGN_OR_RETURN(layers, RankAgain(choices));
    }
    QAT_RETURN_IF_ERROR(MakeSure(std::move(layers), most_edits, choices, outcome));
    if (outcome.loss <= max_loss_) QAT_RETURN_IF_ERROR(DropNeedless(choices, outcome));
    out_.met = outcome.loss <= max_loss_;
    out_.loss_after = outcome.loss;
    out_.bytes_after = outcome.bytes;
    for (const PossibleEdit& each : taken_) out_.edits.push_back(each.edit);
    hooks_.Progress("edits tried", out_.tried, out_.tried);
    QAT_RETURN_IF_ERROR(WritePlan(choices));
    out_.choices = std::move(choices);
    return std::move(out_);
  }

 private:
  Expected<Outcome> Try(const PlanChoices& choices) {
    QAT_RETURN_IF_ERROR(hooks_.Poll());
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Converted converted, Convert(network_, choices, none, own_));
    QAT_ASSIGN_OR_RETURN(const auto predictor, PredictorOf(converted, "edited"));
    QAT_ASSIGN_OR_RETURN(const Quality quality, MeasureQuality(*predictor, data_.selection, hooks_.Quiet()));
    ++out_.tried;
    hooks_.Progress("edits tried", out_.tried, out_.tried + 1);
    return Outcome{LossOf(diagnosis_.reference, quality),
                   DoubtOf(diagnosis_.reference, quality, data_.selection.labels),
                   OutputSqnr(diagnosis_.reference, quality), std::ssize(converted.model)};
  }

  bool IsSure(const Outcome& outcome) const { return outcome.loss + kDoubts * outcome.doubt <= max_loss_; }

  /// The edits that the most harmful layers which still have some offer.
  Expected<std::vector<PossibleEdit>> Candidates(const std::vector<LayerDiagnosis>& layers,
                                                 const PlanChoices& choices) {
    std::vector<PossibleEdit> candidates;
    size_t looked_at = 0;
    for (const size_t place : RankLayers(layers)) {
      const LayerDiagnosis& layer = layers[place];
      if (exhausted_.contains(layer.layer.name)) continue;
      if (looked_at++ == kLayersAtOnce && !candidates.empty()) break;
      QAT_ASSIGN_OR_RETURN(const std::vector<PossibleEdit> own, finder_.Find(layer, choices));
      if (own.empty()) exhausted_.insert(layer.layer.name);
      candidates.insert(candidates.end(), own.begin(), own.end());
    }
    return candidates;
  }

  /// A limit that is met within chance only: edits that cost nothing and halve the error, at least, are taken
  /// all the same.
  Status MakeSure(std::vector<LayerDiagnosis> layers, size_t most_edits, PlanChoices& choices,
                  Outcome& outcome) {
    while (outcome.loss <= max_loss_ && !IsSure(outcome) && taken_.size() < most_edits) {
      QAT_ASSIGN_OR_RETURN(const std::vector<PossibleEdit> candidates, Candidates(layers, choices));
      const PossibleEdit* best = nullptr;
      Outcome best_outcome;
      for (const PossibleEdit& each : candidates) {
        if (each.price != EditPrice::kNothing) continue;
        PlanChoices edited = choices;
        each.apply(edited);
        const auto tried = Try(edited);
        if (!tried.ok() && tried.error().code == ErrorCode::kInterrupted) return tried.error();
        if (!tried.ok() || tried->loss > max_loss_ || !IsClearlyNearer(*tried, outcome)) continue;
        if (best == nullptr || IsBest(*tried, best_outcome)) best = &each, best_outcome = *tried;
      }
      if (best == nullptr) return {};
      best->apply(choices);
      outcome = best_outcome;
      taken_.push_back(*best);
      QAT_ASSIGN_OR_RETURN(layers, RankAgain(choices));
    }
    return {};
  }

  /// One more edit. False: none makes anything better.
  Expected<bool> TakeNext(const std::vector<LayerDiagnosis>& layers, PlanChoices& choices, Outcome& outcome) {
    QAT_ASSIGN_OR_RETURN(const std::vector<PossibleEdit> candidates, Candidates(layers, choices));
    const PossibleEdit* best = nullptr;
    Outcome best_outcome;
    for (const EditPrice price :
         {EditPrice::kNothing, EditPrice::kScales, EditPrice::kBits, EditPrice::kInt16, EditPrice::kFloat}) {
      const PossibleEdit* meets = nullptr;
      Outcome meets_outcome;
      for (const PossibleEdit& each : candidates) {
        if (each.price != price) continue;
        PlanChoices edited = choices;
        each.apply(edited);
        const auto tried = Try(edited);
        if (!tried.ok() && tried.error().code == ErrorCode::kInterrupted) return tried.error();
        if (!tried.ok()) continue;  // what cannot be converted is no repair
        const bool cheaper = meets == nullptr || tried->bytes < meets_outcome.bytes ||
                             (tried->bytes == meets_outcome.bytes && IsBest(*tried, meets_outcome));
        if (tried->loss <= max_loss_ && cheaper) meets = &each, meets_outcome = *tried;
        // Of a dearer kind only where no cheaper one helps.
        const bool better = IsBetter(*tried, outcome) &&
                            (best == nullptr || (best->price == price && IsBest(*tried, best_outcome)));
        if (better) best = &each, best_outcome = *tried;
      }
      if (meets == nullptr) continue;
      best = meets, best_outcome = meets_outcome;
      break;
    }
    if (best == nullptr) {
      for (const PossibleEdit& each : candidates) exhausted_.insert(each.edit.layer);
      return !candidates.empty() && exhausted_.size() < layers.size();
    }
    best->apply(choices);
    outcome = best_outcome;
    taken_.push_back(*best);
    return true;
  }

  Expected<std::vector<LayerDiagnosis>> RankAgain(const PlanChoices& choices) {
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Converted converted, Convert(network_, choices, none, own_));
    QAT_ASSIGN_OR_RETURN(const auto real, PredictorOf(converted.real, "float"));
    const WorkHooks quiet = hooks_.Quiet();
    QAT_ASSIGN_OR_RETURN(const Quality reference, MeasureQuality(*real, few_, quiet));
    return MeasureAlone(converted, reference, few_, quiet);
  }

  /// An edit that a later one has made needless is dropped.
  Status DropNeedless(PlanChoices& choices, Outcome& outcome) {
    for (size_t i = taken_.size(); i-- > 0 && taken_.size() > 1;) {
      PlanChoices fewer = initial_;
      for (size_t k = 0; k < taken_.size(); ++k) {
        if (k != i) taken_[k].apply(fewer);
      }
      const auto tried = Try(fewer);
      if (!tried.ok() && tried.error().code == ErrorCode::kInterrupted) return tried.error();
      if (!tried.ok() || tried->loss > max_loss_) continue;
      if (!IsSure(*tried) && (IsSure(outcome) || IsClearlyNearer(outcome, *tried))) continue;
      taken_.erase(taken_.begin() + static_cast<std::ptrdiff_t>(i));
      choices = std::move(fewer);
      outcome = *tried;
    }
    return {};
  }

  Status WritePlan(const PlanChoices& choices) {
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Converted converted, Convert(network_, choices, none, own_));
    std::string head;
    for (const PossibleEdit& each : taken_) head += StrCat("# Edited: ", Printable(each.edit.text), "\n");
    out_.plan = head + PlanText(converted.plan, converted.real,
                                {choices.keep_float, choices.int16, choices.equalize});
    QAT_ASSIGN_OR_RETURN(const PlanChoices read, ReadPlan(out_.plan, "the plan suggested"));
    QAT_ASSIGN_OR_RETURN(const Converted again, Convert(network_, read, none, own_));
    if (again.model != converted.model)
      return Internal("the plan suggested does not make the model that was measured");
    return MeasureTimes(converted);
  }

  /// In turns, so that a change of the clock rate meets both.
  Status MeasureTimes(const Converted& after) {
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Converted before, Convert(network_, initial_, none, own_));
    QAT_ASSIGN_OR_RETURN(const auto a, PredictorOf(before, "before"));
    QAT_ASSIGN_OR_RETURN(const auto b, PredictorOf(after, "after"));
    std::vector<double> times[2];
    Bytes example(static_cast<size_t>(data_.selection.ImageSize()));
    for (int i = 0; i < kTimedRounds; ++i) {
      const std::vector<int32_t> one = {static_cast<int32_t>(i % data_.selection.size())};
      QAT_RETURN_IF_ERROR(data_.selection.Read(one, example));
      for (Predictor* each : {a.get(), b.get()}) {
        QAT_RETURN_IF_ERROR(each->Load(example));
        const auto begin = std::chrono::steady_clock::now();
        QAT_RETURN_IF_ERROR(each->Invoke());
        const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
        times[each == b.get()].push_back(took.count());
      }
    }
    for (std::vector<double>& each : times)
      std::nth_element(each.begin(), each.begin() + kTimedRounds / 2, each.end());
    out_.time_us_before = times[0][kTimedRounds / 2];
    out_.time_us_after = times[1][kTimedRounds / 2];
    return {};
  }

  const Graph& network_;
  const OwnIntegers& own_;
  const PlanChoices& initial_;
  const Diagnosis& diagnosis_;
  const DebugData& data_;
  const double max_loss_;
  const WorkHooks& hooks_;
  Dataset few_;
  Suggestion out_;
  std::vector<PossibleEdit> taken_;
  std::set<std::string> exhausted_;  // layers for which nothing helps
  EditFinder finder_;
};

}  // namespace

Expected<Suggestion> Suggest(const Graph& network, const PlanChoices& choices, const Diagnosis& diagnosis,
                             const DebugData& data, double max_loss, const WorkHooks& hooks,
                             const OwnIntegers& own) {
  return Search(network, own, choices, diagnosis, data, max_loss, hooks).Run();
}

}  // namespace qat
