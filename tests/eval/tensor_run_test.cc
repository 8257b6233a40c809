#include "eval/tensor_run.h"

#include <gtest/gtest.h>

#include "support/test_util.h"

namespace qat {
namespace {

TEST(OutputPath, NumbersFurtherOutputsBeforeTheEnding) {
  EXPECT_EQ(OutputPath("out/Y.npy", 0), "out/Y.npy");
  EXPECT_EQ(OutputPath("out/Y.npy", 2), "out/Y.2.npy");
  EXPECT_EQ(OutputPath("Y", 1), "Y.1");
}

}  // namespace
}  // namespace qat
