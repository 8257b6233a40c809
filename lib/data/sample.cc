#include "data/sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "base/packed.h"
#include "base/random.h"

namespace qat {
namespace {

constexpr uint64_t kSamplePurpose = 0x73616d70;  // "samp"

// Examples without a class are one more, after the others.
std::vector<std::vector<int32_t>> ByClass(std::span<const int32_t> labels) {
  std::vector<std::vector<int32_t>> classes;
  std::vector<int32_t> without;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) {
      without.push_back(static_cast<int32_t>(i));
      continue;
    }
    const auto label = static_cast<size_t>(labels[i]);
    if (label >= classes.size()) classes.resize(label + 1);
    classes[label].push_back(static_cast<int32_t>(i));
  }
  if (!without.empty()) classes.push_back(std::move(without));
  return classes;
}

// How many each class gives: the whole part of its share, then one more each in the order of what was cut
// off, equal parts in random order, as long as there is room.
std::vector<int64_t> Shares(const std::vector<std::vector<int32_t>>& classes, int64_t count, int64_t keep,
                            Random& random) {
  int64_t total = 0;
  for (const auto& members : classes) total += std::ssize(members);
  std::vector<int64_t> shares, room, cut_off;
  for (const auto& members : classes) {
    const int64_t product = count * std::ssize(members);
    room.push_back(std::max<int64_t>(std::ssize(members) - keep, 0));
    shares.push_back(std::min(product / total, room.back()));
    cut_off.push_back(product % total);
  }
  std::vector<size_t> order(classes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Shuffle(std::span(order), random);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return cut_off[a] > cut_off[b]; });
  int64_t left = count - std::accumulate(shares.begin(), shares.end(), int64_t{0});
  for (bool given = true; given && left > 0;) {
    given = false;
    for (const size_t c : order) {
      if (left == 0 || shares[c] == room[c]) continue;
      ++shares[c];
      --left;
      given = true;
    }
  }
  return shares;
}

// One position of each of `count` equal parts of `size`.
std::vector<int64_t> OneOfEachPart(int64_t size, int64_t count, uint64_t key) {
  QAT_CHECK(count >= 0 && count <= size);
  Random random(key);
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = i * size / count, end = (i + 1) * size / count;
    positions.push_back(begin + random.Below(static_cast<uint32_t>(end - begin)));
  }
  return positions;
}

}  // namespace

std::vector<int32_t> StratifiedSample(std::span<const int32_t> labels, int64_t count, int64_t keep,
                                      uint64_t key) {
  std::vector<int32_t> sample;
  if (labels.empty()) return sample;
  std::vector<std::vector<int32_t>> classes = ByClass(labels);
  Random random(key);
  const std::vector<int64_t> shares = Shares(classes, count, keep, random);
  for (size_t c = 0; c < classes.size(); ++c) {
    Shuffle(std::span(classes[c]), random);
    sample.insert(sample.end(), classes[c].begin(), classes[c].begin() + shares[c]);
  }
  std::sort(sample.begin(), sample.end());
  return sample;
}

std::vector<int32_t> EvenSample(std::span<const float> values, int64_t count, uint64_t key) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  // Numbers that are not known come last.
  const auto value_of = [&](int32_t i) {
    const float value = values[static_cast<size_t>(i)];
    return std::isnan(value) ? std::numeric_limits<float>::infinity() : value;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return value_of(a) < value_of(b); });
  std::vector<int32_t> sample;
  for (const int64_t position : OneOfEachPart(std::ssize(values), count, key))
    sample.push_back(order[static_cast<size_t>(position)]);
  std::sort(sample.begin(), sample.end());
  return sample;
}

std::vector<int32_t> SpacedSample(int64_t size, int64_t count, uint64_t key) {
  const std::vector<int64_t> positions = OneOfEachPart(size, count, key);
  return {positions.begin(), positions.end()};
}

std::vector<int32_t> FirstOf(int64_t count) {
  std::vector<int32_t> first(static_cast<size_t>(count));
  std::iota(first.begin(), first.end(), 0);
  return first;
}

std::vector<int32_t> SampleOf(const Dataset& data, int64_t count, uint64_t seed) {
  const uint64_t key = MixKey(seed, kSamplePurpose);
  count = std::min(count, data.size());
  if (data.task == Task::kNumbers && data.targets == 1) return EvenSample(data.numbers, count, key);
  const bool one_label = data.targets == 0 && data.LabelsPerImage() == 1 && data.labelled;
  if (one_label) return StratifiedSample(data.labels, count, /*keep=*/0, key);
  return SpacedSample(data.size(), count, key);
}

Status ForSomeExamples(const Dataset& data, size_t input,
                       const std::function<void(std::span<const uint8_t>)>& use) {
  constexpr int64_t kMost = 1000;
  const int64_t count = std::min(data.size(), kMost);
  const std::vector<int64_t> sizes = data.InputSizes();
  Bytes example(static_cast<size_t>(data.ImageSize())), copy;
  for (int64_t i = 0; i < count; ++i) {
    const auto chosen = static_cast<int32_t>(i * data.size() / count);
    QAT_RETURN_IF_ERROR(data.Read(std::span(&chosen, 1), example));
    use(PartOf(example, sizes, input, copy));
  }
  return {};
}

}  // namespace qat
