// Mutated files through the programs themselves, in processes of their own:
//   qat_mutate_files PROGRAMS OUT [--count N] [--jobs N] [--seed N]
// Makes N files (default 20,000), in turns .tflite, .qgraph and checkpoint, and gives each to one of the
// commands that take it (the programs lie in the folder PROGRAMS). A signal, an exit code other than 0 to 6,
// and more than 10 s are findings: OUT/found keeps the file, and its name says the command. OUT/done counts;
// a run with the same OUT and seed goes on behind it. Prints how often each exit code came.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "base/strings.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/scratch.h"

extern char** environ;

namespace qat::fuzz {
namespace {

constexpr size_t kLargestInput = 1 << 17;
constexpr double kLongest = 10;         // seconds
constexpr rlim_t kMemory = 3ull << 30;  // of a process: what it does with less is a fault of ours
constexpr uint64_t kSavedEvery = 500;   // files
constexpr int kHighestExitCode = 6;

// FILE and OUT stand for the mutated file and for an output of this job.
struct Command {
  std::string name;
  std::vector<std::string> words;
};

struct Kind {
  std::string_view target;
  std::vector<Command> commands;
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kKinds = {
      {"tflite",
       {{"bench", {"qat-eval", "bench", "FILE", "--repeat", "1", "--progress", "none"}},
        {"reference",
         {"qat-eval", "bench", "FILE", "--repeat", "1", "--kernels", "reference", "--progress", "none"}},
        {"inspect", {"qat-eval", "inspect", "FILE", "--details"}},
        {"trace", {"qat-eval", "trace", "FILE"}},
        {"import", {"qat-convert", "FILE", "--type", "float32", "-o", "OUT"}}}},
      {"graph",
       {{"uint8", {"qat-convert", "FILE", "--type", "uint8", "--default-range", "-1,2", "-o", "OUT"}},
        {"int8",
         {"qat-convert", "FILE", "--type", "int8", "--default-range", "-1,2", "--append", "softmax", "-o",
          "OUT"}},
        {"float32", {"qat-convert", "FILE", "--type", "float32", "--append", "argmax", "-o", "OUT"}},
        {"dynamic", {"qat-convert", "FILE", "--type", "dynamic", "-o", "OUT"}},
        {"inspect", {"qat-eval", "inspect", "FILE", "--details"}}}},
      {"checkpoint",
       {{"freeze", {"qat-freeze", "FILE", "-o", "OUT"}},
        {"inspect", {"qat-eval", "inspect", "FILE", "--details"}},
        {"trace", {"qat-eval", "trace", "FILE"}}}},
  };
  return kKinds;
}

struct Options {
  std::string programs, out;
  uint64_t count = 20000;
  uint64_t jobs = 2;
  uint64_t seed = 1;
};

struct Job {
  pid_t process = -1;
  uint64_t index = 0;
  std::string command, file;
  std::chrono::steady_clock::time_point begin;
};

/// "kind/command=exit code" -> how often; a signal is 128 and its number.
using Counts = std::map<std::string, uint64_t>;

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : seed_(seed) {
    for (size_t i = 0; i < Kinds().size(); ++i) {
      targets_[i] = FindTarget(Kinds()[i].target);
      seeds_[i] = targets_[i]->seeds();
    }
  }

  /// File `index` of kind index % 3.
  Bytes Make(uint64_t index, Random& random) const {
    const size_t kind = index % Kinds().size();
    const std::vector<Bytes>& seeds = seeds_[kind];
    Bytes bytes = seeds[random.Below(static_cast<uint32_t>(seeds.size()))];
    for (uint32_t steps = 1 + random.Below(3) * random.Below(2); steps > 0; --steps)
      MutateOnce(*targets_[kind], seeds, kLargestInput, random, bytes);
    return bytes;
  }
  Random RandomOf(uint64_t index) const { return Random(MixKey(seed_, index)); }

 private:
  uint64_t seed_;
  std::array<const FuzzTarget*, 3> targets_ = {};
  std::array<std::vector<Bytes>, 3> seeds_;
};

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options), mutator_(options.seed), jobs_(options.jobs) {
    std::filesystem::create_directories(StrCat(options.out, "/found"));
    std::ifstream file(DonePath());
    std::string key;
    file >> key >> done_;
    for (uint64_t times = 0; file >> key >> times;) counts_[key] = times;
    posix_spawn_file_actions_init(&quiet_);
    for (const int stream : {0, 1, 2})
      posix_spawn_file_actions_addopen(&quiet_, stream, "/dev/null", O_RDWR, 0);
    const rlimit memory = {kMemory, kMemory};
    setrlimit(RLIMIT_AS, &memory);
  }

  /// Returns how many findings there are.
  uint64_t Run() {
    const auto begin = std::chrono::steady_clock::now();
    const uint64_t first = done_;
    while (done_ < options_.count) {
      // A batch at a time, so that what is counted as done is done.
      const uint64_t end = std::min(done_ + kSavedEvery, options_.count);
      for (uint64_t index = done_; index < end; ++index) Start(index, FreeJob());
      for (Job& job : jobs_) Finish(job);
      done_ = end;
      Save();
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    Print(done_ - first, taken.count());
    return found_;
  }

 private:
  std::string DonePath() const { return StrCat(options_.out, "/done"); }

  Job& FreeJob() {
    for (Job& job : jobs_) {
      if (job.process < 0) return job;
    }
    while (true) {
      for (Job& job : jobs_) {
        if (IsFinished(job)) return job;
      }
      poll(nullptr, 0, 1);
    }
  }

  void Start(uint64_t index, Job& job) {
    Random random = mutator_.RandomOf(index);
    const Bytes bytes = mutator_.Make(index, random);
    const std::vector<Command>& commands = Kinds()[index % Kinds().size()].commands;
    const Command& command = commands[random.Below(static_cast<uint32_t>(commands.size()))];
    const auto number = static_cast<size_t>(&job - jobs_.data());
    job.index = index;
    job.command = command.name;
    job.file = PutScratch(StrCat("job", number), bytes);
    job.begin = std::chrono::steady_clock::now();
    std::vector<std::string> words = command.words;
    words[0] = StrCat(options_.programs, "/", words[0]);
    std::vector<char*> arguments;
    for (std::string& word : words) {
      if (word == "FILE") word = job.file;
      if (word == "OUT") word = job.file + ".out";
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    QAT_CHECK(posix_spawn(&job.process, arguments[0], &quiet_, nullptr, arguments.data(), environ) == 0);
  }

  bool IsFinished(Job& job) {
    int status = 0;
    if (waitpid(job.process, &status, WNOHANG) == job.process) {
      Judge(job, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
      return true;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - job.begin;
    if (taken.count() < kLongest) return false;
    kill(job.process, SIGKILL);
    waitpid(job.process, &status, 0);
    Judge(job, 128 + SIGKILL);
    return true;
  }

  void Finish(Job& job) {
    while (job.process >= 0 && !IsFinished(job)) poll(nullptr, 0, 1);
  }

  void Judge(Job& job, int code) {
    job.process = -1;
    const std::string_view kind = Kinds()[job.index % Kinds().size()].target;
    ++counts_[StrCat(kind, "/", job.command, "=", code)];
    if (code <= kHighestExitCode) return;
    ++found_;
    const std::string kept =
        StrCat(options_.out, "/found/", kind, "-", job.command, "-", code, "-", job.index);
    std::filesystem::copy_file(job.file, kept, std::filesystem::copy_options::overwrite_existing);
    std::fprintf(stderr, "qat_mutate_files: %s\n", kept.c_str());
  }

  void Save() const {
    std::ofstream file(DonePath() + ".new");
    file << "files " << done_ << "\n";
    for (const auto& [key, times] : counts_) file << key << " " << times << "\n";
    file.close();
    std::filesystem::rename(DonePath() + ".new", DonePath());
  }

  void Print(uint64_t made, double seconds) const {
    std::map<int, uint64_t> codes;
    for (const auto& [key, times] : counts_) codes[std::atoi(key.c_str() + key.find('=') + 1)] += times;
    std::printf("%llu files, %llu of them now in %.0f s\n", static_cast<unsigned long long>(done_),
                static_cast<unsigned long long>(made), seconds);
    for (const auto& [code, times] : codes)
      std::printf("exit code %d: %llu\n", code, static_cast<unsigned long long>(times));
  }

  const Options& options_;
  Mutator mutator_;
  std::vector<Job> jobs_;
  Counts counts_;
  uint64_t done_ = 0, found_ = 0;
  posix_spawn_file_actions_t quiet_;
};

std::optional<Options> Parse(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0) return std::nullopt;
  Options options;
  options.programs = argv[1];
  options.out = argv[2];
  for (int i = 3; i < argc; i += 2) {
    const std::string flag = argv[i];
    const auto value = ParseNumber<int64_t>(argv[i + 1]);
    if (!value || *value < 1) return std::nullopt;
    if (flag == "--count")
      options.count = static_cast<uint64_t>(*value);
    else if (flag == "--jobs")
      options.jobs = static_cast<uint64_t>(*value);
    else if (flag == "--seed")
      options.seed = static_cast<uint64_t>(*value);
    else
      return std::nullopt;
  }
  return options;
}

}  // namespace
}  // namespace qat::fuzz

int main(int argc, char** argv) {
  const auto options = qat::fuzz::Parse(argc, argv);
  if (!options) {
    std::fprintf(stderr, "Usage: qat_mutate_files PROGRAMS OUT [--count N] [--jobs N] [--seed N]\n");
    return 2;
  }
  return qat::fuzz::Runner(*options).Run() == 0 ? 0 : 1;
}
