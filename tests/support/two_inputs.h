// two_inputs.h: a network of a picture of bytes and a row of real numbers, and examples for which it needs
// both.
#ifndef QAT_TESTS_SUPPORT_TWO_INPUTS_H_
#define QAT_TESTS_SUPPORT_TWO_INPUTS_H_

#include <cstdint>
#include <cstring>

#include "base/file.h"
#include "base/random.h"

namespace qat::testing {

inline constexpr int32_t kCameraSide = 6, kSensorFeatures = 3;

inline constexpr char kTwoInputsSpec[] = R"(
name = "two"
[[input]]
name = "camera"
shape = [6, 6, 1]
[[input]]
name = "sensor"
shape = [3]
[[layer]]
name = "conv"
op = "conv_2d"
inputs = ["camera"]
filters = 4
kernel = 3
activation = "relu"
[[layer]]
name = "pixels"
op = "mean"
[[layer]]
name = "numbers"
op = "fully_connected"
inputs = ["sensor"]
units = 4
activation = "relu"
[[layer]]
name = "both"
op = "concatenation"
inputs = ["pixels", "numbers"]
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

/// Bytes [count, 6, 6, 1], float32 [count, 3], and classes.
struct TwoInputExamples {
  Bytes camera, sensor, labels;
};

/// Bright or dark, and numbers above or below 10: four classes.
inline TwoInputExamples MakeTwoInputExamples(int64_t count, uint64_t seed) {
  Random random(seed);
  TwoInputExamples examples;
  for (int64_t i = 0; i < count; ++i) {
    const int bright = random.Between(0, 1), high = random.Between(0, 1);
    for (int p = 0; p < kCameraSide * kCameraSide; ++p)
      examples.camera.push_back(static_cast<uint8_t>(random.Between(0, 127) + 128 * bright));
    for (int f = 0; f < kSensorFeatures; ++f) {
      const float value = (high ? 11.0f : 9.0f) + 0.5f * static_cast<float>(random.Uniform());
      uint8_t bytes[sizeof(float)];
      std::memcpy(bytes, &value, sizeof(float));
      examples.sensor.insert(examples.sensor.end(), bytes, bytes + sizeof(float));
    }
    examples.labels.push_back(static_cast<uint8_t>(2 * bright + high));
  }
  return examples;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_TWO_INPUTS_H_
