// A digit is drawn in five steps: pick a style; move its points and lay smooth curves through them; bend,
// slant, turn and place the whole; draw with a round pen of changing pressure; soften and spoil the picture a
// little. Lengths are in 1/256 pixel, angles in 1/1024 turn, factors in 1/16384 (sine) or per cent.
#include "data/digits.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/check.h"
#include "base/random.h"
#include "data/digit_strokes.h"

namespace qat {
namespace {

constexpr int32_t kSide = 28;
constexpr int32_t kPixel = 256;
constexpr int32_t kClasses = 10;
constexpr int32_t kTurn = 1024;
constexpr int32_t kSineOne = 16384;

// Purposes of random streams: MixKey(seed, split, purpose, index).
enum Purpose : uint64_t { kLabelStream = 1, kImageStream = 2 };

struct Point {
  int32_t x, y;
};

/// sin(2 pi angle / kTurn) * kSineOne by Bhaskara's rational approximation, off by at most 0.0017: close
/// enough for a hand, and the same on every machine.
int32_t Sine(int32_t angle) {
  constexpr int32_t kHalf = kTurn / 2;
  const int32_t wrapped = angle & (kTurn - 1);
  const int64_t x = wrapped % kHalf;
  const int64_t p = x * (kHalf - x);
  const auto value = static_cast<int32_t>(int64_t{kSineOne} * 16 * p / (5 * int64_t{kHalf} * kHalf - 4 * p));
  return wrapped < kHalf ? value : -value;
}

int32_t Cosine(int32_t angle) { return Sine(angle + kTurn / 4); }

// Bell-shaped in [-3 spread, 3 spread] with standard deviation `spread`.
int32_t Wobble(Random& random, int32_t spread) {
  int32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += random.Between(-spread, spread);
  return sum * 7 / 8;
}

/// Square roots of multiples of 64, for distances up to 3 pixels.
struct RootTable {
  static constexpr int32_t kStep = 64;
  static constexpr int32_t kSize = 9 * kPixel * kPixel / kStep;
  std::array<int16_t, kSize> roots{};
  RootTable() {
    int32_t root = 0;
    for (int32_t i = 0; i < kSize; ++i) {
      while ((root + 1) * (root + 1) <= i * kStep) ++root;
      roots[static_cast<size_t>(i)] = static_cast<int16_t>(root);
    }
  }
};

/// How one writer holds the pen in one picture.
struct Hand {
  int32_t height, width;     // of the box of the digit
  int32_t wobble;            // of each point, in 1/100 of the box
  int32_t slant;             // x shift per pixel of height, per cent
  int32_t angle;             // of the whole
  int32_t bend, bend_phase;  // sideways wave along the height
  int32_t shift_x, shift_y;
  int32_t radius, pressure;  // of the pen, and by how much it changes
  int32_t pressure_phase;
  int32_t ink;  // brightest value
  bool gap, soft, specks;
};

Hand DrawHand(Random& random) {
  // One writer in twelve is in a hurry.
  const int32_t haste = random.Below(12) == 0 ? 2 : 1;
  Hand hand{};
  hand.height = random.Between(15 * kPixel, 21 * kPixel);
  hand.width = hand.height * random.Between(46, 108) / 100;
  hand.wobble = random.Between(3, 8) * haste;
  hand.slant = Wobble(random, 13) + 12;
  hand.angle = Wobble(random, 22);
  hand.bend = random.Between(0, 3 * kPixel / 2);
  hand.bend_phase = random.Between(0, kTurn - 1);
  hand.shift_x = Wobble(random, kPixel / 2);
  hand.shift_y = Wobble(random, kPixel / 2);
  hand.radius = random.Between(kPixel * 7 / 10, kPixel * 18 / 10);
  hand.pressure = random.Between(0, 30);
  hand.pressure_phase = random.Between(0, kTurn - 1);
  hand.ink = random.Between(190, 255);
  hand.gap = random.Below(14) == 0;
  hand.soft = random.Below(3) == 0;
  hand.specks = random.Below(10) == 0;
  return hand;
}

/// A smooth curve through points (Catmull-Rom), kSteps pieces between two of them.
std::vector<Point> Smooth(const std::vector<Point>& through) {
  constexpr int32_t kSteps = 5;
  std::vector<Point> out;
  const auto at = [&](size_t i) { return through[std::min(i == 0 ? 0 : i - 1, through.size() - 1)]; };
  for (size_t i = 1; i < through.size(); ++i) {
    const Point a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
    for (int32_t step = 0; step < kSteps; ++step) {
      const auto blend = [step](int64_t p, int64_t q, int64_t r, int64_t s) {
        const int64_t t = step, n = kSteps;
        const int64_t sum = 2 * q * n * n * n + (r - p) * t * n * n +
                            (2 * p - 5 * q + 4 * r - s) * t * t * n + (3 * q - p - 3 * r + s) * t * t * t;
        return static_cast<int32_t>(sum / (2 * n * n * n));
      };
      out.push_back({blend(a.x, b.x, c.x, d.x), blend(a.y, b.y, c.y, d.y)});
    }
  }
  out.push_back(through.back());
  return out;
}

/// From the middle of the box to the place in the picture.
Point Place(Point p, const Hand& hand) {
  p.x += hand.bend * Sine(p.y * kTurn / (20 * kPixel) + hand.bend_phase) / kSineOne;
  p.x -= p.y * hand.slant / 100;
  const int64_t sine = Sine(hand.angle), cosine = Cosine(hand.angle);
  const auto turned_x = static_cast<int32_t>((p.x * cosine - p.y * sine) / kSineOne);
  const auto turned_y = static_cast<int32_t>((p.x * sine + p.y * cosine) / kSineOne);
  constexpr int32_t kMiddle = kSide * kPixel / 2;
  return {kMiddle + hand.shift_x + turned_x, kMiddle + hand.shift_y + turned_y};
}

using Canvas = std::array<uint8_t, kSide * kSide>;

/// Draws the pen going straight from `a` to `b`: every pixel by its distance from that line, soft over one
/// pixel.
void DrawSegment(Canvas& canvas, Point a, Point b, int32_t radius) {
  static const RootTable kRoots;
  const int32_t reach = radius + kPixel / 2;
  const auto cell = [](int32_t value) { return std::clamp(value / kPixel, 0, kSide - 1); };
  const int32_t left = cell(std::min(a.x, b.x) - reach), right = cell(std::max(a.x, b.x) + reach);
  const int32_t top = cell(std::min(a.y, b.y) - reach), bottom = cell(std::max(a.y, b.y) + reach);
  const int64_t dx = b.x - a.x, dy = b.y - a.y;
  const int64_t length2 = dx * dx + dy * dy;
  // How far along the line is the point nearest to a pixel, in 1/4096 of it, without a division for each
  // pixel.
  const int64_t reciprocal = length2 == 0 ? 0 : (int64_t{1} << 40) / length2;
  for (int32_t row = top; row <= bottom; ++row) {
    for (int32_t column = left; column <= right; ++column) {
      const int64_t px = column * kPixel + kPixel / 2 - a.x, py = row * kPixel + kPixel / 2 - a.y;
      const int64_t along = std::clamp<int64_t>(px * dx + py * dy, 0, length2) * reciprocal >> 28;
      const int64_t ex = px - (along * dx >> 12), ey = py - (along * dy >> 12);
      const int64_t index = (ex * ex + ey * ey) / RootTable::kStep;
      if (index >= RootTable::kSize) continue;
      const int32_t cover = reach - kRoots.roots[static_cast<size_t>(index)];
      const auto value = static_cast<uint8_t>(std::clamp(cover, 0, 255));
      uint8_t& pixel = canvas[static_cast<size_t>(row * kSide + column)];
      pixel = std::max(pixel, value);
    }
  }
}

void DrawStroke(Canvas& canvas, const Stroke& stroke, const Hand& hand, Random& random) {
  std::vector<Point> through;
  for (const StrokePoint& point : stroke) {
    const int32_t x = (point.x - 50) * 16 + Wobble(random, hand.wobble * 12);
    const int32_t y = (point.y - 50) * 16 + Wobble(random, hand.wobble * 12);
    through.push_back({x * hand.width / 1600, y * hand.height / 1600});
  }
  std::vector<Point> curve = Smooth(through);
  for (Point& point : curve) point = Place(point, hand);
  const auto pieces = static_cast<uint32_t>(curve.size() - 1);
  const uint32_t skipped = hand.gap ? random.Below(pieces) : pieces;
  for (uint32_t i = 0; i < pieces; ++i) {
    if (i == skipped) continue;
    const int32_t wave = Sine(hand.pressure_phase + static_cast<int32_t>(i) * 60);
    const int32_t radius = hand.radius + hand.radius * hand.pressure / 100 * wave / kSineOne;
    DrawSegment(canvas, curve[i], curve[i + 1], radius);
  }
}

/// Weighs each pixel with its neighbours: 4/16 itself, 2/16 each side, 1/16 each corner.
void Soften(Canvas& canvas) {
  const Canvas sharp = canvas;
  const auto at = [&](int32_t row, int32_t column) -> int32_t {
    if (row < 0 || row >= kSide || column < 0 || column >= kSide) return 0;
    return sharp[static_cast<size_t>(row * kSide + column)];
  };
  for (int32_t r = 0; r < kSide; ++r) {
    for (int32_t c = 0; c < kSide; ++c) {
      const int32_t beside = at(r - 1, c) + at(r + 1, c) + at(r, c - 1) + at(r, c + 1);
      const int32_t across = at(r - 1, c - 1) + at(r - 1, c + 1) + at(r + 1, c - 1) + at(r + 1, c + 1);
      canvas[static_cast<size_t>(r * kSide + c)] =
          static_cast<uint8_t>((4 * at(r, c) + 2 * beside + across) / 16);
    }
  }
}

/// Paper and scanner: uneven ink, a few specks.
void Spoil(Canvas& canvas, const Hand& hand, Random& random) {
  for (uint8_t& pixel : canvas) {
    if (pixel == 0) continue;
    const int32_t inked = pixel * hand.ink / 255 + static_cast<int32_t>(random.Next() >> 28) - 8;
    pixel = static_cast<uint8_t>(std::clamp(inked, 0, 255));
  }
  if (!hand.specks) return;
  for (int32_t i = random.Between(1, 4); i > 0; --i) {
    canvas[random.Below(kSide * kSide)] = static_cast<uint8_t>(random.Between(60, 220));
  }
}

Canvas DrawDigit(int32_t digit, Random& random) {
  const auto& styles = StylesOf(digit);
  const DigitStyle& style = styles[random.Below(static_cast<uint32_t>(styles.size()))];
  const Hand hand = DrawHand(random);
  Canvas canvas{};
  for (const Stroke& stroke : style) DrawStroke(canvas, stroke, hand, random);
  if (hand.soft) Soften(canvas);
  Spoil(canvas, hand, random);
  return canvas;
}

/// Every ten images hold each digit once, in an order of their own.
int32_t LabelOf(uint64_t seed, Split split, int64_t index) {
  std::array<int32_t, kClasses> order{};
  for (int32_t i = 0; i < kClasses; ++i) order[static_cast<size_t>(i)] = i;
  Random random(MixKey(seed, static_cast<uint64_t>(split), kLabelStream, index / kClasses));
  Shuffle(std::span<int32_t>(order), random);
  return order[static_cast<size_t>(index % kClasses)];
}

}  // namespace

Dataset MakeDigits(Split split, int64_t count, uint64_t seed) {
  QAT_CHECK(count >= 0 && count <= (split == Split::kTrain ? kDigitsTrainSize : kDigitsTestSize));
  Dataset dataset;
  dataset.name = "digits";
  dataset.input().height = dataset.input().width = kSide;
  dataset.input().channels = 1;
  for (int32_t i = 0; i < kClasses; ++i) dataset.class_names.push_back(std::to_string(i));
  dataset.images.reserve(static_cast<size_t>(count * kSide * kSide));
  for (int64_t i = 0; i < count; ++i) {
    const int32_t label = LabelOf(seed, split, i);
    Random random(MixKey(seed, static_cast<uint64_t>(split), kImageStream, i));
    const Canvas canvas = DrawDigit(label, random);
    dataset.images.insert(dataset.images.end(), canvas.begin(), canvas.end());
    dataset.labels.push_back(label);
  }
  return dataset;
}

}  // namespace qat
