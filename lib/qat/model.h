// model.h: the public interface: loads a TensorFlow Lite model, runs it, says what it takes and gives. This
// header includes nothing else of ours and throws nothing.
//
//   qat::v1::Error error;
//   auto model = qat::v1::Model::Load("lenet.tflite", error);
//   if (model == nullptr) return Fail(error.message);
//   std::copy(pixels.begin(), pixels.end(), model->Input<uint8_t>(0).begin());
//   model->Run();
//   std::span<const uint8_t> scores = model->Output<uint8_t>(0);
#ifndef QAT_QAT_MODEL_H_
#define QAT_QAT_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace qat::v1 {

/// Element types, numbered as TFLite's TensorType.
enum class Type : int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUInt8 = 3,
  kInt64 = 4,
  kString = 5,
  kBool = 6,
  kInt16 = 7,
  kInt8 = 9,
  kFloat64 = 10,
};

/// What went wrong, in one sentence that names the file and the place.
struct Error {
  /// As the exit codes of the programs: 2 an option is wrong, 3 a file is missing or damaged, 4 it is beyond
  /// this build, 6 no memory. 0: nothing went wrong.
  int code = 0;
  std::string message;
};

/// An input or output. Row-major; batch first.
struct Tensor {
  std::string name;
  std::vector<int32_t> shape;
  Type type = Type::kFloat32;
  /// real = scale * (quantized - zero_point). Empty: not quantized. Several: one for each slice of
  /// `dimension`.
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t dimension = 0;
};

/// How measured values become the real numbers that training saw: real = (value - mean) / std, one entry per
/// channel or, of real numbers, one per value. The values of a picture are its bytes.
struct Normalization {
  std::vector<float> mean;
  std::vector<float> std;
};

struct Options {
  /// Threads of Run, the caller's included; the outputs are the same at any number. Requires 1 or more.
  int threads = 1;
  /// TFLite's reference loops instead of vector kernels: the same integers, slower.
  bool reference_kernels = false;
};

/// One model with memory of its own. A Model is used by one thread at a time; copies made by Clone share the
/// weights.
class Model {
 public:
  /// Null, and `error` set, where the file is missing, damaged or has operators that this build lacks (all
  /// are listed).
  static std::unique_ptr<Model> Load(const std::string& path, Error& error, const Options& options = {});
  /// The same from bytes; `name` stands for the file in messages.
  static std::unique_ptr<Model> FromBytes(std::vector<uint8_t> bytes, const std::string& name, Error& error,
                                          const Options& options = {});
  /// Another one of the same file, for another thread. Null, and `error` set, where memory is short.
  std::unique_ptr<Model> Clone(Error& error) const;
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::vector<Tensor>& inputs() const;
  const std::vector<Tensor>& outputs() const;
  /// Names of the classes of an output, in its order; empty: the file has none.
  const std::vector<std::string>& labels(size_t output = 0) const;
  /// What a value of an input means; nothing where the file does not say, or where the model takes the values
  /// as they are.
  const std::optional<Normalization>& normalization(size_t input = 0) const;

  /// What a value of an output means, of a model of real numbers: target i = mean[i % n] + std[i % n] * real
  /// i, of n means; nothing where the reals are the targets themselves.
  const std::optional<Normalization>& target_normalization(size_t output = 0) const;

  /// Memory of an input or output, in its own type. It stays in place while the model lives; what an output
  /// holds changes with Run. A position that does not exist stops the program, here and below.
  std::span<std::byte> InputBytes(size_t position);
  std::span<const std::byte> OutputBytes(size_t position) const;
  /// The same as elements. Empty where the tensor has another type than T.
  template <class T>
  std::span<T> Input(size_t position);
  template <class T>
  std::span<const T> Output(size_t position) const;

  /// Real numbers into an input: quantized by its scale and zero point (rounded half away from zero,
  /// clamped), or as they are.
  /// False, and nothing done, where the count is another or the type is neither float32, uint8, int8
  /// nor int16.
  bool SetReal(size_t position, std::span<const float> values);
  /// An output as real numbers. Empty where its type is neither float32, uint8, int8, int16, int32 nor
  /// int64.
  std::vector<float> Real(size_t position) const;

  /// Cannot fail, and allocates nothing.
  void Run();

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

template <class T>
inline constexpr Type kTypeOf = Type::kFloat32;
template <>
inline constexpr Type kTypeOf<uint8_t> = Type::kUInt8;
template <>
inline constexpr Type kTypeOf<int8_t> = Type::kInt8;
template <>
inline constexpr Type kTypeOf<int16_t> = Type::kInt16;
template <>
inline constexpr Type kTypeOf<int32_t> = Type::kInt32;
template <>
inline constexpr Type kTypeOf<int64_t> = Type::kInt64;

template <class T>
std::span<T> Model::Input(size_t position) {
  static_assert(sizeof(T) <= 8 && (kTypeOf<T> != Type::kFloat32 || std::is_same_v<T, float>),
                "no element type of tensors");
  const std::span<std::byte> bytes = InputBytes(position);
  if (inputs()[position].type != kTypeOf<T>) return {};
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <class T>
std::span<const T> Model::Output(size_t position) const {
  static_assert(sizeof(T) <= 8 && (kTypeOf<T> != Type::kFloat32 || std::is_same_v<T, float>),
                "no element type of tensors");
  const std::span<const std::byte> bytes = OutputBytes(position);
  if (outputs()[position].type != kTypeOf<T>) return {};
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace qat::v1

#endif  // QAT_QAT_MODEL_H_
