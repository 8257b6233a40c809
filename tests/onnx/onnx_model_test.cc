#include "onnx/onnx_model.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>

#include "base/file.h"
#include "support/onnx_file.h"
#include "support/test_util.h"

namespace qat::onnx {
namespace {

using namespace qat::testing;

OnnxFile Small() {
  OnnxFile file;
  file.Input("x", {0, 3})
      .Constant("w", {3}, std::vector<float>{1, 2, 3})
      .Node("Add", {"x", "w"}, {"y"})
      .Output("y", {0, 3});
  return file;
}

std::string ErrorOf(const std::vector<uint8_t>& bytes, ErrorCode code) {
  const auto model = ParseModel(bytes, "m.onnx");
  if (model.ok()) return "";
  EXPECT_EQ(model.error().code, code) << model.error().message;
  EXPECT_TRUE(model.error().message.starts_with("m.onnx: ")) << model.error().message;
  return model.error().message;
}

TEST(OnnxModel, ReadsNodesConstantsAndOpenSizes) {
  const auto model = ParseModel(Small().Bytes(), "m.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->opset(), 17);
  EXPECT_EQ(model->producer, "a test");
  ASSERT_EQ(model->graph.nodes.size(), 1u);
  EXPECT_EQ(model->graph.nodes[0].op, "Add");
  EXPECT_EQ(model->graph.nodes[0].inputs, (std::vector<std::string>{"x", "w"}));
  ASSERT_EQ(model->graph.initializers.size(), 1u);
  EXPECT_EQ(model->graph.initializers[0].reals, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(model->graph.inputs[0].dims, (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(model->graph.inputs[0].symbols[0], "dim");
  EXPECT_TRUE(LooksLikeModel(Small().Bytes()));
}

TEST(OnnxModel, ReadsValuesInEveryField) {
  const auto parsed = [](const ProtoMessage& tensor) {
    OnnxFile file = Small();
    file.graph().Message(5, tensor);
    return ParseModel(file.Bytes(), "m.onnx");
  };
  // float16 1.0 and bfloat16 1.0 as bits in int32_data; packed floats; double_data; bool; int64_data one by
  // one.
  const auto half = parsed(ProtoMessage().Integer(1, 1).Integer(2, 10).Text(8, "t").Integer(5, 0x3c00));
  ASSERT_TRUE(half.ok()) << half.error().message;
  EXPECT_EQ(half->graph.initializers[1].reals, std::vector<float>{1});
  const auto brain = parsed(
      ProtoMessage().Integer(1, 1).Integer(2, 16).Text(8, "t").Packed(9, std::vector<uint16_t>{0x3f80}));
  ASSERT_TRUE(brain.ok());
  EXPECT_EQ(brain->graph.initializers[1].reals, std::vector<float>{1});
  const auto floats =
      parsed(ProtoMessage().Integer(1, 2).Integer(2, 1).Text(8, "t").Packed(4, std::vector<float>{2, 3}));
  ASSERT_TRUE(floats.ok());
  EXPECT_EQ(floats->graph.initializers[1].reals, (std::vector<float>{2, 3}));
  const auto doubles =
      parsed(ProtoMessage().Integer(1, 1).Integer(2, 11).Text(8, "t").Packed(10, std::vector<double>{0.25}));
  ASSERT_TRUE(doubles.ok());
  EXPECT_EQ(doubles->graph.initializers[1].reals, std::vector<float>{0.25f});
  const auto integers =
      parsed(ProtoMessage().Integer(1, 2).Integer(2, 7).Text(8, "t").Integer(7, 5).Integer(7, -6));
  ASSERT_TRUE(integers.ok());
  EXPECT_EQ(integers->graph.initializers[1].integers, (std::vector<int64_t>{5, -6}));
  const auto scalar = parsed(ProtoMessage().Integer(2, 3).Text(8, "t").Packed(9, std::vector<int8_t>{-7}));
  ASSERT_TRUE(scalar.ok());
  EXPECT_EQ(scalar->graph.initializers[1].integers, std::vector<int64_t>{-7});
  EXPECT_TRUE(scalar->graph.initializers[1].dims.empty());
}

TEST(OnnxModel, EveryBeginningOfAFileIsRefusedOrRead) {
  const std::vector<uint8_t> whole = Small().Bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto model = ParseModel(std::span(whole).first(size), "m.onnx");
    if (model.ok()) continue;  // what is missing may be the opset alone
    EXPECT_EQ(model.error().code, ErrorCode::kCorrupt) << size;
    EXPECT_TRUE(model.error().message.starts_with("m.onnx: "));
  }
}

TEST(OnnxModel, EveryChangedByteIsRefusedOrRead) {
  const std::vector<uint8_t> whole = Small().Bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const uint8_t value : {uint8_t{0x00}, uint8_t{0x7f}, uint8_t{0x80}, uint8_t{0xff}}) {
      std::vector<uint8_t> damaged = whole;
      damaged[at] = value;
      const auto model = ParseModel(damaged, "m.onnx");
      EXPECT_TRUE(model.ok() || !model.error().message.empty());
    }
  }
}

TEST(OnnxModel, RefusesValuesThatDoNotFitTheirSizes) {
  OnnxFile few = Small();
  few.Constant("v", {4}, std::vector<float>{1});
  EXPECT_NE(ErrorOf(few.Bytes(), ErrorCode::kCorrupt)
                .find("tensor 'v': holds 4 bytes, its sizes and float32 take 16"),
            std::string::npos);
  OnnxFile huge = Small();
  huge.Constant("v", {int64_t{1} << 40, int64_t{1} << 40}, std::vector<float>{1});
  EXPECT_NE(ErrorOf(huge.Bytes(), ErrorCode::kUnsupported).find("more than"), std::string::npos);
  OnnxFile negative = Small();
  negative.Constant("v", {-3}, std::vector<float>{1});
  EXPECT_NE(ErrorOf(negative.Bytes(), ErrorCode::kCorrupt).find("size of -3"), std::string::npos);
  OnnxFile strange = Small();
  strange.graph().Message(5, ProtoMessage().Integer(1, 1).Integer(2, 22).Text(8, "v").Text(9, "x"));
  EXPECT_NE(ErrorOf(strange.Bytes(), ErrorCode::kUnsupported).find("type 22"), std::string::npos);
}

TEST(OnnxModel, RefusesNodesThatReadWhatIsNotThere) {
  OnnxFile file;
  file.Input("x", {1, 3}).Node("Relu", {"z"}, {"y"}).Output("y");
  EXPECT_NE(ErrorOf(file.Bytes(), ErrorCode::kCorrupt).find("reads 'z', which nothing before it computes"),
            std::string::npos);
  OnnxFile twice;
  twice.Input("x", {1, 3}).Node("Relu", {"x"}, {"y"}).Node("Relu", {"x"}, {"y"}).Output("y");
  EXPECT_NE(ErrorOf(twice.Bytes(), ErrorCode::kCorrupt).find("writes 'y', which has a value already"),
            std::string::npos);
  OnnxFile none;
  none.Input("x", {1, 3}).Node("Relu", {"x"}, {"y"}).Output("q");
  EXPECT_NE(ErrorOf(none.Bytes(), ErrorCode::kCorrupt).find("output 'q' is computed by no node"),
            std::string::npos);
}

TEST(OnnxModel, GraphsInGraphsEnd) {
  ProtoMessage graph = ProtoMessage().Text(2, "deepest");
  for (int i = 0; i < 100; ++i) {
    const ProtoMessage attribute = ProtoMessage().Text(1, "body").Integer(20, 5).Message(6, graph);
    graph = ProtoMessage().Message(1, OnnxNodeMessage("Loop", {"x"}, {"y"}, {attribute}));
  }
  const std::string bytes = ProtoMessage().Integer(1, 8).Message(7, graph).bytes();
  EXPECT_NE(ErrorOf({bytes.begin(), bytes.end()}, ErrorCode::kCorrupt).find("more than 8 deep"),
            std::string::npos);
}

TEST(OnnxModel, FunctionsTakeThePlaceOfTheirCalls) {
  OnnxFile file;
  file.Input("x", {1, 3}).Node("Twice", {"x"}, {"y"}, {}, "mine").Output("y");
  const ProtoMessage body = OnnxNodeMessage("Add", {"a", "a"}, {"b"});
  const ProtoMessage function = ProtoMessage()
                                    .Text(1, "Twice")
                                    .Text(4, "a")
                                    .Text(5, "b")
                                    .Message(7, body)
                                    .Message(9, ProtoMessage().Integer(2, 17))
                                    .Text(10, "mine");
  file.model().Message(25, function);
  const auto model = ParseModel(file.Bytes(), "m.onnx");
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_EQ(model->graph.nodes.size(), 1u);
  EXPECT_EQ(model->graph.nodes[0].op, "Add");
  EXPECT_EQ(model->graph.nodes[0].inputs, (std::vector<std::string>{"x", "x"}));
  EXPECT_EQ(model->graph.nodes[0].outputs, std::vector<std::string>{"y"});
}

TEST(OnnxModel, AFunctionThatCallsItselfIsRefused) {
  OnnxFile file;
  file.Input("x", {1, 3}).Node("Again", {"x"}, {"y"}, {}, "mine").Output("y");
  const ProtoMessage body = OnnxNodeMessage("Again", {"a"}, {"b"}, {}, "mine");
  file.model().Message(
      25, ProtoMessage().Text(1, "Again").Text(4, "a").Text(5, "b").Message(7, body).Text(10, "mine"));
  EXPECT_NE(ErrorOf(file.Bytes(), ErrorCode::kCorrupt).find("calls itself"), std::string::npos);
}

ProtoMessage External(const std::string& location, const std::string& offset, const std::string& length) {
  const auto entry = [](const std::string& key, const std::string& value) {
    return ProtoMessage().Text(1, key).Text(2, value);
  };
  ProtoMessage tensor =
      ProtoMessage().Integer(1, 2).Integer(2, 1).Text(8, "v").Message(13, entry("location", location));
  if (!offset.empty()) tensor.Message(13, entry("offset", offset));
  if (!length.empty()) tensor.Message(13, entry("length", length));
  return tensor.Integer(14, 1);
}

class ExternalData : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeDirectories(JoinPath(folder_, "in")).ok());
    const std::vector<float> values = {0, 5, 6};
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    ASSERT_TRUE(WriteFile(JoinPath(folder_, "in/v.bin"), std::span(bytes, 12)).ok());
    ASSERT_TRUE(WriteFile(JoinPath(folder_, "out.bin"), std::span(bytes, 12)).ok());
  }
  Expected<Model> Parse(const std::string& location, const std::string& offset, const std::string& length) {
    OnnxFile file = Small();
    file.graph().Message(5, External(location, offset, length));
    return ParseModel(file.Bytes(), JoinPath(folder_, "in/m.onnx"));
  }
  testing::TempDir temporary_;
  const std::string folder_ = temporary_.path();
};

TEST_F(ExternalData, IsReadFromTheFolderOfTheModel) {
  const auto model = Parse("v.bin", "4", "8");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->graph.initializers[1].reals, (std::vector<float>{5, 6}));
}

TEST_F(ExternalData, NeverLeavesTheFolder) {
  std::filesystem::create_symlink(JoinPath(folder_, "out.bin"), JoinPath(folder_, "in/link.bin"));
  for (const std::string& path :
       {std::string("../out.bin"), JoinPath(folder_, "out.bin"), std::string("a/../../out.bin"),
        std::string("link.bin"), std::string(""), std::string("v.bin\0x", 7)}) {
    const auto model = Parse(path, "", "8");
    ASSERT_FALSE(model.ok()) << path;
    EXPECT_EQ(model.error().code, ErrorCode::kCorrupt) << model.error().message;
  }
}

TEST_F(ExternalData, PartsThatAreNotThereAreRefused) {
  EXPECT_NE(Parse("v.bin", "8", "8").error().message.find("bytes 8 to 16, the file has 12"),
            std::string::npos);
  EXPECT_FALSE(Parse("v.bin", "99999999999999999999", "8").ok());
  EXPECT_FALSE(Parse("v.bin", "-4", "8").ok());
  EXPECT_EQ(Parse("missing.bin", "", "").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace qat::onnx
