// input_contract.h: how one input of a network becomes real numbers. Written by qat-train, kept by every
// stage, embedded in the .tflite file, enforced by qat-eval; so nobody works out a mean and a std by hand
// again.
#ifndef QAT_CONTRACT_INPUT_CONTRACT_H_
#define QAT_CONTRACT_INPUT_CONTRACT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/shape.h"

namespace qat {

/// What an example is made of: bytes, as pictures are, or real numbers, float32 as measured.
enum class ValueType { kByte, kReal };
size_t SizeOf(ValueType values);

/// How a picture of another size comes to fit.
enum class Fit { kCrop, kPad, kStretch };

/// White of pictures with 8 and with 16 bits per sample; black is 0.
inline constexpr int32_t kWhiteOfBytes = 255, kWhiteOfDeep = 65535;

/// One example as the network takes it: [H, W, C], and per channel real = (value - mean[c]) / std[c]. A
/// series of T steps is 1 x T x C, a row of features 1 x 1 x F.
struct InputContract {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  std::vector<float> mean;  ///< [channels], in units of the values; of reals also one per value, [H * W * C]
  std::vector<float> std;   ///< as many, > 0; {0}, {255} is [0, 1]
  ValueType values = ValueType::kByte;
  Shape shape = {};         ///< as the data have it, without the batch: [F], [T, C]; empty: [H, W, C]
  float low = 0, high = 0;  ///< reals: the range of normalized values that data had; both 0: not known
  std::string name = {};    ///< of the array, where there are several inputs
  std::string unit = {};    ///< "g", "kWh"; empty: not known
  Fit fit = Fit::kCrop;
  bool inside = false;  ///< reals: the model normalizes by itself and takes the values as they are
  /// the model takes [1, C, H, W] or [1, C, T]; examples are as above all the same
  bool channels_first = false;
  /// reals of pictures: the value of white (of black: 0); 0: they are no pictures, or nothing is said
  int32_t white = 0;
  /// Of a table: the names of its columns in the order of the values, one each and none twice; empty: not
  /// known.
  std::vector<std::string> features = {};

  bool operator==(const InputContract&) const = default;
  int64_t ValueCount() const { return int64_t{height} * width * channels; }
  /// Bytes of one example.
  int64_t ImageSize() const { return ValueCount() * static_cast<int64_t>(SizeOf(values)); }
  /// Of the model's input: [1, H, W, C] or with the data's own shape, [1, T, C]; channels_first with C as the
  /// second size.
  Shape NetworkShape() const;
  Shape DataShape() const;
};

/// Bound of mean, std and 1 / std: far from any that means something, and with it every byte's real value,
/// and the scale of a network's input, stay within float32.
inline constexpr float kLargestOfContract = 1e15f;

/// Sizes positive, as many means and stds as channels, every mean, std and 1 / std within kLargestOfContract;
/// a shape of as many values; of reals a range that holds 0, or none; as many features as values, or none.
/// Errors: kCorrupt.
Status Validate(const InputContract& contract);

/// "28x28x1, real = (byte - 0) / 255"; per-channel lists in brackets, long ones shortened.
std::string Describe(const InputContract& contract);

/// Whether an example means the same to both, wherever it is normalized and however far integers reach.
/// Features that one of them does not know are no difference.
bool SameMeaning(const InputContract& a, const InputContract& b);

/// The real value of every byte: [channels][256]; of a contract of reals nothing.
using RealTable = std::vector<std::array<float, 256>>;
RealTable MakeRealTable(const InputContract& contract);

/// Examples [count, H, W, C], bytes or float32, as normalized reals: real = (value - mean) * (1 / std), each
/// step rounded to float32, so that a SUB and a MUL in a .tflite give the same bits; `inside` the values
/// themselves. `table` is the contract's. Requires sizes that agree.
void ToReal(const InputContract& contract, const RealTable& table, std::span<const uint8_t> examples,
            std::span<float> real);

/// 1 / std, in float32.
std::vector<float> ReciprocalStd(const InputContract& contract);

}  // namespace qat

#endif  // QAT_CONTRACT_INPUT_CONTRACT_H_
