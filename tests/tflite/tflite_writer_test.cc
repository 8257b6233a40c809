// Reads the written bytes with the schema's own tables, by the rules that TFLite's verifier enforces.
#include "tflite/tflite_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/strings.h"
#include "contract/model_description.h"
#include "passes/passes.h"
#include "support/rows.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite_generated.h"

namespace qat {
namespace {

using qat::testing::Ramp;
using qat::testing::SetRange;
using qat::testing::TinyGraph;

Bytes Written(Graph graph, const Precisions& precisions, const TfliteWriterOptions& options = {}) {
  QuantizationOptions quantization;
  quantization.precisions = precisions;
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, quantization, warnings).ok());
  auto bytes = WriteTflite(graph, options);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return *std::move(bytes);
}

Bytes Written(Graph graph, Scheme scheme, const TfliteWriterOptions& options = {}) {
  return Written(std::move(graph), PrecisionsOf(scheme), options);
}

/// Of every operator code: operator and version.
std::map<tflite::BuiltinOperator, int32_t> VersionsIn(const tflite::Model& model) {
  std::map<tflite::BuiltinOperator, int32_t> versions;
  for (const auto* code : *model.operator_codes()) versions[code->builtin_code()] = code->version();
  return versions;
}

Graph TinyWithSoftmaxAndArgMax() {
  Graph g = TinyGraph();
  EXPECT_TRUE(AppendSoftmax(g).ok());
  EXPECT_TRUE(AppendArgMax(g, DType::kInt64).ok());
  return g;
}

size_t ElementSize(tflite::TensorType type) {
  switch (type) {
    case tflite::TensorType_UINT8:
      return 1;
    case tflite::TensorType_INT64:
      return 8;
    default:
      return 4;
  }
}

std::string MetadataText(const tflite::Model& model, const std::string& name) {
  for (const auto* entry : *model.metadata()) {
    if (entry->name()->str() != name) continue;
    const auto* data = model.buffers()->Get(entry->buffer())->data();
    return std::string(data->begin(), data->end());
  }
  ADD_FAILURE() << "no metadata " << name;
  return "";
}

class WrittenModel : public ::testing::TestWithParam<Scheme> {
 protected:
  void SetUp() override {
    bytes_ = Written(TinyWithSoftmaxAndArgMax(), GetParam());
    flatbuffers::Verifier verifier(bytes_.data(), bytes_.size());
    ASSERT_TRUE(tflite::VerifyModelBuffer(verifier));
    model_ = tflite::GetModel(bytes_.data());
    ASSERT_EQ(model_->subgraphs()->size(), 1u);
    subgraph_ = model_->subgraphs()->Get(0);
  }
  const tflite::Tensor& Tensor(int32_t index) const {
    return *subgraph_->tensors()->Get(static_cast<uint32_t>(index));
  }
  bool IsConstant(const tflite::Tensor& tensor) const {
    return model_->buffers()->Get(tensor.buffer())->data() != nullptr;
  }

  Bytes bytes_;
  const tflite::Model* model_ = nullptr;
  const tflite::SubGraph* subgraph_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Types, WrittenModel, ::testing::Values(Scheme::kFloat32, Scheme::kUInt8),
                         [](const auto& type) { return std::string(NameOf(type.param)); });

TEST_P(WrittenModel, HasIdentifierVersionAndDescription) {
  EXPECT_EQ(std::string(bytes_.begin() + 4, bytes_.begin() + 8), "TFL3");
  EXPECT_EQ(model_->version(), 3u);
  EXPECT_EQ(model_->description()->str().rfind("qat-convert ", 0), 0u);
}

TEST_P(WrittenModel, FirstBufferIsEmptyAndAllOthersAreAlignedTo16) {
  ASSERT_GT(model_->buffers()->size(), 1u);
  EXPECT_EQ(model_->buffers()->Get(0)->data(), nullptr);
  for (uint32_t i = 1; i < model_->buffers()->size(); ++i) {
    const auto* data = model_->buffers()->Get(i)->data();
    ASSERT_NE(data, nullptr) << i;
    EXPECT_GT(data->size(), 0u) << i;
    EXPECT_EQ((data->data() - bytes_.data()) % 16, 0) << i;
  }
}

TEST_P(WrittenModel, ConstantsHaveTheExactSizeAndActivationsNoBuffer) {
  for (const auto* tensor : *subgraph_->tensors()) {
    if (!IsConstant(*tensor)) {
      EXPECT_EQ(tensor->buffer(), 0u) << tensor->name()->str();
      continue;
    }
    size_t count = 1;
    for (int32_t size : *tensor->shape()) count *= static_cast<size_t>(size);
    EXPECT_EQ(model_->buffers()->Get(tensor->buffer())->data()->size(), count * ElementSize(tensor->type()))
        << tensor->name()->str();
  }
}

TEST_P(WrittenModel, InputsAndOutputsHaveAnOpenBatch) {
  for (const int32_t index : {subgraph_->inputs()->Get(0), subgraph_->outputs()->Get(0)}) {
    const auto& tensor = Tensor(index);
    ASSERT_NE(tensor.shape_signature(), nullptr) << tensor.name()->str();
    ASSERT_EQ(tensor.shape_signature()->size(), tensor.shape()->size());
    EXPECT_EQ(tensor.shape()->Get(0), 1);
    EXPECT_EQ(tensor.shape_signature()->Get(0), -1);
    for (uint32_t i = 1; i < tensor.shape()->size(); ++i) {
      EXPECT_EQ(tensor.shape_signature()->Get(i), tensor.shape()->Get(i));
    }
  }
}

TEST_P(WrittenModel, EveryInputOfAnOperatorExistsBeforeItAndEveryOutputIsNew) {
  std::set<int32_t> ready(subgraph_->inputs()->begin(), subgraph_->inputs()->end());
  for (uint32_t i = 0; i < subgraph_->tensors()->size(); ++i) {
    if (IsConstant(*subgraph_->tensors()->Get(i))) ready.insert(static_cast<int32_t>(i));
  }
  for (const auto* op : *subgraph_->operators()) {
    for (int32_t input : *op->inputs()) EXPECT_TRUE(ready.count(input)) << input;
    for (int32_t output : *op->outputs()) EXPECT_TRUE(ready.insert(output).second) << output;
  }
  for (int32_t output : *subgraph_->outputs()) EXPECT_TRUE(ready.count(output)) << output;
}

TEST_P(WrittenModel, TensorNamesAreUniqueAndNotEmpty) {
  std::set<std::string> names;
  for (const auto* tensor : *subgraph_->tensors()) {
    EXPECT_FALSE(tensor->name()->str().empty());
    EXPECT_TRUE(names.insert(tensor->name()->str()).second) << tensor->name()->str();
  }
}

TEST_P(WrittenModel, OperatorCodesAreInBothFieldsWithVersionOne) {
  // Float and uint8 forms of all these operators are version 1.
  const std::set<int32_t> expected = {3 /*CONV_2D*/,         17 /*MAX_POOL_2D*/, 22 /*RESHAPE*/,
                                      9 /*FULLY_CONNECTED*/, 25 /*SOFTMAX*/,     56 /*ARG_MAX*/};
  std::set<int32_t> found;
  for (const auto* code : *model_->operator_codes()) {
    EXPECT_EQ(code->deprecated_builtin_code(), static_cast<int>(code->builtin_code()));
    EXPECT_EQ(code->version(), 1);
    found.insert(code->builtin_code());
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(model_->operator_codes()->size(), expected.size());
}

TEST_P(WrittenModel, OptionsSayWhatTheOperatorsDo) {
  const auto* conv = subgraph_->operators()->Get(0)->builtin_options_as_Conv2DOptions();
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->padding(), tflite::Padding_SAME);
  EXPECT_EQ(conv->fused_activation_function(), tflite::ActivationFunctionType_RELU);
  EXPECT_EQ(conv->stride_h(), 1);
  EXPECT_EQ(conv->stride_w(), 1);
  const auto* pool = subgraph_->operators()->Get(1)->builtin_options_as_Pool2DOptions();
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(pool->filter_height(), 2);
  EXPECT_EQ(pool->padding(), tflite::Padding_VALID);
  const auto* softmax = subgraph_->operators()->Get(4)->builtin_options_as_SoftmaxOptions();
  ASSERT_NE(softmax, nullptr);
  EXPECT_EQ(softmax->beta(), 1.0f);
  const auto* argmax = subgraph_->operators()->Get(5)->builtin_options_as_ArgMaxOptions();
  ASSERT_NE(argmax, nullptr);
  EXPECT_EQ(argmax->output_type(), tflite::TensorType_INT64);
}

TEST_P(WrittenModel, ReshapeLeavesTheBatchOpen) {
  const auto* op = subgraph_->operators()->Get(2);
  ASSERT_EQ(op->inputs()->size(), 2u);
  const auto& shape = Tensor(op->inputs()->Get(1));
  EXPECT_EQ(shape.type(), tflite::TensorType_INT32);
  ASSERT_EQ(shape.shape()->size(), 1u);
  const auto* data = model_->buffers()->Get(shape.buffer())->data();
  const auto* sizes = reinterpret_cast<const int32_t*>(data->data());
  EXPECT_EQ(sizes[0], -1);
  EXPECT_EQ(sizes[1], 8);
}

TEST_P(WrittenModel, QuantizationIsThereForUint8Only) {
  const bool quantized = GetParam() == Scheme::kUInt8;
  for (const auto* tensor : *subgraph_->tensors()) {
    const bool real =
        tensor->type() == tflite::TensorType_FLOAT32 || tensor->type() == tflite::TensorType_UINT8;
    const std::string name = tensor->name()->str();
    const bool is_bias = name.ends_with("/bias");
    EXPECT_EQ(tensor->quantization() != nullptr, quantized && (real || is_bias)) << name;
    EXPECT_FALSE(quantized && tensor->type() == tflite::TensorType_FLOAT32) << name;
    if (tensor->quantization() == nullptr) continue;
    ASSERT_EQ(tensor->quantization()->scale()->size(), 1u) << name;
    ASSERT_EQ(tensor->quantization()->zero_point()->size(), 1u) << name;
    EXPECT_EQ(tensor->quantization()->min(), nullptr) << name;
  }
}

TEST_P(WrittenModel, SignatureNamesInputAndOutput) {
  ASSERT_EQ(model_->signature_defs()->size(), 1u);
  const auto* signature = model_->signature_defs()->Get(0);
  EXPECT_EQ(signature->signature_key()->str(), "serving_default");
  ASSERT_EQ(signature->inputs()->size(), 1u);
  ASSERT_EQ(signature->outputs()->size(), 1u);
  EXPECT_EQ(signature->inputs()->Get(0)->name()->str(), "input");
  EXPECT_EQ(static_cast<int32_t>(signature->inputs()->Get(0)->tensor_index()), subgraph_->inputs()->Get(0));
  EXPECT_EQ(signature->outputs()->Get(0)->name()->str(), "fc/softmax/argmax");
  EXPECT_EQ(static_cast<int32_t>(signature->outputs()->Get(0)->tensor_index()), subgraph_->outputs()->Get(0));
}

TEST_P(WrittenModel, CarriesRuntimeVersionContractAndProvenance) {
  // ARG_MAX came with 1.9.0, later than all others here.
  EXPECT_EQ(MetadataText(*model_, "min_runtime_version"), std::string("1.9.0") + std::string(11, '\0'));
  EXPECT_EQ(MetadataText(*model_, "qat.provenance"), "data=00ff\n");
}

// The standard metadata and the label file hold all of it; only what they cannot say is said in words of our
// own.
TEST_P(WrittenModel, SaysTheContractOnce) {
  const std::string text = MetadataText(*model_, kDescriptionMetadataName);
  const auto description =
      ParseModelDescription({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  QAT_ASSERT_OK(description);
  const Contract contract = TinyGraph().contract;
  EXPECT_EQ(ContractOf((*description)->inputs[0], {1, 4, 4, 1}, contract.labels()), contract);
  for (const auto* entry : *model_->metadata()) EXPECT_NE(entry->name()->str(), "qat.input_contract");

  Graph g = TinyWithSoftmaxAndArgMax();
  g.contract.outputs[0].labels[1] = "two\nlines";
  const Bytes bytes = Written(g, GetParam());
  const std::string own = MetadataText(*tflite::GetModel(bytes.data()), "qat.input_contract");
  const auto parsed = ParseContract({reinterpret_cast<const uint8_t*>(own.data()), own.size()});
  QAT_ASSERT_OK(parsed);
  EXPECT_EQ(*parsed, g.contract);
}

TEST_P(WrittenModel, HasTheSameBytesWrittenTwice) {
  EXPECT_EQ(Written(TinyWithSoftmaxAndArgMax(), GetParam()), bytes_);
}

TEST(TfliteWriter, BiasScaleIsTheFloatProductOfTheStoredScales) {
  const Bytes bytes = Written(TinyGraph(), Scheme::kUInt8);
  const auto* subgraph = tflite::GetModel(bytes.data())->subgraphs()->Get(0);
  for (const uint32_t position : {0u, 3u}) {
    const auto* op = subgraph->operators()->Get(position);
    const auto tensor = [&](uint32_t i) {
      return subgraph->tensors()->Get(static_cast<uint32_t>(op->inputs()->Get(i)));
    };
    const auto scale = [&](uint32_t i) { return tensor(i)->quantization()->scale()->Get(0); };
    EXPECT_EQ(scale(2), scale(0) * scale(1));
    EXPECT_EQ(tensor(2)->type(), tflite::TensorType_INT32);
  }
}

// Without a bias FULLY_CONNECTED is version 6, which came with 2.1.0; both forms in one model are two codes.
TEST(TfliteWriter, AMissingBiasRaisesTheVersionOfFullyConnected) {
  Graph g = TinyGraph();
  const int32_t filter = g.AddConstant("top/filter", {2, 3}, Ramp(6, -1, 0.5f));
  g.outputs = {
      *g.AddNode(OpType::kFullyConnected, "top", FullyConnectedAttributes(), {g.outputs[0], filter})};
  const Bytes bytes = Written(g, Scheme::kFloat32);
  const auto* model = tflite::GetModel(bytes.data());
  std::multiset<int32_t> versions;
  for (const auto* code : *model->operator_codes()) {
    if (code->builtin_code() == tflite::BuiltinOperator_FULLY_CONNECTED) versions.insert(code->version());
  }
  EXPECT_EQ(versions, (std::multiset<int32_t>{1, 6}));
  EXPECT_EQ(MetadataText(*model, "min_runtime_version").substr(0, 6), std::string("2.1.0\0", 6));
}

// Source    tflite/converter/tools/versioning: op_version.cc, runtime_version.cc.
TEST(TfliteWriter, Int16OperatorsHaveTheVersionsThatBroughtIt) {
  Graph g = TinyGraph();
  QAT_ASSERT_OK(AppendSoftmax(g));
  const Bytes bytes = Written(g, *IntegersFromName("int16x8"));
  const auto* model = tflite::GetModel(bytes.data());
  EXPECT_EQ(VersionsIn(*model),
            (std::map<tflite::BuiltinOperator, int32_t>{{tflite::BuiltinOperator_CONV_2D, 4},
                                                        {tflite::BuiltinOperator_MAX_POOL_2D, 3},
                                                        {tflite::BuiltinOperator_RESHAPE, 1},
                                                        {tflite::BuiltinOperator_FULLY_CONNECTED, 7},
                                                        {tflite::BuiltinOperator_SOFTMAX, 3}}));
  EXPECT_EQ(MetadataText(*model, "min_runtime_version").substr(0, 6), std::string("2.3.0\0", 6));
  const auto* subgraph = model->subgraphs()->Get(0);
  const auto* softmax = subgraph->tensors()->Get(static_cast<uint32_t>(subgraph->outputs()->Get(0)));
  EXPECT_EQ(softmax->type(), tflite::TensorType_INT16);
  EXPECT_EQ(softmax->quantization()->scale()->Get(0), 1.0f / 32768);
  EXPECT_EQ(softmax->quantization()->zero_point()->Get(0), 0);
}

TEST(TfliteWriter, FiltersOf4BitsHaveTheVersionsThatBroughtThem) {
  const Bytes bytes = Written(TinyGraph(), *IntegersFromName("w4a8"));
  const auto* model = tflite::GetModel(bytes.data());
  const auto versions = VersionsIn(*model);
  EXPECT_EQ(versions.at(tflite::BuiltinOperator_CONV_2D), 7);
  EXPECT_EQ(versions.at(tflite::BuiltinOperator_FULLY_CONNECTED), 10);
  EXPECT_EQ(MetadataText(*model, "min_runtime_version").substr(0, 7), std::string("2.11.0\0", 7));
}

TEST(TfliteWriter, RenamesInputsAndOutputs) {
  const Bytes bytes = Written(TinyGraph(), Scheme::kUInt8, {{"inputs"}, {"predictions"}});
  const auto* model = tflite::GetModel(bytes.data());
  const auto* subgraph = model->subgraphs()->Get(0);
  EXPECT_EQ(subgraph->tensors()->Get(static_cast<uint32_t>(subgraph->inputs()->Get(0)))->name()->str(),
            "inputs");
  EXPECT_EQ(subgraph->tensors()->Get(static_cast<uint32_t>(subgraph->outputs()->Get(0)))->name()->str(),
            "predictions");
  EXPECT_EQ(model->signature_defs()->Get(0)->outputs()->Get(0)->name()->str(), "predictions");
}

TEST(TfliteWriter, RefusesNamesThatDoNotFit) {
  const Graph g = TinyGraph();
  QAT_EXPECT_ERROR(WriteTflite(g, {{"a", "b"}, {}}), ErrorCode::kInvalidArgument,
                   "2 input names for 1 inputs");
  QAT_EXPECT_ERROR(
      WriteTflite(g, {{"conv"}, {}}), ErrorCode::kInvalidArgument,
      "two tensors would be named 'conv', expected names of inputs and outputs that no other tensor has");
  QAT_EXPECT_ERROR(WriteTflite(g, {{}, {""}}), ErrorCode::kInvalidArgument, "name is empty");
}

TEST(TfliteWriter, ListsOperatorsThatTheFormatDoesNotHave) {
  Graph g = TinyGraph();
  g.nodes[1].type = OpType::kDropout;
  QAT_EXPECT_ERROR(WriteTflite(g, {}), ErrorCode::kUnsupported,
                   "operators without a counterpart in .tflite: dropout");
}

TEST(TfliteWriter, ConstantsOfEqualContentShareABuffer) {
  Graph g = TinyGraph();
  const auto count = [](const Graph& graph) {
    const Bytes bytes = Written(graph, Scheme::kFloat32);
    return tflite::GetModel(bytes.data())->buffers()->size();
  };
  const auto before = count(g);
  g.AddConstant("unused/copy", {3, 8}, Ramp(24, 0.75f, -0.0625f));
  EXPECT_EQ(count(g), before);
}

// 61,470 weights and 236 biases: what the reference experiment's network takes.
Graph LeNetGraph() {
  Graph g;
  g.name = "lenet";
  g.scheme = "uint8";
  g.contract = {28, 28, 1, {0}, {255}, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
  g.provenance = {{"checkpoint_sha256", std::string(64, 'a')}, {"config_sha256", std::string(64, 'c')},
                  {"data_sha256", std::string(64, 'b')},       {"graph_sha256", std::string(64, 'd')},
                  {"spec_sha256", std::string(64, 'e')},       {"tool_version", "0.1.0"}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 28, 28, 1};
  int32_t last = g.AddTensor(input);
  g.inputs = {last};
  const auto layer = [&](OpType type, const std::string& name, OpAttributes attributes, Shape filter) {
    const auto size = static_cast<size_t>(FlatSize(filter));
    const int32_t units = filter[0];
    const int32_t w =
        g.AddConstant(name + "/filter", filter, Ramp(size, -1, 2.0f / static_cast<float>(size)));
    const int32_t b = g.AddConstant(name + "/bias", {units}, Ramp(static_cast<size_t>(units), -1, 0.0625f));
    // Scales of their own for every layer, as training gives them.
    SetRange(g, w, {-1, 1.0f / static_cast<float>(units)}, kUInt8NarrowLimits);
    last = *g.AddNode(type, name, attributes, {last, w, b});
    SetRange(g, last, {units == 10 ? -6.0f : 0.0f, static_cast<float>(units)}, kUInt8Limits);
  };
  const auto pool = [&](const std::string& name) {
    last = *g.AddNode(OpType::kMaxPool2D, name, Pool2DAttributes(), {last});
  };
  Conv2DAttributes valid;
  valid.padding = Padding::kValid;
  layer(OpType::kConv2D, "conv1", Conv2DAttributes(), {6, 5, 5, 1});
  pool("pool1");
  layer(OpType::kConv2D, "conv2", valid, {16, 5, 5, 6});
  pool("pool2");
  layer(OpType::kConv2D, "conv3", valid, {120, 5, 5, 16});
  const int32_t shape = g.AddConstant("flatten/shape", {2}, std::vector<int32_t>{-1, 120});
  last = *g.AddNode(OpType::kReshape, "flatten", ReshapeAttributes{{1, -1}}, {last, shape});
  layer(OpType::kFullyConnected, "fc1", FullyConnectedAttributes(), {84, 120});
  layer(OpType::kFullyConnected, "fc2", FullyConnectedAttributes(), {10, 84});
  g.outputs = {last};
  return g;
}

TEST(TfliteWriter, LeNetTakesAtMost66000BytesAndAQuarterOfFloat) {
  const Graph g = LeNetGraph();
  const size_t quantized = Written(g, Scheme::kUInt8).size();
  const size_t real = Written(g, Scheme::kFloat32).size();
  RecordProperty("uint8_bytes", static_cast<int>(quantized));
  RecordProperty("float32_bytes", static_cast<int>(real));
  EXPECT_LE(quantized, 66000u);
  EXPECT_GE(static_cast<double>(real), 3.7 * static_cast<double>(quantized));
}

// input -> two halves, the second quantized as the input is, both outputs.
TEST(WriteTflite, WritesEveryOutputOfANode) {
  Graph g = TinyGraph();
  const int32_t axis = g.AddConstant("halves/axis", {}, std::vector<int32_t>{1});
  const int32_t upper = *g.AddNode(OpType::kSplit, "halves", SplitAttributes{2}, {axis, g.inputs[0]});
  g.outputs = {upper, upper + 1};
  const Bytes bytes = Written(g, Scheme::kUInt8);
  const auto& subgraph = *tflite::GetModel(bytes.data())->subgraphs()->Get(0);
  const auto& split = *subgraph.operators()->Get(subgraph.operators()->size() - 1);
  EXPECT_EQ(split.builtin_options_as_SplitOptions()->num_splits(), 2);
  ASSERT_EQ(split.outputs()->size(), 2u);
  for (uint32_t i = 0; i < 2; ++i) {
    const auto& half = *subgraph.tensors()->Get(static_cast<uint32_t>(split.outputs()->Get(i)));
    EXPECT_EQ(half.type(), tflite::TensorType_UINT8);
    EXPECT_EQ(half.quantization()->scale()->Get(0), 1.0f / 255);
  }
}

/// [1, 4] of float32 -> one node with constants -> relu.
Bytes WrittenWith(OpType type, const OpAttributes& attributes,
                  const std::vector<std::vector<int32_t>>& constants) {
  Graph graph = testing::RowGraph(4, -1, 1);
  std::vector<int32_t> inputs = graph.inputs;
  for (const std::vector<int32_t>& values : constants) {
    const Shape shape = {static_cast<int32_t>(values.size())};
    inputs.push_back(graph.AddConstant(StrCat("constant", inputs.size()), shape, values));
  }
  const int32_t middle = *graph.AddNode(type, "middle", attributes, inputs);
  graph.outputs = {*graph.AddNode(OpType::kRelu, "relu", {}, {middle})};
  return *WriteTflite(graph, {});
}

/// By name of the tensor: the first number of its shape_signature; 0: it has none.
std::map<std::string, int32_t> OpenBatches(const Bytes& bytes) {
  std::map<std::string, int32_t> batches;
  for (const auto* tensor : *tflite::GetModel(bytes.data())->subgraphs()->Get(0)->tensors()) {
    if (tensor->shape_signature() != nullptr)
      batches[tensor->name()->str()] = tensor->shape_signature()->Get(0);
  }
  return batches;
}

// tests/conformance/compare_models.py holds this against the interpreter.
TEST(OpenBatch, IsNotSaidBesideABatchThatIsFixed) {
  EXPECT_TRUE(OpenBatches(WrittenWith(OpType::kSlice, SliceAttributes(), {{0, 1}, {-1, 2}})).empty());
  EXPECT_TRUE(OpenBatches(WrittenWith(OpType::kBroadcastTo, BroadcastToAttributes(), {{1, 3, 4}})).empty());
  EXPECT_TRUE(OpenBatches(WrittenWith(OpType::kReshape, ReshapeAttributes{{1, 4}}, {{1, 4}})).empty());
  EXPECT_EQ(OpenBatches(WrittenWith(OpType::kReshape, ReshapeAttributes{{-1, 4}}, {{-1, 4}})).size(), 2u);
  EXPECT_EQ(OpenBatches(WrittenWith(OpType::kTanh, {}, {})),
            (std::map<std::string, int32_t>{{"input", -1}, {"relu", -1}}));
}
}  // namespace
}  // namespace qat
