#include "base/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/file_kind.h"
#include "base/standard_input.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr int kPollMilliseconds = 100;
// bytes by which the buffer of a stream begins to grow
constexpr uint64_t kStreamStep = uint64_t{1} << 20;
constexpr uint64_t kLargestStream = uint64_t{1} << 32;  // without another limit
constexpr uint64_t kLargestDevice = kLargestText;       // files are no devices, and /dev/zero has no end

uint64_t MemoryOfMachine() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(size)
                               : std::numeric_limits<uint64_t>::max();
}

Error TooLarge(const std::string& path, uint64_t size, uint64_t limit) {
  return Corrupt(StrCat(path, ": holds ", size, " bytes, expected at most ", limit));
}

}  // namespace

Error InputFile::Failed(int reason) const {
  return NotFound(StrCat(path_, ": cannot be read (", std::strerror(reason), ")"));
}

Expected<InputFile> InputFile::Open(const std::string& path) {
  InputFile file;
  file.path_ = path;
  // Without O_NONBLOCK a FIFO would keep us until somebody writes to it.
  if (path == kStandardInput) {
    QAT_ASSIGN_OR_RETURN(file.descriptor_, OpenStandardInput());
  } else {
    file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  }
  if (file.descriptor_ < 0) {
    const int reason = errno;
    struct stat info {};
    if (reason == ENXIO && ::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) {
      return NotFound(StrCat(path, ": is a socket, expected a file"));
    }
    return file.Failed(reason);
  }
  struct stat info {};
  if (::fstat(file.descriptor_, &info) != 0) return file.Failed(errno);
  if (S_ISDIR(info.st_mode)) return NotFound(StrCat(path, ": ", FolderInsteadOfFile(path)));
  if (S_ISBLK(info.st_mode)) return NotFound(StrCat(path, ": is a disk, expected a file"));
  if (S_ISREG(info.st_mode)) file.size_ = static_cast<uint64_t>(info.st_size);
  file.has_writer_ = !S_ISFIFO(info.st_mode);
  file.is_device_ = S_ISCHR(info.st_mode);
  file.give_up_ = std::chrono::steady_clock::now() + kWriterWait;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept { *this = std::move(other); }

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  if (this == &other) return *this;
  if (descriptor_ >= 0) ::close(descriptor_);
  path_ = std::move(other.path_);
  size_ = other.size_;
  descriptor_ = std::exchange(other.descriptor_, -1);
  has_writer_ = other.has_writer_;
  is_device_ = other.is_device_;
  give_up_ = other.give_up_;
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// Waits a moment for data or for the end of a stream.
Status InputFile::AwaitData() {
  if (WasInterrupted()) return Error{ErrorCode::kInterrupted, StrCat("interrupted while reading ", path_)};
  pollfd wanted{descriptor_, POLLIN, 0};
  if (::poll(&wanted, 1, kPollMilliseconds) > 0) has_writer_ = true;
  if (has_writer_ || std::chrono::steady_clock::now() < give_up_) return {};
  return NotFound(StrCat(path_, ": is a FIFO that nobody has written to for ", kWriterWait.count(),
                         " seconds, expected a file"));
}

// One read; 0 at the end.
Expected<size_t> InputFile::ReadSome(std::span<uint8_t> out) {
  while (true) {
    const ssize_t count = ::read(descriptor_, out.data(), out.size());
    if (count > 0) return static_cast<size_t>(count);
    // A FIFO without a writer ends at once, whether one has been there or is still to come.
    if (count == 0 && has_writer_) return size_t{0};
    if (count < 0 && errno == EAGAIN) has_writer_ = true;
    if (count < 0 && errno != EINTR && errno != EAGAIN) return Failed(errno);
    QAT_RETURN_IF_ERROR(AwaitData());
  }
}

Expected<size_t> InputFile::Read(std::span<uint8_t> out) {
  size_t used = 0;
  while (used < out.size()) {
    QAT_ASSIGN_OR_RETURN(const size_t count, ReadSome(out.subspan(used)));
    if (count == 0) break;
    used += count;
  }
  return used;
}

Status InputFile::ReadRest(uint64_t limit, Bytes& bytes) {
  if (!size_) limit = std::min(limit, is_device_ ? kLargestDevice : kLargestStream);
  if (size_ && *size_ > limit) return TooLarge(path_, *size_, limit);
  if (size_ && *size_ > MemoryOfMachine())
    return SystemError(StrCat(path_, ": holds ", *size_, " bytes, more than the memory of this machine"));
  size_t used = bytes.size();
  // One byte more than the size, so that the end of the file is seen without growing.
  if (size_) bytes.resize(std::max<size_t>(used, *size_) + 1);
  while (true) {
    if (used > limit)
      return Corrupt(StrCat(path_, ": holds more than the ", limit, " bytes expected at most"));
    if (used == bytes.size()) bytes.resize(used + std::max<size_t>(used / 2, kStreamStep));
    QAT_ASSIGN_OR_RETURN(const size_t count, ReadSome(std::span(bytes).subspan(used)));
    if (count == 0) break;
    used += count;
  }
  bytes.resize(used);
  return {};
}

Expected<Bytes> ReadFile(const std::string& path, uint64_t limit) {
  QAT_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  Bytes bytes;
  QAT_RETURN_IF_ERROR(file.ReadRest(limit, bytes));
  return bytes;
}

Expected<std::string> ReadTextFile(const std::string& path, uint64_t limit) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path, limit));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Corrupt(StrCat(path, ": is UTF-16 text, expected UTF-8"));
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  return std::string(text.substr(text.starts_with(kMark) ? kMark.size() : 0));
}

}  // namespace qat
