#include "spec/network_spec.h"
#include "support/test_util.h"

namespace qat {
namespace {

Expected<NetworkSpec> With(const std::string& input) {
  return ParseNetworkSpec("name = \"n\"\n[input]\n" + input + "\n[[layer]]\nname = \"out\"\nop = \"fully_connected\"\nunits = 2\n", "n.toml");
}

TEST(InputShape, IsThatOfAnExampleOfTheData) {
  const std::pair<const char*, Shape> cases[] = {{"shape = [640]", {1, 1, 1, 640}},
                                                 {"shape = [100, 6]", {1, 1, 100, 6}},
                                                 {"shape = [8, 9, 3]", {1, 8, 9, 3}},
                                                 {"height = 8\nwidth = 9\nchannels = 3", {1, 8, 9, 3}}};
  for (const auto& [text, shape] : cases) {
    const auto spec = With(text);
    QAT_ASSERT_OK(spec);
    EXPECT_EQ(spec->input_shape, shape) << text;
  }
}

TEST(InputShape, RefusesWhatIsNone) {
  for (const char* text : {"shape = []", "shape = [1, 2, 3, 4]", "shape = [0]", "shape = [2.5]", "shape = \"100\"", "shape = [70000]"})
    QAT_EXPECT_ERROR(With(text), ErrorCode::kInvalidArgument, "expected [features], [steps, channels] or [height, width, channels]");
  QAT_EXPECT_ERROR(With("shape = [5]\nheight = 3"), ErrorCode::kInvalidArgument, "height");
}

}  // namespace
}  // namespace qat
