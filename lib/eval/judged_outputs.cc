#include "eval/judged_outputs.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "model/model_contract.h"

namespace qat {
namespace {

/// A model of others with several outputs.
bool HasUnknownOutputs(const Row& row) {
  const auto& outputs = row.predictor->contract().outputs;
  const bool known = outputs.size() > 1 &&
                     std::any_of(outputs.begin(), outputs.end(),
                                 [](const OutputContract& output) { return output.task != Task::kUnknown; });
  return !known && row.model != nullptr && row.model->outputs().size() > 1;
}

std::vector<std::string> QuotedNames(const std::vector<std::string>& names,
                                     const std::vector<size_t>& places) {
  std::vector<std::string> quoted;
  for (const size_t place : places) quoted.push_back(StrCat("'", names[place], "'"));
  return quoted;
}

class OutputChoice {
 public:
  OutputChoice(const std::string& data, const OpenOptions& options, std::vector<std::string> names,
               Rows& rows)
      : data_(data), options_(options), names_(std::move(names)), rows_(rows) {}

  Expected<Dataset> One(size_t place) {
    Expected<Dataset> named = Open({place});
    if (named.ok()) return Judge({place}, *std::move(named));
    QAT_ASSIGN_OR_RETURN(Dataset plain, OpenDataset(data_, Split::kTest, options_));
    return Judge({place}, std::move(plain));
  }

  Expected<Dataset> ThoseWithLabels() {
    std::vector<size_t> all(names_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    Expected<Dataset> dataset = Open(all);
    if (dataset.ok()) return Judge(all, *std::move(dataset));
    std::vector<size_t> labelled;
    for (const size_t place : all) {
      if (Open({place}).ok()) labelled.push_back(place);
    }
    if (labelled.empty()) {
      Expected<Dataset> plain = OpenDataset(data_, Split::kTest, options_);
      if (!plain.ok()) return WithNames(std::move(plain).error());
      labelled.push_back(0);
      dataset = std::move(plain);
    } else {
      dataset = Open(labelled);
      if (!dataset.ok()) return dataset;
    }
    dataset->notes.push_back(StrCat("the model has ", names_.size(), " outputs, ",
                                    Join(QuotedNames(names_, all)), "; the labels are held against ",
                                    Join(QuotedNames(names_, labelled)),
                                    "; labels called y_NAME belong to the output NAME"));
    return Judge(labelled, *std::move(dataset));
  }

 private:
  /// With labels of these outputs, by their names.
  Expected<Dataset> Open(const std::vector<size_t>& places) const {
    OpenOptions options = options_;
    options.outputs.clear();
    for (const size_t place : places)
      options.outputs.push_back(
          {names_[place], "", places.size() > 1 ? LabelsOf(place) : options.class_names, options.task});
    if (places.size() > 1) {
      options.label_indices = false;
      options.task = Task::kAuto;
    } else {
      options.label = names_[places[0]];
    }
    return OpenDataset(data_, Split::kTest, options);
  }

  std::vector<std::string> LabelsOf(size_t place) const {
    const Contract& contract = rows_.rows.front().predictor->contract();
    return place < contract.outputs.size() ? contract.outputs[place].labels : std::vector<std::string>();
  }

  Expected<Dataset> Judge(const std::vector<size_t>& places, Dataset dataset) {
    for (Row& row : rows_.rows) {
      std::vector<OutputContract> contracts;
      const auto& known = row.predictor->contract().outputs;
      for (size_t i = 0; i < places.size(); ++i) {
        OutputContract contract = places[i] < known.size() ? known[places[i]] : OutputContract();
        contract.name = names_[places[i]];
        contract.task = dataset.output_labels(i).task;
        contracts.push_back(std::move(contract));
      }
      QAT_RETURN_IF_ERROR(row.predictor->ReadOutputs(places, std::move(contracts)));
    }
    return dataset;
  }

  Error WithNames(Error error) const {
    std::vector<std::string> arrays;
    for (const std::string& name : names_) arrays.push_back(StrCat("y_", name));
    error.message +=
        StrCat("; the model has ", names_.size(), " outputs, whose labels would be called ", Join(arrays));
    return error;
  }

  const std::string& data_;
  const OpenOptions& options_;
  std::vector<std::string> names_;
  Rows& rows_;
};

}  // namespace

Status CheckJudge(const std::string& judge, const Rows& rows) {
  if (judge.empty()) return {};
  const Row& first = rows.rows.front();
  if (HasUnknownOutputs(first)) {
    const std::vector<std::string> names = OutputNames(*first.model);
    if (std::find(names.begin(), names.end(), judge) != names.end()) return {};
    return InvalidArgument(StrCat("`judge`: names the output '", judge, "', expected one of ", Join(names)));
  }
  if (first.predictor->contract().outputs.size() > 1)
    return InvalidArgument(StrCat("`judge`: ", first.result.name,
                                  " says what its outputs mean, and all of them are judged; leave it out"));
  return InvalidArgument(
      StrCat("`judge`: ", first.result.name, " has one output, which is judged; leave it out"));
}

Expected<Dataset> OpenJudged(const std::string& data, const OpenOptions& options, const std::string& judge,
                             Rows& rows) {
  const Row& first = rows.rows.front();
  if (!HasUnknownOutputs(first)) return OpenDataset(data, Split::kTest, options);
  const std::vector<std::string> names = OutputNames(*first.model);
  OutputChoice choice(data, options, names, rows);
  if (judge.empty()) return choice.ThoseWithLabels();
  return choice.One(static_cast<size_t>(std::find(names.begin(), names.end(), judge) - names.begin()));
}

}  // namespace qat
