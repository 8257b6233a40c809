#include "messages.h"

#include <cmath>
#include <cstdio>

#include "base/join_some.h"
#include "base/printable.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/arguments.h"
#include "report/text_format.h"
#include "spec/build_graph.h"

namespace qat {
namespace {

constexpr int64_t kFewHeldOut = 20;  // an accuracy of 90 % on 20 examples has a standard error of 7 points

std::string Percent(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f %%", value);
  return text;
}

// Which targets a scheme is for, and how to get the other.
std::string SchemeText(const std::string& scheme) {
  if (scheme == "uint8") {
    return "uint8: TFLite on phones and servers, the Edge TPU; TFLite Micro, CMSIS-NN and most NPUs need "
           "--scheme int8";
  }
  if (scheme == "int8-per-tensor")
    return "int8-per-tensor: NPUs that take one scale per filter, and qat-convert --twins; others take "
           "--scheme int8, which loses less";
  if (scheme == "w4a8")
    return "w4a8: filters of 4 bits, half the size of int8; TFLite 2.11 and later, few NPUs; others need "
           "--scheme int8";
  if (scheme == "int8")
    return "int8: TFLite, TFLite Micro, CMSIS-NN, Edge TPU, NPUs; one scale per tensor, as in 2018: --scheme "
           "uint8";
  return "float32: never quantized; --scheme uint8 or int8 trains for integers, qat-convert --calibrate "
         "needs no training";
}

// The checkpoint that freezing takes.
std::string CheckpointText(const TrainResult& result, const std::string& run, bool held_out) {
  const std::string taken = CheckpointPath(run, result.taken_step);
  if (result.taken_step != result.step)
    return StrCat(taken, ", the best; --select last takes that of step ", result.step);
  if (result.best_step == result.step) return StrCat(taken, ", the last and the best");
  return StrCat(taken, ", the last; that of step ", result.best_step,
                held_out ? ", the best, is not better beyond chance" : " is the best on the test set",
                " (--select best takes it)");
}

std::string NumberName(size_t index, const OutputLabels& labels) {
  return index < labels.class_names.size() ? Printable(labels.class_names[index]) : StrCat("number ", index);
}

// "RMSE 0.52 of temperature, 0.0013 of pressure": each in its own unit.
std::string TargetsText(const std::vector<double>& rmse, const OutputLabels& labels) {
  constexpr size_t kShown = 6;
  std::vector<std::string> texts;
  for (size_t i = 0; i < rmse.size(); ++i)
    texts.push_back(StrCat(Significant(rmse[i]), " of ", NumberName(i, labels)));
  return StrCat("RMSE ", JoinSome(texts, kShown));
}

// Accuracy, or the root of the mean squared error.
std::string FigureText(const OutputEvaluation& output, const OutputLabels& labels) {
  if (!std::isnan(output.accuracy)) return Percent(output.accuracy);
  if (!output.target_rmse.empty()) return TargetsText(output.target_rmse, labels);
  return StrCat("RMSE ", Significant(std::sqrt(output.loss)));
}

// "holdout_rmse/box" or "holdout_rmse/box/left": in the unit of the number.
void AddTargets(const std::string& prefix, const std::vector<double>& rmse, const OutputLabels& labels,
                Report& report) {
  for (size_t i = 0; i < rmse.size(); ++i) {
    const std::string name = i < labels.class_names.size() ? labels.class_names[i] : StrCat(i);
    report.metrics[StrCat(prefix, "/", name)] = rmse[i];
  }
}

const OutputLabels& LabelsNamed(const std::string& output, const Dataset& data) {
  for (size_t i = 0; i < data.output_count(); ++i) {
    if (data.output_labels(i).output == output) return data.output_labels(i);
  }
  return data.output_labels(0);
}

}  // namespace

void TrainDisplay::Show(const TrainProgress& at) {
  if (!progress_) progress_.emplace(style_, "train", at.steps);
  std::string detail;
  if (at.several_outputs) {
    detail = StrCat("loss ", Fixed(at.loss, 4));
    if (at.evaluated) detail += StrCat("  held out ", Fixed(at.holdout_loss, 4));
  } else if (std::isnan(at.training_accuracy)) {
    detail = StrCat("squared error ", Significant(at.loss));
    if (at.evaluated) detail += StrCat("  held out RMSE ", Significant(std::sqrt(at.holdout_loss)));
    if (at.in_deviations) detail += " deviations";
  } else {
    detail = StrCat("loss ", Fixed(at.loss, 4), "  accuracy ", Percent(at.training_accuracy));
    if (at.evaluated) detail += StrCat("  held out ", Percent(at.holdout_accuracy));
  }
  progress_->Update(at.step, detail);
}

void TrainDisplay::Finish() {
  if (progress_) progress_->Finish();
}

std::string SpareOutputs(const Graph& network, int32_t asked, const Dataset& data) {
  if (data.output_count() > 1) return "";
  const auto classes = std::ssize(data.class_names);
  const int32_t outputs = network.tensor(network.outputs[0]).shape.back();
  if (data.task != Task::kClasses || asked != 0 || outputs <= classes) return "";
  const bool of_model = SourceTextOf(network).empty();
  return StrCat("network '", network.name, "' has ", outputs, " outputs for the ", classes, " classes of ",
                data.name, of_model ? "; " : ", as its spec says; ", outputs - classes,
                " of them are never right. ",
                of_model ? StrCat("--classes ", classes, " gives it a last layer that is learned afresh")
                         : std::string("units = \"classes\" in the last layer follows the data"));
}

void FillReport(const TrainResult& result, const TrainFlags& flags, const Dataset& data, Report& report) {
  report.metrics["steps"] = static_cast<double>(result.step);
  report.metrics["seconds"] = result.seconds;
  if (!std::isnan(result.holdout_accuracy)) {
    report.metrics["holdout_accuracy"] = result.holdout_accuracy;
    report.metrics["best_accuracy"] = result.best_accuracy;
    report.metrics["best_step"] = static_cast<double>(result.best_step);
  }
  if (!std::isnan(result.holdout_rmse)) {
    report.metrics[result.in_deviations ? "holdout_relative_rmse" : "holdout_rmse"] = result.holdout_rmse;
    report.metrics[result.in_deviations ? "best_relative_rmse" : "best_rmse"] = result.best_rmse;
    AddTargets("holdout_rmse", result.target_rmse, data, report);
    report.metrics["best_step"] = static_cast<double>(result.best_step);
  }
  if (!std::isnan(result.holdout_loss)) {
    report.metrics["holdout_loss"] = result.holdout_loss;
    report.metrics["best_loss"] = result.best_loss;
    report.metrics["best_step"] = static_cast<double>(result.best_step);
    for (const OutputEvaluation& each : result.outputs) {
      const bool numbers = std::isnan(each.accuracy);
      AddTargets(StrCat("holdout_rmse/", each.name), each.target_rmse, LabelsNamed(each.name, data), report);
      if (!each.target_rmse.empty()) continue;
      report.metrics[StrCat(numbers ? "holdout_rmse/" : "holdout_accuracy/", each.name)] =
          numbers ? std::sqrt(each.loss) : each.accuracy;
    }
  }
  report.outputs["run"] = flags.run;
  report.outputs["checkpoint"] = result.checkpoint;
}

std::string FewHeldOut(int64_t held_out, bool of_the_data) {
  if (held_out == 0 || held_out >= kFewHeldOut) return "";
  return StrCat("only ", held_out, held_out == 1 ? " example is" : " examples are",
                " held out, so what is measured on ", held_out == 1 ? "it" : "them", " is rough",
                of_the_data ? "" : "; --holdout N holds out more");
}

std::string Summary(const TrainResult& result, const TrainConfig& config, const Watched& watched,
                    const Dataset& data, const TrainFlags& flags) {
  std::string text =
      StrCat("trained     ", result.step, result.step == 1 ? " step in " : " steps in ",
             DurationText(result.seconds),
             result.out_of_patience ? StrCat(", ended by --patience ", config.patience) : "", "\n");
  if (flags.no_training) text = "trained     no step was taken\n";
  const int64_t count = watched.held_out > 0 ? watched.held_out : watched.test;
  const std::string_view split = watched.held_out > 0 ? "holdout     " : "test set    ";
  const std::string examples = StrCat(" on ", count, count == 1 ? " example" : " examples");
  if (!std::isnan(result.holdout_rmse)) {
    const std::string_view unit = result.in_deviations ? " deviations" : "";
    text += StrCat(split, "RMSE ", Significant(result.holdout_rmse), unit, examples, ", best ",
                   Significant(result.best_rmse), " at step ", result.best_step, "\n");
    if (!result.target_rmse.empty())
      text += StrCat("numbers     ", TargetsText(result.target_rmse, data), "\n");
  }
  if (!std::isnan(result.holdout_accuracy)) {
    text += StrCat(split, Percent(result.holdout_accuracy), examples, ", best ",
                   Percent(result.best_accuracy), " at step ", result.best_step, "\n");
  }
  if (!std::isnan(result.holdout_loss)) {
    text += StrCat(split, "loss ", Fixed(result.holdout_loss, 4), examples, ", best ",
                   Fixed(result.best_loss, 4), " at step ", result.best_step, "\n");
    for (const OutputEvaluation& each : result.outputs)
      text += StrCat("output      ", Printable(each.name), ": ",
                     FigureText(each, LabelsNamed(each.name, data)), "\n");
  }
  text += StrCat("checkpoint  ", Printable(CheckpointText(result, flags.run, watched.held_out > 0)), "\n");
  text += StrCat("scheme      ", SchemeText(config.scheme), "\n");
  const std::string next[] = {flags.run, "-o", JoinPath(flags.run, "model.qgraph")};
  return StrCat(text, "next        ", Printable(CommandText("qat-freeze", next)), "\n");
}

}  // namespace qat
