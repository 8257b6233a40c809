// npy.h: NumPy's array file, the one format in which everybody can hand a tensor over.
#ifndef QAT_DATA_NPY_H_
#define QAT_DATA_NPY_H_

#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"

namespace qat {

/// Values little endian, row-major.
struct NpyArray {
  DType type = DType::kFloat32;
  Shape shape;
  Bytes values;
  /// instead of values, where the type is kString: UTF-8, padding dropped
  std::vector<std::string> texts = {};
};

/// Format versions 1 to 3; float16, float32, float64, int8 to int64, uint8, bool; uint16 as int32 and uint32
/// as int64; text (U and S) as UTF-8. Values in Fortran order or big-endian are brought into ours. Errors:
/// kCorrupt "SOURCE: …" (no .npy, a header that is none, a size that does not match the bytes, both numbers
/// named); kUnsupported (other element types). Source: numpy.lib.format.
Expected<NpyArray> ParseNpy(std::span<const uint8_t> bytes, const std::string& source);
Expected<NpyArray> ReadNpy(const std::string& path);

/// Version 1.0, the header padded so that values start at a multiple of 64. Requires values that match type
/// and shape.
Bytes Serialize(const NpyArray& array);

}  // namespace qat

#endif  // QAT_DATA_NPY_H_
