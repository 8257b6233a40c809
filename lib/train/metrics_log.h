// metrics_log.h: what a run reports while it trains: RUN/metrics.ndjson, one event per line, and curves for
// TensorBoard. No wall times in the former, so the same run has the same bytes.
#ifndef QAT_TRAIN_METRICS_LOG_H_
#define QAT_TRAIN_METRICS_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "checkpoint/merit.h"
#include "quant/params.h"
#include "train/events/event_writer.h"

namespace qat {

class MetricsLog {
 public:
  /// Opens the log of a run for appending, cut to its first `size` bytes: what the checkpoint of `step` knew.
  /// Errors: kCorrupt where the file is shorter than that; kIoError.
  static Expected<std::unique_ptr<MetricsLog>> Open(const std::string& run, int64_t size, int64_t step);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  struct Start {
    int64_t steps;
    int64_t quant_delay;
    int32_t batch_size;
    std::string scheme;
  };
  Status WriteStart(const Start& start);
  Status WriteTrain(int64_t step, double loss, double accuracy, double learning_rate, double gradient_norm);
  Status WriteQuantize(int64_t step);
  Status WriteEval(int64_t step, std::string_view split, const Evaluation& evaluation);
  /// Batch norms keep their statistics from here on.
  Status WriteFreezeBatchNorm(int64_t step);
  /// `clipped`: the share of values outside the range; NaN: not counted, as of filters, whose range holds
  /// them all.
  Status WriteRange(int64_t step, std::string_view layer, Range range, double clipped);
  /// A sentence on what goes wrong.
  Status WriteWarning(int64_t step, std::string_view text);
  Status WriteCheckpoint(int64_t step);
  Status WriteEnd(int64_t step, int64_t best_step, double best_accuracy);

  /// Makes everything written so far survive a crash; returns the size of metrics.ndjson.
  Expected<int64_t> Sync();

 private:
  MetricsLog(std::string path, int descriptor, int64_t size, std::unique_ptr<EventWriter> events)
      : path_(std::move(path)), descriptor_(descriptor), size_(size), events_(std::move(events)) {}
  Status Write(std::string_view line);

  std::string path_;
  int descriptor_;
  int64_t size_;
  std::unique_ptr<EventWriter> events_;
};

}  // namespace qat

#endif  // QAT_TRAIN_METRICS_LOG_H_
