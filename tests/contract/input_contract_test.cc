#include "contract/contract.h"

#include <flatbuffers/flatbuffers.h>

#include <cmath>
#include <cstring>

#include "contract_generated.h"
#include "support/test_util.h"

namespace qat {
namespace {

Contract Rgb() { return {4, 5, 3, {10, 20, 30}, {2, 4, 8}, {"cat", "dog"}}; }

TEST(InputContract, RealValuesAreByteMinusMeanOverStdPerChannel) {
  const RealTable table = MakeRealTable(Rgb().input());
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0][10], 0.0f);
  EXPECT_EQ(table[1][0], -5.0f);
  EXPECT_EQ(table[2][255], 28.125f);
  const std::vector<uint8_t> bytes = {10, 20, 30, 12, 24, 38};
  std::vector<float> real(6);
  ToReal(Rgb().input(), table, bytes, real);
  EXPECT_EQ(real, (std::vector<float>{0, 0, 0, 1, 1, 1}));
}

TEST(InputContract, SurvivesItsBytes) {
  const auto bytes = Serialize(Rgb());
  const auto back = ParseContract(bytes);
  QAT_ASSERT_OK(back);
  EXPECT_EQ(*back, Rgb());
  EXPECT_EQ(Serialize(*back), bytes);
}

TEST(InputContract, EveryTruncationIsRefused) {
  const auto bytes = Serialize(Rgb());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseContract(std::span(bytes).first(size)).ok()) << size;
  }
}

TEST(InputContract, RefusesValuesThatNoImageHas) {
  Contract contract = Rgb();
  contract.input().std[1] = 0;
  QAT_EXPECT_ERROR(Validate(contract), ErrorCode::kCorrupt, "std[1] is 0");
  contract = Rgb();
  contract.input().mean.pop_back();
  QAT_EXPECT_ERROR(Validate(contract), ErrorCode::kCorrupt,
                   "2 means and 3 stds, expected one per channel (3)");
  contract = Rgb();
  contract.input().width = -1;
  QAT_EXPECT_ERROR(ParseContract(Serialize(contract)), ErrorCode::kCorrupt, "4x-1x3");
}

InputContract Series() {
  InputContract input{1, 3, 2, {1, -2}, {4, 0.5f}, ValueType::kReal, {3, 2}};
  input.low = -3;
  input.high = 2.5f;
  return input;
}

TEST(InputContract, RealsOfPicturesSayWhatWhiteIs) {
  InputContract input = Series();
  EXPECT_EQ(Describe(input).find("white"), std::string::npos);
  input.white = kWhiteOfDeep;
  EXPECT_NE(Describe(input).find(", white is 65535"), std::string::npos) << Describe(input);
  const auto back = ParseContract(Serialize(Contract(input, {})));
  QAT_ASSERT_OK(back);
  EXPECT_EQ(back->input(), input);
  EXPECT_FALSE(SameMeaning(Series(), input));
  input.white = 1000;
  QAT_EXPECT_ERROR(ParseContract(Serialize(Contract(input, {}))), ErrorCode::kCorrupt,
                   "white is 1000, expected 0, 255 or 65535");
}

TEST(InputContract, OfATableNamesTheColumns) {
  InputContract input = Series();
  input.features = {"a", "b c", "d", "e", "f", "g, h"};
  EXPECT_NE(Describe(input).find(", of the columns a, b c, d, e, f, g, h"), std::string::npos)
      << Describe(input);
  const auto back = ParseContract(Serialize(Contract(input, {})));
  QAT_ASSERT_OK(back);
  EXPECT_EQ(back->input(), input);
  EXPECT_TRUE(SameMeaning(Contract(Series(), {}), Contract(input, {})));
  InputContract other = input;
  std::swap(other.features[0], other.features[1]);
  EXPECT_FALSE(SameMeaning(Contract(other, {}), Contract(input, {})));
}

TEST(InputContract, MeansTheSameHoweverFarIntegersReach) {
  InputContract other = Series();
  other.low -= 1;
  other.high += 1;
  EXPECT_TRUE(SameMeaning(other, Series()));
}

TEST(InputContract, RealNumbersAreNormalizedPerChannel) {
  const std::vector<float> values = {1, -2, 5, -1.5f, -3, 0};
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::vector<float> real(values.size());
  ToReal(Series(), {}, bytes, real);
  EXPECT_EQ(real, (std::vector<float>{0, 0, 1, 1, -1, 4}));
  InputContract inside = Series();
  inside.inside = true;
  ToReal(inside, {}, bytes, real);
  EXPECT_EQ(real, values);
  EXPECT_EQ(Series().ImageSize(), 24);
  EXPECT_EQ(Series().DataShape(), (Shape{1, 3, 2}));
  EXPECT_EQ(Series().NetworkShape(), (Shape{1, 1, 3, 2}));
}

TEST(Contract, WithTwoInputsAndTwoOutputsSurvivesItsBytes) {
  Contract contract;
  contract.inputs = {Series(), Rgb().input()};
  contract.inputs[0].name = "motion";
  contract.inputs[0].unit = "g";
  contract.inputs[0].inside = true;
  contract.inputs[1].fit = Fit::kPad;
  contract.outputs = {{Task::kClasses, {"walk", "run"}}, {Task::kNumbers, {}, {20, 3}, {5, 1}, "mass"}};
  const auto bytes = Serialize(contract);
  const auto back = ParseContract(bytes);
  QAT_ASSERT_OK(back);
  EXPECT_EQ(*back, contract);
  // Cut off it is refused, unless nothing but padding is missing.
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = ParseContract(std::span(bytes).first(size));
    EXPECT_TRUE(!cut.ok() || (*cut == contract && bytes.size() - size < sizeof(uint32_t))) << size;
  }
}

// What the programs of before wrote, byte by byte.
TEST(Contract, OfOnePictureIsStillWrittenAsVersionOne) {
  flatbuffers::FlatBufferBuilder builder;
  const auto mean = builder.CreateVector(std::vector<float>{10, 20, 30});
  const auto std_values = builder.CreateVector(std::vector<float>{2, 4, 8});
  const auto labels = builder.CreateVectorOfStrings({"cat", "dog"});
  builder.Finish(fb::CreateInputContract(builder, 4, 5, 3, mean, std_values, labels));
  const std::vector<uint8_t> bytes(builder.GetBufferPointer(),
                                   builder.GetBufferPointer() + builder.GetSize());
  EXPECT_EQ(Serialize(Rgb()), bytes);
  EXPECT_EQ(*ParseContract(bytes), Rgb());
}

// Of a network of others, whose data nobody has shown.
TEST(Contract, OfRealsNeedsNoRangeAndTellsNone) {
  Contract contract(Series(), {});
  EXPECT_NE(Describe(contract.input()).find(", -3 to 2.5"), std::string::npos);
  contract.input().low = contract.input().high = 0;
  const auto parsed = ParseContract(Serialize(contract));
  QAT_ASSERT_OK(parsed);
  EXPECT_EQ(*parsed, contract);
  EXPECT_EQ(Describe(contract.input()).find(" to "), std::string::npos) << Describe(contract.input());
}

TEST(Contract, RefusesWhatNoDataHave) {
  const auto refuses = [](const auto& change, const char* message) {
    Contract contract(Series(), {});
    change(contract);
    QAT_EXPECT_ERROR(ParseContract(Serialize(contract)), ErrorCode::kCorrupt, message);
  };
  refuses([](Contract& c) { c.input().shape = {4, 2}; }, "the data's shape is [4, 2]");
  refuses([](Contract& c) { c.input().low = 1; },
          "the range of the input is 1 to 2.5, expected one that holds 0");
  refuses([](Contract& c) { c.input().high = std::nanf(""); }, "the range of the input is -3 to nan");
  refuses([](Contract& c) { c.input().low = c.input().high = 1; }, "the range of the input is 1 to 1");
  refuses(
      [](Contract& c) {
        c.input().features = {"a", "b"};
      },
      "names 2 features, expected 6, one per value");
  refuses([](Contract& c) { c.input().features = {"a", "b", "c", "a", "d", "e"}; },
          "names the feature 'a' twice");
  refuses([](Contract& c) { c.inputs.push_back(InputContract()); }, "image size is 0x0x0");
  refuses(
      [](Contract& c) {
        c.outputs = {{Task::kNumbers, {}, {1}, {}}};
      },
      "1 means and 0 stds of an output");
  refuses([](Contract& c) { c.outputs = {{Task::kNumbers, {}, {1}, {0}}}; }, "the std above 0");
}

TEST(InputContract, DescribesItselfInOneLine) {
  EXPECT_EQ(Describe(Contract(28, 28, 1, {0}, {255}, {"0", "1"})),
            "28x28x1, real = (byte - 0) / 255, 2 labels");
  EXPECT_EQ(Describe(Rgb()), "4x5x3, real = (byte - [10, 20, 30]) / [2, 4, 8], 2 labels");
}

TEST(InputContract, ChannelsFirstChangeTheTensorsAndNotWhatExamplesMean) {
  Contract contract(8, 6, 3, {1, 2, 3}, {1, 1, 1}, {"a", "b"});
  const Contract last = contract;
  contract.input().channels_first = true;
  contract.outputs.front().channels_first = true;
  EXPECT_EQ(contract.input().NetworkShape(), (Shape{1, 3, 8, 6}));
  EXPECT_EQ(contract.input().ValueCount(), last.input().ValueCount());
  EXPECT_TRUE(SameMeaning(contract, last));
  EXPECT_FALSE(contract == last);
  const auto read = ParseContract(Serialize(contract));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_TRUE(*read == contract);
  contract.outputs.front().normal = "b";
  EXPECT_TRUE(SameMeaning(contract, last)) << "how it is judged";
  const auto judged = ParseContract(Serialize(contract));
  ASSERT_TRUE(judged.ok()) << judged.error().message;
  EXPECT_TRUE(*judged == contract);
  EXPECT_NE(Describe(contract).find(", class 'b' is normal"), std::string::npos) << Describe(contract);
  InputContract series{1, 20, 4, {0, 0, 0, 0}, {1, 1, 1, 1}};
  series.shape = {20, 4};
  EXPECT_EQ(series.DataShape(), (Shape{1, 20, 4}));
  series.channels_first = true;
  EXPECT_EQ(series.DataShape(), (Shape{1, 4, 20}));
}

}  // namespace
}  // namespace qat
