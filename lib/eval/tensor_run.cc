#include "eval/tensor_run.h"

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/file_use.h"
#include "base/strings.h"
#include "data/readers.h"
#include "eval/tensor_values.h"
#include "model/model_contract.h"

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

// The file leaves size `axis` to whoever runs the model.
bool IsOpen(const ModelTensor& input, size_t axis) {
  return input.open && axis < input.signature.size() && input.signature[axis] < 0;
}

// "[N, 28, 28, 1]", "[N, any, any, 3]": what WithBatch makes of a shape, in words.
std::string ManyOf(const ModelTensor& input) {
  const bool batched = !input.shape.empty() && input.shape[0] == 1;
  std::string text = "[N";
  for (size_t axis = batched ? 1 : 0; axis < input.shape.size(); ++axis)
    text += IsOpen(input, axis) ? std::string(", any") : StrCat(", ", input.shape[axis]);
  return text + "]";
}

// Whether `shape` differs from the input in nothing but the batch and sizes that the file leaves open. An
// open batch opens nothing else: a RESHAPE behind the input takes any order of the axes.
bool IsOpenShape(const ModelTensor& input, const Shape& shape) {
  if (!input.open || shape.size() != input.shape.size() || shape.empty() || input.shape[0] != 1) return false;
  for (size_t axis = 1; axis < shape.size(); ++axis)
    if (shape[axis] != input.shape[axis] && !IsOpen(input, axis)) return false;
  return true;
}

// The same sizes behind the batch, in another order.
bool HasOtherOrder(const ModelTensor& input, const Shape& shape) {
  return shape.size() == input.shape.size() && !shape.empty() && input.shape[0] == 1 &&
         std::is_permutation(shape.begin() + 1, shape.end(), input.shape.begin() + 1);
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
  if (rows > 0 && IsOpenShape(input, shape)) {
    count = rows;
    Shape example = shape;
    example[0] = 1;
    return example;
  }
  return Corrupt(StrCat(file.path, ": has the shape ", ToString(shape), ", expected ", ManyOf(input),
                        " (input '", input.name, "')",
                        HasOtherOrder(input, shape) ? ": transpose its axes" : ""));
}

// The operators do not go with sizes that are open: the shapes that they were made for are named first.
Error OtherShape(const Model& model, std::span<const TensorFile> files, const Error& reason) {
  std::vector<std::string> shapes;
  for (size_t i = 0; i < files.size(); ++i) {
    const ModelTensor& input = model.tensors()[static_cast<size_t>(model.inputs()[i])];
    shapes.push_back(StrCat(files[i].path, ": has the shape ", ToString(files[i].array.shape), ", expected ",
                            ManyOf(input), " of sizes that the model can take (input '", input.name, "')"));
  }
  return {reason.code, StrCat(Join(shapes, "; "), ": ", reason.message)};
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
      StrCat("`input`: ", files, " given, ", model.source(), " has ", inputs, " inputs: ", Join(names)));
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

// Arrays, tables and pictures, as the inputs take them.
Expected<std::vector<TensorFile>> ReadFiles(const Model& model, const std::vector<std::string>& paths,
                                            std::vector<std::string>& notes) {
  std::vector<TensorFile> files;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (IsPictureFile(paths[i])) {
      QAT_ASSIGN_OR_RETURN_IN("`input`", NpyArray picture, PictureForInput(paths[i], model, i, notes));
      files.push_back({paths[i], std::move(picture)});
      continue;
    }
    QAT_ASSIGN_OR_RETURN_IN(
        "`input`", NpyArray array,
        IsCsvFile(paths[i]) ? RowsForInput(paths[i], model, i, notes) : ReadNpy(paths[i]));
    QAT_ASSIGN_OR_RETURN(array, ForInput(std::move(array), paths[i], model, i, notes));
    files.push_back({paths[i], std::move(array)});
  }
  return files;
}

}  // namespace

std::string PathOfInput(const std::string& input) {
  const size_t equals = input.find('=');
  return equals == std::string::npos || FileExists(input) ? input : input.substr(equals + 1);
}

Expected<std::vector<std::string>> InOrderOfInputs(const Model& model,
                                                   const std::vector<std::string>& inputs) {
  const auto has_name = [](const std::string& input) { return PathOfInput(input) != input; };
  const auto named = std::count_if(inputs.begin(), inputs.end(), has_name);
  if (named == 0) return inputs;
  if (named < std::ssize(inputs))
    return InvalidArgument("`input`: expected NAME=FILE for all inputs, or for none");
  const std::vector<std::string> names = InputNames(model);
  std::vector<std::string> files(names.size());
  for (const std::string& input : inputs) {
    const std::string path = PathOfInput(input), name = input.substr(0, input.size() - path.size() - 1);
    size_t index = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    for (size_t i = 0; i < names.size() && index == names.size(); ++i)
      if (model.tensors()[static_cast<size_t>(model.inputs()[i])].name == name) index = i;
    if (index == names.size()) {
      return InvalidArgument(StrCat("`input`: ", UnknownName("input", name, names), " of ", model.source(),
                                    ", expected one of ", Join(names)));
    }
    if (!files[index].empty()) return InvalidArgument(StrCat("`input`: '", name, "' is given twice"));
    files[index] = path;
  }
  const auto missing = std::find(files.begin(), files.end(), "");
  if (missing == files.end()) return files;
  return InvalidArgument(StrCat("`input`: none for '", names[static_cast<size_t>(missing - files.begin())],
                                "' of ", model.source(), ", expected one for each of ", Join(names)));
}

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

namespace {

// Names of further outputs are made of that of the first: they may be those of inputs.
Status CheckFiles(const TensorRunRequest& request, const RowRequest& rows, size_t outputs) {
  FileUse use;
  for (const std::string& model : rows.models) use.Read("`models`", model);
  use.Read("`graph`", rows.graph);
  for (const std::string& input : request.inputs) use.Read("`input`", PathOfInput(input));
  for (size_t i = 0; i < outputs; ++i) use.Write("`save_outputs`", OutputPath(request.save_outputs, i));
  return use.Check();
}

}  // namespace

Expected<std::vector<OutputTensor>> RunTensors(const TensorRunRequest& request, const RowRequest& rows,
                                               const WorkHooks& hooks, Report& report) {
  if (request.inputs.empty())
    return InvalidArgument("`input`: is missing: give a .npy file for each input of the model");
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, OpenOnlyModel(rows, report.warnings));
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> paths, InOrderOfInputs(*model, request.inputs));
  QAT_RETURN_IF_ERROR(CheckNumberOfFiles(*model, paths.size()));
  QAT_ASSIGN_OR_RETURN(const std::vector<TensorFile> inputs, ReadFiles(*model, paths, report.data_notes));
  QAT_ASSIGN_OR_RETURN(const ExampleShapes examples, ShapesOfExamples(*model, inputs));
  InterpreterOptions options = rows.interpreter;
  if (examples.shapes != ShapesInFile(*model)) options.input_shapes = examples.shapes;
  auto made = Interpreter::Create(model, options);
  if (!made.ok())
    return options.input_shapes.empty() ? made.error() : OtherShape(*model, inputs, made.error());
  const std::unique_ptr<Interpreter> interpreter = std::move(*made);
  report.metrics["arena_bytes"] = static_cast<double>(interpreter->arena_size());
  report.metrics["activation_bytes"] = static_cast<double>(interpreter->activation_size());
  std::vector<OutputFile> files;
  const size_t kept = request.save_outputs.empty() ? 0 : model->outputs().size();
  QAT_RETURN_IF_ERROR(CheckFiles(request, rows, kept));
  for (size_t i = 0; i < kept; ++i) {
    QAT_ASSIGN_OR_RETURN_IN("`save_outputs`", OutputFile file,
                            OutputFile::Open(OutputPath(request.save_outputs, i)));
    files.push_back(std::move(file));
  }
  QAT_ASSIGN_OR_RETURN(auto outputs, RunExamples(*interpreter, inputs, examples, hooks));
  for (size_t i = 0; i < files.size(); ++i) {
    QAT_RETURN_IF_ERROR(files[i].Commit(Serialize(outputs[i])));
    report.outputs[StrCat("output ", i)] = files[i].path();
  }
  std::vector<OutputTensor> named;
  for (size_t i = 0; i < outputs.size(); ++i)
    named.push_back({interpreter->output_info(i).name, std::move(outputs[i])});
  return named;
}

namespace {

template <class T>
std::string ValueText(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return StrCat(value);
}

std::string ValueText(DType type, const uint8_t* bytes) {
  switch (type) {
    case DType::kFloat32:
      return ValueText<float>(bytes);
    case DType::kFloat64:
      return ValueText<double>(bytes);
    case DType::kInt64:
      return ValueText<int64_t>(bytes);
    case DType::kInt32:
      return ValueText<int32_t>(bytes);
    case DType::kInt16:
      return ValueText<int16_t>(bytes);
    case DType::kInt8:
      return StrCat(int{static_cast<int8_t>(*bytes)});
    case DType::kUInt8:
      return StrCat(int{*bytes});
    case DType::kBool:
      return *bytes != 0 ? "true" : "false";
    default:
      return "?";
  }
}

// The values of one example, on a line.
std::string ExampleText(const NpyArray& array, size_t first, size_t count) {
  constexpr size_t kMostValues = 16;
  const size_t size = SizeOf(array.type);
  std::string line;
  for (size_t i = 0; i < std::min(count, kMostValues); ++i)
    line += StrCat(i == 0 ? "" : " ", ValueText(array.type, array.values.data() + (first + i) * size));
  return count <= kMostValues ? line : StrCat(line, " … ", count - kMostValues, " more");
}

}  // namespace

std::string TensorsText(std::span<const OutputTensor> tensors) {
  constexpr size_t kMostExamples = 20;
  std::string text;
  for (const auto& [name, array] : tensors) {
    text += StrCat(name, "  ", NameOf(array.type), " ", ToString(array.shape), "\n");
    const size_t values = SizeOf(array.type) == 0 ? 0 : array.values.size() / SizeOf(array.type);
    const size_t examples =
        array.shape.empty() || array.shape[0] <= 0 ? 1 : static_cast<size_t>(array.shape[0]);
    for (size_t i = 0; i < std::min(examples, kMostExamples) && values > 0; ++i)
      text += StrCat("  ", ExampleText(array, i * (values / examples), values / examples), "\n");
    if (examples > kMostExamples) text += StrCat("  … ", examples - kMostExamples, " more examples\n");
  }
  return text;
}

}  // namespace qat
