#include "train/outcome.h"

#include <memory>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "report/answer_facts.h"
#include "train/evaluate.h"
#include "train/network.h"

namespace qat {
namespace {

// One checkpoint on the examples.
struct Judged {
  int64_t step = 0;
  Evaluation evaluation;
  std::vector<std::string> warnings;
};

// The step of each target, or one for all.
std::vector<double> StepsOf(const Contract& contract, double output_scale) {
  std::vector<double> steps;
  if (!contract.outputs.empty()) {
    for (const float std : contract.outputs.front().std) steps.push_back(output_scale * std);
  }
  return steps.empty() ? std::vector<double>{output_scale} : steps;
}

Expected<Judged> Judge(const std::string& path, const Dataset& data, std::span<const int32_t> examples,
                       const std::string& where) {
  QAT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ReadCheckpoint(path));
  QAT_ASSIGN_OR_RETURN(const std::unique_ptr<Network> network, Network::FromCheckpoint(checkpoint));
  const auto quantized = checkpoint.metrics.find("fake_quantize");
  Answers answers;
  Judged judged;
  judged.step = checkpoint.step;
  QAT_ASSIGN_OR_RETURN(judged.evaluation,
                       Evaluate(*network, checkpoint.contract, data, examples,
                                quantized != checkpoint.metrics.end() && quantized->second != 0, &answers));
  judged.warnings = answers.numbers ? Warnings(*answers.numbers, StepsOf(checkpoint.contract, network->OutputScale()), where)
                                    : Warnings(answers.classes, data.class_names, std::ssize(examples), where);
  return judged;
}

}  // namespace

Expected<std::vector<std::string>> JudgeOutcome(const std::string& run, const Dataset& data,
                                                std::span<const int32_t> examples, const std::string& where) {
  QAT_ASSIGN_OR_RETURN(const std::string best_path, ResolveCheckpoint(run, ""));
  QAT_ASSIGN_OR_RETURN(const std::string last_path, ResolveCheckpoint(run, "last"));
  QAT_ASSIGN_OR_RETURN(Judged best, Judge(best_path, data, examples, where));
  if (last_path == best_path || !best.warnings.empty()) return std::move(best.warnings);
  QAT_ASSIGN_OR_RETURN(const Judged last, Judge(last_path, data, examples, where));
  for (const std::string& warning : last.warnings) {
    best.warnings.push_back(StrCat("the run ended worse than it was, at step ", last.step, ": ", warning,
                                   "; the checkpoint of step ", best.step, " does not have this fault and is taken by default"));
  }
  return std::move(best.warnings);
}

}  // namespace qat
