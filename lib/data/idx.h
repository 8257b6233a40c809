// idx.h: the IDX format of MNIST, plain or gzip (told from content, not from the name).
#ifndef QAT_DATA_IDX_H_
#define QAT_DATA_IDX_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"

namespace qat {

/// Unsigned bytes of one IDX file: magic 0x0000'08dd, dd sizes as big-endian uint32, then the values.
struct IdxArray {
  Shape shape;
  Bytes values;
};

/// Errors: kNotFound; kCorrupt for another magic, another element type, a size that does not match the bytes
/// (both numbers named), damaged or truncated gzip data.
Expected<IdxArray> ReadIdx(const std::string& path);

/// The plain IDX bytes of an array: for scripts and tests.
Bytes SerializeIdx(const IdxArray& array);

/// Plain bytes as they are, gzip data inflated, of which no more than `limit` bytes. Errors: kCorrupt.
Expected<Bytes> Inflated(Bytes bytes, const std::string& source, uint64_t limit = UINT64_MAX);

}  // namespace qat

#endif  // QAT_DATA_IDX_H_
