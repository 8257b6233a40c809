#include "data/array_images.h"

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

TEST(ReadArrayImages, SaysWhatElseALongNarrowImageMayBe) {
  EXPECT_EQ(ReadArrayImages(Bytes8({5, 64, 6}), "x", {})->note,
            "images [count, 64, 6] are read as 64x6 pixels; signals of 64 samples in 6 channels are x.reshape(-1, 1, 64, 6)");
  EXPECT_EQ(ReadArrayImages(Bytes8({5, 28, 28}), "x", {})->note, "");
}

TEST(ReadArrayImages, NamesTheTranspositionOfChannelsThatComeFirst) {
  QAT_EXPECT_ERROR(ReadArrayImages(Bytes8({5, 3, 8, 9}), "x", Takes(8, 9, 3)), ErrorCode::kCorrupt,
                   "x: shape [5, 3, 8, 9] has the channels first, expected them last: x.transpose(0, 2, 3, 1)");
  QAT_ASSERT_OK(ReadArrayImages(Bytes8({5, 3, 8, 9}), "x", Takes(3, 8, 9)));
  QAT_EXPECT_ERROR(ReadArrayImages(Bytes8({5, 3, 32, 32}), "x", {}), ErrorCode::kCorrupt, "has the channels first");
}

TEST(ReadArrayImages, TellsHowTheseValuesBecomeBytes) {
  const auto converts = [](DType type, const Bytes& values, const std::string& text) {
    const auto count = static_cast<int32_t>(values.size() / SizeOf(type));
    QAT_EXPECT_ERROR(ReadArrayImages({type, {count, 1, 1}, values}, "x", {}), ErrorCode::kCorrupt, text);
  };
  converts(DType::kInt8, {0x80, 0x7f}, "((x + 128) / 255 * 255).round().clip(0, 255).astype(\"uint8\"), and `mean` 128 `std` 1 ");
  converts(DType::kInt16, {0, 0, 200, 0}, "the values are whole, 0 to 255: x.astype(\"uint8\")");
  converts(DType::kFloat32, {0, 0, 0, 0, 0, 0, 0x80, 0x3f}, "for values of 0 to 1, (x * 255).round().astype(\"uint8\")");
  converts(DType::kBool, {0, 1}, "x.astype(\"uint8\") * 255");
}

}  // namespace
}  // namespace qat
