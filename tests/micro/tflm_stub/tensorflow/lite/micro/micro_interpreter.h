// What main.cc uses of TensorFlow Lite for Microcontrollers, to see that it compiles; nothing here runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/schema/schema_generated.h"

enum TfLiteStatus { kTfLiteOk, kTfLiteError };

union TfLitePtrUnion {
  int32_t* i32;
  int64_t* i64;
  float* f;
  uint8_t* uint8;
  int16_t* i16;
  int8_t* int8;
};

struct TfLiteTensor {
  TfLitePtrUnion data;
};

namespace tflite {

class MicroOpResolver {};

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, uint8_t* arena, size_t arena_size);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  TfLiteTensor* input(size_t index);
  TfLiteTensor* output(size_t index);
  size_t arena_used_bytes() const;
};

}  // namespace tflite
