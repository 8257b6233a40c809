// bytes_of.h: values as the bytes that they are made of.
#ifndef QAT_TESTS_SUPPORT_BYTES_OF_H_
#define QAT_TESTS_SUPPORT_BYTES_OF_H_

#include <cstring>
#include <vector>

#include "base/file.h"

namespace qat::testing {

template <class T>
Bytes BytesOf(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_BYTES_OF_H_
