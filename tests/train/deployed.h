// deployed.h: what the model that a checkpoint becomes computes, in the runtime's reference kernels, in a
// form that a simulation can be held against.
#ifndef QAT_TESTS_TRAIN_DEPLOYED_H_
#define QAT_TESTS_TRAIN_DEPLOYED_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <utility>
#include <vector>

#include "freeze/freeze.h"
#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "support/run_model.h"
#include "tflite/tflite_writer.h"
#include "train/modules/nhwc.h"
#include "train/simulated.h"

namespace qat::testing {

/// In TFLite's order of axes.
inline std::vector<double> ValuesInNhwc(const at::Tensor& tensor) {
  const at::Tensor rows = functional::ToNhwc(tensor).detach().to(at::kDouble).contiguous();
  return {rows.data_ptr<double>(), rows.data_ptr<double>() + rows.numel()};
}

/// Frozen and converted, with reference kernels. Errors: of each stage.
inline Expected<std::unique_ptr<Interpreter>> Deploy(const Checkpoint& checkpoint,
                                                     const Precisions& precisions) {
  std::vector<std::string> warnings;
  QAT_ASSIGN_OR_RETURN(Graph graph, Freeze(checkpoint, {}, warnings));
  QuantizationOptions options;
  options.precisions = precisions;
  QAT_RETURN_IF_ERROR(ChooseQuantization(graph, options, warnings));
  QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(graph, {}));
  QAT_ASSIGN_OR_RETURN(const auto model, RunnableFromBytes(std::move(bytes), "deployed.tflite"));
  InterpreterOptions reference;
  reference.kernels = KernelSet::kReference;
  return Interpreter::Create(model, reference);
}

inline Expected<std::unique_ptr<Interpreter>> Deploy(const Checkpoint& checkpoint, Scheme scheme) {
  return Deploy(checkpoint, PrecisionsOf(scheme));
}

/// Outputs for quantized images, one at a time; T is the element type of the model.
template <class T>
std::vector<double> RunImages(Interpreter& interpreter, const SimulatedTensor& images) {
  const std::vector<double> all = ValuesInNhwc(images.values);
  const int64_t count = images.values.size(0);
  const auto size = static_cast<std::ptrdiff_t>(all.size()) / count;
  std::vector<double> outputs;
  for (int64_t n = 0; n < count; ++n) {
    const std::vector<T> image(all.begin() + n * size, all.begin() + (n + 1) * size);
    for (const T value : RunOn<T>(interpreter, image)) outputs.push_back(value);
  }
  return outputs;
}

inline std::vector<double> RunImages(Scheme scheme, Interpreter& interpreter, const SimulatedTensor& images) {
  return scheme == Scheme::kInt8 ? RunImages<int8_t>(interpreter, images)
                                 : RunImages<uint8_t>(interpreter, images);
}

}  // namespace qat::testing

#endif  // QAT_TESTS_TRAIN_DEPLOYED_H_
