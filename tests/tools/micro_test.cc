// qat-convert --emit-micro: what it writes, and what it refuses before anything is written.
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
using testing::ReadText;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class EmitMicro : public ::testing::Test {
 protected:
  void SetUp() override { QAT_ASSERT_OK(WriteFile(dir_ / "g.qgraph", Serialize(testing::TinyGraph()))); }

  ProcessResult Convert(std::vector<std::string> more) {
    std::vector<std::string> all = {dir_ / "g.qgraph"};
    all.insert(all.end(), more.begin(), more.end());
    return RunTool("qat-convert", all);
  }

  const testing::TempDir dir_;
};

TEST_F(EmitMicro, NeedsNoOtherOutputAndMakesItsFolder) {
  const ProcessResult done = Convert({"--type", "int8", "--emit-micro", dir_ / "app/model"});
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_HOLDS(done.out, "6 files, ");
  EXPECT_HOLDS(done.out, "4 operators");
  for (const char* name :
       {"main.cc", "model_data.c", "model_data.h", "model_golden.h", "model_io.h", "model_ops.h"})
    EXPECT_TRUE(std::filesystem::exists(dir_ / "app/model/" + name)) << name;
}

TEST_F(EmitMicro, HoldsTheModelThatIsWrittenBesideIt) {
  ASSERT_EQ(Convert({"--type", "int8", "--emit-micro", dir_ / "a", "-o", dir_ / "m.tflite"}).exit_code, 0);
  ASSERT_EQ(Convert({"--type", "int8", "-o", dir_ / "model_data.c"}).exit_code, 0);
  EXPECT_EQ(ReadText(dir_ / "a/model_data.c"), ReadText(dir_ / "model_data.c"));
  EXPECT_HOLDS(ReadText(dir_ / "a/model_data.h"),
               std::to_string(std::filesystem::file_size(dir_ / "m.tflite")));
}

TEST_F(EmitMicro, ItsFilesAreNoOtherOutput) {
  const ProcessResult refused =
      Convert({"--type", "int8", "--emit-micro", dir_ / "a", "-o", dir_ / "a/model_data.c"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_HOLDS(refused.err, "--emit-micro");
}

TEST_F(EmitMicro, WhatDoesNotRunThereLeavesNoFile) {
  const ProcessResult refused =
      Convert({"--type", "uint8", "--emit-micro", dir_ / "a", "-o", dir_ / "m.tflite"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_HOLDS(refused.err, "do not run on tflite-micro");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "m.tflite"));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "a")) << "an empty folder is left";
  WriteFile(dir_ / "file", std::string_view("x")).ok();
  const ProcessResult no_folder = Convert({"--type", "int8", "--emit-micro", dir_ / "file"});
  EXPECT_EQ(no_folder.exit_code, 6) << no_folder.err;
  EXPECT_EQ(ReadText(dir_ / "file"), "x");
}

}  // namespace
}  // namespace qat
