#include "train/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

// Names come from files: quotes and what JSON does not take raw are written out.
std::string JsonText(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    } else {
      out += StrCat("\\u00", std::string(1, kDigits[c >> 4]), std::string(1, kDigits[c & 15]));
    }
  }
  return out + "\"";
}

// JSON has no NaN.
std::string Number(double value) { return std::isfinite(value) ? NumberText(value) : "null"; }

Error Failed(const std::string& path, std::string_view action) {
  return IoError(StrCat(path, ": cannot be ", action, ": ", std::strerror(errno)));
}

}  // namespace

Expected<std::unique_ptr<MetricsLog>> MetricsLog::Open(const std::string& run, int64_t size, int64_t step) {
  const std::string path = JoinPath(run, "metrics.ndjson");
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return Failed(path, "opened for writing");
  std::unique_ptr<MetricsLog> log(new MetricsLog(path, descriptor, size, nullptr));
  const off_t found = lseek(descriptor, 0, SEEK_END);
  if (found < size) {
    return Corrupt(StrCat(path, ": has ", int64_t{found}, " bytes, expected at least the ", size,
                          " that the checkpoint of step ", step, " counts on"));
  }
  if (ftruncate(descriptor, size) != 0) return Failed(path, "cut");
  if (lseek(descriptor, size, SEEK_SET) < 0) return Failed(path, "positioned");
  QAT_ASSIGN_OR_RETURN(log->events_, EventWriter::Open(JoinPath(run, "events"), step));
  return log;
}

MetricsLog::~MetricsLog() { close(descriptor_); }

Status MetricsLog::Write(std::string_view line) {
  const std::string text = StrCat(line, "\n");
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(descriptor_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed(path_, "written");
    done += static_cast<size_t>(written);
  }
  size_ += static_cast<int64_t>(text.size());
  return {};
}

Status MetricsLog::WriteStart(const Start& start) {
  return Write(StrCat(R"({"event":"start","step":0,"steps":)", start.steps, R"(,"quant_delay":)",
                      start.quant_delay, R"(,"batch_size":)", start.batch_size, R"(,"scheme":")",
                      start.scheme, R"("})"));
}

Status MetricsLog::WriteTrain(int64_t step, double loss, double accuracy, double learning_rate,
                              double gradient_norm) {
  QAT_RETURN_IF_ERROR(events_->AddScalar("train/loss", step, loss));
  if (!std::isnan(accuracy)) QAT_RETURN_IF_ERROR(events_->AddScalar("train/accuracy", step, accuracy));
  QAT_RETURN_IF_ERROR(events_->AddScalar("train/learning_rate", step, learning_rate));
  QAT_RETURN_IF_ERROR(events_->AddScalar("train/gradient_norm", step, gradient_norm));
  return Write(StrCat(R"({"event":"train","step":)", step, R"(,"loss":)", Number(loss),
                      R"(,"training_accuracy":)", Number(accuracy), R"(,"learning_rate":)",
                      Number(learning_rate), R"(,"gradient_norm":)", Number(gradient_norm), "}"));
}

Status MetricsLog::WriteQuantize(int64_t step) {
  return Write(StrCat(R"({"event":"quantize","step":)", step, "}"));
}

Status MetricsLog::WriteFreezeBatchNorm(int64_t step) {
  return Write(StrCat(R"({"event":"freeze_batch_norm","step":)", step, "}"));
}

Status MetricsLog::WriteEval(int64_t step, std::string_view split, const Evaluation& evaluation) {
  const auto add = [&](const std::string& name, double accuracy, double loss) -> Status {
    if (!std::isnan(accuracy)) QAT_RETURN_IF_ERROR(events_->AddScalar(name + "/accuracy", step, accuracy));
    return events_->AddScalar(name + "/loss", step, loss);
  };
  QAT_RETURN_IF_ERROR(add(std::string(split), evaluation.accuracy, evaluation.loss));
  std::string outputs;
  for (const OutputEvaluation& each : evaluation.outputs) {
    QAT_RETURN_IF_ERROR(add(StrCat(split, "/", each.name), each.accuracy, each.loss));
    outputs += StrCat(outputs.empty() ? "" : ",", R"({"name":)", JsonText(each.name), R"(,"accuracy":)",
                      Number(each.accuracy), R"(,"loss":)", Number(each.loss), "}");
  }
  if (!outputs.empty()) outputs = StrCat(R"(,"outputs":[)", outputs, "]");
  return Write(StrCat(R"({"event":"eval","step":)", step, R"(,"split":")", split, R"(","accuracy":)",
                      Number(evaluation.accuracy), R"(,"loss":)", Number(evaluation.loss), outputs, "}"));
}

Status MetricsLog::WriteRange(int64_t step, std::string_view layer, Range range, double clipped) {
  QAT_RETURN_IF_ERROR(events_->AddScalar(StrCat("range/", layer, "/min"), step, range.min));
  QAT_RETURN_IF_ERROR(events_->AddScalar(StrCat("range/", layer, "/max"), step, range.max));
  if (!std::isnan(clipped)) QAT_RETURN_IF_ERROR(events_->AddScalar(StrCat("clipped/", layer), step, clipped));
  return Write(StrCat(R"({"event":"range","step":)", step, R"(,"layer":)", JsonText(layer), R"(,"min":)",
                      range.min, R"(,"max":)", range.max,
                      std::isnan(clipped) ? "" : StrCat(R"(,"clipped":)", NumberText(clipped)), "}"));
}

Status MetricsLog::WriteWarning(int64_t step, std::string_view text) {
  return Write(StrCat(R"({"event":"warning","step":)", step, R"(,"text":)", JsonText(text), "}"));
}

Status MetricsLog::WriteCheckpoint(int64_t step) {
  return Write(StrCat(R"({"event":"checkpoint","step":)", step, "}"));
}

Status MetricsLog::WriteEnd(int64_t step, int64_t best_step, double best_accuracy) {
  return Write(StrCat(R"({"event":"end","step":)", step, R"(,"best_step":)", best_step,
                      R"(,"best_accuracy":)", Number(best_accuracy), "}"));
}

Expected<int64_t> MetricsLog::Sync() {
  if (fsync(descriptor_) != 0) return Failed(path_, "written");
  QAT_RETURN_IF_ERROR(events_->Flush());
  return size_;
}

}  // namespace qat
