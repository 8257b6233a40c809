// safetensors_file.h: .safetensors files written down byte by byte, independently of the code under test.
#ifndef QAT_TESTS_SUPPORT_SAFETENSORS_FILE_H_
#define QAT_TESTS_SUPPORT_SAFETENSORS_FILE_H_

#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/shape.h"

namespace qat::testing {

/// The length of the header, the header, the values.
inline Bytes SafetensorsOf(const std::string& header, const std::string& values) {
  Bytes bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<uint8_t>(header.size() >> (8 * i)));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

/// One float32 tensor after the other.
class SafetensorsWriter {
 public:
  SafetensorsWriter& Add(const std::string& name, const Shape& shape, const std::vector<float>& values) {
    std::string sizes;
    for (const int32_t size : shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    const size_t begin = values_.size();
    values_.append(reinterpret_cast<const char*>(values.data()), 4 * values.size());
    if (!header_.empty()) header_ += ",";
    header_ += "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + sizes + "],\"data_offsets\":[" +
               std::to_string(begin) + "," + std::to_string(values_.size()) + "]}";
    return *this;
  }
  Bytes Take() const { return SafetensorsOf("{" + header_ + "}", values_); }

 private:
  std::string header_, values_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_SAFETENSORS_FILE_H_
