#include "contract/input_contract.h"

#include "support/test_util.h"

namespace qat {
namespace {

InputContract Rgb() { return {4, 5, 3, {10, 20, 30}, {2, 4, 8}, {"cat", "dog"}}; }

TEST(InputContract, RealValuesAreByteMinusMeanOverStdPerChannel) {
  const RealTable table = MakeRealTable(Rgb());
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0][10], 0.0f);
  EXPECT_EQ(table[1][0], -5.0f);
  EXPECT_EQ(table[2][255], 28.125f);
  const std::vector<uint8_t> bytes = {10, 20, 30, 12, 24, 38};
  std::vector<float> real(6);
  BytesToReal(table, bytes, real);
  EXPECT_EQ(real, (std::vector<float>{0, 0, 0, 1, 1, 1}));
}

TEST(InputContract, SurvivesItsBytes) {
  const auto bytes = Serialize(Rgb());
  const auto back = ParseInputContract(bytes);
  QAT_ASSERT_OK(back);
  EXPECT_EQ(*back, Rgb());
  EXPECT_EQ(Serialize(*back), bytes);
}

TEST(InputContract, EveryTruncationIsRefused) {
  const auto bytes = Serialize(Rgb());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseInputContract(std::span(bytes).first(size)).ok()) << size;
  }
}

TEST(InputContract, RefusesValuesThatNoImageHas) {
  InputContract contract = Rgb();
  contract.std[1] = 0;
  QAT_EXPECT_ERROR(Validate(contract), ErrorCode::kCorrupt, "std[1] is 0");
  contract = Rgb();
  contract.mean.pop_back();
  QAT_EXPECT_ERROR(Validate(contract), ErrorCode::kCorrupt, "2 means and 3 stds, expected one a channel (3)");
  contract = Rgb();
  contract.width = -1;
  QAT_EXPECT_ERROR(ParseInputContract(Serialize(contract)), ErrorCode::kCorrupt, "4x-1x3");
}

TEST(InputContract, DescribesItselfInOneLine) {
  EXPECT_EQ(Describe({28, 28, 1, {0}, {255}, {"0", "1"}}), "28x28x1, real = (byte - 0) / 255, 2 labels");
  EXPECT_EQ(Describe(Rgb()), "4x5x3, real = (byte - [10, 20, 30]) / [2, 4, 8], 2 labels");
}

}  // namespace
}  // namespace qat
