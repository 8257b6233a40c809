// qat-eval inspect: exit codes, and what --json and --dot carry.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support/safetensors_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;
using testing::SafetensorsWriter;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class InspectCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, value] : {std::pair("a", 1.0f), std::pair("b", 1.5f)}) {
      SafetensorsWriter writer;
      writer.Add("w", {2}, {value, 2});
      QAT_ASSERT_OK(WriteFile(dir_ / (std::string(name) + ".safetensors"), writer.Take()));
    }
  }
  const testing::TempDir dir_;
};

TEST_F(InspectCommand, EqualIsZeroAndDifferentIsOne) {
  const std::string a = dir_ / "a.safetensors", b = dir_ / "b.safetensors";
  EXPECT_EQ(RunTool("qat-eval", {"inspect", "--diff", a, a}).exit_code, 0);
  const ProcessResult differs = RunTool("qat-eval", {"inspect", "--diff", a, b, "--json", dir_ / "d.json"});
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_HOLDS(differs.out, "1 of 2 differ, by 0.5 at most");
  const auto document = nlohmann::json::parse(ReadText(dir_ / "d.json"));
  EXPECT_EQ(document["schema"], "qat-inspect-diff/1");
  EXPECT_EQ(document["equal"], false);
  EXPECT_EQ(document["differences"].size(), 1u);
}

TEST_F(InspectCommand, WritesJsonAndGraphviz) {
  const ProcessResult shown = RunTool("qat-eval", {"inspect", dir_ / "a.safetensors", "--json", "-", "--dot", dir_ / "a.dot"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(nlohmann::json::parse(shown.out)["tensors"][0]["max"], 2.0);
  EXPECT_HOLDS(ReadText(dir_ / "a.dot"), "t0 [label=\"w\\nfloat32 [2]\", shape=note];");
}

TEST_F(InspectCommand, WhatCannotBeIsRefusedInOneSentence) {
  const std::string a = dir_ / "a.safetensors";
  EXPECT_EQ(RunTool("qat-eval", {"inspect"}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", a, a}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", "--diff", a}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", a, "--dot", a}).exit_code, 2);
  const ProcessResult missing = RunTool("qat-eval", {"inspect", dir_ / "none.tflite", "--json", dir_ / "e.json"});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(nlohmann::json::parse(ReadText(dir_ / "e.json"))["status"], "error");
}

}  // namespace
}  // namespace qat
