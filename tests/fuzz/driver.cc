// The engine for any compiler: replays files and makes seeded mutations of a target's own seeds.
//   qat_fuzz TARGET [--runs N] [--seconds N] [--seed N] [--slow SECONDS] [--memory MIB] [-o DIR] [FILE...]
// FILEs are replayed and nothing else is done, unless there are none: then the files of
// tests/fuzz/regressions/TARGET and the seeds are, and N mutations (default 1000; with --seconds, as many as
// that time allows), the same ones for the same --seed. The input that ended the program, took more than
// --slow seconds of processor time, or made it grow beyond --memory is written to DIR (default: the current
// folder). `qat_fuzz --list` prints the targets; `qat_fuzz TARGET --write-seeds DIR` writes the seeds as
// files.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "base/strings.h"
#include "fuzz/fuzz_target.h"
#include "support/places.h"

extern "C" {
// Of the sanitizers; absent without them.
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
}

namespace qat::fuzz {
namespace {

constexpr size_t kLargestInput = 1 << 17;

struct Options {
  const FuzzTarget* target = nullptr;
  uint64_t runs = 1000;
  double seconds = 0;
  uint64_t seed = 1;
  double slow = 0;  // 0: any time
  long memory = 0;  // MiB; 0: any
  std::string folder = ".";
  std::string seeds_folder;
  std::vector<std::string> files;
};

// What a signal handler needs.
struct Current {
  std::span<const uint8_t> bytes;
  char path[4096];
  bool written;
} current;

void WriteCurrent() {
  if (current.written || current.bytes.empty()) return;
  current.written = true;
  const int file = open(current.path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  const auto written = write(file, current.bytes.data(), current.bytes.size());
  close(file);
  if (written == static_cast<ssize_t>(current.bytes.size()))
    dprintf(2, "qat_fuzz: the input is %s\n", current.path);
}

void OnSignal(int signal) {
  if (signal == SIGPROF) dprintf(2, "qat_fuzz: too slow\n");
  WriteCurrent();
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void CatchSignals(const Options& options) {
  std::snprintf(current.path, sizeof(current.path), "%s/%s-%d", options.folder.c_str(),
                std::string(options.target->name).c_str(), getpid());
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(WriteCurrent);
    signal(SIGABRT, OnSignal);  // of a failed check
  } else {
    for (const int each : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) signal(each, OnSignal);
  }
  signal(SIGPROF, OnSignal);
}

void SetTimer(double seconds) {
  const auto whole = static_cast<time_t>(seconds);
  const itimerval timer = {{0, 0},
                           {whole, static_cast<suseconds_t>((seconds - static_cast<double>(whole)) * 1e6)}};
  setitimer(ITIMER_PROF, &timer, nullptr);
}

long MemoryUsed() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss >> 10;
}

// Of this process: what others do on the machine does not count.
double ProcessorSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Slowest {
  double seconds = 0;
  uint64_t runs = 0;
};

void RunOne(const Options& options, std::span<const uint8_t> bytes, Slowest& slowest) {
  current.bytes = bytes;
  if (options.slow > 0) SetTimer(options.slow);
  const double begin = ProcessorSeconds();
  options.target->run(bytes);
  slowest.seconds = std::max(slowest.seconds, ProcessorSeconds() - begin);
  if (options.slow > 0) SetTimer(0);
  ++slowest.runs;
  if (options.memory == 0 || MemoryUsed() <= options.memory) return;
  std::fprintf(stderr, "qat_fuzz: %ld MiB of memory\n", MemoryUsed());
  std::abort();
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Status Replay(const Options& options, const std::vector<std::string>& files, Slowest& slowest) {
  for (const std::string& file : files) {
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(file));
    RunOne(options, bytes, slowest);
  }
  return {};
}

void RunMutations(const Options& options, const std::vector<Bytes>& corpus, Slowest& slowest) {
  const auto begin = std::chrono::steady_clock::now();
  const std::chrono::duration<double> all(options.seconds);
  for (uint64_t i = 0;
       options.seconds > 0 ? std::chrono::steady_clock::now() - begin < all : i < options.runs; ++i) {
    Random random(MixKey(options.seed, i));
    Bytes bytes = corpus[random.Below(static_cast<uint32_t>(corpus.size()))];
    for (uint32_t steps = 1 + random.Below(3) * random.Below(2); steps > 0; --steps)
      MutateOnce(*options.target, corpus, kLargestInput, random, bytes);
    RunOne(options, bytes, slowest);
  }
}

Status WriteSeeds(const Options& options) {
  QAT_RETURN_IF_ERROR(MakeDirectories(options.seeds_folder));
  const std::vector<Bytes> seeds = options.target->seeds();
  for (size_t i = 0; i < seeds.size(); ++i)
    QAT_RETURN_IF_ERROR(WriteFile(StrCat(options.seeds_folder, "/seed", i), seeds[i]));
  return {};
}

Status Fuzz(const Options& options) {
  if (!options.seeds_folder.empty()) return WriteSeeds(options);
  CatchSignals(options);
  Slowest slowest;
  if (!options.files.empty()) {
    QAT_RETURN_IF_ERROR(Replay(options, options.files, slowest));
  } else {
    const std::vector<Bytes> corpus = options.target->seeds();
    QAT_RETURN_IF_ERROR(Replay(
        options, FilesIn(StrCat(testing::kSourceDir, "/tests/fuzz/regressions/", options.target->name)),
        slowest));
    for (const Bytes& seed : corpus) RunOne(options, seed, slowest);
    RunMutations(options, corpus, slowest);
  }
  std::printf("%s: %llu executions, slowest %.3f s, memory %ld MiB\n",
              std::string(options.target->name).c_str(), static_cast<unsigned long long>(slowest.runs),
              slowest.seconds, MemoryUsed());
  return {};
}

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  if (argc < 2 || (options.target = FindTarget(argv[1])) == nullptr) return std::nullopt;
  for (int i = 2; i < argc; ++i) {
    const std::string flag = argv[i];
    if (!flag.starts_with("-")) {
      options.files.push_back(flag);
      continue;
    }
    if (++i == argc) return std::nullopt;
    const char* value = argv[i];
    if (flag == "--runs")
      options.runs = std::strtoull(value, nullptr, 10);
    else if (flag == "--seconds")
      options.seconds = std::atof(value);
    else if (flag == "--seed")
      options.seed = std::strtoull(value, nullptr, 10);
    else if (flag == "--slow")
      options.slow = std::atof(value);
    else if (flag == "--memory")
      options.memory = std::atol(value);
    else if (flag == "--write-seeds")
      options.seeds_folder = value;
    else if (flag == "-o")
      options.folder = value;
    else
      return std::nullopt;
  }
  return options;
}

}  // namespace
}  // namespace qat::fuzz

int main(int argc, char** argv) {
  using namespace qat::fuzz;
  if (argc == 2 && std::string(argv[1]) == "--list") {
    for (const FuzzTarget& target : AllTargets()) std::puts(std::string(target.name).c_str());
    return 0;
  }
  const auto options = Parse(argc, argv);
  if (!options) {
    std::fprintf(stderr,
                 "Usage: qat_fuzz --list | qat_fuzz TARGET [--runs N] [--seconds N] [--seed N] [--slow "
                 "SECONDS] [--memory MIB] [-o DIR] [--write-seeds DIR] [FILE...]\n");
    return 2;
  }
  const qat::Status status = Fuzz(*options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "qat_fuzz: %s\n", status.error().message.c_str());
  return 3;
}
