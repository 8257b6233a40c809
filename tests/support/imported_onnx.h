// imported_onnx.h: an .onnx made by hand, as the import has it.
#ifndef QAT_TESTS_SUPPORT_IMPORTED_ONNX_H_
#define QAT_TESTS_SUPPORT_IMPORTED_ONNX_H_

#include <cstring>
#include <string>
#include <vector>

#include "import/import_onnx.h"
#include "passes/passes.h"
#include "support/onnx_file.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat::testing {

inline Expected<OnnxImport> Import(const OnnxFile& file, std::vector<std::string>* notes = nullptr,
                                   const OnnxImportOptions& options = {}) {
  auto model = onnx::ParseModel(file.Bytes(), "m.onnx");
  if (!model.ok()) return std::move(model).error();
  std::vector<std::string> unread;
  return ImportOnnx(*std::move(model), options, notes == nullptr ? unread : *notes);
}

/// The message of what is refused with `code`; empty: it is taken.
inline std::string ErrorOf(const OnnxFile& file, ErrorCode code) {
  const auto import = Import(file);
  if (import.ok()) return "";
  EXPECT_EQ(import.error().code, code) << import.error().message;
  EXPECT_TRUE(import.error().message.starts_with("m.onnx: "));
  return import.error().message;
}

/// The imported network in float32, on values in the order of its own inputs.
inline std::vector<float> RunImported(const OnnxFile& file, const std::vector<std::vector<float>>& inputs) {
  auto import = Import(file);
  EXPECT_TRUE(import.ok()) << import.error().message;
  if (!import.ok()) return {};
  std::vector<std::string> none;
  QuantizationOptions to_float;
  to_float.precisions = PrecisionsOf(Scheme::kFloat32);
  EXPECT_TRUE(ChooseQuantization(import->graph, to_float, none).ok());
  auto bytes = WriteTflite(import->graph, {});
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  const auto interpreter = Open(*std::move(bytes));
  if (interpreter == nullptr) return {};
  for (size_t i = 1; i < inputs.size(); ++i)
    std::memcpy(interpreter->input(i).data(), inputs[i].data(), inputs[i].size() * sizeof(float));
  return RunOn(*interpreter, inputs[0]);
}

inline std::vector<float> RunImported(const OnnxFile& file, const std::vector<float>& input) {
  return RunImported(file, std::vector<std::vector<float>>{input});
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_IMPORTED_ONNX_H_
