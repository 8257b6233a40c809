#include "base/file_use.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/ending.h"
#include "base/file.h"
#include "base/standard_input.h"
#include "base/strings.h"

namespace qat {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStandardOutput = "-";
// What readers of data take; reports that an earlier call has left among them may be replaced.
constexpr std::array<std::string_view, 10> kData = {".jpg", ".jpeg", ".png", ".bmp", ".npy",
                                                    ".npz", ".bin",  ".gz",  ".txt", "-ubyte"};

constexpr std::string_view kOurTables = "index,";

// Equal for two names of one file; empty: never equal.
std::string IdentityOf(const std::string& path) {
  struct stat info {};
  const int found = path == kStandardOutput ? ::fstat(STDOUT_FILENO, &info) : ::stat(path.c_str(), &info);
  if (found == 0) {
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) return "";
    return StrCat("inode ", info.st_dev, " ", info.st_ino);
  }
  if (path == kStandardOutput) return "";
  std::error_code error;
  fs::path place(path);
  // A link to nothing: the name of what it would make.
  for (int i = 0; i < 40 && fs::is_symlink(fs::symlink_status(place, error)); ++i) {
    place = place.parent_path() / fs::read_symlink(place, error);
  }
  return StrCat("name ", fs::weakly_canonical(fs::absolute(place, error), error).string());
}

bool IsBelow(const std::string& file, const std::string& folder) {
  std::error_code error;
  const fs::path parent = fs::weakly_canonical(fs::absolute(file, error), error).parent_path();
  const fs::path real = fs::weakly_canonical(fs::absolute(folder, error), error);
  const auto [rest, end] = std::mismatch(real.begin(), real.end(), parent.begin(), parent.end());
  return rest == real.end();
}

// A table that somebody else made: those of ours (eval/predictions_csv.h) begin with the numbers of examples.
bool IsTheirTable(const std::string& path) {
  if (!HasEnding(path, ".csv") && !HasEnding(path, ".tsv")) return false;
  std::ifstream file(path, std::ios::binary);
  std::string begin(kOurTables.size(), '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return file.gcount() > 0 && begin != kOurTables;
}

bool IsRegular(const std::string& path) {
  struct stat info {};
  const int found = path == kStandardOutput ? ::fstat(STDOUT_FILENO, &info) : ::stat(path.c_str(), &info);
  return found == 0 && S_ISREG(info.st_mode);
}

}  // namespace

bool IsSameFile(const std::string& a, const std::string& b) {
  const std::string identity = IdentityOf(a);
  return !identity.empty() && identity == IdentityOf(b);
}

void FileUse::Read(const std::string& flag, const std::string& path) {
  // Standard input has been read to its end before anything is written.
  if (path.empty() || path == kStandardInput) return;
  (IsDirectory(path) ? data_ : reads_).push_back({flag, path});
}

void FileUse::ReadRun(const std::string& flag, const std::string& path) {
  if (!IsDirectory(path)) return Read(flag, path);
  for (const char* name : {"config.toml", "metrics.ndjson"}) reads_.push_back({flag, JoinPath(path, name)});
  for (const char* name : {"checkpoints", "events"}) owned_.push_back({flag, JoinPath(path, name)});
}

void FileUse::Write(const std::string& flag, const std::string& path) {
  if (!path.empty()) writes_.push_back({flag, path});
}

void FileUse::WriteRun(const std::string& flag, const std::string& path, bool resumed) {
  if (path.empty()) return;
  writes_.push_back({flag, path});
  writes_.push_back({flag, JoinPath(path, "metrics.ndjson")});
  if (!resumed) writes_.push_back({flag, JoinPath(path, "config.toml")});
  for (const char* name : {"checkpoints", "events"}) owned_.push_back({flag, JoinPath(path, name)});
}

Error FileUse::Clash(const Use& output, const Use& other, bool other_is_read) {
  const std::string shown = output.path == kStandardOutput ? "standard output" : output.path;
  const std::string same = output.path == other.path ? "" : StrCat(" (", other.path, ")");
  return InvalidArgument(StrCat(output.flag, ": ", shown, " is the file that ", other.flag,
                                other_is_read ? " reads" : " writes", same, ", expected another file"));
}

// What lies where others read or write whole directories.
Status FileUse::CheckFolders(const Use& output) const {
  if (output.path == kStandardOutput) return {};
  for (const Use& folder : owned_) {
    if (folder.flag != output.flag && IsBelow(output.path, folder.path))
      return InvalidArgument(StrCat(output.flag, ": ", output.path, " lies in ", folder.path,
                                    ", which belongs to the run of ", folder.flag,
                                    "; expected a file outside of it"));
  }
  for (const Use& folder : data_) {
    if (IsSameFile(output.path, folder.path)) return Clash(output, folder, true);
    const bool is_data = std::any_of(kData.begin(), kData.end(),
                                     [&](std::string_view ending) { return HasEnding(output.path, ending); });
    if (IsRegular(output.path) && (is_data || IsTheirTable(output.path)) && IsBelow(output.path, folder.path))
      return InvalidArgument(StrCat(output.flag, ": ", output.path, " is among the data of ", folder.flag,
                                    "; expected a file outside of it, or a name that is free"));
  }
  return {};
}

Status FileUse::Check(std::string* conflict) const {
  std::vector<Use> outputs = writes_;
  const auto is_stream = [](const Use& output) { return output.path == kStandardOutput; };
  // A shell may have sent the table to a file.
  if (std::none_of(outputs.begin(), outputs.end(), is_stream) && IsRegular(kStandardOutput))
    outputs.push_back({"the shell", kStandardOutput});
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Use& output = outputs[i];
    if (conflict != nullptr) *conflict = output.flag;
    for (const Use& input : reads_) {
      if (IsSameFile(output.path, input.path)) return Clash(output, input, true);
    }
    for (size_t j = 0; j < i; ++j) {
      const bool twice = is_stream(output) && is_stream(outputs[j]);
      if (twice || IsSameFile(output.path, outputs[j].path)) return Clash(output, outputs[j], false);
    }
    QAT_RETURN_IF_ERROR(CheckFolders(output));
  }
  if (conflict != nullptr) conflict->clear();
  return {};
}

}  // namespace qat
