// file_use.h: which files a program reads and which it writes, so that no output takes the place of an input
// or of another output. Files are told apart by what they are: through links, hard links, relative paths and
// standard output.
#ifndef QAT_BASE_FILE_USE_H_
#define QAT_BASE_FILE_USE_H_

#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Empty paths say nothing and are left out. Flags are for messages: "--model", "the graph".
class FileUse {
 public:
  /// A file, or a directory of data: no picture, array or text in it may be replaced.
  void Read(const std::string& flag, const std::string& path);
  /// A run directory or one of its checkpoints. What the run itself wrote may not be replaced.
  void ReadRun(const std::string& flag, const std::string& path);
  /// "-" is standard output.
  void Write(const std::string& flag, const std::string& path);
  /// The directory of a run that is written; with `resumed`, its recipe may be read as well.
  void WriteRun(const std::string& flag, const std::string& path, bool resumed);

  /// Errors: kInvalidArgument naming both flags and the file; `conflict` gets the flag of the output that
  /// must not be written.
  Status Check(std::string* conflict = nullptr) const;

 private:
  struct Use {
    std::string flag;
    std::string path;
  };
  static Error Clash(const Use& output, const Use& other, bool other_is_read);
  Status CheckFolders(const Use& output) const;
  std::vector<Use> reads_, writes_;
  std::vector<Use> data_;   // directories of data
  std::vector<Use> owned_;  // directories below which only their program writes
};

/// Whether two paths lead to one file, which may not exist yet. Devices (/dev/null) are never one file with
/// anything.
bool IsSameFile(const std::string& a, const std::string& b);

}  // namespace qat

#endif  // QAT_BASE_FILE_USE_H_
