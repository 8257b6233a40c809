// rows.h: rows of real numbers as a data set.
#ifndef QAT_TESTS_SUPPORT_ROWS_H_
#define QAT_TESTS_SUPPORT_ROWS_H_

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "support/bytes_of.h"

namespace qat::testing {

/// Rows of so many features, one after the other; all of class 0.
inline Dataset Rows(const std::vector<float>& values, int32_t channels) {
  Dataset data;
  data.name = "rows";
  ExampleInput& input = data.input();
  input.values = ValueType::kReal;
  input.height = input.width = 1;
  input.channels = channels;
  input.shape = {channels};
  data.images = BytesOf(values);
  data.labels.resize(values.size() / static_cast<size_t>(channels));
  return data;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_ROWS_H_
