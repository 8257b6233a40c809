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

TEST(RunCurves, CollectsRangesPaceAndWarnings) {
  const auto run = ParseRunCurves(std::string(kEvents) +
                                      R"({"event":"freeze_batch_norm","step":800}
{"event":"train","step":800,"loss":0.1,"training_accuracy":99,"learning_rate":0.0005,"gradient_norm":2.5}
{"event":"range","step":1000,"layer":"conv1","min":-1,"max":3.5,"clipped":0.002}
{"event":"warning","step":1000,"text":"layer 'x' is \"dead\""}
)",
                                  "metrics.ndjson");
  QAT_ASSERT_OK(run);
  EXPECT_EQ(run->steps, 1000);
  EXPECT_EQ(run->batch_size, 30);
  EXPECT_EQ(run->scheme, "uint8");
  EXPECT_TRUE(run->ended);
  EXPECT_EQ(run->best_step, 500);
  EXPECT_EQ(run->batch_norm_freeze, 800);
  ASSERT_EQ(run->ranges.size(), 1u);
  ASSERT_EQ(run->ranges[0].points.size(), 2u);
  // Runs of earlier versions did not count.
  EXPECT_TRUE(std::isnan(run->ranges[0].points[0].clipped));
  EXPECT_EQ(run->ranges[0].points[1].clipped, 0.002);
  EXPECT_EQ(run->ranges[0].points[1].max, 3.5);
  ASSERT_EQ(run->pace.size(), 2u);
  EXPECT_EQ(run->pace[0].name, "learning_rate");
  EXPECT_EQ(run->pace[0].points.size(), 3u);
  EXPECT_EQ(run->pace[1].points, (std::vector<std::pair<int64_t, double>>{{800, 2.5}}));
  ASSERT_EQ(run->warnings.size(), 1u);
  EXPECT_EQ(run->warnings[0].second, "layer 'x' is \"dead\"");
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
  QAT_EXPECT_ERROR(ParseRunCurves("{\"event\":\"quantize\",\"step\":8.5e37}\n", "metrics.ndjson"),
                   ErrorCode::kCorrupt, "metrics.ndjson:1: is no event");
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
