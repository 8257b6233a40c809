// messages.h: what qat-train shows: the bar, warnings, the lines at the end, and the report.
#ifndef QAT_TOOLS_QAT_TRAIN_MESSAGES_H_
#define QAT_TOOLS_QAT_TRAIN_MESSAGES_H_

#include <optional>
#include <string>

#include "cli/tool.h"
#include "data/dataset.h"
#include "flags.h"
#include "ir/graph.h"
#include "spec/train_config.h"
#include "train/trainer.h"

namespace qat {

/// The bar, made when the trainer says how many steps there are.
class TrainDisplay {
 public:
  explicit TrainDisplay(Progress::Style style) : style_(style) {}
  void Show(const TrainProgress& at);
  void Finish();

 private:
  Progress::Style style_;
  std::optional<Progress> progress_;
};

/// A network whose last layer has more outputs than the data have classes, unless a flag says so; else empty.
std::string SpareOutputs(const Graph& network, int32_t asked, const Dataset& data);

/// Metrics and outputs of a finished run on `data`.
void FillReport(const TrainResult& result, const TrainFlags& flags, const Dataset& data, Report& report);

/// A word on a holdout that is too small to choose a checkpoint by; else, or without one, empty.
/// `of_the_data`: it is their own.
std::string FewHeldOut(int64_t held_out, bool of_the_data);

/// What evaluations during training were made on.
struct Watched {
  int64_t held_out = 0;  ///< examples; 0: the test set was watched
  int64_t test = 0;
};

/// The lines at the end: steps, accuracy, checkpoint, scheme, and the next command.
std::string Summary(const TrainResult& result, const TrainConfig& config, const Watched& watched,
                    const Dataset& data, const TrainFlags& flags);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_MESSAGES_H_
