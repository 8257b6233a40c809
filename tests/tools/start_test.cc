// The tools that people run in loops and Makefiles must not pay for LibTorch: it takes 0.3 s and 287
// libraries to start.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/subprocess.h"

namespace qat {
namespace {

class StartTest : public ::testing::TestWithParam<const char*> {};

TEST_P(StartTest, LinksNoLibTorch) {
  const auto result = testing::Run({"/usr/bin/ldd", testing::ToolPath(GetParam())});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("libc.so"), std::string::npos);
  for (const char* library : {"torch", "libc10", "opencv", "gdal"}) {
    EXPECT_EQ(result.out.find(library), std::string::npos) << library << " in " << result.out;
  }
}

// What a start costs is mostly the libraries: LibTorch brings 287. Times are in docs/benchmarks.md.
TEST_P(StartTest, LoadsFewLibraries) {
  const auto result = testing::Run({"/usr/bin/ldd", testing::ToolPath(GetParam())});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LE(std::count(result.out.begin(), result.out.end(), '\n'), 16) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Tools, StartTest, ::testing::Values("qat-freeze", "qat-convert", "qat-eval"),
                         [](const auto& tool) {
                           std::string name = tool.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace qat
