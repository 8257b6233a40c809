// output_counts.h: what an evaluation sees of the outputs of layers: how many values lie outside their
// ranges, and which layers answer every example alike.
#ifndef QAT_TRAIN_OUTPUT_COUNTS_H_
#define QAT_TRAIN_OUTPUT_COUNTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quant/params.h"

namespace qat {

struct Grid;

/// Filled batch by batch, one layer after the other.
class OutputCounts {
 public:
  /// Values before rounding; what is clipped: CountClipped.
  void CountClipped(const std::string& layer, const at::Tensor& values, Range bounds, const Grid& grid);
  /// An output as the next layer reads it, for so many examples: its first axis, else it is not compared.
  /// Costs a copy of one example's output, and a comparison with one other where they differ.
  void Compare(const std::string& layer, const at::Tensor& output, int64_t examples);

  /// Of all values of a layer's output; NaN where none were counted.
  double ClippedShare(const std::string& layer) const;
  /// The first layer, in the order of the network, whose output was the same for all of at least two
  /// examples; empty: none.
  std::string FirstConstant() const;

 private:
  struct Clipped {
    int64_t values = 0;
    int64_t outside = 0;
  };
  struct Compared {
    std::string layer;
    at::Tensor first;  ///< output of the first example; undefined once another one differed
    int64_t examples = 0;
  };
  std::map<std::string, Clipped> clipped_;
  std::vector<Compared> compared_;
};

}  // namespace qat

#endif  // QAT_TRAIN_OUTPUT_COUNTS_H_
