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
  Merit last;
};

Expected<Ranking> Rank(const std::string& run, const std::vector<int64_t>& steps, const std::string& split) {
  Ranking ranking;
  for (const int64_t step : steps) {
    auto checkpoint = ReadCheckpoint(CheckpointPath(run, step));
    if (!checkpoint.ok()) {
      Error error = std::move(checkpoint).error();
      error.message += ", so it cannot be compared with the others; `select` last or a step needs no comparing";
      return error;
    }
    ranking.last = MeritOf(checkpoint->metrics, split, step);
    if (RanksBefore(ranking.last, ranking.best)) ranking.best = ranking.last;
  }
  return ranking;
}

std::string NoteOn(const std::string& run, const Merit& taken, const Merit& last, const std::string& split) {
  const std::string_view without = last.measured() && !last.quantized && taken.quantized ? ", without fake quantization" : "";
  return StrCat(run, ": takes the checkpoint of step ", taken.step, ", the best on the ", split,
                split == "test" ? " set" : "", " (", MeritText(taken), "), not the last, of step ", last.step, " (",
                MeritText(last), without, "); `select` last takes that one");
}

/// `asked`: the best, chance or not, where need be on the test set; else what is taken where nobody says which.
Expected<ChosenCheckpoint> ChooseBest(const std::string& run, const std::vector<int64_t>& steps, bool asked) {
  const int64_t last = steps.back();
  if (steps.size() == 1) return ChosenCheckpoint{CheckpointPath(run, last), {}};
  for (const std::string split : {"holdout", "test"}) {
    if (!asked && split == "test") break;
    QAT_ASSIGN_OR_RETURN(const Ranking ranking, Rank(run, steps, split));
    if (!ranking.best.measured()) continue;
    const Merit& taken = asked ? ranking.best : TakenOf(ranking.best, ranking.last);
    ChosenCheckpoint chosen{CheckpointPath(run, taken.step), {}};
    if (taken.step != last) chosen.note = NoteOn(run, taken, ranking.last, split);
    return chosen;
  }
  return ChosenCheckpoint{CheckpointPath(run, last), {}};
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
  if (select == "best" || select.empty()) return ChooseBest(run_or_file, steps, select == "best");
  const int64_t step = ParseStep(select);
  if (step < 0) return InvalidArgument(StrCat("`select`: value '", select, "', expected best, last or a step"));
  if (std::binary_search(steps.begin(), steps.end(), step)) return ChosenCheckpoint{CheckpointPath(run_or_file, step), {}};
  return NotFound(
      StrCat(run_or_file, ": has no checkpoint of step ", step, ", only of ", DescribeSteps(steps)));
}

Expected<std::string> ResolveCheckpoint(const std::string& run_or_file, const std::string& select) {
  QAT_ASSIGN_OR_RETURN(ChosenCheckpoint chosen, ChooseCheckpoint(run_or_file, select));
  return std::move(chosen.path);
}

}  // namespace qat
