// event_writer.h: scalar curves in the files that TensorBoard reads.
#ifndef QAT_TRAIN_EVENTS_EVENT_WRITER_H_
#define QAT_TRAIN_EVENTS_EVENT_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// Writes one new file events.out.tfevents.SECONDS.INDEX.qat in a directory of such files. They contain wall
/// times, so they are the only files in a run directory whose bytes differ between two equal runs; their
/// steps and values do not.
class EventWriter {
 public:
  /// Continues after `step`, the step of the checkpoint that is resumed; 0: a new run. What earlier files in
  /// `directory` say about later steps is cut off, as is a record that a killed run left half written, so
  /// that no step appears twice; a TensorBoard that has already read them drops them. Creates the directory.
  /// Errors: kIoError; kNotFound for an earlier file that cannot be read.
  static Expected<std::unique_ptr<EventWriter>> Open(const std::string& directory, int64_t step);

  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// Adds a point to the curve `tag` ("train/loss"); stored as float32. Buffered. Errors: kIoError.
  Status AddScalar(std::string_view tag, int64_t step, double value);

  /// Hands what is buffered to the system. Called before a checkpoint is published, a run that is killed and
  /// resumed from that checkpoint has lost no point. Errors: kIoError.
  Status Flush();

  const std::string& path() const { return path_; }

 private:
  EventWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  std::FILE* file_;
};

}  // namespace qat

#endif  // QAT_TRAIN_EVENTS_EVENT_WRITER_H_
