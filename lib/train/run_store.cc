#include "train/run_store.h"

#include <filesystem>
#include <set>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr int64_t kKeptAll = 20;
constexpr int64_t kKeptRecent = 5;
constexpr int64_t kKeptSpread = 10;
constexpr int64_t kKeptStates = 2;

Status Remove(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) return IoError(StrCat(path, ": cannot be removed: ", error.message()));
  return {};
}

Expected<SavedRun> LoadRun(const std::string& run, int64_t step) {
  const std::string path = CheckpointPath(run, step), state_path = TrainerStatePath(run, step);
  QAT_ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadCheckpoint(path));
  QAT_ASSIGN_OR_RETURN(TrainerState state, ReadTrainerState(state_path));
  if (checkpoint.step != step) return Corrupt(StrCat(path, ": is of step ", checkpoint.step));
  if (state.step != step) return Corrupt(StrCat(state_path, ": is of step ", state.step));
  return SavedRun{std::move(checkpoint), std::move(state), {}};
}

}  // namespace

Status SaveRun(const std::string& run, const Checkpoint& checkpoint, const TrainerState& state) {
  QAT_RETURN_IF_ERROR(WriteFile(TrainerStatePath(run, state.step), Serialize(state)));
  return WriteFile(CheckpointPath(run, checkpoint.step), Serialize(checkpoint));
}

Expected<double> NumberOf(const TrainerState& state, const std::string& name) {
  const auto found = state.scalars.find(name);
  if (found == state.scalars.end()) return Corrupt(StrCat("number '", name, "' is missing"));
  return found->second;
}

Expected<std::optional<SavedRun>> LoadNewestRun(const std::string& run) {
  if (!IsDirectory(JoinPath(run, "checkpoints"))) return std::optional<SavedRun>();
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> steps, ListCheckpoints(run));
  std::string newest_damage;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    auto saved = LoadRun(run, *step);
    if (!saved.ok()) {
      if (newest_damage.empty()) newest_damage = saved.error().message;
      continue;
    }
    if (!newest_damage.empty()) {
      saved->warning = StrCat(newest_damage, "; resuming from step ", *step, " instead of ", steps.back());
    }
    return std::optional(*std::move(saved));
  }
  if (steps.empty()) return std::optional<SavedRun>();
  return Corrupt(
      StrCat(run, ": cannot be resumed: ", newest_damage,
             steps.size() == 1 ? "; it has no other checkpoint" : "; no older checkpoint has its .state",
             "; start anew with another -o (`init` takes over the weights of a .ckpt that is whole)"));
}

bool IsKept(const Schedule& schedule, int64_t step, int64_t newest, int64_t best) {
  if (step == newest || step == best) return true;
  if (step > newest || step % schedule.checkpoint_every != 0) return false;
  const int64_t index = step / schedule.checkpoint_every;
  const int64_t count = newest / schedule.checkpoint_every;
  if (count <= kKeptAll || index > count - kKeptRecent) return true;
  int64_t stride = 1;
  while (count / stride > kKeptSpread) stride *= 2;
  return index % stride == 0;
}

Status PruneRun(const std::string& run, const Schedule& schedule, int64_t newest, int64_t best) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> steps, ListCheckpoints(run));
  std::set<std::string> wanted;
  int64_t states = 0;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (!IsKept(schedule, *step, newest, best)) continue;
    wanted.insert(CheckpointPath(run, *step));
    if (++states <= kKeptStates) wanted.insert(TrainerStatePath(run, *step));
  }
  const std::string folder = JoinPath(run, "checkpoints");
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(folder));
  for (const std::string& name : names) {
    const bool ours = name.ends_with(".ckpt") || name.ends_with(".state");
    if (ours && !wanted.contains(JoinPath(folder, name))) QAT_RETURN_IF_ERROR(Remove(JoinPath(folder, name)));
  }
  return {};
}

}  // namespace qat
