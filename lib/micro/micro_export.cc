#include "micro/micro_export.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/printable.h"
#include "base/random.h"
#include "base/strings.h"
#include "base/version.h"
#include "contract/input_params.h"
#include "micro/arena.h"
#include "micro/input_output.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "tflite/model_source.h"

namespace qat {
namespace {

constexpr size_t kMostVectors = 4;
constexpr size_t kGoldenBytes = 64 * 1024;  // of inputs, which lie in the flash of the device

/// As MicroMutableOpResolver has it: "AddConv2D".
std::string ResolverCall(OpType type) {
  static constexpr std::array kEnumerators = {
#define QAT_OP(enumerator, stem, name, tflite_name) std::string_view(#enumerator),
#include "ops/op_list.inc"
#undef QAT_OP
  };
  if (type == OpType::kPRelu) return "AddPrelu";
  if (type == OpType::kCumsum) return "AddCumSum";
  return StrCat("Add", kEnumerators[static_cast<size_t>(type)]);
}

std::vector<std::string> ResolverCalls(const Model& model) {
  std::vector<std::string> calls;
  for (const ModelNode& node : model.nodes()) {
    const std::string call = ResolverCall(node.type);
    if (std::find(calls.begin(), calls.end(), call) == calls.end()) calls.push_back(call);
  }
  std::sort(calls.begin(), calls.end());
  return calls;
}

/// FNV-1a of 32 bits: a few lines of C on any device.
uint32_t Checksum(uint32_t hash, std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 16777619u;
  return hash;
}
constexpr uint32_t kChecksumStart = 2166136261u;

struct GoldenVector {
  std::vector<Bytes> inputs;   ///< raw, as the contract has them
  std::vector<Bytes> outputs;  ///< tensors
};

/// Bytes of all values; reals within the range that the input was made for.
Bytes RandomInput(const InputContract& contract, Random& random) {
  Bytes raw;
  for (int64_t i = 0; i < contract.ValueCount(); ++i) {
    if (contract.values == ValueType::kByte) {
      raw.push_back(static_cast<uint8_t>(random.Below(256)));
      continue;
    }
    const auto at = static_cast<size_t>(i);
    const auto pick = [&](const std::vector<float>& of, float otherwise) {
      return of.empty() ? otherwise : of[at % of.size()];
    };
    const Range range = RealRangeOf(contract);
    const float normalized = range.min + (range.max - range.min) * random.Uniform();
    const float value = normalized * pick(contract.std, 1) + pick(contract.mean, 0);
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    raw.insert(raw.end(), bytes, bytes + sizeof(value));
  }
  return raw;
}

Expected<std::vector<GoldenVector>> MakeGolden(const std::shared_ptr<const Model>& model,
                                               const Contract& contract,
                                               const std::vector<MicroInput>& inputs) {
  InterpreterOptions options;
  options.kernels = KernelSet::kReference;
  options.profile = ArithmeticProfile::kTfliteMicro;
  QAT_ASSIGN_OR_RETURN(const auto interpreter, Interpreter::Create(model, options));
  const auto size = static_cast<size_t>(std::max<int64_t>(contract.ExampleSize(), 1));
  std::vector<GoldenVector> vectors(std::clamp<size_t>(kGoldenBytes / size, 1, kMostVectors));
  Random random(1);
  for (GoldenVector& vector : vectors) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      vector.inputs.push_back(RandomInput(inputs[i].contract, random));
      const Bytes tensor = TensorOf(inputs[i], vector.inputs.back());
      if (tensor.size() != interpreter->input(i).size())
        return Corrupt(StrCat("input ", i, " has ", interpreter->input(i).size(),
                              " bytes, and its contract makes ", tensor.size()));
      std::copy(tensor.begin(), tensor.end(), interpreter->input(i).begin());
    }
    interpreter->Invoke();
    for (size_t i = 0; i < model->outputs().size(); ++i) {
      const auto output = interpreter->output(i);
      vector.outputs.emplace_back(output.begin(), output.end());
    }
  }
  return vectors;
}

std::string DataHeader(const Model& model, const std::string& name, const MicroArena& arena) {
  return StrCat(
      "// ", Printable(name), ": a model of ", model.file_size(), " bytes. Made by qat-convert ", Version(),
      ".\n", "#ifndef MODEL_DATA_H_\n#define MODEL_DATA_H_\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
      "extern const unsigned char model_data[];\nextern const unsigned int model_data_len;\n\n",
      "// Bytes that the interpreter needs: ", arena.tensors, " for tensors, ", arena.structures,
      " for structures (of a processor of 64 bits; fewer on one of 32).\n#define MODEL_ARENA_SIZE ",
      arena.total(), "\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif  // MODEL_DATA_H_\n");
}

std::string OperatorsHeader(const std::vector<std::string>& calls) {
  std::string lines;
  for (const std::string& call : calls)
    lines += StrCat("  if (resolver.", call, "() != kTfLiteOk) return kTfLiteError;\n");
  return StrCat(
      "// The operators of the model, for tflite::MicroMutableOpResolver<kModelOperators>. Made by "
      "qat-convert.\n",
      "#ifndef MODEL_OPS_H_\n#define MODEL_OPS_H_\n\n#include "
      "\"tensorflow/lite/micro/micro_mutable_op_resolver.h\"\n\n",
      "constexpr unsigned int kModelOperators = ", calls.size(), ";\n\n",
      "template <class Resolver>\nTfLiteStatus AddModelOperators(Resolver& resolver) {\n", lines,
      "  return kTfLiteOk;\n}\n\n#endif  // MODEL_OPS_H_\n");
}

std::string GoldenHeader(const Model& model, const std::vector<MicroInput>& inputs,
                         const std::vector<GoldenVector>& vectors, uint32_t checksum) {
  std::string text = StrCat(
      "// Inputs as the application has them, and the tensors that TFLite Micro's arithmetic makes of them. "
      "Made by qat-convert.\n",
      "#ifndef MODEL_GOLDEN_H_\n#define MODEL_GOLDEN_H_\n\n#include <stdint.h>\n\n#include "
      "\"model_io.h\"\n\n",
      "#define MODEL_GOLDEN_VECTORS ", vectors.size(),
      "\n// FNV-1a of all output tensors, vector by vector, little endian.\n#define MODEL_GOLDEN_CHECKSUM ",
      checksum, "u\n");
  const auto array = [&](const std::string& type, const std::string& name, const std::string& size,
                         DType dtype, const auto& bytes_of) {
    text += StrCat("\nstatic const ", type, " ", name, "[MODEL_GOLDEN_VECTORS][", size, "] = {\n");
    for (const GoldenVector& vector : vectors)
      text += StrCat("  {", ValuesText(dtype, bytes_of(vector)), "\n  },\n");
    text += "};\n";
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const DType type = inputs[i].contract.values == ValueType::kByte ? DType::kUInt8 : DType::kFloat32;
    array(CTypeOf(type), StrCat("model_golden_input_", i), StrCat("MODEL_INPUT_", i, "_SIZE"), type,
          [i](const GoldenVector& vector) { return std::span<const uint8_t>(vector.inputs[i]); });
  }
  for (size_t i = 0; i < model.outputs().size(); ++i) {
    const DType type = model.tensors()[static_cast<size_t>(model.outputs()[i])].type;
    array(CTypeOf(type), StrCat("model_golden_output_", i), StrCat("MODEL_OUTPUT_", i, "_SIZE"), type,
          [i](const GoldenVector& vector) { return std::span<const uint8_t>(vector.outputs[i]); });
  }
  return text + "\n#endif  // MODEL_GOLDEN_H_\n";
}

/// Of TfLitePtrUnion.
std::string_view FieldOf(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "f";
    case DType::kUInt8:
      return "uint8";
    case DType::kInt8:
      return "int8";
    case DType::kInt16:
      return "i16";
    case DType::kInt64:
      return "i64";
    default:
      return "i32";
  }
}

std::string MainSource(const Model& model, const std::vector<MicroInput>& inputs) {
  std::string load, compare;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool bytes = inputs[i].contract.values == ValueType::kByte;
    load += StrCat("    model_input_", i, bytes ? "_from_bytes" : "_from_floats", "(model_golden_input_", i,
                   "[v], interpreter.input(", i, ")->data.", FieldOf(inputs[i].type), ");\n");
  }
  bool exact = true;
  for (size_t i = 0; i < model.outputs().size(); ++i) {
    const DType type = model.tensors()[static_cast<size_t>(model.outputs()[i])].type;
    const std::string c = CTypeOf(type);
    compare += StrCat("    {\n      const ", c, "* given = interpreter.output(", i, ")->data.", FieldOf(type),
                      ";\n", "      for (int i = 0; i < MODEL_OUTPUT_", i, "_SIZE; ++i) different += ");
    if (type == DType::kFloat32) {
      exact = false;
      compare += StrCat("!Near(given[i], model_golden_output_", i, "[v][i]);\n");
    } else {
      compare += StrCat("given[i] != model_golden_output_", i, "[v][i];\n");
    }
    compare += StrCat("      checksum = Checksum(checksum, given, sizeof(", c, ") * MODEL_OUTPUT_", i,
                      "_SIZE);\n    }\n");
  }
  return StrCat(
      "// Runs the golden vectors and prints PASS. Made by qat-convert; link it with TensorFlow Lite for "
      "Microcontrollers.\n",
      "#include <cmath>\n#include <cstdint>\n#include <cstdio>\n\n#include \"model_data.h\"\n#include "
      "\"model_golden.h\"\n#include \"model_io.h\"\n",
      "#include \"model_ops.h\"\n", "#include \"tensorflow/lite/micro/micro_interpreter.h\"\n",
      "#include \"tensorflow/lite/micro/system_setup.h\"\n#include "
      "\"tensorflow/lite/schema/schema_generated.h\"\n\n",
      "namespace {\n\nalignas(16) uint8_t arena[MODEL_ARENA_SIZE];\n\n",
      "uint32_t Checksum(uint32_t hash, const void* data, unsigned int size) {\n  const uint8_t* bytes = "
      "static_cast<const uint8_t*>(data);\n",
      "  for (unsigned int i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 16777619u;\n  return "
      "hash;\n}\n\n",
      exact ? ""
            : "// Real arithmetic may differ in the last bits.\nbool Near(float a, float b) { return "
              "std::fabs(a - b) <= 1e-4f * std::fmax(1.0f, std::fabs(b)); }\n\n",
      "}  // namespace\n\nint main() {\n  tflite::InitializeTarget();\n",
      "  const tflite::Model* model = tflite::GetModel(model_data);\n",
      "  static tflite::MicroMutableOpResolver<kModelOperators> resolver;\n  if (AddModelOperators(resolver) "
      "!= kTfLiteOk) return 1;\n",
      "  static tflite::MicroInterpreter interpreter(model, resolver, arena, MODEL_ARENA_SIZE);\n",
      "  if (interpreter.AllocateTensors() != kTfLiteOk) {\n    std::printf(\"FAIL: the arena of %u bytes is "
      "too small\\n\", "
      "static_cast<unsigned int>(MODEL_ARENA_SIZE));\n    return 1;\n  }\n",
      "  int different = 0;\n  uint32_t checksum = 2166136261u;\n  for (int v = 0; v < MODEL_GOLDEN_VECTORS; "
      "++v) {\n",
      load, "    if (interpreter.Invoke() != kTfLiteOk) return 1;\n", compare, "  }\n",
      "  const bool pass = different == 0", exact ? " && checksum == MODEL_GOLDEN_CHECKSUM" : "", ";\n",
      "  std::printf(\"%s: %d values differ, checksum %08x, expected %08x, arena %u of %u bytes\\n\", pass ? "
      "\"PASS\" : \"FAIL\", different,\n",
      "              static_cast<unsigned int>(checksum), static_cast<unsigned "
      "int>(MODEL_GOLDEN_CHECKSUM),\n",
      "              static_cast<unsigned int>(interpreter.arena_used_bytes()), static_cast<unsigned "
      "int>(MODEL_ARENA_SIZE));\n",
      "  return pass ? 0 : 1;\n}\n");
}

}  // namespace

Expected<MicroExport> ExportMicro(const Bytes& bytes, const std::string& name, const Contract& contract) {
  QAT_ASSIGN_OR_RETURN(const auto model, RunnableFromBytes(bytes, name));
  QAT_ASSIGN_OR_RETURN(const std::vector<MicroInput> inputs, MicroInputs(*model, contract));
  QAT_ASSIGN_OR_RETURN(const std::vector<GoldenVector> vectors, MakeGolden(model, contract, inputs));
  const MicroArena arena = EstimateArena(*model);
  const std::vector<std::string> calls = ResolverCalls(*model);
  MicroExport out;
  out.arena = arena.total();
  out.operators = calls.size();
  out.checksum = kChecksumStart;
  for (const GoldenVector& vector : vectors) {
    for (const Bytes& output : vector.outputs) out.checksum = Checksum(out.checksum, output);
  }
  out.files = {{"model_data.h", DataHeader(*model, name, arena)},
               {"model_data.c", ModelSource(bytes, "model_data.c")},
               {"model_ops.h", OperatorsHeader(calls)},
               {"model_io.h", InputOutputSource(*model, contract, inputs)},
               {"model_golden.h", GoldenHeader(*model, inputs, vectors, out.checksum)},
               {"main.cc", MainSource(*model, inputs)}};
  return out;
}

}  // namespace qat
