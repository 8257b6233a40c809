// model_source.h: a model as C source, for targets without a file system, such as those of TensorFlow Lite
// for Microcontrollers.
#ifndef QAT_TFLITE_MODEL_SOURCE_H_
#define QAT_TFLITE_MODEL_SOURCE_H_

#include <cstdint>
#include <span>
#include <string>

namespace qat {

/// True for paths that end in .c, .cc, .cpp, .cxx, .h, .hh or .hpp.
bool IsCSource(const std::string& path);

/// An array of the bytes, aligned to 16 as the interpreter wants it, and its length: "dir/lenet-5.cc" defines
/// lenet_5 and lenet_5_len. C11 and C++11 take it. In a header both are static, so that several sources may
/// include it.
std::string ModelSource(std::span<const uint8_t> bytes, const std::string& path);

}  // namespace qat

#endif  // QAT_TFLITE_MODEL_SOURCE_H_
