#include "eval/run_curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

constexpr char kEvents[] =
    R"({"event":"start","step":0,"steps":1000,"quant_delay":600,"batch_size":30,"scheme":"uint8"}
{"event":"train","step":100,"loss":0.31,"training_accuracy":90.5,"learning_rate":0.001}
{"event":"eval","step":500,"split":"holdout","accuracy":98.1,"loss":0.06}
{"event":"range","step":500,"layer":"conv1","min":0,"max":3.2}
{"event":"quantize","step":600}
{"event":"train","step":700,"loss":null,"training_accuracy":97,"learning_rate":0.001}
{"event":"news of a later version","step":700}
{"event":"end","step":1000,"best_step":500,"best_accuracy":98.1}
)";

TEST(RunCurves, CollectsOneCurvePerNameAndTheStepOfQuantization) {
  const auto run = ParseRunCurves(kEvents, "metrics.ndjson");
  QAT_ASSERT_OK(run);
  ASSERT_EQ(run->curves.size(), 4u);
  EXPECT_EQ(run->curves[0].name, "loss");
  EXPECT_EQ(run->curves[0].points[0], (std::pair<int64_t, double>(100, 0.31)));
  EXPECT_TRUE(std::isnan(run->curves[0].points[1].second));
  EXPECT_EQ(run->curves[1].name, "training_accuracy");
  EXPECT_EQ(run->curves[2].name, "holdout_loss");
  EXPECT_EQ(run->curves[3].name, "holdout_accuracy");
  EXPECT_EQ(run->curves[3].points[0], (std::pair<int64_t, double>(500, 98.1)));
  EXPECT_EQ(run->quant_delay, 600);
}

TEST(RunCurves, AFloatRunHasNoDelay) {
  const auto run = ParseRunCurves("{\"event\":\"start\",\"step\":0,\"quant_delay\":600}\n", "metrics.ndjson");
  QAT_ASSERT_OK(run);
  EXPECT_EQ(run->quant_delay, -1);
}

TEST(RunCurves, AnUnfinishedLastLineIsARunInProgress) {
  const auto run = ParseRunCurves(std::string(kEvents) + R"({"event":"train","st)", "metrics.ndjson");
  QAT_ASSERT_OK(run);
  EXPECT_EQ(run->curves.size(), 4u);
}

TEST(RunCurves, NamesTheLineThatIsNoEvent) {
  QAT_EXPECT_ERROR(
      ParseRunCurves("{\"event\":\"quantize\",\"step\":1}\n{\"event\":\"train\"}\n", "metrics.ndjson"),
      ErrorCode::kCorrupt, "metrics.ndjson:2: is no event");
}

TEST(RunCurves, ACheckpointFileHasNoCurves) {
  testing::TempDir folder;
  testing::WriteText(folder / "a.ckpt", "x");
  const auto run = ReadRunCurves(folder / "a.ckpt");
  QAT_ASSERT_OK(run);
  EXPECT_TRUE(run->curves.empty());
}

}  // namespace
}  // namespace qat
