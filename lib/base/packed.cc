#include "base/packed.h"

#include <numeric>

#include "base/check.h"

namespace qat {

std::span<const uint8_t> PartOf(std::span<const uint8_t> examples, std::span<const int64_t> sizes,
                                size_t index, std::vector<uint8_t>& copy) {
  QAT_CHECK(index < sizes.size());
  if (sizes.size() == 1) return examples;
  const auto begin = sizes.begin() + static_cast<ptrdiff_t>(index);
  const auto size = static_cast<size_t>(sizes[index]);
  const auto before = static_cast<size_t>(std::accumulate(sizes.begin(), begin, int64_t{0}));
  const auto stride = static_cast<size_t>(std::accumulate(begin, sizes.end(), static_cast<int64_t>(before)));
  QAT_CHECK(stride > 0 && examples.size() % stride == 0);
  copy.clear();
  copy.reserve(examples.size() / stride * size);
  for (size_t at = before; at < examples.size(); at += stride) {
    const auto part = examples.subspan(at, size);
    copy.insert(copy.end(), part.begin(), part.end());
  }
  return copy;
}

std::vector<uint8_t> Packed(std::span<const std::vector<uint8_t>> parts, std::span<const int64_t> sizes) {
  QAT_CHECK(!parts.empty() && parts.size() == sizes.size() && sizes[0] > 0);
  const size_t count = parts[0].size() / static_cast<size_t>(sizes[0]);
  std::vector<uint8_t> examples;
  examples.reserve(count * static_cast<size_t>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0})));
  for (size_t i = 0; i < parts.size(); ++i)
    QAT_CHECK(parts[i].size() == count * static_cast<size_t>(sizes[i]));
  for (size_t example = 0; example < count; ++example) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto part =
          std::span(parts[i]).subspan(example * static_cast<size_t>(sizes[i]), static_cast<size_t>(sizes[i]));
      examples.insert(examples.end(), part.begin(), part.end());
    }
  }
  return examples;
}

}  // namespace qat
