#include "train/run_contract.h"

#include "support/test_util.h"

namespace qat {
namespace {

// Two channels: one of two values, one, as alpha often is, of 255 only.
Dataset WithAlpha() {
  Dataset data;
  data.name = "icons";
  data.input().height = data.input().width = 1;
  data.input().channels = 2;
  data.labels = {0, 1};
  data.images = {10, 255, 30, 255};
  return data;
}

TEST(MakeContract, NamesAChannelOfOneValueWhoseDeviationIsAskedFor) {
  TrainConfig config;
  config.mean.values = {20};
  config.std.values = {};
  QAT_EXPECT_ERROR(MakeContract(config, WithAlpha()), ErrorCode::kInvalidArgument,
                   "channel 1 of the images of icons is 255 everywhere, so std \"dataset\" is 0 for it");
  config.std.values = {10};
  config.mean.values = {};
  const auto contract = MakeContract(config, WithAlpha());
  QAT_ASSERT_OK(contract);
  EXPECT_EQ(contract->input().mean, (std::vector<float>{20, 255}));
  EXPECT_EQ(contract->input().std, (std::vector<float>{10, 10}));
}

}  // namespace
}  // namespace qat
