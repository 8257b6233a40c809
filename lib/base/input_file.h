// input_file.h: the one door through which files come in: opened without waiting, read once into memory,
// never mapped. A file that shrinks or changes afterwards therefore changes nothing that was checked. The
// price is memory: each file takes its size while it is held.
#ifndef QAT_BASE_INPUT_FILE_H_
#define QAT_BASE_INPUT_FILE_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

/// A file, FIFO or device under way. FIFOs (and so "<(command)" of a shell) and devices are streams: they can
/// be read once.
class InputFile {
 public:
  /// Never waits, but for the end of standard input, which "-" stands for. Errors: kNotFound (missing, a
  /// directory, a socket, unreadable), named with the path.
  static Expected<InputFile> Open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// Fills `out` from its front and returns how much there was: less than its size only at the end. Waits for
  /// the writer of a stream; one that nobody has opened for writing within kWriterWait is an error
  /// (kNotFound). Errors: kInterrupted (SetInterruptCheck in base/file.h).
  Expected<size_t> Read(std::span<uint8_t> out);

  /// Appends what is left to `bytes`. Errors: kCorrupt where `bytes` would grow beyond `limit`; kSystem where
  /// the file is larger than the machine's memory; those of Read.
  Status ReadRest(uint64_t limit, Bytes& bytes);

  const std::string& path() const { return path_; }
  /// Of a regular file, when it was opened; none: a stream.
  std::optional<uint64_t> size() const { return size_; }

 private:
  InputFile() = default;
  Expected<size_t> ReadSome(std::span<uint8_t> out);
  Status AwaitData();
  Error Failed(int reason) const;
  std::string path_;
  std::optional<uint64_t> size_;
  int descriptor_ = -1;
  bool has_writer_ = true;
  bool is_device_ = false;
  std::chrono::steady_clock::time_point give_up_;  // on a writer
};

inline constexpr std::chrono::seconds kWriterWait{2};

}  // namespace qat

#endif  // QAT_BASE_INPUT_FILE_H_
