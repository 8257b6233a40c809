#include "spec/network_spec.h"
#include "support/test_util.h"

namespace qat {
namespace {

Expected<NetworkSpec> With(const std::string& input) {
  return ParseNetworkSpec("name = \"n\"\n[input]\n" + input +
                              "\n[[layer]]\nname = \"out\"\nop = \"fully_connected\"\nunits = 2\n",
                          "n.toml");
}

TEST(InputShape, IsThatOfAnExampleOfTheData) {
  const std::pair<const char*, Shape> cases[] = {{"shape = [640]", {1, 1, 1, 640}},
                                                 {"shape = [100, 6]", {1, 1, 100, 6}},
                                                 {"shape = [8, 9, 3]", {1, 8, 9, 3}},
                                                 {"height = 8\nwidth = 9\nchannels = 3", {1, 8, 9, 3}}};
  for (const auto& [text, shape] : cases) {
    const auto spec = With(text);
    QAT_ASSERT_OK(spec);
    EXPECT_EQ(spec->inputs.front().shape, shape) << text;
  }
}

TEST(InputShape, RefusesWhatIsNone) {
  for (const char* text : {"shape = []", "shape = [1, 2, 3, 4]", "shape = [0]", "shape = [2.5]",
                           "shape = \"100\"", "shape = [70000]"})
    QAT_EXPECT_ERROR(With(text), ErrorCode::kInvalidArgument,
                     "expected [features], [steps, channels] or [height, width, channels]");
  QAT_EXPECT_ERROR(With("shape = [5]\nheight = 3"), ErrorCode::kInvalidArgument, "height");
}

Expected<NetworkSpec> Pair(const std::string& inputs, const std::string& layers) {
  return ParseNetworkSpec("name = \"n\"\n" + inputs + layers, "n.toml");
}

constexpr char kTwo[] =
    "[[input]]\nname = \"left\"\nshape = [4]\n[[input]]\nname = \"right\"\nshape = [3]\nvalues = \"bytes\"\n";
constexpr char kJoin[] =
    "[[layer]]\nname = \"both\"\nop = \"concatenation\"\ninputs = [\"left\", \"right\"]\n";

TEST(Inputs, AreReadByTheirNames) {
  const auto spec =
      Pair(kTwo, std::string(kJoin) + "[[layer]]\nname = \"out\"\nop = \"fully_connected\"\nunits = 2\n");
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(spec->inputs.size(), 2u);
  EXPECT_EQ(spec->inputs[1].name, "right");
  EXPECT_EQ(spec->inputs[1].shape, (Shape{1, 1, 1, 3}));
  EXPECT_EQ(spec->inputs[1].values, InputValues::kBytes);
  EXPECT_EQ(spec->layers[0].inputs, (std::vector<int32_t>{NetworkInput(0), NetworkInput(1)}));
  EXPECT_EQ(spec->layers[0].output_shape, (Shape{1, 1, 1, 7}));
}

TEST(Inputs, RefusesWhatIsNotClear) {
  const std::string dense = "[[layer]]\nname = \"out\"\nop = \"fully_connected\"\nunits = 2\n";
  QAT_EXPECT_ERROR(Pair(kTwo, dense), ErrorCode::kInvalidArgument,
                   "the network has 2 inputs, expected 'inputs' with one of left, right");
  QAT_EXPECT_ERROR(Pair(kTwo, dense + "inputs = [\"left\"]\n"), ErrorCode::kInvalidArgument,
                   "n.toml:5:1: input 'right' is read by no layer");
  QAT_EXPECT_ERROR(Pair(kTwo, dense + "inputs = [\"input\"]\n"), ErrorCode::kInvalidArgument,
                   "(expected an earlier layer or an input)");
  QAT_EXPECT_ERROR(Pair("[[input]]\nshape = [4]\n", dense), ErrorCode::kInvalidArgument, "name");
  QAT_EXPECT_ERROR(Pair(std::string(kTwo) + "[[input]]\nname = \"left\"\nshape = [1]\n", kJoin),
                   ErrorCode::kInvalidArgument, "two inputs are called 'left'");
  QAT_EXPECT_ERROR(Pair(kTwo, std::string(kJoin) + "[[layer]]\nname = \"left\"\nop = \"relu\"\n"),
                   ErrorCode::kInvalidArgument, "its name is taken by an input of the network");
  QAT_EXPECT_ERROR(Pair("[[input]]\nname = \"a\"\nshape = [4]\nvalues = \"ints\"\n", dense),
                   ErrorCode::kInvalidArgument, "expected \"bytes\" or \"reals\"");
}

TEST(Inputs, MayBeCalledByTheirNumber) {
  const auto spec =
      Pair("[[input]]\nname = \"input1\"\nshape = [2]\n[[input]]\nname = \"input2\"\nshape = [3]\n",
           "[[layer]]\nname = \"both\"\nop = \"concatenation\"\ninputs = [\"input2\", \"input1\"]\n"
           "[[layer]]\nname = \"out\"\nop = \"fully_connected\"\nunits = 2\n");
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->inputs[0].name, "input1");
  EXPECT_EQ(spec->inputs[1].name, "input2");
}

TEST(InputShape, TheFirstLayerReadsTheOnlyInputUnderItsName) {
  const auto spec = ParseNetworkSpec(
      "name = \"one\"\n[[input]]\nname = \"a\"\nshape = [4]\n[[layer]]\nname = \"d\"\nop = "
      "\"fully_connected\"\nunits = 2\n",
      "n.toml");
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->layers[0].inputs, std::vector<int32_t>{NetworkInput(0)});
}

}  // namespace
}  // namespace qat
