// Writes random models with their inputs and what our runtime makes of them, for compare_with_litert.py:
//   qat_conformance_cases DIR COUNT SEED
// DIR gets, for each case, NNNN.tflite, NNNN.input, NNNN.reference.output and one NNNN.ISA.output for each
// instruction set of this machine (raw bytes of the first input and of all outputs, one after the other), and
// cases.txt with one line per case: its number, "exact" or "near" for how floats are compared, what it is.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/strings.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/random_conversions.h"
#include "support/random_hybrids.h"
#include "support/random_models.h"
#include "support/random_operators.h"
#include "support/random_run_operators.h"

namespace {

using namespace qat;

Expected<Bytes> RunCase(const std::shared_ptr<const Model>& model, const Bytes& input,
                        const InterpreterOptions& options) {
  QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(model, options));
  std::copy(input.begin(), input.end(), interpreter->input(0).begin());
  interpreter->Invoke();
  Bytes outputs;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    const auto output = interpreter->output(i);
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  return outputs;
}

// Without base/file.h: it waits for the disk after every file, which no temporary file needs.
Status Write(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file.fail()) return IoError(path + ": cannot be written");
  return {};
}
std::string_view Text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

InterpreterOptions OptionsOf(KernelSet kernels, Isa isa) {
  InterpreterOptions options;
  options.kernels = kernels;
  options.isa = isa;
  return options;
}

Status WriteCase(const std::string& prefix, const testing::RandomModel& random) {
  QAT_ASSIGN_OR_RETURN(const auto model, RunnableFromBytes(random.bytes, prefix));
  QAT_RETURN_IF_ERROR(Write(prefix + ".tflite", Text(random.bytes)));
  QAT_RETURN_IF_ERROR(Write(prefix + ".input", Text(random.input)));
  const auto write_output = [&](std::string_view name, const InterpreterOptions& options) -> Status {
    QAT_ASSIGN_OR_RETURN(const Bytes output, RunCase(model, random.input, options));
    return Write(StrCat(prefix, ".", name, ".output"), Text(output));
  };
  QAT_RETURN_IF_ERROR(write_output("reference", OptionsOf(KernelSet::kReference, Isa::kPortable)));
  for (Isa isa : AvailableIsas()) {
    QAT_RETURN_IF_ERROR(write_output(NameOf(isa), OptionsOf(KernelSet::kFast, isa)));
  }
  return {};
}

testing::RandomModel MakeCase(uint64_t seed) {
  if (seed % 8 == 0) return testing::MakeRandomConversion(seed);
  if (seed % 16 == 2) return testing::MakeRandomHybrid(seed);
  if (seed % 16 == 6) return testing::MakeRandomInt16Operator(seed);
  if (seed % 32 == 14) return testing::MakeRandomInt4Operator(seed);
  if (seed % 16 == 12) return testing::MakeRandomInt16RunOperator(seed);
  if (seed % 8 == 2) return testing::MakeRandomRunOperator(seed);
  if (seed % 2 == 0) return testing::MakeRandomOperator(seed);
  if (seed % 4 == 1) return testing::MakeRandomModel(seed);
  return seed % 8 == 3 ? testing::MakePooledRandomModel(seed) : testing::MakeWideRandomModel(seed);
}

Status WriteCases(const std::string& directory, int count, uint64_t seed) {
  QAT_RETURN_IF_ERROR(MakeDirectories(directory));
  std::string list;
  for (int i = 0; i < count; ++i) {
    char number[16];
    std::snprintf(number, sizeof(number), "%04d", i);
    const testing::RandomModel random = MakeCase(seed + static_cast<uint64_t>(i));
    QAT_RETURN_IF_ERROR_IN(random.description, WriteCase(JoinPath(directory, number), random));
    list += StrCat(number, random.exact ? " exact " : " near ", random.description, "\n");
  }
  return Write(JoinPath(directory, "cases.txt"), list);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: qat_conformance_cases DIR COUNT SEED\n");
    return 2;
  }
  const Status status = WriteCases(argv[1], std::atoi(argv[2]), std::strtoull(argv[3], nullptr, 10));
  if (status.ok()) return 0;
  std::fprintf(stderr, "qat_conformance_cases: %s\n", status.error().message.c_str());
  return 1;
}
