#include "data/picture_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

#include "support/test_util.h"

namespace qat {
namespace {

Expected<Bytes> TwoBytes(int32_t index) {
  return Bytes{static_cast<uint8_t>(index), static_cast<uint8_t>(~index)};
}

std::vector<int32_t> Range(int32_t first, int32_t end) {
  std::vector<int32_t> all(static_cast<size_t>(end - first));
  std::iota(all.begin(), all.end(), first);
  return all;
}

TEST(PictureLoader, GivesThePictureOfTheIndexWithAnyNumberOfThreads) {
  for (const int threads : {0, 1, 3, 8}) {
    PictureLoader loader(TwoBytes, threads);
    for (int32_t first = 0; first < 2000; first += 20) {
      loader.Start(Range(first, first + 20), Range(first + 20, first + 40));
      for (const int32_t index : Range(first, first + 20)) {
        const auto picture = loader.Take(index);
        QAT_ASSERT_OK(picture);
        EXPECT_EQ(*picture, *TwoBytes(index)) << threads << " threads";
      }
    }
  }
}

TEST(PictureLoader, LoadsWhatWasAskedForAheadOnce) {
  std::atomic<int> loads = 0;
  PictureLoader loader(
      [&](int32_t index) {
        ++loads;
        return TwoBytes(index);
      },
      2);
  for (int32_t first = 0; first < 400; first += 10) {
    const auto next = first + 10 < 400 ? Range(first + 10, first + 20) : std::vector<int32_t>();
    loader.Start(Range(first, first + 10), next);
    for (const int32_t index : Range(first, first + 10)) QAT_ASSERT_OK(loader.Take(index));
  }
  EXPECT_EQ(loads, 400);
}

// The end of one pass and the beginning of the next may name a picture twice in one batch.
TEST(PictureLoader, GivesAPictureAsOftenAsItIsTaken) {
  PictureLoader loader(TwoBytes, 2);
  const std::vector<int32_t> twice = {7, 8, 7, 7};
  loader.Start(twice, twice);
  for (const int32_t index : twice) EXPECT_EQ(*loader.Take(index), *TwoBytes(index));
  EXPECT_EQ(*loader.Take(3), *TwoBytes(3));
}

TEST(PictureLoader, HandsErrorsToWhoTakesThePicture) {
  PictureLoader loader(
      [](int32_t index) { return index == 5 ? Expected<Bytes>(Corrupt("five")) : TwoBytes(index); }, 2);
  loader.Start(Range(0, 10), {});
  for (const int32_t index : Range(0, 10)) EXPECT_EQ(loader.Take(index).ok(), index != 5);
}

TEST(PictureLoader, EndsWithPicturesStillInWork) {
  for (int i = 0; i < 20; ++i) {
    PictureLoader loader(TwoBytes, 3);
    loader.Start(Range(0, 100), Range(100, 200));
    loader.Start(Range(150, 160), {});
    QAT_ASSERT_OK(loader.Take(155));
  }
}

}  // namespace
}  // namespace qat
