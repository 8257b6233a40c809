// Times one model in this process on request, so that a script can let several runtimes take turns within
// milliseconds: qat_runtime_bench MODEL INPUT [THREADS], INPUT being the raw bytes of the first input, one or
// more examples.
// Commands on stdin, one line of answer each:
//   time N     runs the first example N times: nanoseconds of one run on average, then those of this thread's
//              processor
//   run PATH   runs every example and writes the bytes of all outputs to PATH: how many examples
//   kernels    the kernel of every node
// qat_runtime_bench --isas prints the instruction sets of this machine, a line each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <sstream>

#include "base/file.h"
#include "base/strings.h"
#include "runtime/interpreter.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/thread_pool.h"
#include "runtime/runnable_model.h"

namespace qat {
namespace {

double ProcessorNanoseconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Bench {
 public:
  Bench(std::unique_ptr<Interpreter> interpreter, std::vector<uint8_t> examples)
      : interpreter_(std::move(interpreter)), examples_(std::move(examples)) {
    Load(0);
  }

  Expected<std::string> Answer(const std::string& command, const std::string& argument) {
    if (command == "time") return Time(std::max(1L, std::atol(argument.c_str())));
    if (command == "run") return Run(argument);
    if (command == "kernels") return Join(interpreter_->KernelNames(), " ");
    return InvalidArgument(StrCat("unknown command '", command, "', expected time, run or kernels"));
  }

 private:
  size_t count() const { return examples_.size() / interpreter_->input(0).size(); }
  void Load(size_t example) {
    const std::span<uint8_t> input = interpreter_->input(0);
    std::copy_n(examples_.begin() + static_cast<int64_t>(example * input.size()), input.size(),
                input.begin());
  }

  Expected<std::string> Time(int64_t runs) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    const double busy = ProcessorNanoseconds();
    for (int64_t i = 0; i < runs; ++i) interpreter_->Invoke();
    const std::chrono::duration<double, std::nano> time = Clock::now() - start;
    const auto divisor = static_cast<double>(runs);
    return StrCat(time.count() / divisor, " ", (ProcessorNanoseconds() - busy) / divisor);
  }

  Expected<std::string> Run(const std::string& path) {
    std::vector<uint8_t> all;
    for (size_t example = 0; example < count(); ++example) {
      Load(example);
      interpreter_->Invoke();
      for (size_t i = 0; i < interpreter_->model().outputs().size(); ++i) {
        const auto output = interpreter_->output(i);
        all.insert(all.end(), output.begin(), output.end());
      }
    }
    Load(0);
    QAT_RETURN_IF_ERROR(WriteFile(path, all));
    return std::to_string(count());
  }

  std::unique_ptr<Interpreter> interpreter_;
  std::vector<uint8_t> examples_;
};

Expected<Bench> OpenBench(const std::string& model_path, const std::string& input_path, int threads) {
  if (threads < 1 || threads > ThreadPool::kMaxThreads) {
    return InvalidArgument(StrCat(threads, " threads, expected 1 to ", ThreadPool::kMaxThreads));
  }
  QAT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, LoadRunnable(model_path));
  InterpreterOptions options;
  options.threads = threads;
  QAT_ASSIGN_OR_RETURN(auto interpreter, Interpreter::Create(std::move(model), options));
  QAT_ASSIGN_OR_RETURN(std::vector<uint8_t> examples, ReadFile(input_path));
  const size_t size = interpreter->input(0).size();
  if (examples.empty() || examples.size() % size != 0) {
    return Corrupt(StrCat(input_path, ": has ", examples.size(), " bytes, expected a multiple of ", size,
                          ", one input"));
  }
  return Bench(std::move(interpreter), std::move(examples));
}

Status Serve(const std::string& model, const std::string& input, int threads) {
  QAT_ASSIGN_OR_RETURN(Bench bench, OpenBench(model, input, threads));
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument;
    words >> command >> argument;
    QAT_ASSIGN_OR_RETURN(const std::string answer, bench.Answer(command, argument));
    std::cout << answer << std::endl;
  }
  return {};
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--isas") {
    for (const qat::Isa isa : qat::AvailableIsas())
      std::printf("%s\n", std::string(qat::NameOf(isa)).c_str());
    return 0;
  }
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "Usage: qat_runtime_bench MODEL INPUT [THREADS] | --isas\n");
    return 2;
  }
  const qat::Status status = qat::Serve(argv[1], argv[2], argc == 4 ? std::atoi(argv[3]) : 1);
  if (status.ok()) return 0;
  std::fprintf(stderr, "qat_runtime_bench: %s\n", status.error().message.c_str());
  return 1;
}
