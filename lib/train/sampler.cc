#include "train/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "train/initializer.h"

namespace qat {
namespace {

enum Purpose : uint64_t { kOrder = 0x6f726472, kChange = 0x63686e67, kSeries = 0x73657273 };

void ShiftImage(std::span<const uint8_t> image, int32_t height, int32_t width, int32_t channels, int32_t dx,
                int32_t dy, std::span<uint8_t> out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  const int32_t from = std::max(0, dx);
  const int32_t to = std::min(width, width + dx);
  if (from >= to) return;
  for (int32_t y = std::max(0, dy); y < std::min(height, height + dy); ++y) {
    const auto source = image.begin() + (int64_t{y - dy} * width + from - dx) * channels;
    std::copy(source, source + int64_t{to - from} * channels,
              out.begin() + (int64_t{y} * width + from) * channels);
  }
}

struct Bilinear {
  std::span<const uint8_t> image;
  int32_t height, width, channels;

  float Pixel(int32_t y, int32_t x, int32_t c) const {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return image[static_cast<size_t>((int64_t{y} * width + x) * channels + c)];
  }
  uint8_t At(double y, double x, int32_t c) const {
    const auto y0 = static_cast<int32_t>(std::floor(y));
    const auto x0 = static_cast<int32_t>(std::floor(x));
    const auto fy = static_cast<float>(y - y0);
    const auto fx = static_cast<float>(x - x0);
    const float top = Pixel(y0, x0, c) * (1 - fx) + Pixel(y0, x0 + 1, c) * fx;
    const float bottom = Pixel(y0 + 1, x0, c) * (1 - fx) + Pixel(y0 + 1, x0 + 1, c) * fx;
    return static_cast<uint8_t>(top * (1 - fy) + bottom * fy + 0.5f);
  }
};

// Mirrors every row in place.
void FlipImage(int32_t height, int32_t width, int32_t channels, std::span<uint8_t> image) {
  const auto pixel = static_cast<size_t>(channels);
  const size_t stride = static_cast<size_t>(width) * pixel;
  for (int32_t y = 0; y < height; ++y) {
    uint8_t* left = &image[static_cast<size_t>(y) * stride];
    uint8_t* right = left + stride - pixel;
    for (; left < right; left += pixel, right -= pixel) std::swap_ranges(left, left + pixel, right);
  }
}

void CutOut(const ImageChange& change, int32_t height, int32_t width, int32_t channels,
            std::span<uint8_t> image) {
  const auto top = static_cast<int32_t>(change.cut_y * static_cast<float>(height)) - change.cutout / 2;
  const auto left = static_cast<int32_t>(change.cut_x * static_cast<float>(width)) - change.cutout / 2;
  const int32_t from = std::max(0, left), to = std::min(width, left + change.cutout);
  for (int32_t y = std::max(0, top); y < std::min(height, top + change.cutout); ++y) {
    const auto row = image.begin() + int64_t{y} * width * channels;
    std::fill(row + int64_t{from} * channels, row + int64_t{to} * channels, uint8_t{0});
  }
}

/// Where a changed image has what it shows from: the inverse of rotation, zoom and shift.
struct Source {
  double cosine, sine, centre_y, centre_x, shift_y, shift_x;

  Source(const ImageChange& change, int32_t height, int32_t width)
      : cosine(std::cos(change.angle) / change.zoom),
        sine(std::sin(change.angle) / change.zoom),
        centre_y((height - 1) / 2.0),
        centre_x((width - 1) / 2.0),
        shift_y(change.shift_y),
        shift_x(change.shift_x) {}
  /// {y, x}
  std::pair<double, double> Of(double y, double x) const {
    const double dy = y - centre_y - shift_y;
    const double dx = x - centre_x - shift_x;
    return {centre_y + sine * dx + cosine * dy, centre_x + cosine * dx - sine * dy};
  }
};

void ResampleImage(std::span<const uint8_t> image, int32_t height, int32_t width, int32_t channels,
                   const ImageChange& change, std::span<uint8_t> out) {
  const Bilinear source = {image, height, width, channels};
  const Source from(change, height, width);
  size_t at = 0;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const auto [from_y, from_x] = from.Of(y, x);
      for (int32_t c = 0; c < channels; ++c) out[at++] = source.At(from_y, from_x, c);
    }
  }
}

}  // namespace

Sampler::Sampler(std::vector<int32_t> examples, int32_t batch_size, uint64_t seed)
    : examples_(std::move(examples)), batch_size_(batch_size), seed_(seed) {}

void Sampler::Shuffle(int64_t pass) {
  if (pass == shuffled_pass_) return;
  order_ = examples_;
  Random random(MixKey(seed_, kOrder, pass));
  qat::Shuffle(std::span(order_), random);
  shuffled_pass_ = pass;
}

void Sampler::Batch(int64_t step, std::vector<int32_t>& batch) {
  const auto size = static_cast<int64_t>(examples_.size());
  batch.clear();
  for (int64_t i = step * batch_size_; i < (step + 1) * batch_size_; ++i) {
    Shuffle(i / size);
    batch.push_back(order_[static_cast<size_t>(i % size)]);
  }
}

ImageChange DrawChange(const TrainConfig& config, int64_t step, int64_t position) {
  ImageChange change;
  if (config.shift_pixels == 0 && config.rotate_degrees == 0 && config.scale_percent == 0 && !config.flip &&
      config.cutout == 0) {
    return change;
  }
  Random random(MixKey(config.seed, kChange, step, position));
  const auto symmetric = [&random] { return 2.0 * random.Uniform() - 1; };
  change.shift_x = random.Between(-config.shift_pixels, config.shift_pixels);
  change.shift_y = random.Between(-config.shift_pixels, config.shift_pixels);
  if (config.rotate_degrees > 0) change.angle = symmetric() * config.rotate_degrees * std::numbers::pi / 180;
  if (config.scale_percent > 0) change.zoom = 1 + symmetric() * config.scale_percent / 100;
  // Drawn last, and only where asked for: older recipes keep their numbers.
  if (config.flip) change.flip = random.Below(2) == 1;
  if (config.cutout > 0) {
    change.cutout = config.cutout;
    change.cut_x = random.Uniform();
    change.cut_y = random.Uniform();
  }
  return change;
}

void ChangeImage(std::span<const uint8_t> image, int32_t height, int32_t width, int32_t channels,
                 const ImageChange& change, std::span<uint8_t> out) {
  if (change.IsShift()) {
    ShiftImage(image, height, width, channels, change.shift_x, change.shift_y, out);
  } else {
    ResampleImage(image, height, width, channels, change, out);
  }
  if (change.flip) FlipImage(height, width, channels, out);
  if (change.cutout > 0) CutOut(change, height, width, channels, out);
}

void ChangeLabels(std::span<const int32_t> labels, int32_t label_height, int32_t label_width, int32_t height,
                  int32_t width, const ImageChange& change, int32_t outside, std::span<int32_t> out) {
  if (labels.size() == 1) {
    out[0] = labels[0];
    return;
  }
  const Source from(change, height, width);
  const double down = static_cast<double>(height) / label_height;
  const double across = static_cast<double>(width) / label_width;
  size_t at = 0;
  for (int32_t y = 0; y < label_height; ++y) {
    for (int32_t x = 0; x < label_width; ++x) {
      const int32_t column = change.flip ? label_width - 1 - x : x;
      const auto [from_y, from_x] = from.Of((y + 0.5) * down - 0.5, (column + 0.5) * across - 0.5);
      const double row = std::floor((from_y + 0.5) / down);
      const double col = std::floor((from_x + 0.5) / across);
      const bool inside = row >= 0 && row < label_height && col >= 0 && col < label_width;
      out[at++] =
          inside
              ? labels[static_cast<size_t>(row) * static_cast<size_t>(label_width) + static_cast<size_t>(col)]
              : outside;
    }
  }
}

void ChangeSeries(const TrainConfig& config, const InputContract& contract, int64_t step,
                  std::span<const int32_t> positions, std::span<uint8_t> examples) {
  if (config.shift_steps == 0 && config.gain_percent == 0 && config.noise == 0) return;
  const auto values = static_cast<size_t>(contract.ValueCount()),
             channels = static_cast<size_t>(contract.channels);
  const auto steps = static_cast<int64_t>(values / channels);
  std::vector<float> before(values), after(values);
  QAT_CHECK(examples.size() == positions.size() * values * sizeof(float));
  for (size_t n = 0; n < positions.size(); ++n) {
    Random random(MixKey(config.seed, kSeries, step, int64_t{positions[n]}));
    const int32_t shift = random.Between(-config.shift_steps, config.shift_steps);
    const double gain = 1 + config.gain_percent / 100 * (2 * random.Uniform() - 1);
    std::memcpy(before.data(), &examples[n * values * sizeof(float)], values * sizeof(float));
    for (int64_t t = 0; t < steps; ++t) {
      const int64_t from = std::clamp<int64_t>(t - shift, 0, steps - 1);
      for (size_t c = 0; c < channels; ++c) {
        const size_t at = static_cast<size_t>(t) * channels + c;
        const double unit = contract.std[at % contract.std.size()];
        const double noise = config.noise > 0 ? config.noise * unit * double{Normal(random)} : 0;
        after[at] = static_cast<float>(gain * before[static_cast<size_t>(from) * channels + c] + noise);
      }
    }
    std::memcpy(&examples[n * values * sizeof(float)], after.data(), values * sizeof(float));
  }
}

}  // namespace qat
