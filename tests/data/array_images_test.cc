#include "data/array_images.h"

#include <cstring>
#include <limits>

#include "support/test_util.h"

namespace qat {
namespace {

NpyArray Bytes8(Shape shape) {
  Bytes values(static_cast<size_t>(FlatSize(shape)), 7);
  return {DType::kUInt8, std::move(shape), std::move(values)};
}

OpenOptions Takes(int32_t height, int32_t width, int32_t channels) {
  OpenOptions network;
  network.height = height;
  network.width = width;
  network.channels = channels;
  return network;
}

TEST(ReadArrayImages, ReadsTheRowThatANetworkTakes) {
  for (const Shape& shape : {Shape{5, 64, 6}, Shape{5, 384}}) {
    const auto row = ReadArrayImages(Bytes8(shape), "x", Takes(1, 64, 6));
    QAT_ASSERT_OK(row);
    EXPECT_EQ(row->count, 5);
    EXPECT_EQ(row->height, 1);
    EXPECT_EQ(row->width, 64);
    EXPECT_EQ(row->channels, 6);
    EXPECT_NE(row->note.find("are read as 1x64x6, as the network takes them"), std::string::npos);
  }
  EXPECT_EQ(ReadArrayImages(Bytes8({5, 64, 6}), "x", Takes(64, 6, 1))->note, "");
}

// Bytes as float64 [count, …]: 0, 1, 2, …
NpyArray Doubles(Shape shape) {
  NpyArray array{DType::kFloat64, std::move(shape), {}};
  for (int64_t i = 0; i < FlatSize(array.shape); ++i) {
    const auto value = static_cast<double>(i) / 4;
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    array.values.insert(array.values.end(), bytes, bytes + sizeof(value));
  }
  return array;
}

std::vector<float> Floats(const Bytes& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

TEST(ReadArrayImages, ReadsReals) {
  struct Case {
    Shape shape;
    ArrayLayout layout;
    Shape view;  // [H, W, C]
  };
  const Case cases[] = {
      {{4}, ArrayLayout::kAuto, {1, 1, 1}},           {{2, 6}, ArrayLayout::kAuto, {1, 1, 6}},
      {{2, 6}, ArrayLayout::kSeries, {1, 6, 1}},      {{2, 5, 3}, ArrayLayout::kAuto, {1, 5, 3}},
      {{2, 5, 3}, ArrayLayout::kPictures, {5, 3, 1}}, {{2, 5, 3}, ArrayLayout::kFeatures, {1, 1, 15}},
      {{2, 4, 5, 3}, ArrayLayout::kAuto, {4, 5, 3}}};
  for (const Case& each : cases) {
    OpenOptions options;
    options.layout = each.layout;
    const auto read = ReadArrayImages(Doubles(each.shape), "x", options);
    QAT_ASSERT_OK(read);
    EXPECT_EQ(read->values, ValueType::kReal);
    EXPECT_EQ(read->count, each.shape[0]);
    EXPECT_EQ((Shape{read->height, read->width, read->channels}), each.view) << ToString(each.shape);
    const std::vector<float> values = Floats(read->pixels);
    ASSERT_EQ(static_cast<int64_t>(values.size()), FlatSize(each.shape));
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<float>(i) / 4);
  }
}

TEST(ReadArrayImages, LetsTheNetworkDecideWhatTheAxesAre) {
  const auto column = ReadArrayImages(Doubles({2, 5, 3}), "x", Takes(5, 1, 3));
  QAT_ASSERT_OK(column);
  EXPECT_EQ((Shape{column->height, column->width, column->channels}), (Shape{5, 1, 3}));
  const auto picture = ReadArrayImages(Doubles({2, 28, 28}), "x", Takes(28, 28, 1));
  QAT_ASSERT_OK(picture);
  EXPECT_EQ((Shape{picture->height, picture->width, picture->channels}), (Shape{28, 28, 1}));
  EXPECT_EQ(picture->shape, (Shape{28, 28}));
}

TEST(ReadArrayImages, MakesRealsOfBytesForANetworkThatTakesReals) {
  OpenOptions options = Takes(1, 3, 2);
  options.values = ValueType::kReal;
  const auto read = ReadArrayImages(Bytes8({4, 3, 2}), "x", options);
  QAT_ASSERT_OK(read);
  EXPECT_EQ(Floats(read->pixels), std::vector<float>(24, 7));
}

TEST(ReadArrayImages, NamesThePlaceOfAValueThatIsNoNumber) {
  NpyArray array = Doubles({3, 2, 2});
  const double bad[] = {std::numeric_limits<double>::quiet_NaN(), 1e300};
  std::memcpy(&array.values[7 * sizeof(double)], bad, sizeof(double));
  QAT_EXPECT_ERROR(ReadArrayImages(array, "x", {}), ErrorCode::kCorrupt,
                   "x: the value at [1, 1, 1] is nan, expected finite numbers: leave such examples out");
  std::memcpy(&array.values[7 * sizeof(double)], bad + 1, sizeof(double));
  QAT_EXPECT_ERROR(ReadArrayImages(array, "x", {}), ErrorCode::kCorrupt, "expected at most 3.4e38");
}

TEST(ReadArrayImages, SaysWhatElseALongNarrowImageMayBe) {
  EXPECT_EQ(ReadArrayImages(Bytes8({5, 64, 6}), "x", {})->note,
            "images [count, 64, 6] are read as 64x6 pixels, not as signals of 64 samples in 6 channels "
            "(`layout` series does)");
  EXPECT_EQ(ReadArrayImages(Bytes8({5, 28, 28}), "x", {})->note, "");
}

TEST(ReadArrayImages, NamesTheTranspositionOfChannelsThatComeFirst) {
  QAT_EXPECT_ERROR(
      ReadArrayImages(Bytes8({5, 3, 8, 9}), "x", Takes(8, 9, 3)), ErrorCode::kCorrupt,
      "x: shape [5, 3, 8, 9] has the channels first, expected them last: x.transpose(0, 2, 3, 1)");
  QAT_ASSERT_OK(ReadArrayImages(Bytes8({5, 3, 8, 9}), "x", Takes(3, 8, 9)));
  QAT_EXPECT_ERROR(ReadArrayImages(Bytes8({5, 3, 32, 32}), "x", {}), ErrorCode::kCorrupt,
                   "has the channels first");
}

TEST(ReadArrayImages, TellsHowTheseValuesBecomeBytes) {
  const auto converts = [](DType type, const Bytes& values, const std::string& text) {
    const auto count = static_cast<int32_t>(values.size() / SizeOf(type));
    OpenOptions bytes;
    bytes.values = ValueType::kByte;
    QAT_EXPECT_ERROR(ReadArrayImages({type, {count, 1, 1}, values}, "x", bytes), ErrorCode::kCorrupt, text);
  };
  converts(DType::kInt8, {0x80, 0x7f},
           "((x + 128) / 255 * 255).round().clip(0, 255).astype(\"uint8\"), and `mean` 128 `std` 1 ");
  converts(DType::kInt16, {0, 0, 200, 0}, "the values are whole, 0 to 255: x.astype(\"uint8\")");
  converts(DType::kFloat32, {0, 0, 0, 0, 0, 0, 0x80, 0x3f},
           "for values of 0 to 1, (x * 255).round().astype(\"uint8\")");
  converts(DType::kBool, {0, 1}, "x.astype(\"uint8\") * 255");
}

}  // namespace
}  // namespace qat
