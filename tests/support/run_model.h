// run_model.h: from .tflite bytes to output values in one line of a test.
#ifndef QAT_TESTS_SUPPORT_RUN_MODEL_H_
#define QAT_TESTS_SUPPORT_RUN_MODEL_H_

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"

namespace qat::testing {

/// Null, and the test failed, where the model is refused.
inline std::unique_ptr<Interpreter> Open(std::vector<uint8_t> bytes, const InterpreterOptions& options = {}) {
  auto model = RunnableFromBytes(std::move(bytes), "test.tflite");
  EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message);
  if (!model.ok()) return nullptr;
  auto interpreter = Interpreter::Create(*model, options);
  EXPECT_TRUE(interpreter.ok()) << (interpreter.ok() ? "" : interpreter.error().message);
  return interpreter.ok() ? *std::move(interpreter) : nullptr;
}

/// Output 0 for the given input 0.
template <class T>
std::vector<T> RunOn(Interpreter& interpreter, const std::vector<T>& input) {
  const std::span<uint8_t> bytes = interpreter.input(0);
  EXPECT_EQ(bytes.size(), input.size() * sizeof(T));
  std::memcpy(bytes.data(), input.data(), bytes.size());
  interpreter.Invoke();
  const std::span<const uint8_t> output = interpreter.output(0);
  std::vector<T> values(output.size() / sizeof(T));
  std::memcpy(values.data(), output.data(), output.size());
  return values;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RUN_MODEL_H_
