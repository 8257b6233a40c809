#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"

namespace qat {
namespace {

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kSuffix = ".ckpt";

std::string StepPath(const std::string& run, int64_t step, std::string_view suffix) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%010lld", static_cast<long long>(step));
  return JoinPath(JoinPath(run, kFolder), StrCat(digits, suffix));
}

/// The number that is the whole of `text`; negative if it is none.
int64_t ParseStep(std::string_view text) {
  int64_t step = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  return error == std::errc() && end == text.data() + text.size() ? step : -1;
}

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

/// How good a checkpoint is, as far as it was measured.
struct Merit {
  bool quantized = false;  ///< one from before the delay was judged without fake quantization: never before others
  double value = -std::numeric_limits<double>::infinity();  ///< accuracy; of real numbers, the loss with its sign changed
  double loss = std::numeric_limits<double>::infinity();  ///< decides between equals
  bool measured() const { return value != Merit().value; }
};

std::optional<double> MetricOf(const Checkpoint& checkpoint, const std::string& name) {
  const auto found = checkpoint.metrics.find(name);
  return found == checkpoint.metrics.end() ? std::nullopt : std::optional(found->second);
}

Merit MeritOn(const Checkpoint& checkpoint, const std::string& split) {
  Merit merit;
  merit.quantized = MetricOf(checkpoint, "fake_quantize").value_or(1) != 0;
  const auto accuracy = MetricOf(checkpoint, split + "_accuracy"), loss = MetricOf(checkpoint, split + "_loss");
  if (loss) merit.loss = *loss;
  if (accuracy) {
    merit.value = *accuracy;
  } else if (loss) {
    merit.value = -*loss;
  }
  return merit;
}

/// "98.50 %, loss 0.042", or "an RMSE of 0.25".
std::string MeritText(const Checkpoint& checkpoint, const std::string& split) {
  char text[48];
  if (const auto accuracy = MetricOf(checkpoint, split + "_accuracy")) {
    const auto loss = MetricOf(checkpoint, split + "_loss");
    if (!loss) std::snprintf(text, sizeof(text), "%.2f %%", *accuracy);
    if (loss) std::snprintf(text, sizeof(text), "%.2f %%, loss %.3g", *accuracy, *loss);
  } else {
    std::snprintf(text, sizeof(text), "an RMSE of %.4g", std::sqrt(MetricOf(checkpoint, split + "_loss").value_or(0)));
  }
  return text;
}

struct BestCheckpoint {
  int64_t step = 0;
  Merit merit;
  std::string text;       ///< of its merit
  std::string last_text;  ///< of the last one's
};

/// The first of the best, measured on `split`; the last where none was measured.
Expected<BestCheckpoint> FindBest(const std::string& run, const std::vector<int64_t>& steps,
                                  const std::string& split) {
  BestCheckpoint best{steps.back(), {}, {}, {}};
  for (const int64_t step : steps) {
    auto checkpoint = ReadCheckpoint(CheckpointPath(run, step));
    if (!checkpoint.ok()) {
      Error error = std::move(checkpoint).error();
      error.message += ", so it cannot be compared with the others; `select` last or a step needs no comparing";
      return error;
    }
    const Merit merit = MeritOn(*checkpoint, split);
    best.last_text = "not measured";
    if (!merit.measured()) continue;
    best.last_text = StrCat(MeritText(*checkpoint, split), merit.quantized ? "" : ", without fake quantization");
    const auto rank = [](const Merit& m) { return std::tuple(m.quantized, m.value, -m.loss); };
    if (best.merit.measured() && rank(merit) <= rank(best.merit)) continue;
    best.step = step;
    best.merit = merit;
    best.text = MeritText(*checkpoint, split);
  }
  return best;
}

Expected<ChosenCheckpoint> ChooseBest(const std::string& run, const std::vector<int64_t>& steps,
                                      bool held_out_only) {
  const int64_t last = steps.back();
  if (steps.size() == 1) return ChosenCheckpoint{CheckpointPath(run, last), {}};
  for (const std::string split : {"holdout", "test"}) {
    if (held_out_only && split == "test") break;
    QAT_ASSIGN_OR_RETURN(const BestCheckpoint best, FindBest(run, steps, split));
    if (!best.merit.measured()) continue;
    ChosenCheckpoint chosen{CheckpointPath(run, best.step), {}};
    if (best.step != last) {
      chosen.note = StrCat(run, ": takes the checkpoint of step ", best.step, ", the best on the ", split,
                           split == "test" ? " set" : "", " (", best.text, "), not the last, of step ", last,
                           " (", best.last_text, "); `select` last takes that one");
    }
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
  if (select == "best" || select.empty()) return ChooseBest(run_or_file, steps, select.empty());
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
