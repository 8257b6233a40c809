// An .onnx: read, show, import, and on as a graph.
#include "base/printable.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/pipeline.h"
#include "fuzz/proto_mutator.h"
#include "fuzz/scratch.h"
#include "fuzz/seeds.h"
#include "import/import_onnx.h"
#include "inspect/print.h"
#include "inspect/readers.h"
#include "onnx/onnx_model.h"
#include "support/onnx_file.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  // Values in files of their own are looked for in the folder of the path: an empty one.
  const std::string path = ScratchFolder() + "/model.onnx";
  auto model = onnx::ParseModel(bytes, path);
  if (!model.ok()) return;
  const auto inspection = InspectOnnx(Bytes(bytes.begin(), bytes.end()), path);
  if (inspection.ok()) (void)PrintableLines(InspectionText(*inspection, true));
  std::vector<std::string> notes;
  const auto import = ImportOnnx(*std::move(model), {}, notes);
  if (import.ok()) (void)ModelOf(import->graph, PrecisionsOf(Scheme::kFloat32));
}

std::vector<Bytes> Seeds() {
  using testing::OnnxFile;
  using testing::OnnxFloat;
  using testing::OnnxInt;
  using testing::OnnxInts;
  std::vector<Bytes> seeds = FilesOfTree("tests/import/onnx", ".onnx");
  const std::vector<float> filter(36, 0.125f), four(4, 0.5f);
  seeds.push_back(
      OnnxFile()
          .Input("x", {1, 1, 8, 8})
          .Constant("w", {4, 1, 3, 3}, filter)
          .Constant("b", {4}, four)
          .Constant("v", {4}, std::vector<float>(4, 1))
          .Constant("f", {64, 3}, std::vector<float>(192, 0.25f))
          .Node("Conv", {"x", "w", "b"}, {"c"},
                {OnnxInts("pads", {1, 1, 1, 1}), OnnxInts("kernel_shape", {3, 3})})
          .Node("BatchNormalization", {"c", "v", "b", "b", "v"}, {"n"}, {OnnxFloat("epsilon", 1e-5f)})
          .Node("Relu", {"n"}, {"r"})
          .Node("MaxPool", {"r"}, {"p"}, {OnnxInts("kernel_shape", {2, 2}), OnnxInts("strides", {2, 2})})
          .Node("Flatten", {"p"}, {"l"}, {OnnxInt("axis", 1)})
          .Node("MatMul", {"l", "f"}, {"y"})
          .Output("y", {1, 3})
          .Bytes());
  seeds.push_back(OnnxFile()
                      .Input("x", {0, 6, 4})
                      .Constant("shape", {3}, std::vector<int64_t>{0, 4, 6})
                      .Constant("starts", {1}, std::vector<int64_t>{1})
                      .Constant("ends", {1}, std::vector<int64_t>{-1})
                      .Constant("axes", {1}, std::vector<int64_t>{2})
                      .Node("Transpose", {"x"}, {"t"}, {OnnxInts("perm", {0, 2, 1})})
                      .Node("Reshape", {"t", "shape"}, {"r"})
                      .Node("Slice", {"r", "starts", "ends", "axes"}, {"s"})
                      .Node("Softmax", {"s"}, {"m"}, {OnnxInt("axis", -1)})
                      .Node("ReduceMean", {"m"}, {"y"}, {OnnxInts("axes", {1}), OnnxInt("keepdims", 0)})
                      .Output("y")
                      .Bytes());
  seeds.push_back(
      OnnxFile(25)
          .Input("x", {1, 4, 6})
          .Constant("w", {6, 2, 3}, std::vector<float>(36, 0.5f))
          .Constant("sizes", {2}, std::vector<int64_t>{1, 3})
          .Constant("at", {}, std::vector<int64_t>{1})
          .Constant("rows", {1, 2, 2}, std::vector<int64_t>{0, 1, 0, 2})
          .Node("Einsum", {"x", "w"}, {"e"}, {testing::OnnxText("equation", "btc,chd->bhtd")})
          .Node("Attention", {"e", "e", "e"}, {"a"}, {OnnxInt("is_causal", 1), OnnxFloat("softcap", 2)})
          .Node("Einsum", {"a", "w"}, {"o"}, {testing::OnnxText("equation", "bhtd,chd->...btc")})
          .Node("SplitToSequence", {"o", "sizes"}, {"list"}, {OnnxInt("axis", 1)})
          .Node("SequenceAt", {"list", "at"}, {"part"})
          .Node("GatherND", {"part", "rows"}, {"picked"})
          .Node("ScatterND", {"part", "rows", "picked"}, {"y"})
          .Output("y")
          .Bytes());
  seeds.push_back(OnnxFile(22)
                      .Input("x", {1, 2, 9, 8})
                      .Constant("axes", {1}, std::vector<int64_t>{1})
                      .Constant("least", {}, std::vector<float>{1e-12f})
                      .Constant("shape", {5}, std::vector<int64_t>{1, 1, 2, 9, 8})
                      .Constant("back", {4}, std::vector<int64_t>{1, 2, 9, 8})
                      .Node("Reshape", {"x", "shape"}, {"v"})
                      .Node("AveragePool", {"v"}, {"a"},
                            {OnnxInts("kernel_shape", {3, 1, 1}), OnnxInts("pads", {1, 0, 0, 1, 0, 0})})
                      .Node("Reshape", {"a", "back"}, {"r"})
                      .Node("MaxPool", {"r"}, {"p"},
                            {OnnxInts("kernel_shape", {3, 2}), OnnxInts("dilations", {2, 3}),
                             OnnxInts("pads", {1, 0, 1, 0})})
                      .Node("ReduceL2", {"p", "axes"}, {"n"})
                      .Node("Clip", {"n", "least", ""}, {"c"})
                      .Node("Div", {"p", "c"}, {"y"})
                      .Output("y")
                      .Bytes());
  seeds.push_back(OnnxFile()
                      .Input("ids", {1, 4}, 7)
                      .Constant("w", {5, 3}, std::vector<float>(15, 0.5f))
                      .Constant("v", {3, 2}, std::vector<float>(6, -0.5f))
                      .Constant("s", {}, std::vector<float>{6.0f / 255})
                      .Constant("zero", {}, std::vector<float>{0})
                      .Node("Gather", {"w", "ids"}, {"e"})
                      .Node("MatMul", {"e", "v"}, {"m"})
                      .Node("QuantizeLinear", {"m", "s"}, {"q"})
                      .Node("DequantizeLinear", {"q", "s"}, {"d"})
                      .Node("Greater", {"d", "zero"}, {"g"})
                      .Node("Split", {"g"}, {"left", "right"}, {OnnxInt("axis", 1)})
                      .Node("Cast", {"left"}, {"y"}, {OnnxInt("to", 1)})
                      .Output("y")
                      .Bytes());
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) { MutateMessage(random, bytes); }

}  // namespace

FuzzTarget OnnxTarget() { return {"onnx", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
