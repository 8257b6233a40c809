#include "train/outcome.h"

#include <memory>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "ir/output_source.h"
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

// The step of each target of an output, or one for all.
std::vector<double> StepsOf(const Contract& contract, size_t index, double output_scale) {
  std::vector<double> steps;
  if (index < contract.outputs.size()) {
    for (const float std : contract.outputs[index].std) steps.push_back(output_scale * std);
  }
  return steps.empty() ? std::vector<double>{output_scale} : steps;
}

bool IsNormalized(const Contract& contract, size_t index) {
  return index < contract.outputs.size() && !contract.outputs[index].mean.empty();
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
  for (size_t i = 0; i < data.output_count(); ++i) {
    const Answers& own = i == 0 ? answers : answers.others[i - 1];
    const OutputLabels& labels = data.output_labels(i);
    const std::vector<double> steps = StepsOf(checkpoint.contract, i, network->OutputScale(i));
    const bool normalized = IsNormalized(checkpoint.contract, i);
    const NumbersLearned learned = {steps, normalized, labels.class_names,
                                    !normalized && !GivesAnyNumber(checkpoint.network, i)};
    for (const std::string& warning :
         own.numbers ? Warnings(*own.numbers, learned, where)
                     : Warnings(own.classes, labels.class_names, std::ssize(examples), where)) {
      judged.warnings.push_back(labels.output.empty() ? warning
                                                      : StrCat("output '", labels.output, "': ", warning));
    }
  }
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
                                   "; the checkpoint of step ", best.step,
                                   " does not have this fault and is taken by default"));
  }
  return std::move(best.warnings);
}

}  // namespace qat
