#include "micro/input_output.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/printable.h"
#include "base/strings.h"
#include "model/model_contract.h"

namespace qat {
namespace {

QuantizedLimits LimitsOfType(DType type) {
  switch (type) {
    case DType::kUInt8:
      return kUInt8Limits;
    case DType::kInt16:
      return {-32768, 32767};
    default:
      return {-128, 127};
  }
}

/// A number that C takes for a float: with a point or an exponent.
std::string FloatText(float value) {
  std::string text = NumberText(value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text + "f";
}

template <class T>
void Append(double value, Bytes& bytes) {
  const auto converted = static_cast<T>(value);
  const auto* first = reinterpret_cast<const uint8_t*>(&converted);
  bytes.insert(bytes.end(), first, first + sizeof(T));
}

void AppendValue(DType type, double value, Bytes& bytes) {
  switch (type) {
    case DType::kFloat32:
      return Append<float>(value, bytes);
    case DType::kUInt8:
      return Append<uint8_t>(value, bytes);
    case DType::kInt8:
      return Append<int8_t>(value, bytes);
    default:
      return Append<int16_t>(value, bytes);
  }
}

double ValueOf(const MicroInput& input, float real) {
  if (input.type == DType::kFloat32) return real;
  return QuantizeActivation(real, input.params, LimitsOfType(input.type));
}

std::vector<std::vector<double>> TablesOf(const MicroInput& input, bool has_scale) {
  std::vector<std::vector<double>> tables;
  for (const auto& reals : MakeRealTable(input.contract)) {
    std::vector<double> table;
    for (size_t byte = 0; byte < 256; ++byte)
      table.push_back(has_scale || input.type == DType::kFloat32 ? ValueOf(input, reals[byte])
                                                                 : static_cast<double>(byte));
    tables.push_back(std::move(table));
  }
  const bool alike =
      std::all_of(tables.begin(), tables.end(), [&](const auto& each) { return each == tables.front(); });
  if (alike) tables.resize(1);
  return tables;
}

/// One number for all where they are alike.
std::vector<float> Shortened(std::vector<float> numbers) {
  const bool alike =
      std::all_of(numbers.begin(), numbers.end(), [&](float each) { return each == numbers.front(); });
  if (alike && !numbers.empty()) numbers.resize(1);
  return numbers;
}

std::string FloatsText(std::span<const float> values) {
  std::vector<std::string> texts;
  for (const float value : values) texts.push_back(FloatText(value));
  return Join(texts);
}

/// The same bytes between the quotes of a C string. What an editor would obey is written in octal.
std::string InCSource(const std::string& text) {
  const bool plain = Printable(text) == text;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f || (!plain && byte >= 0x80)) {
      out += StrCat("\\", byte >> 6, (byte >> 3) & 7, byte & 7);
      continue;
    }
    if (c == '"' || c == '\\' || c == '?') out += '\\';
    out += c;
  }
  return out;
}

class Writer {
 public:
  Writer(const Model& model, const Contract& contract, const std::vector<MicroInput>& inputs)
      : model_(model), contract_(contract), inputs_(inputs) {}

  std::string Run() {
    Head();
    for (size_t i = 0; i < inputs_.size(); ++i) Input(i);
    for (size_t i = 0; i < model_.outputs().size(); ++i) Output(i);
    Labels();
    return text_ + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif  // MODEL_IO_H_\n";
  }

 private:
  template <class... Pieces>
  void Add(const Pieces&... pieces) {
    text_ += StrCat(pieces..., "\n");
  }

  void Head() {
    Add("// What goes into the model and what comes out of it. Made by qat-convert; C99 and C++11 take it.");
    Add("#ifndef MODEL_IO_H_\n#define MODEL_IO_H_\n\n#include <math.h>\n#include <stddef.h>\n#include "
        "<stdint.h>\n");
    Add("#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    Add("#define MODEL_INPUTS ", inputs_.size(), "\n#define MODEL_OUTPUTS ", model_.outputs().size());
    Add("\n// round(real / scale) + zero_point, halves away from zero, within low and high.");
    Add("static inline int32_t model_quantize(float real, float scale, int32_t zero_point, int32_t low, "
        "int32_t high) {");
    Add("  const float steps = roundf(real / scale);");
    Add("  if (!(steps > (float)(low - zero_point))) return low;");
    Add("  if (steps > (float)(high - zero_point)) return high;");
    Add("  return (int32_t)steps + zero_point;\n}");
  }

  void Quantization(const std::string& name, DType type, QuantizationParams params) {
    if (type == DType::kFloat32) return;
    Add("#define ", name, "_SCALE ", FloatText(params.scale), "\n#define ", name, "_ZERO_POINT ",
        params.zero_point);
  }

  /// Real values, normalized, to the tensor and back.
  void Reals(const std::string& name, const std::string& macro, DType type) {
    const std::string c = CTypeOf(type);
    const QuantizedLimits limits = LimitsOfType(type);
    Add("\n// Real numbers as the network computes them, to the tensor and back.");
    Add("static inline void ", name, "_from_reals(const float* reals, ", c, "* tensor) {");
    Add("  for (size_t i = 0; i < ", macro, "_SIZE; ++i)");
    if (type == DType::kFloat32) {
      Add("    tensor[i] = reals[i];\n}");
    } else {
      Add("    tensor[i] = (", c, ")model_quantize(reals[i], ", macro, "_SCALE, ", macro, "_ZERO_POINT, ",
          limits.quant_min, ", ", limits.quant_max, ");\n}");
    }
    ToReals(name, macro, type);
  }

  void ToReals(const std::string& name, const std::string& macro, DType type) {
    Add("static inline void ", name, "_to_reals(const ", CTypeOf(type), "* tensor, float* reals) {");
    Add("  for (size_t i = 0; i < ", macro, "_SIZE; ++i)");
    Add(type == DType::kFloat32
            ? std::string("    reals[i] = tensor[i];\n}")
            : StrCat("    reals[i] = ", macro, "_SCALE * (float)(tensor[i] - ", macro, "_ZERO_POINT);\n}"));
  }

  void Input(size_t i) {
    const MicroInput& input = inputs_[i];
    const std::string name = StrCat("model_input_", i), macro = StrCat("MODEL_INPUT_", i),
                      c = CTypeOf(input.type);
    const ModelTensor& tensor = model_.tensors()[static_cast<size_t>(model_.inputs()[i])];
    Add("\n// Input ", i, ", '", Printable(tensor.name), "': ", NameOf(input.type), " ",
        ToString(tensor.shape), ". ", Printable(Describe(input.contract)), ".");
    Add("#define ", macro, "_SIZE ", FlatSize(tensor.shape));
    Quantization(macro, input.type, input.params);
    if (input.contract.values == ValueType::kByte) {
      Table(name, input);
      Add("\n// Raw bytes, row by row, to the tensor.");
      Add("static inline void ", name, "_from_bytes(const uint8_t* bytes, ", c, "* tensor) {");
      Add("  for (size_t i = 0; i < ", macro, "_SIZE; ++i) tensor[i] = ", name, "_table[",
          input.tables.size() == 1 ? std::string("0") : StrCat("i % ", input.tables.size()),
          "][bytes[i]];\n}");
    } else {
      Add("\n// Measured values to the tensor.");
      Add("static inline void ", name, "_from_floats(const float* values, ", c, "* tensor) {");
      Normalization(input, macro);
    }
    // Such a model normalizes by itself: its tensor holds measured values, not what the network computes.
    if (!input.contract.inside) Reals(name, macro, input.type);
  }

  void Table(const std::string& name, const MicroInput& input) {
    Add("static const ", CTypeOf(input.type), " ", name, "_table[", input.tables.size(), "][256] = {");
    for (const auto& table : input.tables) {
      Bytes values;
      for (const double value : table) AppendValue(input.type, value, values);
      Add("  {", ValuesText(input.type, values), "},");
    }
    Add("};");
  }

  void Normalization(const MicroInput& input, const std::string& macro) {
    std::string real = "values[i]";
    if (!input.mean.empty()) {
      const auto at = [](size_t count) { return count == 1 ? std::string("0") : StrCat("i % ", count); };
      Add("  static const float mean[] = {", FloatsText(input.mean), "};");
      Add("  static const float reciprocal[] = {", FloatsText(input.reciprocal), "};  // 1 / std");
      real = StrCat("(values[i] - mean[", at(input.mean.size()), "]) * reciprocal[",
                    at(input.reciprocal.size()), "]");
    }
    const QuantizedLimits limits = LimitsOfType(input.type);
    Add("  for (size_t i = 0; i < ", macro, "_SIZE; ++i)");
    if (input.type == DType::kFloat32) {
      Add("    tensor[i] = ", real, ";\n}");
    } else {
      Add("    tensor[i] = (", CTypeOf(input.type), ")model_quantize(", real, ", ", macro, "_SCALE, ", macro,
          "_ZERO_POINT, ", limits.quant_min, ", ", limits.quant_max, ");\n}");
    }
  }

  void Output(size_t i) {
    const ModelTensor& tensor = model_.tensors()[static_cast<size_t>(model_.outputs()[i])];
    const std::string name = StrCat("model_output_", i), macro = StrCat("MODEL_OUTPUT_", i);
    Add("\n// Output ", i, ", '", Printable(tensor.name), "': ", NameOf(tensor.type), " ",
        ToString(tensor.shape), ".");
    Add("#define ", macro, "_SIZE ", FlatSize(tensor.shape));
    if (tensor.type == DType::kInt32 || tensor.type == DType::kInt64) return;  // indices
    const bool real = tensor.type == DType::kFloat32;
    if (!real) {
      const QuantizationParams params = {tensor.scale.at(0), static_cast<int32_t>(tensor.zero_point.at(0))};
      Quantization(macro, tensor.type, params);
    }
    Add("\n// The tensor to real numbers.");
    ToReals(name, macro, tensor.type);
    if (i < contract_.outputs.size() && !contract_.outputs[i].mean.empty())
      Targets(name, macro, contract_.outputs[i]);
  }

  /// Outputs of a regression to the unit of what was learned.
  void Targets(const std::string& name, const std::string& macro, const OutputContract& output) {
    const std::vector<float> mean = Shortened(output.mean), std = Shortened(output.std);
    const auto at = [](size_t count) { return count == 1 ? std::string("0") : StrCat("i % ", count); };
    Add("\n// Real outputs in the unit of the targets.");
    Add("static inline void ", name, "_restore(float* reals) {");
    Add("  static const float mean[] = {", FloatsText(mean), "};");
    Add("  static const float std[] = {", FloatsText(std), "};");
    Add("  for (size_t i = 0; i < ", macro, "_SIZE; ++i) reals[i] = mean[", at(mean.size()), "] + std[",
        at(std.size()), "] * reals[i];\n}");
  }

  /// Of one output, or of each under its own name.
  void Labels() {
    const bool several = contract_.outputs.size() > 1;
    for (size_t i = 0; i < contract_.outputs.size(); ++i) {
      const std::vector<std::string>& labels = contract_.outputs[i].labels;
      if (labels.empty()) continue;
      std::string names;
      for (const std::string& label : labels) names += StrCat("  \"", InCSource(label), "\",\n");
      const std::string name = several ? StrCat("model_output_", i, "_labels") : std::string("model_labels");
      Add("\n// Names of classes, of labels or of numbers, in the order of the values of ",
          several ? StrCat("output ", i) : std::string("the output"), ".\nstatic const char* const ", name,
          "[] = {\n", names, "};");
    }
  }

  const Model& model_;
  const Contract& contract_;
  const std::vector<MicroInput>& inputs_;
  std::string text_;
};

template <class T>
T ElementAt(std::span<const uint8_t> bytes, size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

std::string ElementText(DType type, std::span<const uint8_t> bytes, size_t index) {
  switch (type) {
    case DType::kFloat32:
      return FloatText(ElementAt<float>(bytes, index));
    case DType::kUInt8:
      return StrCat(int{ElementAt<uint8_t>(bytes, index)});
    case DType::kInt8:
      return StrCat(int{ElementAt<int8_t>(bytes, index)});
    case DType::kInt16:
      return StrCat(int{ElementAt<int16_t>(bytes, index)});
    case DType::kInt64:
      return StrCat(ElementAt<int64_t>(bytes, index));
    default:
      return StrCat(ElementAt<int32_t>(bytes, index));
  }
}

}  // namespace

std::string CTypeOf(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "float";
    case DType::kUInt8:
      return "uint8_t";
    case DType::kInt8:
      return "int8_t";
    case DType::kInt16:
      return "int16_t";
    case DType::kInt32:
      return "int32_t";
    case DType::kInt64:
      return "int64_t";
    default:
      return "";
  }
}

std::string ValuesText(DType type, std::span<const uint8_t> bytes) {
  constexpr size_t kPerLine = 20;
  std::string text;
  const size_t count = bytes.size() / SizeOf(type);
  for (size_t i = 0; i < count; ++i) {
    text += i % kPerLine == 0 ? "\n    " : " ";
    text += ElementText(type, bytes, i) + ",";
  }
  return text;
}

Expected<std::vector<MicroInput>> MicroInputs(const Model& model, const Contract& contract) {
  std::vector<MicroInput> inputs;
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(model.inputs()[i])];
    MicroInput input;
    input.contract = contract.inputs.at(i);
    input.type = tensor.type;
    const bool known = tensor.type == DType::kFloat32 || tensor.type == DType::kUInt8 ||
                       tensor.type == DType::kInt8 || tensor.type == DType::kInt16;
    if (!known)
      return Unsupported(StrCat("input '", tensor.name, "' is ", NameOf(tensor.type),
                                ", expected float32, uint8, int8 or int16"));
    if (tensor.type != DType::kFloat32) {
      QAT_ASSIGN_OR_RETURN(input.params, ParamsOf(tensor, "input"));
    }
    if (input.contract.values == ValueType::kByte) {
      input.tables = TablesOf(input, !tensor.scale.empty());
    } else if (!input.contract.inside && !input.contract.mean.empty()) {
      input.mean = Shortened(input.contract.mean);
      input.reciprocal = Shortened(ReciprocalStd(input.contract));
    }
    inputs.push_back(std::move(input));
  }
  return inputs;
}

Bytes TensorOf(const MicroInput& input, std::span<const uint8_t> raw) {
  Bytes tensor;
  if (input.contract.values == ValueType::kByte) {
    for (size_t i = 0; i < raw.size(); ++i)
      AppendValue(input.type, input.tables[i % input.tables.size()][raw[i]], tensor);
    return tensor;
  }
  for (size_t i = 0; i < raw.size() / sizeof(float); ++i) {
    auto value = ElementAt<float>(raw, i);
    if (!input.mean.empty()) {
      const float centred = value - input.mean[i % input.mean.size()];
      value = centred * input.reciprocal[i % input.reciprocal.size()];
    }
    AppendValue(input.type, ValueOf(input, value), tensor);
  }
  return tensor;
}

std::string InputOutputSource(const Model& model, const Contract& contract,
                              const std::vector<MicroInput>& inputs) {
  return Writer(model, contract, inputs).Run();
}

}  // namespace qat
