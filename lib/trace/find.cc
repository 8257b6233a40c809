#include "trace/find.h"

#include <algorithm>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/input_file.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "contract/provenance.h"

namespace qat {
namespace {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

// Paths as a user would write them.
std::string Inside(const std::string& folder, const std::string& name) {
  return folder == "." ? name : JoinPath(folder, name);
}

bool IsRun(const std::string& path) { return IsDirectory(JoinPath(path, "checkpoints")); }

std::vector<std::string> NamesIn(const std::string& folder) {
  auto names = ListDirectory(folder);
  return names.ok() ? *std::move(names) : std::vector<std::string>();
}

void AddOnce(std::vector<std::string>& paths, const std::string& path) {
  if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(path);
}

Expected<FoundFile> Hashed(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  if (!file.size())
    return NotFound(StrCat(path, ": can be read only once, expected a regular file for `trace`"));
  Sha256Stream hash;
  Bytes part(size_t{1} << 20);
  size_t count = 0;
  do {
    QAT_ASSIGN_OR_RETURN(count, file.Read(part));
    hash.Update(std::span(part).first(count));
  } while (count == part.size());
  return FoundFile{path, hash.Finish(), ""};
}

// The file that matches, else the only one. Files that cannot be read are none.
FoundFile Choose(const std::vector<std::string>& candidates, const std::string& sha256,
                 std::string_view kind) {
  FoundFile other;
  for (const std::string& path : candidates) {
    const auto found = Hashed(path);
    if (!found.ok()) continue;
    if (SameHash(found->sha256, sha256)) return *found;
    other = *found;
  }
  if (candidates.size() == 1) return other;
  if (candidates.empty()) return {"", "", StrCat("no ", kind, " lies beside it")};
  return {"", "", StrCat("none of the ", candidates.size(), " ", kind, "s beside it")};
}

std::vector<std::string> FilesOf(const Places& places, std::string_view ending) {
  std::vector<std::string> paths;
  for (const std::string& folder : places.folders) {
    for (const std::string& name : NamesIn(folder)) {
      if (name.ends_with(ending)) paths.push_back(Inside(folder, name));
    }
  }
  return paths;
}

std::vector<std::string> CheckpointsOf(const std::string& run) {
  std::vector<std::string> paths;
  const auto steps = ListCheckpoints(run);
  if (!steps.ok()) return paths;
  for (const int64_t step : *steps) paths.push_back(CheckpointPath(run, step));
  return paths;
}

FoundFile LastOf(const std::vector<std::string>& runs, const std::string& sha256) {
  std::vector<std::string> all;
  for (const std::string& run : runs) {
    for (const std::string& path : CheckpointsOf(run)) all.push_back(path);
  }
  FoundFile chosen = Choose(all, sha256, "checkpoint");
  if (!chosen.path.empty() || runs.size() != 1 || all.empty()) return chosen;
  const auto last = Hashed(all.back());
  return last.ok()
             ? FoundFile{last->path, last->sha256, StrCat("no checkpoint of ", runs[0], " has this hash")}
             : chosen;
}

}  // namespace

Places PlacesAround(const std::string& start, const std::string& run) {
  Places places;
  const std::string folder = FolderOf(start);
  AddOnce(places.folders, folder);
  if (IsDirectory(run)) AddOnce(places.runs, run);
  if (IsRun(folder)) AddOnce(places.runs, folder);
  if (const std::string above = FolderOf(folder); IsRun(above)) AddOnce(places.runs, above);
  for (const std::string& name : NamesIn(folder)) {
    if (const std::string path = Inside(folder, name); IsRun(path)) AddOnce(places.runs, path);
  }
  for (const std::string& path : places.runs) AddOnce(places.folders, path);
  return places;
}

Expected<FoundFile> FindGraph(const Places& places, const std::string& given, const std::string& sha256) {
  if (!given.empty()) return Hashed(given);
  return Choose(FilesOf(places, ".qgraph"), sha256, "graph");
}

FoundFile FindPlan(const Places& places, const std::string& sha256) {
  const FoundFile found = Choose(FilesOf(places, ".toml"), sha256, "plan");
  return SameHash(found.sha256, sha256) ? found : FoundFile();
}

FoundFile FindModel(const Places& places, const std::string& sha256) {
  std::vector<std::string> models = FilesOf(places, ".tflite");
  for (const std::string& path : FilesOf(places, ".onnx")) models.push_back(path);
  const FoundFile found = Choose(models, sha256, "model");
  return SameHash(found.sha256, sha256) ? found : FoundFile();
}

Status ExpectGraph(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path));
  Bytes head(16);
  size_t count = 0;
  if (file.size()) {
    QAT_ASSIGN_OR_RETURN(count, file.Read(head));
  }
  if (!IsKind(std::span(head).first(count), kTfliteIdentifier) && !path.ends_with(".onnx")) return {};
  return InvalidArgument(
      StrCat("`graph`: ", path,
             " is a model, expected the frozen graph (.qgraph) that the traced model was made of"));
}

Expected<FoundFile> FindCheckpoint(const Places& places, const std::string& given,
                                   const std::string& sha256) {
  if (given.empty()) return LastOf(places.runs, sha256);
  QAT_ASSIGN_OR_RETURN(const std::string last, ResolveCheckpoint(given, "last"));
  if (!IsDirectory(given)) return Hashed(last);
  return LastOf({given}, sha256);
}

std::string RecipePathOf(const std::string& checkpoint) {
  const std::string folder = FolderOf(checkpoint);
  if (checkpoint.empty() || !folder.ends_with("checkpoints")) return "";
  return Inside(FolderOf(folder), "config.toml");
}

}  // namespace qat
