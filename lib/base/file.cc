#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>

#include "base/screen.h"
#include "base/standard_input.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr int kPollMilliseconds = 100;

std::atomic<bool (*)()> interrupt_check{nullptr};

std::string Reason() { return std::strerror(errno); }

Error Interrupted(const std::string& path) {
  return {ErrorCode::kInterrupted, StrCat("interrupted while waiting for the reader of ", path)};
}

// Where a chain of links ends, whether something is there or not. Errors: a chain that has no end.
Expected<std::string> EndOfLinks(std::string path) {
  constexpr int kMostLinks = 40;  // as the kernel
  const std::string given = path;
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code error;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) return path;
    const std::filesystem::path target = std::filesystem::read_symlink(path, error);
    if (error) return IoError(StrCat(given, ": cannot be written (", error.message(), ")"));
    path = (std::filesystem::path(path).parent_path() / target).string();
  }
  return IoError(StrCat(given, ": cannot be written (", std::strerror(ELOOP), ")"));
}

// What a temporary name beside a file begins with: the file's own, shortened, since a name has 255 bytes at
// most.
std::string NameBeside(const std::string& path) {
  constexpr size_t kLongest = 200;
  const size_t name = path.find_last_of('/') + 1;  // 0 where there is no folder
  return path.substr(0, name + kLongest);
}

}  // namespace

void SetInterruptCheck(bool (*interrupted)()) { interrupt_check.store(interrupted); }

bool WasInterrupted() {
  const auto check = interrupt_check.load();
  return check != nullptr && check();
}

Expected<OutputFile> OutputFile::Open(const std::string& path) {
  OutputFile file;
  file.path_ = path;
  if (path == "-") {
    file.descriptor_ = ::dup(STDOUT_FILENO);
    if (file.descriptor_ < 0) return IoError(StrCat("standard output: cannot be written (", Reason(), ")"));
    return file;
  }
  struct stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return IoError(StrCat(path, ": is a directory, expected a file name"));
  if (exists && !S_ISREG(info.st_mode)) {
    QAT_RETURN_IF_ERROR(file.OpenInPlace(S_ISFIFO(info.st_mode)));
    return file;
  }
  if (exists && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    return IoError(StrCat(path, ": cannot be written (", Reason(), ")"));
  }
  QAT_ASSIGN_OR_RETURN(file.target_, EndOfLinks(path));
  QAT_RETURN_IF_ERROR(file.OpenReplacement(exists ? static_cast<int>(info.st_mode & 07777) : -1));
  return file;
}

// Without O_NONBLOCK a FIFO would keep us until somebody reads it.
Status OutputFile::OpenInPlace(bool is_fifo) {
  constexpr int kAttempts = 20;
  const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (is_fifo ? O_NONBLOCK : 0);
  for (int attempt = 0;; ++attempt) {
    descriptor_ = ::open(path_.c_str(), flags);
    if (descriptor_ >= 0) return {};
    if (errno != ENXIO || !is_fifo) return IoError(StrCat(path_, ": cannot be written (", Reason(), ")"));
    if (attempt == kAttempts)
      return IoError(StrCat(path_, ": is a FIFO that nobody reads, waited 2 seconds"));
    if (WasInterrupted()) return Interrupted(path_);
    ::poll(nullptr, 0, kPollMilliseconds);
  }
}

// Opens what will replace target_. `mode`: -1 for what open() would give, else the permissions of the file
// replaced.
Status OutputFile::OpenReplacement(int mode) {
  const std::string parent = std::filesystem::path(target_).parent_path().string();
  const char* directory = parent.empty() ? "." : parent.c_str();
  // Naming it later goes through /proc.
  if (::access("/proc/self/fd", X_OK) == 0) {
    descriptor_ = ::open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  }
  if (descriptor_ < 0) {
    temporary_ = StrCat(NameBeside(target_), ".tmp-XXXXXX");
    descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
    if (descriptor_ < 0) {
      temporary_.clear();
      return IoError(StrCat(path_, ": cannot be created (", Reason(), ")"));
    }
    // mkostemp makes the file private.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    (void)::fchmod(descriptor_, 0666 & ~mask);
  }
  if (mode >= 0) (void)::fchmod(descriptor_, static_cast<mode_t>(mode));
  return {};
}

// Gives the written file its name. False: errno says why.
bool OutputFile::Publish() {
  if (::fsync(descriptor_) != 0) return false;
  const std::string open_file = StrCat("/proc/self/fd/", descriptor_);
  for (int attempt = 0; temporary_.empty(); ++attempt) {
    // A link cannot replace a file, a rename can: hence a name in between.
    const std::string name = StrCat(NameBeside(target_), ".tmp-", ::getpid(), "-", attempt);
    if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
    } else if (errno != EEXIST) {
      return false;
    }
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) return false;
  temporary_.clear();
  return true;
}

OutputFile::OutputFile(OutputFile&& other) noexcept { *this = std::move(other); }

OutputFile& OutputFile::operator=(OutputFile&& other) noexcept {
  if (this != &other) {
    Discard();
    path_ = std::move(other.path_);
    target_ = std::move(other.target_);
    temporary_ = std::exchange(other.temporary_, {});
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

OutputFile::~OutputFile() { Discard(); }

void OutputFile::Discard() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) ::unlink(std::exchange(temporary_, {}).c_str());
}

// kIoError: errno says why. What is no regular file may be the full pipe of a reader who does something else:
// it gets no more at once than it has said to take.
Status OutputFile::WriteAll(std::span<const uint8_t> bytes) const {
  const size_t most = target_.empty() ? PIPE_BUF : bytes.size();
  while (!bytes.empty()) {
    pollfd ready{descriptor_, POLLOUT, 0};
    if (target_.empty() && ::poll(&ready, 1, kPollMilliseconds) == 0) {
      if (WasInterrupted()) return Interrupted(path_);
      continue;
    }
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min(bytes.size(), most));
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return IoError("");
    }
  }
  return {};
}

Status OutputFile::Commit(std::span<const uint8_t> bytes) {
  QAT_CHECK(descriptor_ >= 0);
  const std::string shown = path_ == "-" ? "standard output" : path_;
  const ScreenTurn turn;
  auto failed = [&]() -> Error {
    Error error = IoError(StrCat(shown, ": cannot be written (", Reason(), ")"));
    Discard();
    return error;
  };
  if (Status written = WriteAll(bytes); !written.ok()) {
    if (written.error().code == ErrorCode::kIoError) return failed();
    Discard();
    return written;
  }
  if (!target_.empty() && !Publish()) return failed();
  if (::close(std::exchange(descriptor_, -1)) != 0) return failed();
  return {};
}

Status OutputFile::Commit(std::string_view text) {
  return Commit(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status WriteFile(const std::string& path, std::span<const uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(OutputFile file, OutputFile::Open(path));
  return file.Commit(bytes);
}

Status WriteFile(const std::string& path, std::string_view text) {
  return WriteFile(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status MakeDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return IoError(StrCat(path, ": cannot be created (", error.message(), ")"));
  if (!IsDirectory(path)) return IoError(StrCat(path, ": is a file, expected a directory"));
  return {};
}

Expected<OutputFolder> OutputFolder::Make(const std::string& path) {
  OutputFolder folder;
  for (std::filesystem::path each = std::filesystem::path(path).lexically_normal();
       !each.empty() && !FileExists(each.string()); each = each.parent_path()) {
    if (each.has_filename()) folder.made_.push_back(each.string());
  }
  QAT_RETURN_IF_ERROR(MakeDirectories(path));
  return folder;
}

OutputFolder& OutputFolder::operator=(OutputFolder&& other) noexcept {
  std::swap(made_, other.made_);
  return *this;
}

OutputFolder::~OutputFolder() {
  for (const std::string& path : made_) {
    if (::rmdir(path.c_str()) != 0) return;
  }
}

bool FileExists(const std::string& path) {
  struct stat info {};
  return path == kStandardInput || ::stat(path.c_str(), &info) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Expected<std::vector<std::string>> ListDirectory(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return NotFound(StrCat(path, ": cannot be listed (", Reason(), ")"));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty() || directory.back() == '/') return StrCat(directory, name);
  return StrCat(directory, "/", name);
}

}  // namespace qat
