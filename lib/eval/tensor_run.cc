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

// [N, 28, 28, 1]: what WithBatch makes of a shape, in words.
std::string ManyOf(const Shape& shape) {
  std::string text = ToString(WithBatch(shape, 1));
  return text.replace(1, 1, "N");
}

// The shape of one example; `count`: how many there are.
Expected<Shape> ExampleShape(const ModelTensor& input, const TensorFile& file, int32_t& count) {
  const Shape& shape = file.array.shape;
  const int32_t rows = shape.empty() ? 0 : shape[0];
  count = 1;
  if (rows > 0 && shape == WithBatch(input.shape, rows)) {
    count = rows;
    return input.shape;
  }
  if (shape == input.shape) return shape;
  if (input.open && rows > 0 && shape.size() == input.shape.size() && input.shape[0] == 1) {
    count = rows;
    Shape example = shape;
    example[0] = 1;
    return example;
  }
  return Corrupt(StrCat(file.path, ": has the shape ", ToString(shape), ", expected ", ManyOf(input.shape),
                        input.open ? " or other sizes than these" : "", " (input '", input.name, "')"));
}

Status CheckNumberOfFiles(const Model& model, size_t files) {
  const size_t inputs = model.inputs().size();
  if (files == inputs) return {};
  std::vector<std::string> names;
  for (const int32_t input : model.inputs()) {
    const ModelTensor& info = model.tensors()[static_cast<size_t>(input)];
    names.push_back(StrCat("'", info.name, "' ", NameOf(info.type), " ", ToString(info.shape)));
  }
  return InvalidArgument(
      StrCat("--input: ", files, " given, ", model.source(), " has ", inputs, " inputs: ", Join(names)));
}

std::vector<Shape> ShapesInFile(const Model& model) {
  std::vector<Shape> shapes;
  for (const int32_t input : model.inputs())
    shapes.push_back(model.tensors()[static_cast<size_t>(input)].shape);
  return shapes;
}

// One example in just the shape of an input that is no batch of one.
bool IsOneWhole(const ExampleShapes& examples, std::span<const TensorFile> files) {
  return examples.count == 1 && std::any_of(files.begin(), files.end(), [&](const TensorFile& file) {
           const Shape& shape = examples.shapes[static_cast<size_t>(&file - files.data())];
           return file.array.shape == shape && (shape.empty() || shape[0] != 1);
         });
}

std::vector<NpyArray> EmptyOutputs(const Interpreter& interpreter, int32_t batch, bool whole) {
  std::vector<NpyArray> outputs;
  for (size_t i = 0; i < interpreter.model().outputs().size(); ++i) {
    const ModelTensor& info = interpreter.output_info(i);
    outputs.push_back({info.type, whole ? info.shape : WithBatch(info.shape, batch), {}});
  }
  return outputs;
}

Expected<std::vector<TensorFile>> ReadFiles(const std::vector<std::string>& paths) {
  std::vector<TensorFile> files;
  for (const std::string& path : paths) {
    QAT_ASSIGN_OR_RETURN_IN("--input", NpyArray array, ReadNpy(path));
    files.push_back({path, std::move(array)});
  }
  return files;
}

}  // namespace

Expected<ExampleShapes> ShapesOfExamples(const Model& model, std::span<const TensorFile> files) {
  QAT_RETURN_IF_ERROR(CheckNumberOfFiles(model, files.size()));
  ExampleShapes examples;
  for (size_t i = 0; i < files.size(); ++i) {
    const ModelTensor& input = model.tensors()[static_cast<size_t>(model.inputs()[i])];
    if (files[i].array.type != input.type) {
      return Corrupt(StrCat(files[i].path, ": holds ", NameOf(files[i].array.type), ", expected ",
                            NameOf(input.type), " (input '", input.name, "')"));
    }
    int32_t count = 1;
    QAT_ASSIGN_OR_RETURN(Shape shape, ExampleShape(input, files[i], count));
    if (i > 0 && count != examples.count) {
      return InvalidArgument(
          StrCat(files[i].path, ": holds ", count, " examples, ", files[0].path, " ", examples.count));
    }
    examples.count = count;
    examples.shapes.push_back(std::move(shape));
  }
  return examples;
}

Expected<std::vector<NpyArray>> RunExamples(Interpreter& interpreter, std::span<const TensorFile> files,
                                            const ExampleShapes& examples, const WorkHooks& hooks) {
  std::vector<NpyArray> outputs = EmptyOutputs(interpreter, examples.count, IsOneWhole(examples, files));
  for (int32_t i = 0; i < examples.count; ++i) {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    for (size_t k = 0; k < files.size(); ++k) {
      const std::span<uint8_t> tensor = interpreter.input(k);
      std::copy_n(files[k].array.values.begin() + static_cast<int64_t>(tensor.size()) * i, tensor.size(),
                  tensor.begin());
    }
    interpreter.Invoke();
    for (size_t k = 0; k < outputs.size(); ++k) {
      const std::span<const uint8_t> output = interpreter.output(k);
      outputs[k].values.insert(outputs[k].values.end(), output.begin(), output.end());
    }
    hooks.Progress("examples", i + 1, examples.count);
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
  if (request.inputs.empty()) return InvalidArgument("--save-outputs: needs --input: the tensors to run");
  if (request.save_outputs.empty())
    return InvalidArgument("--input: needs --save-outputs: where the outputs go");
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, OpenOnlyModel(rows, "--input"));
  QAT_ASSIGN_OR_RETURN(const std::vector<TensorFile> inputs, ReadFiles(request.inputs));
  QAT_ASSIGN_OR_RETURN(const ExampleShapes examples, ShapesOfExamples(*model, inputs));
  InterpreterOptions options = rows.interpreter;
  if (examples.shapes != ShapesInFile(*model)) options.input_shapes = examples.shapes;
  QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(model, options));
  report.metrics["arena_bytes"] = static_cast<double>(interpreter->arena_size());
  report.metrics["activation_bytes"] = static_cast<double>(interpreter->activation_size());
  std::vector<OutputFile> files;
  for (size_t i = 0; i < model->outputs().size(); ++i) {
    QAT_ASSIGN_OR_RETURN_IN("--save-outputs", OutputFile file,
                            OutputFile::Open(OutputPath(request.save_outputs, i)));
    files.push_back(std::move(file));
  }
  QAT_ASSIGN_OR_RETURN(const auto outputs, RunExamples(*interpreter, inputs, examples, hooks));
  for (size_t i = 0; i < files.size(); ++i) {
    QAT_RETURN_IF_ERROR(files[i].Commit(Serialize(outputs[i])));
    report.outputs[StrCat("output ", i)] = files[i].path();
  }
  return {};
}

}  // namespace qat
