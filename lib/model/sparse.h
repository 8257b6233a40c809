// sparse.h: constants that a file stores without their zeros.
#ifndef QAT_MODEL_SPARSE_H_
#define QAT_MODEL_SPARSE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "base/expected.h"
#include "base/shape.h"

namespace qat {

namespace tflite {
struct SparsityParameters;
}  // namespace tflite

/// The values of a constant with the zeros between them, row-major.
/// Shapes    `shape` is that of the tensor, of at most kMostDimensions; `values` holds what is stored,
/// `element` bytes each, in the order in which the
///           levels of the format are walked: dimensions of the tensor and of its blocks, dense or compressed
///           by rows.
/// Errors    kCorrupt: levels, sizes or indices that contradict the shape or the number of values.
/// kUnsupported: more
///           than 1 MiB, and 999 of 1,000 values are zeros.
/// Source    the sparsity tables of TFLite's schema (schemas/tflite.fbs).
Expected<std::unique_ptr<uint8_t[]>> Densify(const tflite::SparsityParameters& sparsity, const Shape& shape,
                                             size_t element, std::span<const uint8_t> values);

}  // namespace qat

#endif  // QAT_MODEL_SPARSE_H_
