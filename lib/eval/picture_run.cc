#include "eval/picture_run.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/ending.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/strings.h"
#include "data/dataset.h"
#include "data/picture_values.h"
#include "data/readers.h"
#include "data/test_split.h"
#include "model/model_contract.h"
#include "runtime/model_predictor.h"

namespace qat {
namespace {

std::string NameOf(size_t label, std::span<const std::string> labels) {
  return label < labels.size() ? labels[label] : "";
}

std::vector<double> Softmax(std::span<const float> scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  std::vector<double> values;
  for (const float score : scores) values.push_back(std::exp(score - largest));
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  for (double& value : values) value /= sum;
  return values;
}

void DescribeModel(const Predictor& predictor, const Model& file, Report& report) {
  ModelResult model;
  model.name = predictor.name();
  model.kind = predictor.kind();
  model.type = predictor.type();
  model.path = file.source();
  model.bytes = static_cast<int64_t>(file.file_bytes().size());
  model.sha256 = Sha256(file.file_bytes());
  report.models.push_back(std::move(model));
  report.class_names = predictor.contract().labels();
}

/// An example and what it is called.
struct Named {
  std::string name;
  Bytes values;
};

// Every example of an array, or row of a table.
Expected<std::vector<Named>> ReadArray(const std::string& file, const Contract& contract,
                                       std::vector<std::string>& notes) {
  OpenOptions options;
  SetInputs(contract, options);
  options.unlabelled = options.whole = true;
  QAT_ASSIGN_OR_RETURN(const Dataset dataset,
                       IsCsvFile(file) ? OpenRows(file, options) : OpenDataset(file, Split::kTest, options));
  for (const std::string& note : dataset.notes) {
    if (note != kWholeNote) notes.push_back(StrCat(file, ": ", note));
  }
  QAT_RETURN_IF_ERROR(CheckInputs(dataset, contract, "the model"));
  std::vector<Named> examples;
  for (int64_t i = 0; i < dataset.size(); ++i) {
    const auto values = dataset.Image(i);
    examples.push_back({StrCat(file, "[", i, "]"), Bytes(values.begin(), values.end())});
  }
  return examples;
}

bool IsArray(const std::string& file) {
  return HasEnding(file, ".npy") || HasEnding(file, ".npz") || IsCsvFile(file);
}

Expected<std::vector<Named>> ReadExamples(const std::string& file, const Contract& contract,
                                          std::vector<std::string>& notes) {
  if (IsArray(file)) return ReadArray(file, contract, notes);
  if (contract.inputs.size() > 1) {
    return InvalidArgument(StrCat(file, ": is one file, the model takes ", contract.inputs.size(),
                                  " inputs, expected an .npz with an array for each: ", Describe(contract)));
  }
  const InputContract& input = contract.input();
  QAT_ASSIGN_OR_RETURN(PictureValues picture,
                       ReadPictureValues(file, {input.height, input.width, input.channels, input.fit,
                                                input.values, input.white}));
  return std::vector<Named>{{file, std::move(picture.values)}};
}

// What the network gives, in the units of its targets. Those without a name are numbered.
std::vector<NamedNumber> NumbersOf(const Predictions& predictions, const OutputContract& output) {
  std::vector<float> values = predictions.scores;
  RestoreTargets(output, values);
  std::vector<NamedNumber> numbers;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool only = values.size() == 1 && !output.name.empty();
    numbers.push_back({i < output.labels.size() ? output.labels[i]
                       : only                   ? output.name
                                                : std::to_string(i),
                       double{values[i]}});
  }
  return numbers;
}

// Networks of other frameworks have the channels first; their input reads as an image of three rows.
Status CheckChannels(const InputContract& contract) {
  if (contract.channels == 1 || contract.channels == 3) return {};
  const std::string shape = ToString(Shape{1, contract.height, contract.width, contract.channels});
  const bool rows_are_channels = contract.height == 1 || contract.height == 3;
  if (rows_are_channels && contract.width > 3 && contract.channels > 3) {
    return Unsupported(StrCat("its input ", shape,
                              " has the channels first (NCHW), expected [1, height, width, "
                              "1 or 3] for pictures; arrays of that shape can be given as `input`"));
  }
  return Unsupported(StrCat("its input ", shape, " has ", contract.channels,
                            " channels, expected 1 (grey) or 3 (colour) for pictures"));
}

// One sentence on all files that failed, in the class of the first.
Error Failed(const std::vector<Error>& errors, size_t files) {
  if (errors.size() == 1) return errors.front();
  std::vector<std::string> messages;
  for (const Error& error : errors) messages.push_back(error.message);
  return {errors.front().code,
          StrCat(errors.size(), " of ", files, " pictures cannot be used: ", Join(messages, "; "))};
}

}  // namespace

std::vector<Guess> BestGuesses(const Predictions& predictions, bool are_probabilities, Task task, int32_t k,
                               std::span<const std::string> labels) {
  if (task == Task::kYesNo && predictions.scores.size() == 1) {
    // Both classes, by the probability of yes.
    const double yes = are_probabilities ? double{predictions.scores[0]}
                                         : 1 / (1 + std::exp(-double{predictions.scores[0]}));
    std::vector<Guess> guesses = {{1, NameOf(1, labels), yes}, {0, NameOf(0, labels), 1 - yes}};
    if (!IsYes(predictions.scores[0], are_probabilities)) std::swap(guesses[0], guesses[1]);
    guesses.resize(std::min<size_t>(guesses.size(), static_cast<size_t>(k)));
    return guesses;
  }
  if (predictions.scores.empty()) {
    const auto label = static_cast<size_t>(predictions.labels.at(0));
    return {{predictions.labels[0], NameOf(label, labels), {}}};
  }
  const std::span<const float> scores(predictions.scores);
  std::vector<double> sigmoids;
  for (const float score : scores) sigmoids.push_back(1 / (1 + std::exp(-double{score})));
  const std::vector<double> probabilities = task == Task::kMultiLabel && !are_probabilities ? sigmoids
                                            : are_probabilities
                                                ? std::vector<double>(scores.begin(), scores.end())
                                                : Softmax(scores);
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), static_cast<size_t>(k)));
  std::vector<Guess> guesses;
  for (const size_t label : order) {
    guesses.push_back({static_cast<int32_t>(label), NameOf(label, labels), probabilities[label]});
  }
  return guesses;
}

Status RunPictures(const PictureRunRequest& request, const RowRequest& rows, const WorkHooks& hooks,
                   Report& report) {
  if (request.topk < 1)
    return InvalidArgument(StrCat("`topk`: value ", request.topk, ", expected at least 1"));
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, OpenOnlyModel(rows, report.warnings));
  QAT_ASSIGN_OR_RETURN(const Contract contract, ContractOfRow(*model, rows, report.warnings));
  if (contract.inputs.size() == 1 && !std::all_of(request.files.begin(), request.files.end(), IsArray))
    QAT_RETURN_IF_ERROR_IN(model->source(), CheckChannels(contract.input()));
  const char* kind = rows.models.empty() ? "graph" : "tflite";
  QAT_ASSIGN_OR_RETURN(const auto predictor,
                       MakeModelPredictor(model, model->source(), kind, rows.interpreter, &contract));
  DescribeModel(*predictor, *model, report);
  const bool are_probabilities = EndsInProbabilities(*model);
  const Task task = contract.outputs.empty() ? Task::kUnknown : contract.outputs.front().task;
  if (task == Task::kReconstruction) {
    return Unsupported(StrCat(
        model->source(),
        ": gives its input back, expected classes or numbers; running it on tensors gives what it makes "
        "of them"));
  }
  if (contract.outputs.size() > 1) {
    report.data_notes.push_back(StrCat("of ", contract.outputs.size(), " outputs, '",
                                       contract.outputs.front().name,
                                       "' is shown; running the model on tensors gives all"));
  }
  std::vector<Error> errors;
  for (const std::string& file : request.files) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    const auto examples = ReadExamples(file, contract, report.data_notes);
    if (!examples.ok()) {
      errors.push_back(examples.error());
      continue;
    }
    for (const Named& each : *examples) {
      QAT_RETURN_IF_ERROR(hooks.Poll());
      QAT_ASSIGN_OR_RETURN_IN(each.name, const Predictions predictions, predictor->Predict(each.values, 1));
      if (task == Task::kNumbers) {
        report.pictures.push_back({each.name, {}, NumbersOf(predictions, contract.outputs.front())});
        continue;
      }
      if (predictions.labels.size() != 1) {
        return Unsupported(StrCat(
            model->source(), ": gives ", predictions.labels.size(),
            " answers per image, expected one to classify a picture; running it on tensors gives them all"));
      }
      report.pictures.push_back(
          {each.name, BestGuesses(predictions, are_probabilities, task, request.topk, contract.labels())});
    }
  }
  return errors.empty() ? Status() : Failed(errors, request.files.size());
}

}  // namespace qat
