#include "train/run_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/strings.h"
#include "report/class_figures.h"

namespace qat {
namespace {

constexpr double kRise = 1.5;            // times the least loss
constexpr double kLeastRise = 1.0 / 20;  // of the first training loss, or of that of guessing
constexpr double kEpochsOfRise = 2;      // what was seen once is not known by heart
constexpr char kRangeName[] = "watch/range/";

std::string Rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

bool AllAreRight(const RunWatch::Seen& seen) {
  return !seen.several && !seen.counts.empty() &&
         std::all_of(seen.counts.begin(), seen.counts.end(),
                     [](const ClassCount& each) { return each.correct == each.total; });
}

// Of a network that answers each class alike: one that begins trained has a first loss that measures nothing.
// 0: not of classes.
double LossOfGuessing(const RunWatch::Seen& seen) {
  const auto classes = std::count_if(seen.counts.begin(), seen.counts.end(),
                                     [](const ClassCount& each) { return each.total > 0; });
  return seen.several || classes < 2 ? 0 : std::log(static_cast<double>(classes));
}

}  // namespace

RunWatch::RunWatch(const Schedule& schedule, std::string_view where)
    : steps_(schedule.steps),
      quant_delay_(schedule.quant_delay),
      steps_per_epoch_(schedule.steps_per_epoch),
      where_(where == "test" ? "the test set" : "the holdout") {}

void RunWatch::Count(double loss) {
  if (first_loss_ == 0) first_loss_ = loss;
  loss_sum_ += loss;
  loss_count_ += 1;
}

std::vector<std::string> RunWatch::Look(const Seen& seen) {
  const double training_loss = loss_count_ > 0 ? loss_sum_ / loss_count_ : first_loss_;
  loss_sum_ = loss_count_ = 0;
  std::vector<std::string> warnings;
  const auto tell = [&](bool& told, std::string warning) {
    if (told || warning.empty()) return;
    told = true;
    warnings.push_back(std::move(warning));
  };
  const bool dead = !seen.constant.empty();
  tell(told_dead_, DeadLayer(seen));
  const std::string runaway = Runaway(seen);
  if (!dead) {
    tell(told_chance_, AtChance(seen));
    tell(told_runaway_, runaway);
  }
  tell(told_rising_, RisingLoss(seen, training_loss));
  return warnings;
}

std::string RunWatch::DeadLayer(const Seen& seen) {
  const bool dead = !seen.constant.empty();
  const bool again = std::exchange(was_dead_, dead);
  if (!dead || (!again && seen.step < steps_)) return "";
  return StrCat("layer '", seen.constant, "' is dead: after step ", seen.step,
                " its output is the same for all ", seen.examples, " examples of ", where_,
                "; try a smaller `learning_rate`, more `warmup_steps` or another `seed`");
}

std::string RunWatch::AtChance(const Seen& seen) const {
  if (seen.step < (steps_ + 2) / 3 || !IsAtChance(seen.counts, seen.examples)) return "";
  return StrCat(
      "after step ", seen.step, " of ", steps_, " the answers on ", where_, " are ",
      GuessingText(seen.counts), " (", AccuraciesText(seen.counts),
      "); check that labels belong to their examples, or try a `learning_rate` ten times smaller or larger");
}

std::string RunWatch::Runaway(const Seen& seen) {
  const RangeFinding* worst = nullptr;
  std::vector<RangeFinding> found;
  for (const auto& [tensor, range] : seen.ranges) {
    RangeCurve& curve = ranges_[tensor];
    curve.tensor = tensor;
    curve.points.push_back({seen.step, range.min, range.max});
    // One point from before the last quarter stays.
    while (curve.points.size() > 1 && curve.points[1].step <= seen.step - steps_ / 4)
      curve.points.erase(curve.points.begin());
    if (RangeFinding finding = JudgeRange(curve, steps_, quant_delay_); finding.RanAway())
      found.push_back(std::move(finding));
  }
  for (const RangeFinding& each : found) {
    if (worst == nullptr || each.growth > worst->growth) worst = &each;
  }
  if (worst == nullptr) return "";
  const size_t others = found.size() - 1;
  return StrCat("the range of '", worst->tensor, "' runs away: after step ", seen.step, " it is ",
                Rounded(worst->growth),
                " times as wide as a quarter of the run before, so its steps are as much coarser",
                others == 0 ? ""
                            : StrCat(" (and ", others, others == 1 ? " other range is" : " other ranges are",
                                     " more than twice as wide)"),
                "; try a smaller `learning_rate`, or a bounded activation (relu6)");
}

std::string RunWatch::RisingLoss(const Seen& seen, double training_loss) {
  if (least_step_ < 0 || seen.loss <= least_loss_ || seen.quantized != least_quantized_) {
    least_step_ = seen.step;
    least_loss_ = seen.loss;
    least_training_ = training_loss;
    least_quantized_ = seen.quantized;
    was_rising_ = false;
    return "";
  }
  const double whole = std::max(first_loss_, LossOfGuessing(seen));
  // That of a mean, where losses vary by as much as guessing costs.
  const double error = whole / std::sqrt(static_cast<double>(std::max<int64_t>(seen.examples, 1)));
  const double rise = seen.loss - least_loss_;
  const bool rises = seen.loss > kRise * least_loss_ && rise > std::max(kLeastRise * whole, error);
  const int64_t since = seen.step - least_step_;
  const bool seen_again = static_cast<double>(since) >= kEpochsOfRise * steps_per_epoch_;
  const bool again = std::exchange(was_rising_, rises && !AllAreRight(seen));
  if (!was_rising_ || !again || since < steps_ / 4 || !seen_again || training_loss >= least_training_)
    return "";
  return StrCat("the loss on ", where_, " rose from ", Rounded(least_loss_), " at step ", least_step_, " to ",
                Rounded(seen.loss), " at step ", seen.step, " while that of training fell from ",
                Rounded(least_training_), " to ", Rounded(training_loss),
                ": the network learns its examples by heart; try more data, random changes (`flip`, "
                "`shift_pixels`, `noise`), more "
                "`weight_decay`, or stop earlier with `patience`");
}

void RunWatch::Save(TrainerState& state) const {
  const auto put = [&](const char* name, double value) { state.scalars[StrCat("watch/", name)] = value; };
  put("first_loss", first_loss_);
  put("loss_sum", loss_sum_);
  put("loss_count", loss_count_);
  put("was_dead", was_dead_);
  put("was_rising", was_rising_);
  put("least_quantized", least_quantized_);
  put("least_step", static_cast<double>(least_step_));
  put("least_loss", least_loss_);
  put("least_training", least_training_);
  put("told_dead", told_dead_);
  put("told_chance", told_chance_);
  put("told_runaway", told_runaway_);
  put("told_rising", told_rising_);
  for (const auto& [tensor, curve] : ranges_) {
    std::vector<float> ends;
    for (size_t i = 0; i < curve.points.size(); ++i) {
      ends.push_back(static_cast<float>(curve.points[i].min));
      ends.push_back(static_cast<float>(curve.points[i].max));
      // A float holds no step above 2^24.
      state.scalars[StrCat(kRangeName, tensor, "/step/", i)] = static_cast<double>(curve.points[i].step);
    }
    const auto size = static_cast<int32_t>(ends.size());
    state.tensors[StrCat(kRangeName, tensor)] = {{size}, std::move(ends)};
  }
}

void RunWatch::Load(const TrainerState& state) {
  const auto number = [&](const std::string& name, double otherwise = 0) {
    const auto found = state.scalars.find(name);
    return found == state.scalars.end() ? otherwise : found->second;
  };
  first_loss_ = number("watch/first_loss");
  loss_sum_ = number("watch/loss_sum");
  loss_count_ = number("watch/loss_count");
  was_dead_ = number("watch/was_dead") != 0;
  was_rising_ = number("watch/was_rising") != 0;
  least_quantized_ = number("watch/least_quantized") != 0;
  least_step_ = static_cast<int64_t>(number("watch/least_step", -1));
  least_loss_ = number("watch/least_loss");
  least_training_ = number("watch/least_training");
  told_dead_ = number("watch/told_dead") != 0;
  told_chance_ = number("watch/told_chance") != 0;
  told_runaway_ = number("watch/told_runaway") != 0;
  told_rising_ = number("watch/told_rising") != 0;
  for (const auto& [name, ends] : state.tensors) {
    if (!name.starts_with(kRangeName)) continue;
    RangeCurve curve{name.substr(sizeof(kRangeName) - 1), {}};
    for (size_t i = 0; 2 * i + 1 < ends.values.size(); ++i) {
      const auto step = static_cast<int64_t>(number(StrCat(name, "/step/", i)));
      curve.points.push_back({step, ends.values[2 * i], ends.values[2 * i + 1]});
    }
    ranges_[curve.tensor] = std::move(curve);
  }
}

}  // namespace qat
