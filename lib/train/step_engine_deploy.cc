// What is evaluated, saved and restored: batch norms and ranges as they are deployed, and the engine's state.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/strings.h"
#include "train/run_store.h"
#include "train/step_engine.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

constexpr int64_t kRangeBatches = 32;  // that ranges of averaged weights are estimated from
// Examples that the statistics of batch norms are taken from; they are compared on a quarter as many. Where a
// channel has one value per example, chance alone makes a gap of sqrt(1.5 / 1024 + 1.5 / 256) = 0.09; less
// where it has many.
constexpr int64_t kStatisticsExamples = 1024;
// Batches of either, at most, and at most half as many as there are steps between two evaluations.
constexpr int64_t kStatisticsBatches = 128;

std::string BatchesName(const NamedStatistics& norm) { return StrCat("batch_norm/", norm.name, "/batches"); }
std::string GapName(const NamedStatistics& norm) { return StrCat("batch_norm/", norm.name, "/gap"); }

}  // namespace

Expected<Network*> StepEngine::Deploy(DataFeed& feed, int64_t steps) {
  ReturnStatistics();
  if (average_) {
    QAT_RETURN_IF_ERROR(DeployAverage(feed, steps));
  } else if (steps <= schedule_.freeze_batch_norm_at) {
    for (const Parameter& each : parameters_) {
      if (!each.IsTrained()) learned_[each.name] = each.value.clone();
    }
    if (learned_.empty()) return network_.get();
    for (const NamedObserver& each : observers_) learned_ranges_.push_back(each.observer->state());
    QAT_RETURN_IF_ERROR(EstimateStatistics(*network_, feed, steps));
    QAT_RETURN_IF_ERROR(ObserveFilters(feed, steps));
  }
  return &Deployed();
}

Status StepEngine::FreezeStatistics(DataFeed& feed, int64_t steps) {
  ReturnStatistics();
  QAT_RETURN_IF_ERROR(EstimateStatistics(*network_, feed, steps));
  if (workers_ != nullptr) Broadcast();
  return {};
}

// Filters that are folded with other statistics have other ranges; the ranges of activations stay as they
// were learned.
Status StepEngine::ObserveFilters(DataFeed& feed, int64_t steps) {
  if (config_.scheme == "float32" || steps > schedule_.freeze_ranges_at) return {};
  const at::NoGradGuard no_gradients;
  QAT_ASSIGN_OR_RETURN(const Batch batch, feed.Read(std::max<int64_t>(steps - 1, 0)));
  network_->Forward(batch.inputs, {.observe = true, .fake_quantize = Quantizing(steps - 1)});
  for (size_t i = 0; i < observers_.size(); ++i) {
    if (!observers_[i].name.ends_with("/filter")) observers_[i].observer->set_state(learned_ranges_[i]);
  }
  return {};
}

RangeObserver::State StepEngine::LearnedRange(size_t observer) const {
  return learned_ranges_.empty() ? observers_[observer].observer->state() : learned_ranges_[observer];
}

// Training goes on with the averages and ranges that it has learned.
void StepEngine::ReturnStatistics() {
  for (const Parameter& each : parameters_) {
    if (const auto found = learned_.find(each.name); found != learned_.end()) each.value.copy_(found->second);
  }
  for (size_t i = 0; i < learned_ranges_.size(); ++i) observers_[i].observer->set_state(learned_ranges_[i]);
  learned_.clear();
  learned_ranges_.clear();
}

Status StepEngine::DeployAverage(DataFeed& feed, int64_t steps) {
  const at::NoGradGuard no_gradients;
  const bool learning = steps <= schedule_.freeze_batch_norm_at;
  std::vector<Parameter> parameters = averaged_->parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<float>& values = average_->values()[i];
    std::copy(values.begin(), values.end(), parameters[i].value.data_ptr<float>());
    // Constants that the weights have learned with are no matter of averages, nor are ends of ranges, which
    // start as 0. What is held is no average.
    const bool held = parameters[i].IsTrained() && !parameters[i].Learns();
    if (held || parameters[i].is_range() || (!learning && !parameters[i].IsTrained()))
      parameters[i].value.copy_(parameters_[i].value);
  }
  for (const NamedObserver& each : averaged_->observers()) each.observer->set_state({});
  if (learning) QAT_RETURN_IF_ERROR(EstimateStatistics(*averaged_, feed, steps));
  if (config_.scheme == "float32") return {};
  // What covers needs the farthest examples, too: a pass, or as many as batch norms get at most.
  const int64_t most = std::max(kRangeBatches, std::min(schedule_.eval_every / 2, kStatisticsBatches));
  const int64_t taken = ranges_cover_ ? std::clamp(feed.PassSteps(), kRangeBatches, most) : kRangeBatches;
  for (int64_t step = std::max<int64_t>(steps - taken, 0); step < steps; ++step) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, feed.Read(step));
    averaged_->Forward(batch.inputs, {.observe = true, .fake_quantize = Quantizing(steps - 1)});
  }
  return {};
}

// Fresh statistics for all batch norms, from the latest batches, and how far they are from those of the next.
// Before the first step nothing has been learned: what a run started with stays.
Status StepEngine::EstimateStatistics(Network& network, DataFeed& feed, int64_t steps) {
  if (network.batch_norms().empty()) return {};
  // A forward pass is a third of a step: with a quarter more for the comparison, at most a fifth of the time
  // between evaluations.
  const int64_t most = std::clamp<int64_t>(schedule_.eval_every / 2, 8, kStatisticsBatches);
  const int64_t taken = std::clamp<int64_t>(kStatisticsExamples / config_.batch_size, 8, most);
  if (steps > 0) {
    QAT_RETURN_IF_ERROR(NoteStatistics(network, feed, std::max<int64_t>(steps - taken, 0), steps));
    for (const NamedStatistics& each : network.batch_norms()) each.statistics->TakeNoted();
  }
  QAT_RETURN_IF_ERROR(NoteStatistics(network, feed, steps, steps + std::max<int64_t>(taken / 4, 4)));
  for (const NamedStatistics& each : network.batch_norms())
    gaps_[each.name] = each.statistics->Gap(each.epsilon);
  return {};
}

// The statistics of batches [first, end) under the weights as they are.
Status StepEngine::NoteStatistics(Network& network, DataFeed& feed, int64_t first, int64_t end) {
  const at::NoGradGuard no_gradients;
  for (const NamedStatistics& each : network.batch_norms()) each.statistics->StartNoting();
  for (int64_t step = first; step < end; ++step) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, feed.Read(step));
    network.Forward(batch.inputs, {.training = true,
                                   .fake_quantize = Quantizing(end - 1),
                                   .note_statistics = true,
                                   .dropout_key = DropoutKey(step)});
  }
  return {};
}

void StepEngine::Save(Checkpoint& checkpoint) {
  Deployed().Save(checkpoint);
  checkpoint.batch_norm_gaps = gaps_;
  for (size_t i = 0; i < observers_.size(); ++i) {
    const auto range = checkpoint.ranges.find(observers_[i].name);
    RangeObserver learned;
    learned.set_state(LearnedRange(i));
    if (range == checkpoint.ranges.end() || learned.empty()) continue;
    range->second.drift = history_.DriftOf(i, learned.range());
  }
}

void StepEngine::Save(TrainerState& state) const {
  for (const TrainableSpan& each : spans_) {
    state.tensors[StrCat("parameter/", each.name)] = {{static_cast<int32_t>(each.values.size())},
                                                      {each.values.begin(), each.values.end()}};
  }
  for (size_t i = 0; i < observers_.size(); ++i) {
    const RangeObserver::State seen = LearnedRange(i);
    const std::string name = StrCat("observer/", observers_[i].name);
    state.scalars[name + "/min_sum"] = seen.min_sum;
    state.scalars[name + "/max_sum"] = seen.max_sum;
    state.scalars[name + "/weight"] = seen.weight;
  }
  for (const auto& [name, learned] : learned_) {
    state.tensors[StrCat("parameter/", name)].values.assign(SpanOf(learned).begin(), SpanOf(learned).end());
  }
  for (const NamedStatistics& each : network_->batch_norms()) {
    state.scalars[BatchesName(each)] = static_cast<double>(each.statistics->batches());
    if (const auto gap = gaps_.find(each.name); gap != gaps_.end())
      state.scalars[GapName(each)] = gap->second;
  }
  optimizer_->Save(spans_, state);
  history_.Save(state);
  watch_.Save(state);
  if (average_) average_->Save(spans_, state);
}

Status StepEngine::Load(const TrainerState& state) {
  for (TrainableSpan& each : spans_) {
    const auto found = state.tensors.find(StrCat("parameter/", each.name));
    if (found == state.tensors.end() || found->second.values.size() != each.values.size()) {
      return Corrupt(StrCat("tensor 'parameter/", each.name, "' is missing or of the wrong size"));
    }
    std::copy(found->second.values.begin(), found->second.values.end(), each.values.begin());
  }
  for (const NamedObserver& each : observers_) {
    const std::string name = StrCat("observer/", each.name);
    RangeObserver::State seen;
    QAT_ASSIGN_OR_RETURN(seen.min_sum, NumberOf(state, name + "/min_sum"));
    QAT_ASSIGN_OR_RETURN(seen.max_sum, NumberOf(state, name + "/max_sum"));
    QAT_ASSIGN_OR_RETURN(seen.weight, NumberOf(state, name + "/weight"));
    each.observer->set_state(seen);
  }
  for (const NamedStatistics& each : network_->batch_norms()) {
    // A run that was begun before batches were counted is past the beginning, as far as its averages go.
    const auto batches = state.scalars.find(BatchesName(each));
    each.statistics->set_batches(batches == state.scalars.end() ? state.step
                                                                : static_cast<int64_t>(batches->second));
    if (const auto gap = state.scalars.find(GapName(each)); gap != state.scalars.end())
      gaps_[each.name] = gap->second;
  }
  QAT_RETURN_IF_ERROR(optimizer_->Load(spans_, state));
  QAT_RETURN_IF_ERROR(history_.Load(state));
  watch_.Load(state);
  if (average_) QAT_RETURN_IF_ERROR(average_->Load(spans_, state));
  return {};
}

}  // namespace qat
