#include "train/output_counts.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>

#include "train/fake_quantize.h"

namespace qat {

void OutputCounts::CountClipped(const std::string& layer, const at::Tensor& values, Range bounds,
                                const Grid& grid) {
  Clipped& clipped = clipped_[layer];
  clipped.values += values.numel();
  clipped.outside += qat::CountClipped(values, bounds, grid);
}

void OutputCounts::Compare(const std::string& layer, const at::Tensor& output, int64_t examples) {
  if (output.dim() == 0 || output.size(0) != examples || output.numel() == 0) return;
  auto known = std::find_if(compared_.begin(), compared_.end(),
                            [&](const Compared& each) { return each.layer == layer; });
  if (known == compared_.end()) {
    known = compared_.insert(known, {layer, output.select(0, 0).clone()});
  }
  for (int64_t i = 0; i < examples && known->first.defined(); ++i, ++known->examples) {
    if (!at::equal(output.select(0, i), known->first)) known->first.reset();
  }
}

double OutputCounts::ClippedShare(const std::string& layer) const {
  const auto found = clipped_.find(layer);
  if (found == clipped_.end() || found->second.values == 0) return std::nan("");
  return static_cast<double>(found->second.outside) / static_cast<double>(found->second.values);
}

std::string OutputCounts::FirstConstant() const {
  for (const Compared& each : compared_) {
    if (each.first.defined() && each.examples > 1) return each.layer;
  }
  return "";
}

}  // namespace qat
