#include "eval/tensor_run.h"

#include <algorithm>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

// [1, 28, 28, 1] -> [N, 28, 28, 1]; [] -> [N].
Shape WithBatch(Shape shape, int32_t batch) {
  if (!shape.empty() && shape[0] == 1) {
    shape[0] = batch;
  } else {
    shape.insert(shape.begin(), batch);
  }
  return shape;
}

Status CheckInput(const ModelTensor& info, const NpyArray& input, const std::string& source) {
  if (input.type != info.type) {
    return Corrupt(StrCat(source, ": holds ", NameOf(input.type), ", expected ", NameOf(info.type),
                          " (input '", info.name, "')"));
  }
  const int32_t batch = input.shape.empty() ? 0 : input.shape[0];
  if (batch == 0 || input.shape != WithBatch(info.shape, batch)) {
    Shape expected = WithBatch(info.shape, batch);
    std::string text = ToString(expected);
    text.replace(1, std::to_string(batch).size(), "N");
    return Corrupt(StrCat(source, ": has the shape ", ToString(input.shape), ", expected ", text, " (input '",
                          info.name, "')"));
  }
  return {};
}

std::vector<NpyArray> EmptyOutputs(const Interpreter& interpreter, int32_t batch) {
  std::vector<NpyArray> outputs;
  for (size_t i = 0; i < interpreter.model().outputs().size(); ++i) {
    const ModelTensor& info = interpreter.output_info(i);
    outputs.push_back({info.type, WithBatch(info.shape, batch), {}});
  }
  return outputs;
}

}  // namespace

Expected<std::vector<NpyArray>> RunExamples(Interpreter& interpreter, const NpyArray& input,
                                            const std::string& source, const WorkHooks& hooks) {
  if (interpreter.model().inputs().size() != 1) {
    return Unsupported(StrCat(interpreter.model().source(), ": has ", interpreter.model().inputs().size(),
                              " inputs, --input can fill one"));
  }
  QAT_RETURN_IF_ERROR(CheckInput(interpreter.input_info(0), input, source));
  const int32_t batch = input.shape[0];
  std::vector<NpyArray> outputs = EmptyOutputs(interpreter, batch);
  const std::span<uint8_t> tensor = interpreter.input(0);
  for (int32_t i = 0; i < batch; ++i) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    std::copy_n(input.values.begin() + static_cast<int64_t>(tensor.size()) * i, tensor.size(),
                tensor.begin());
    interpreter.Invoke();
    for (size_t k = 0; k < outputs.size(); ++k) {
      const std::span<const uint8_t> output = interpreter.output(k);
      outputs[k].values.insert(outputs[k].values.end(), output.begin(), output.end());
    }
    hooks.Progress("examples", i + 1, batch);
  }
  return outputs;
}

std::string OutputPath(const std::string& path, size_t index) {
  if (index == 0) return path;
  constexpr std::string_view kEnding = ".npy";
  const bool ends = path.ends_with(kEnding);
  const std::string stem = ends ? path.substr(0, path.size() - kEnding.size()) : path;
  return StrCat(stem, ".", index, ends ? kEnding : "");
}

Status RunTensors(const TensorRunRequest& request, const RowRequest& rows, const WorkHooks& hooks,
                  Report& report) {
  if (request.input.empty()) return InvalidArgument("--save-outputs: needs --input: the tensors to run");
  if (request.save_outputs.empty())
    return InvalidArgument("--input: needs --save-outputs: where the outputs go");
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, OpenOnlyModel(rows, "--input"));
  QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(model, rows.interpreter));
  report.metrics["arena_bytes"] = static_cast<double>(interpreter->arena_size());
  report.metrics["activation_bytes"] = static_cast<double>(interpreter->activation_size());
  std::vector<OutputFile> files;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    QAT_ASSIGN_OR_RETURN_IN("--save-outputs", OutputFile file,
                            OutputFile::Open(OutputPath(request.save_outputs, i)));
    files.push_back(std::move(file));
  }
  QAT_ASSIGN_OR_RETURN_IN("--input", const NpyArray input, ReadNpy(request.input));
  QAT_ASSIGN_OR_RETURN(const auto outputs, RunExamples(*interpreter, input, request.input, hooks));
  for (size_t i = 0; i < files.size(); ++i) {
    QAT_RETURN_IF_ERROR(files[i].Commit(Serialize(outputs[i])));
    report.outputs[StrCat("output ", i)] = files[i].path();
  }
  return {};
}

}  // namespace qat
