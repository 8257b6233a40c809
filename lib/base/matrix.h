// matrix.h: rows of a matrix as its columns.
#ifndef QAT_BASE_MATRIX_H_
#define QAT_BASE_MATRIX_H_

#include <cstdint>
#include <cstring>
#include <span>

namespace qat {

/// [rows, columns] of elements of `size` bytes as [columns, rows]: [C, H * W] as [H * W, C], and back.
/// Requires as many bytes in both.
inline void TransposeElements(std::span<const uint8_t> from, size_t rows, size_t columns, size_t size,
                              std::span<uint8_t> to) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column)
      std::memcpy(&to[(column * rows + row) * size], &from[(row * columns + column) * size], size);
  }
}

}  // namespace qat

#endif  // QAT_BASE_MATRIX_H_
