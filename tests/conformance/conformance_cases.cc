// Writes random models with their inputs and what our runtime makes of them, for compare_with_litert.py:
//   qat_conformance_cases DIR COUNT SEED
// DIR gets, for each case, NNNN.tflite, NNNN.input, NNNN.reference and NNNN.fast (raw bytes of the first
// input and of all outputs, one after the other), and cases.txt with one line a case.
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
#include "support/random_models.h"

namespace {

using namespace qat;

Expected<Bytes> RunCase(const std::shared_ptr<const Model>& model, const Bytes& input, KernelSet kernels) {
  InterpreterOptions options;
  options.kernels = kernels;
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

Status WriteCase(const std::string& prefix, const testing::RandomModel& random) {
  QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(random.bytes, prefix));
  QAT_ASSIGN_OR_RETURN(const Bytes reference, RunCase(model, random.input, KernelSet::kReference));
  QAT_ASSIGN_OR_RETURN(const Bytes fast, RunCase(model, random.input, KernelSet::kFast));
  QAT_RETURN_IF_ERROR(Write(prefix + ".tflite", Text(random.bytes)));
  QAT_RETURN_IF_ERROR(Write(prefix + ".input", Text(random.input)));
  QAT_RETURN_IF_ERROR(Write(prefix + ".reference", Text(reference)));
  return Write(prefix + ".fast", Text(fast));
}

Status WriteCases(const std::string& directory, int count, uint64_t seed) {
  QAT_RETURN_IF_ERROR(MakeDirectories(directory));
  std::string list;
  for (int i = 0; i < count; ++i) {
    char number[16];
    std::snprintf(number, sizeof(number), "%04d", i);
    const testing::RandomModel random = testing::MakeRandomModel(seed + static_cast<uint64_t>(i));
    QAT_RETURN_IF_ERROR_IN(random.description, WriteCase(JoinPath(directory, number), random));
    list += StrCat(number, " ", random.description, "\n");
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
