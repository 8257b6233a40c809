// array_values.h: the values of an array as float32, whatever numbers it holds.
#ifndef QAT_DATA_ARRAY_VALUES_H_
#define QAT_DATA_ARRAY_VALUES_H_

#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "data/npy.h"

namespace qat {

/// Little endian, row-major, rounded to the nearest float32; false and true are 0 and 1. An array of float32
/// gives its bytes away.
/// Errors: kCorrupt, for text, and for a value that is not finite or beyond float32, with its place.
Expected<Bytes> FloatValues(NpyArray array, const std::string& path);

/// "[12, 0, 3]": where value `index` of an array lies.
std::string PlaceOf(size_t index, const Shape& shape);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_VALUES_H_
