#include "eval/predictions_csv.h"

#include <span>

#include "base/printable.h"
#include "base/strings.h"

namespace qat {
namespace {

// A field of a CSV file (RFC 4180).
std::string CsvField(const std::string& raw) {
  const std::string text = Printable(raw);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string LabelsCsv(const Rows& rows, const Dataset& dataset) {
  const int64_t per_image = dataset.LabelsPerImage();
  const bool marks = dataset.task == Task::kMultiLabel;
  std::string csv = marks ? "index,name,label" : per_image == 1 ? "index,label" : "index,row,column,label";
  for (const Row& row : rows.rows) {
    if (row.listed) csv += "," + CsvField(row.result.name);
  }
  csv += "\n";
  for (size_t i = 0; i < dataset.labels.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    csv += std::to_string(dataset.IndexOf(at / per_image));
    if (marks) {
      const auto label = static_cast<size_t>(at % per_image);
      csv += "," + (label < dataset.class_names.size() ? CsvField(dataset.class_names[label])
                                                       : std::to_string(label));
    } else if (per_image > 1) {
      csv += StrCat(",", at % per_image / dataset.label_width, ",", at % dataset.label_width);
    }
    csv += StrCat(",", dataset.labels[i]);
    for (const Row& row : rows.rows) {
      if (row.listed) csv += StrCat(",", row.predictions.labels[i]);
    }
    csv += "\n";
  }
  return csv;
}

std::string NumberHeads(const std::string& name, int32_t targets) {
  if (targets == 1) return "," + CsvField(name);
  std::string heads;
  for (int32_t i = 0; i < targets; ++i) heads += "," + CsvField(StrCat(name, "[", i, "]"));
  return heads;
}

std::string NumberCells(std::span<const float> numbers, size_t image, size_t targets) {
  std::string cells;
  for (const float number : numbers.subspan(image * targets, targets)) cells += StrCat(",", number);
  return cells;
}

std::string NumbersCsv(const Rows& rows, const Dataset& dataset) {
  std::string csv = "index" + NumberHeads("label", dataset.targets);
  for (const Row& row : rows.rows) {
    if (row.listed) csv += NumberHeads(row.result.name, dataset.targets);
  }
  csv += "\n";
  const auto targets = static_cast<size_t>(dataset.targets);
  for (size_t image = 0; image * targets < dataset.numbers.size(); ++image) {
    csv += StrCat(dataset.IndexOf(static_cast<int64_t>(image)), NumberCells(dataset.numbers, image, targets));
    for (const Row& row : rows.rows) {
      if (row.listed) csv += NumberCells(row.numbers, image, targets);
    }
    csv += "\n";
  }
  return csv;
}

// The answers of one row to output `index`, as CSV has them: a class, a mark or a number for each value.
std::vector<std::string> AnswersOf(const Row& row, const OutputLabels& labels, size_t index) {
  const Predictions& predictions = index == 0 ? row.predictions : row.predictions.others[index - 1];
  std::vector<std::string> answers;
  if (!IsOfNumbers(labels.task)) {
    for (const int32_t label : predictions.labels) answers.push_back(std::to_string(label));
    return answers;
  }
  std::vector<float> numbers = predictions.scores;
  const auto& outputs = row.predictor->contract().outputs;
  if (index < outputs.size()) RestoreTargets(outputs[index], numbers);
  for (const float number : numbers) answers.push_back(StrCat(number));
  return answers;
}

// Of several outputs a line for each value: which output, which of its numbers, labels or places.
std::string OutputsCsv(const Rows& rows, const Dataset& dataset) {
  std::string csv = "index,output,value,label";
  for (const Row& row : rows.rows) {
    if (row.listed) csv += "," + CsvField(row.result.name);
  }
  csv += "\n";
  for (size_t i = 0; i < dataset.output_count(); ++i) {
    const OutputLabels& labels = dataset.output_labels(i);
    const bool numbers = IsOfNumbers(labels.task);
    const int64_t width = numbers ? labels.targets : labels.LabelsPerImage();
    std::vector<std::vector<std::string>> answers;
    for (const Row& row : rows.rows) {
      if (row.listed) answers.push_back(AnswersOf(row, labels, i));
    }
    const size_t count = numbers ? labels.numbers.size() : labels.labels.size();
    for (size_t at = 0; at < count; ++at) {
      const int64_t example = static_cast<int64_t>(at) / width;
      csv += StrCat(dataset.IndexOf(example), ",", CsvField(labels.output), ",",
                    static_cast<int64_t>(at) % width, ",");
      csv += numbers ? StrCat(labels.numbers[at]) : std::to_string(labels.labels[at]);
      for (const auto& own : answers) csv += "," + own[at];
      csv += "\n";
    }
  }
  return csv;
}

}  // namespace

std::string PredictionsCsv(const Rows& rows, const Dataset& dataset) {
  if (dataset.output_count() > 1) return OutputsCsv(rows, dataset);
  return IsOfNumbers(dataset.task) ? NumbersCsv(rows, dataset) : LabelsCsv(rows, dataset);
}

}  // namespace qat
