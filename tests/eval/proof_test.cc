#include "eval/proof.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

ModelResult Row(std::string name, std::string kind, std::string type) {
  ModelResult row;
  row.name = std::move(name);
  row.kind = std::move(kind);
  row.type = std::move(type);
  return row;
}

Report ThreeWays(std::optional<int64_t> simulated_steps, std::optional<int64_t> litert_steps) {
  Report report;
  report.models = {Row("checkpoint", "checkpoint", "float32"), Row("simulated", "checkpoint", "simulated"),
                   Row("m.tflite", "tflite", "int8"), Row("litert", "litert", "int8")};
  const auto pair = [&](const char* a, const char* b, std::optional<int64_t> steps) {
    PairResult result;
    result.a = a;
    result.b = b;
    result.max_abs_lsb = steps;
    report.pairs.push_back(result);
  };
  pair("simulated", "m.tflite", simulated_steps);
  pair("m.tflite", "litert", litert_steps);
  pair("checkpoint", "m.tflite", std::nullopt);
  return report;
}

TEST(JudgeProof, OneStepOffAWitnessFails) {
  Report report = ThreeWays(0, 1);
  JudgeProof({}, ArithmeticProfile::kTflite, report);
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_EQ(report.gates[0].model, "m.tflite");
  EXPECT_EQ(report.gates[0].reference, "simulated");
  EXPECT_TRUE(report.gates[0].pass);
  EXPECT_EQ(report.gates[1].model, "m.tflite");
  EXPECT_EQ(report.gates[1].reference, "litert");
  EXPECT_EQ(report.gates[1].value, 1);
  EXPECT_FALSE(report.gates[1].pass);
}

TEST(JudgeProof, WithoutScoresLabelsMustBeEqual) {
  Report report = ThreeWays(std::nullopt, std::nullopt);
  report.pairs[0].total_flips = 3;
  JudgeProof({}, ArithmeticProfile::kTflite, report);
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_EQ(report.gates[0].name, "max-flips");
  EXPECT_EQ(report.gates[0].value, 3);
  EXPECT_FALSE(report.gates[0].pass);
  EXPECT_TRUE(report.gates[1].pass);
}

TEST(JudgeProof, MinusOneJudgesNothingAndALimitIsKept) {
  Report report = ThreeWays(2, 1);
  GateLimits limits;
  limits.max_steps = -1;
  JudgeProof(limits, ArithmeticProfile::kTflite, report);
  EXPECT_TRUE(report.gates.empty());
  limits.max_steps = 1;
  JudgeProof(limits, ArithmeticProfile::kTfliteClassic, report);
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_FALSE(report.gates[0].pass);
  EXPECT_TRUE(report.gates[1].pass);
}

// Layers in float or of 16 bits are not those that training simulated; the order of sums moves a value by a
// step.
TEST(JudgeProof, LayersOfAnotherTypeAreHeldToTfliteAlone) {
  for (const auto& [type, limit] : {std::pair("int8 + float32", 1), std::pair("int8 + int16", 0)}) {
    Report report = ThreeWays(5, 1);
    report.models[2].type = type;
    JudgeProof({}, ArithmeticProfile::kTflite, report);
    ASSERT_EQ(report.gates.size(), 1u) << type;
    EXPECT_EQ(report.gates[0].reference, "litert");
    EXPECT_EQ(report.gates[0].limit, limit);
    EXPECT_EQ(report.gates[0].pass, limit == 1);
    ASSERT_EQ(report.warnings.size(), 1u);
    EXPECT_EQ(report.warnings[0],
              "m.tflite: some of its layers are of another type than in simulated, so it is not held to the "
              "steps of that");
    GateLimits limits;
    limits.max_steps = 0;
    JudgeProof(limits, ArithmeticProfile::kTflite, report);
    ASSERT_EQ(report.gates.size(), 3u) << "a limit that was asked for is kept";
    EXPECT_FALSE(report.gates[1].pass);
    EXPECT_FALSE(report.gates[2].pass);
  }
}

}  // namespace
}  // namespace qat
