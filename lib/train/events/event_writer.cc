#include "train/events/event_writer.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/strings.h"
#include "event.pb.h"
#include "train/events/record_file.h"

namespace qat {
namespace {

constexpr std::string_view kNamePrefix = "events.out.tfevents.";
constexpr std::string_view kNameSuffix = ".qat";

Error Unwritable(const std::string& path) {
  return IoError(StrCat(path, ": cannot be written (", std::strerror(errno), ")"));
}

double WallTime() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Our files, in the order in which they were made, which is the order of their names.
Expected<std::vector<std::string>> EventFiles(const std::string& directory) {
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> names, ListDirectory(directory));
  std::erase_if(names, [](const std::string& name) {
    return !name.starts_with(kNamePrefix) || !name.ends_with(kNameSuffix);
  });
  return names;
}

// A name that sorts after all of `names`, even if the clock was set back or two runs start in one second.
std::string NextName(const std::vector<std::string>& names) {
  int64_t seconds = static_cast<int64_t>(WallTime());
  int64_t index = 0;
  if (!names.empty()) {
    const std::vector<std::string> parts = SplitText(names.back().substr(kNamePrefix.size()), '.');
    seconds = std::max<int64_t>(seconds, std::strtoll(parts[0].c_str(), nullptr, 10));
    index = std::strtoll(parts[1].c_str(), nullptr, 10) + 1;
  }
  char text[64];
  std::snprintf(text, sizeof(text), "%010lld.%06lld", static_cast<long long>(seconds),
                static_cast<long long>(index));
  return StrCat(kNamePrefix, text, kNameSuffix);
}

// Cuts the file off before its first record of a step after `step`, or at a record that is not whole.
Status CutAfter(const std::string& path, int64_t step) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  size_t offset = 0, kept = 0;
  while (const auto payload = NextRecord(bytes, offset)) {
    events::Event event;
    if (!event.ParseFromArray(payload->data(), static_cast<int>(payload->size())) || event.step() > step)
      break;
    kept = offset;
  }
  if (kept < bytes.size() && ::truncate(path.c_str(), static_cast<off_t>(kept)) != 0) return Unwritable(path);
  return {};
}

Status Write(const std::string& path, std::FILE* file, events::Event& event) {
  event.set_wall_time(WallTime());
  const std::string payload = event.SerializeAsString();
  Bytes record;
  AppendRecord(record, std::span(reinterpret_cast<const uint8_t*>(payload.data()), payload.size()));
  if (std::fwrite(record.data(), 1, record.size(), file) != record.size()) return Unwritable(path);
  return {};
}

}  // namespace

Expected<std::unique_ptr<EventWriter>> EventWriter::Open(const std::string& directory, int64_t step) {
  QAT_RETURN_IF_ERROR(MakeDirectories(directory));
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> names, EventFiles(directory));
  for (const std::string& name : names) QAT_RETURN_IF_ERROR(CutAfter(JoinPath(directory, name), step));

  const std::string path = JoinPath(directory, NextName(names));
  std::FILE* file = std::fopen(path.c_str(), "wbxe");
  if (file == nullptr) return Unwritable(path);
  std::unique_ptr<EventWriter> writer(new EventWriter(path, file));
  events::Event version;
  version.set_file_version("brain.Event:2");
  QAT_RETURN_IF_ERROR(Write(path, file, version));
  if (!names.empty()) {
    events::Event restart;
    restart.set_step(step + 1);
    restart.mutable_session_log()->set_status(events::SessionLog::START);
    QAT_RETURN_IF_ERROR(Write(path, file, restart));
  }
  QAT_RETURN_IF_ERROR(writer->Flush());
  return writer;
}

EventWriter::~EventWriter() { std::fclose(file_); }

Status EventWriter::AddScalar(std::string_view tag, int64_t step, double value) {
  events::Event event;
  event.set_step(step);
  events::Summary::Value* point = event.mutable_summary()->add_value();
  point->set_tag(std::string(tag));
  point->set_simple_value(static_cast<float>(value));
  return Write(path_, file_, event);
}

Status EventWriter::Flush() {
  if (std::fflush(file_) != 0) return Unwritable(path_);
  return {};
}

}  // namespace qat
