// The tools that people run in loops and Makefiles must not pay for LibTorch: it takes 0.3 s and 287 libraries to start.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "support/subprocess.h"
#include "support/tiny_files.h"

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

// The fastest of ten runs: what the machine does besides is not the tool's.
double FastestMilliseconds(const std::vector<std::string>& command) {
  double fastest = 1e9;
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(testing::Run(command).exit_code, 0);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    fastest = std::min(fastest, time.count());
  }
  return fastest;
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_P(StartTest, StartsInLessThan20Milliseconds) {
  EXPECT_LT(FastestMilliseconds({testing::ToolPath(GetParam()), "--version"}), 20);
}

TEST(QatEvalStart, EvaluatesASmallModelInLessThan20Milliseconds) {
  testing::TinyFiles files;
  EXPECT_LT(FastestMilliseconds(
                {testing::ToolPath("qat-eval"), "--data", files.data(), "--model", files.uint8_model()}),
            20);
}
#endif

INSTANTIATE_TEST_SUITE_P(Tools, StartTest, ::testing::Values("qat-freeze", "qat-convert", "qat-eval"), [](const auto& tool) {
  std::string name = tool.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace qat
