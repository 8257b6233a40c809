#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/screen.h"
#include "base/strings.h"

namespace qat {
namespace {

std::string Reason() { return std::strerror(errno); }

// Opens for reading and refuses directories; the descriptor is the caller's.
Expected<int> OpenForReading(const std::string& path, struct stat& info) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return NotFound(StrCat(path, ": cannot be read (", Reason(), ")"));
  if (::fstat(descriptor, &info) != 0) {
    Error error = NotFound(StrCat(path, ": cannot be read (", Reason(), ")"));
    ::close(descriptor);
    return error;
  }
  if (S_ISDIR(info.st_mode)) {
    ::close(descriptor);
    return NotFound(StrCat(path, ": is a directory, expected a file"));
  }
  return descriptor;
}

Expected<Bytes> ReadAll(int descriptor, const std::string& path, size_t expected_size) {
  Bytes bytes;
  bytes.resize(expected_size);
  size_t used = 0;
  while (true) {
    if (used == bytes.size()) bytes.resize(std::max<size_t>(used + used / 2, 4096));
    const ssize_t count = ::read(descriptor, bytes.data() + used, bytes.size() - used);
    if (count < 0) {
      if (errno == EINTR) continue;
      return NotFound(StrCat(path, ": cannot be read (", Reason(), ")"));
    }
    if (count == 0) break;
    used += static_cast<size_t>(count);
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace

Expected<Bytes> ReadFile(const std::string& path) {
  struct stat info {};
  QAT_ASSIGN_OR_RETURN(const int descriptor, OpenForReading(path, info));
  // One byte more than the size, so that end of file is seen without growing.
  auto bytes = ReadAll(descriptor, path, S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : 0);
  ::close(descriptor);
  return bytes;
}

Expected<std::string> ReadTextFile(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
    return Corrupt(StrCat(path, ": is UTF-16 text, expected UTF-8"));
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  return std::string(text.substr(text.starts_with(kMark) ? kMark.size() : 0));
}

Expected<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  struct stat info {};
  QAT_ASSIGN_OR_RETURN(const int descriptor, OpenForReading(path, info));
  std::shared_ptr<MappedFile> file(new MappedFile);
  if (S_ISREG(info.st_mode) && info.st_size > 0) {
    void* mapping = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping != MAP_FAILED) {
      ::close(descriptor);
      file->mapping_ = mapping;
      file->bytes_ = {static_cast<const uint8_t*>(mapping), static_cast<size_t>(info.st_size)};
      return std::shared_ptr<const MappedFile>(std::move(file));
    }
  }
  auto bytes = ReadAll(descriptor, path, S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : 0);
  ::close(descriptor);
  if (!bytes.ok()) return std::move(bytes).error();
  file->copy_ = *std::move(bytes);
  file->bytes_ = file->copy_;
  return std::shared_ptr<const MappedFile>(std::move(file));
}

MappedFile::~MappedFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, bytes_.size());
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
    file.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file.descriptor_ < 0) return IoError(StrCat(path, ": cannot be written (", Reason(), ")"));
    return file;
  }
  if (exists && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    return IoError(StrCat(path, ": cannot be written (", Reason(), ")"));
  }
  std::error_code error;
  file.target_ = exists ? std::filesystem::canonical(path, error).string() : path;
  if (error) return IoError(StrCat(path, ": cannot be written (", error.message(), ")"));
  QAT_RETURN_IF_ERROR(file.OpenReplacement(exists ? static_cast<int>(info.st_mode & 07777) : -1));
  return file;
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
    temporary_ = StrCat(target_, ".tmp-XXXXXX");
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
    const std::string name = StrCat(target_, ".tmp-", ::getpid(), "-", attempt);
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

Status OutputFile::Commit(std::span<const uint8_t> bytes) {
  QAT_CHECK(descriptor_ >= 0);
  const std::string shown = path_ == "-" ? "standard output" : path_;
  const ScreenTurn turn;
  auto failed = [&]() -> Error {
    Error error = IoError(StrCat(shown, ": cannot be written (", Reason(), ")"));
    Discard();
    return error;
  };
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t count = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
    if (count < 0) {
      if (errno == EINTR) continue;
      return failed();
    }
    written += static_cast<size_t>(count);
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

bool FileExists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
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
