// preparation.h: a training job in the making (train_job.h): network and data in train_job.cc, the recipe in
// job_recipe.cc.
#ifndef QAT_TRAIN_PREPARATION_H_
#define QAT_TRAIN_PREPARATION_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "spec/auto_network.h"
#include "spec/auto_recipe.h"
#include "spec/network_spec.h"
#include "spec/scaling.h"
#include "train/train_job.h"

namespace qat {

/// The job in the making: steps that each need what the ones before have found.
class Preparation {
 public:
  explicit Preparation(const JobRequest& request) : request_(request) { job_.config = request.config; }

  Status ReadNetwork();
  Status OpenTraining();
  Status ChooseNetworkForData();
  Status FollowClasses();
  Status OpenTest();
  void DecideTask();
  Status AdaptToReals();
  Status CheckChanges();
  Status DescribeNormalization();
  Status DescribeInput(const InputContract& input, size_t index);
  Status CompleteRecipe();
  TrainJob Take() && { return std::move(job_); }

 private:
  bool FitsBudget() const { return request_.fit_budget && job_.config.budget > 0; }
  bool NetworkIsOpen() const { return job_.config.network == kAutoNetwork; }
  ScalingFlags Scaling() const;
  Status Parse(const std::string& text, const std::string& source);
  Status Use(const NetworkSpec& spec);
  Status TakeOver(const Graph& network, const Contract& contract);
  Status FitBudget();
  DataFacts Shapes() const;
  Expected<DataFacts> Facts() const;
  bool TakesRealsOfModel() const;
  std::set<std::string> TakeContractOfInit();
  bool IsDecided(const char* key, const ChannelNumbers& asked) const;
  void NameAllInputs(ChannelNumbers& numbers) const;
  Expected<Dataset> Open(Split split, OpenOptions& options) const;
  void TakeShapes(Dataset& dataset) const;
  Expected<InputRequest> RequestOf(size_t index) const;
  Status AskForInputs();
  Status AskForOutputs();
  Status CheckOutputNames(const char* key, const std::vector<std::string>& names) const;
  void DecideTasks();
  int32_t ClassesToFollow() const;
  Status DecideByInput();
  void TakeNormalizationOfModel(size_t index);
  bool TakesOneImage() const;

  const JobRequest& request_;
  TrainJob job_;
  bool has_network_ = false;
  // of a network that is no file and not of the zoo; its classes are not yet those of the data
  std::string text_;
  std::string source_;
  int32_t classes_ = 0;  // of the data; real numbers as well
  OpenOptions options_;
  std::vector<InputValues> values_;  // as a spec says
};

}  // namespace qat

#endif  // QAT_TRAIN_PREPARATION_H_
