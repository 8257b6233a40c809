#include "import/onnx_kernels.h"

#include <cstring>

#include "base/strings.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {

Expected<std::vector<OnnxValue>> FoldByKernels(const OnnxConverter& converter, const OnnxNode& node) {
  const OnnxValue& data = node.In(0);
  if (!onnx::IsReal(data.constant->type) || data.rank() == 0 || FlatSize(data.shape) == 0)
    return Unsupported(
        "reads constants alone, which are not computed here; fold them before the export (onnxsim does it)");
  OnnxBuilder builder;
  std::vector<FoldedBatchNorm> norms;
  std::map<std::string, int> readers;
  OnnxConversion conversion{builder, norms, readers};
  OnnxNode as_data = node;
  as_data.inputs[0] = builder.AddInput("data", data.shape, IdentityOrder(data.rank()));
  builder.Begin(node.node.outputs[0]);
  QAT_ASSIGN_OR_RETURN(std::vector<OnnxValue> values, converter.convert(conversion, as_data));
  Graph& graph = builder.graph();
  for (OnnxValue& value : values) {
    if (!value.exists()) continue;  // an output that nobody reads
    QAT_ASSIGN_OR_RETURN(value, builder.ToPlain(value));
    if (value.type != DType::kFloat32) return Unsupported(StrCat("makes constants of ", NameOf(value.type)));
    if (value.tensor == graph.inputs[0]) return std::vector<OnnxValue>{data};
    graph.outputs.push_back(value.tensor);
  }
  InputContract contract{1, 1, static_cast<int32_t>(FlatSize(data.shape)), {}, {}};
  contract.mean.assign(static_cast<size_t>(contract.channels), 0);
  contract.std.assign(static_cast<size_t>(contract.channels), 1);
  graph.contract = Contract(std::move(contract), {});
  QAT_ASSIGN_OR_RETURN(Bytes bytes, WriteTflite(graph, {}));
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), "a node of constants"));
  QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(std::move(model)));
  std::memcpy(interpreter->input(0).data(), data.constant->reals.data(), interpreter->input(0).size());
  interpreter->Invoke();
  size_t place = 0;
  for (OnnxValue& value : values) {
    if (!value.exists()) continue;
    const auto output = interpreter->output(place++);
    std::vector<float> reals(output.size() / sizeof(float));
    std::memcpy(reals.data(), output.data(), output.size());
    value = MakeReals(value.shape, std::move(reals));
  }
  return values;
}

}  // namespace qat
