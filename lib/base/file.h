// file.h: whole-file reading, and writing that never leaves half a file behind.
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

/// Most that a text of ours or a user's takes: a configuration, a network, class names. Far above any that
/// makes sense, and small enough to be refused before it hurts.
inline constexpr uint64_t kLargestText = uint64_t{16} << 20;
/// The same for texts that programs write: reports with pictures in them, the metrics of a long run.
inline constexpr uint64_t kLargestLog = uint64_t{1} << 30;

/// Reads a whole file by base/input_file.h: a regular file, a FIFO, a device, or standard input, which "-"
/// stands for. Errors: kNotFound (missing, a directory, a socket, unreadable), kCorrupt (more than `limit`
/// bytes), kSystem (more than the memory of the machine), each named with the path.
Expected<Bytes> ReadFile(const std::string& path, uint64_t limit = UINT64_MAX);

/// The same as text; a byte order mark in front of UTF-8 is dropped. Errors: kCorrupt for UTF-16, too.
Expected<std::string> ReadTextFile(const std::string& path, uint64_t limit = kLargestText);

/// What reading and writing ask ten times a second while they wait for the other end of a pipe: true ends the
/// wait with kInterrupted. None: nothing does.
void SetInterruptCheck(bool (*interrupted)());
bool WasInterrupted();

/// An output opened before the long work and published after it. Regular files are written without a name
/// (where the file system has no such files: under a temporary one in the same directory) and renamed by
/// Commit, so readers see the old bytes or the new ones, never half, and a program that is killed leaves
/// nothing behind. A symbolic link keeps pointing where it did, and what it points to is written, even where
/// that did not exist; a link that leads back to itself is an error. "-" is standard output; a target that
/// exists and is no regular file (/dev/full, a FIFO) is written in place; a FIFO that nobody opens for
/// reading within two seconds is an error. Missing parent directories are not created.
class OutputFile {
 public:
  /// Errors: kIoError, when the target cannot be created; the message names the path and the system's reason.
  static Expected<OutputFile> Open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  /// Writes all of it, flushes it to the disk, renames. Errors: kIoError (disk full, …); then nothing was
  /// published.
  Status Commit(std::span<const uint8_t> bytes);
  Status Commit(std::string_view text);
  const std::string& path() const { return path_; }

 private:
  OutputFile() = default;
  Status OpenInPlace(bool is_fifo);
  Status OpenReplacement(int mode);
  Status WriteAll(std::span<const uint8_t> bytes) const;
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

/// A directory for outputs, made before the long work. Directories that it made and that are still empty at
/// its end are removed: a refused command leaves nothing behind. A moved-from one does nothing.
class OutputFolder {
 public:
  /// Errors: kIoError.
  static Expected<OutputFolder> Make(const std::string& path);

  OutputFolder() = default;
  OutputFolder(OutputFolder&& other) noexcept = default;
  OutputFolder& operator=(OutputFolder&& other) noexcept;
  ~OutputFolder();

 private:
  std::vector<std::string> made_;  // the deepest one first
};

/// "-" exists.
bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);

/// Names (not paths) in a directory, sorted bytewise. Errors: kNotFound.
Expected<std::vector<std::string>> ListDirectory(const std::string& path);

/// "a/b" from "a" and "b".
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace qat

#endif  // QAT_BASE_FILE_H_
