#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/merit.h"

namespace qat {
namespace {

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kSuffix = ".ckpt";

std::string StepPath(const std::string& run, int64_t step, std::string_view suffix) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%010lld", static_cast<long long>(step));
  return JoinPath(JoinPath(run, kFolder), StrCat(digits, suffix));
}

/// Negative if `text` is none.
int64_t ParseStep(std::string_view text) { return ParseNumber<int64_t>(text).value_or(-1); }

/// "100, 200, 300"; the middle left out where there are many.
std::string DescribeSteps(const std::vector<int64_t>& steps) {
  constexpr size_t kShown = 8;
  std::vector<std::string> texts;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps.size() > kShown && i == kShown - 2) {
      texts.push_back("...");
      i = steps.size() - 1;
    }
    texts.push_back(std::to_string(steps[i]));
  }
  return Join(texts);
}

/// "98.50 %, loss 0.042", or "an RMSE of 0.25".
std::string MeritText(const Merit& merit) {
  char text[48];
  if (!merit.measured()) return "not measured";
  if (merit.value == -merit.loss) {
    std::snprintf(text, sizeof(text), "an RMSE of %.4g", std::sqrt(merit.loss));
  } else if (std::isinf(merit.loss)) {
    std::snprintf(text, sizeof(text), "%.2f %%", merit.value);
  } else {
    std::snprintf(text, sizeof(text), "%.2f %%, loss %.3g", merit.value, merit.loss);
  }
  return text;
}

struct Ranking {
  Merit best;  ///< the first of the best; not measured() where none was
  Merit last;  ///< of the last that can be read
  int64_t last_step = -1;
  std::string damage;  ///< what is wrong with the last of those that cannot be read; empty: all can
};

/// `asked`: every checkpoint has to be compared; else those that cannot be read are left out.
Expected<Ranking> Rank(const std::string& run, const std::vector<int64_t>& steps, const std::string& split,
                       bool asked) {
  Ranking ranking;
  for (const int64_t step : steps) {
    auto checkpoint = ReadCheckpoint(CheckpointPath(run, step));
    if (!checkpoint.ok()) {
      Error error = std::move(checkpoint).error();
      if (asked) {
        error.message +=
            ", so it cannot be compared with the others; `select` last or a step needs no comparing";
        return error;
      }
      ranking.damage = error.message;
      continue;
    }
    ranking.last_step = step;
    ranking.last = MeritOf(checkpoint->metrics, split, step);
    if (RanksBefore(ranking.last, ranking.best)) ranking.best = ranking.last;
  }
  if (ranking.last_step < 0)
    return Corrupt(StrCat(run, ": has no checkpoint that can be read: ", ranking.damage));
  return ranking;
}

std::string NoteOn(const std::string& run, const Merit& taken, const Merit& last, const std::string& split) {
  const std::string_view without =
      last.measured() && !last.quantized && taken.quantized ? ", without fake quantization" : "";
  return StrCat(run, ": takes the checkpoint of step ", taken.step, ", the best on the ", split,
                split == "test" ? " set" : "", " (", MeritText(taken), "), not the last, of step ", last.step,
                " (", MeritText(last), without, "); `select` last takes that one");
}

/// The best, chance or not, where need be on the test set.
Expected<ChosenCheckpoint> ChooseBest(const std::string& run, const std::vector<int64_t>& steps) {
  for (const std::string split : {"holdout", "test"}) {
    QAT_ASSIGN_OR_RETURN(const Ranking ranking, Rank(run, steps, split, true));
    if (!ranking.best.measured()) continue;
    ChosenCheckpoint chosen{CheckpointPath(run, ranking.best.step), {}};
    if (ranking.best.step != steps.back()) chosen.note = NoteOn(run, ranking.best, ranking.last, split);
    return chosen;
  }
  return ChosenCheckpoint{CheckpointPath(run, steps.back()), {}};
}

/// What is taken where nobody says which. A damaged checkpoint, as a full disk or a power failure leaves it,
/// is passed over.
Expected<ChosenCheckpoint> ChooseDefault(const std::string& run, const std::vector<int64_t>& steps) {
  const std::string split = "holdout";
  QAT_ASSIGN_OR_RETURN(const Ranking ranking, Rank(run, steps, split, false));
  const Merit& taken = TakenOf(ranking.best, ranking.last);
  const int64_t step = ranking.best.measured() ? taken.step : ranking.last_step;
  ChosenCheckpoint chosen{CheckpointPath(run, step), {}};
  if (step != ranking.last_step) chosen.note = NoteOn(run, taken, ranking.last, split);
  if (ranking.damage.empty()) return chosen;
  chosen.note =
      StrCat(ranking.damage, "; it is left out, ",
             chosen.note.empty() ? StrCat("and the checkpoint of step ", step, " taken") : chosen.note);
  return chosen;
}

}  // namespace

std::string CheckpointPath(const std::string& run, int64_t step) { return StepPath(run, step, kSuffix); }

std::string TrainerStatePath(const std::string& run, int64_t step) { return StepPath(run, step, ".state"); }

Expected<std::vector<int64_t>> ListCheckpoints(const std::string& run) {
  QAT_ASSIGN_OR_RETURN(const auto names, ListDirectory(JoinPath(run, kFolder)));
  std::vector<int64_t> steps;
  for (std::string_view name : names) {
    if (!name.ends_with(kSuffix)) continue;
    const int64_t step = ParseStep(name.substr(0, name.size() - kSuffix.size()));
    if (step >= 0) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Expected<ChosenCheckpoint> ChooseCheckpoint(const std::string& run_or_file, const std::string& select) {
  if (FileExists(run_or_file) && !IsDirectory(run_or_file)) return ChosenCheckpoint{run_or_file, {}};
  if (!IsDirectory(run_or_file))
    return NotFound(StrCat(run_or_file, ": is neither a checkpoint nor a run directory"));
  if (!IsDirectory(JoinPath(run_or_file, kFolder))) {
    return NotFound(
        StrCat(run_or_file, ": is a directory without ", kFolder, "/, expected what qat-train -o made"));
  }
  QAT_ASSIGN_OR_RETURN(const auto steps, ListCheckpoints(run_or_file));
  if (steps.empty()) return NotFound(StrCat(run_or_file, ": has no checkpoint yet"));
  if (select == "last") return ChosenCheckpoint{CheckpointPath(run_or_file, steps.back()), {}};
  if (steps.size() == 1 && (select == "best" || select.empty()))
    return ChosenCheckpoint{CheckpointPath(run_or_file, steps.back()), {}};
  if (select == "best") return ChooseBest(run_or_file, steps);
  if (select.empty()) return ChooseDefault(run_or_file, steps);
  const int64_t step = ParseStep(select);
  if (step < 0)
    return InvalidArgument(StrCat("`select`: value '", select, "', expected best, last or a step"));
  if (std::binary_search(steps.begin(), steps.end(), step))
    return ChosenCheckpoint{CheckpointPath(run_or_file, step), {}};
  return NotFound(
      StrCat(run_or_file, ": has no checkpoint of step ", step, ", only of ", DescribeSteps(steps)));
}

Expected<std::string> ResolveCheckpoint(const std::string& run_or_file, const std::string& select) {
  QAT_ASSIGN_OR_RETURN(ChosenCheckpoint chosen, ChooseCheckpoint(run_or_file, select));
  return std::move(chosen.path);
}

}  // namespace qat
