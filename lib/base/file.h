// file.h: whole-file reading, mapping, and writing that never leaves half a file behind.
#ifndef QAT_BASE_FILE_H_
#define QAT_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

using Bytes = std::vector<uint8_t>;

/// Reads a whole regular file, FIFO or device. Errors: kNotFound (missing, a directory, unreadable), named with the path.
Expected<Bytes> ReadFile(const std::string& path);

/// The same as text; a byte order mark in front of UTF-8 is dropped. Errors: kCorrupt for UTF-16, too.
Expected<std::string> ReadTextFile(const std::string& path);

/// A file mapped read-only; empty files map to an empty span. Falls back to reading where mapping is refused.
class MappedFile {
 public:
  static Expected<std::shared_ptr<const MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  MappedFile() = default;
  std::span<const uint8_t> bytes_;
  Bytes copy_;
  void* mapping_ = nullptr;
};

/// An output opened before the long work and published after it. Regular files are written without a name (where the
/// file system has no such files: under a temporary one in the same directory) and renamed by Commit, so readers see the
/// old bytes or the new ones, never half, and a program that is killed leaves nothing behind. A symbolic link keeps
/// pointing where it did. "-" is standard output; a target that exists and is no regular file (/dev/full, a FIFO) is
/// written in place. Missing parent directories are not created.
class OutputFile {
 public:
  /// Errors: kIoError, when the target cannot be created; the message names the path and the system's reason.
  static Expected<OutputFile> Open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  /// Writes all of it, flushes it to the disk, renames. Errors: kIoError (disk full, …); then nothing was published.
  Status Commit(std::span<const uint8_t> bytes);
  Status Commit(std::string_view text);
  const std::string& path() const { return path_; }

 private:
  OutputFile() = default;
  Status OpenReplacement(int mode);
  bool Publish();
  void Discard();
  std::string path_;       // as given, for messages
  std::string target_;     // what Commit replaces; empty: written in place
  std::string temporary_;  // empty: no name yet
  int descriptor_ = -1;
};

/// Open and Commit in one.
Status WriteFile(const std::string& path, std::span<const uint8_t> bytes);
Status WriteFile(const std::string& path, std::string_view text);

/// Creates a directory and its parents; fine if it is there. Errors: kIoError.
Status MakeDirectories(const std::string& path);

bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

/// Names (not paths) in a directory, sorted bytewise. Errors: kNotFound.
Expected<std::vector<std::string>> ListDirectory(const std::string& path);

/// "a/b" from "a" and "b".
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace qat

#endif  // QAT_BASE_FILE_H_
