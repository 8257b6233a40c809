// qat-convert --target: what is refused is refused before anything is written.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "ir/graph.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

TEST(TargetFlag, RefusesWithAWayOutAndWritesNothing) {
  const testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "g.qgraph", Serialize(testing::TinyGraph())));
  const auto convert = [&](std::vector<std::string> more) {
    std::vector<std::string> all = {dir / "g.qgraph", "-o", dir / "m.tflite"};
    all.insert(all.end(), more.begin(), more.end());
    return RunTool("qat-convert", all);
  };
  const ProcessResult refused = convert({"--target", "tflite-micro"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_HOLDS(refused.err, "m.tflite: 3 operators do not run on tflite-micro: operator 0 CONV_2D ('conv')");
  EXPECT_HOLDS(refused.err, "convert with --type int8");
  EXPECT_FALSE(std::filesystem::exists(dir / "m.tflite"));
  EXPECT_EQ(convert({"--target", "tflite-micro", "--type", "int8"}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(dir / "m.tflite"));
  EXPECT_EQ(convert({"--target", "ethos-u"}).exit_code, 0);
  const ProcessResult unknown = convert({"--target", "esp32"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_HOLDS(unknown.err,
               "--target: value 'esp32', expected one of tflite, xnnpack, tflite-micro, ethos-u");
  EXPECT_EQ(RunTool("qat-convert", {dir / "g.qgraph", "--print", "--target", "tflite"}).exit_code, 2);
}

}  // namespace
}  // namespace qat
