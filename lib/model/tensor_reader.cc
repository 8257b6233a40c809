#include "model/tensor_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/strings.h"
#include "model/sparse.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr int64_t kLargestTensor = std::numeric_limits<int32_t>::max();

template <class T>
size_t SizeOrZero(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

// The verifier holds a vector to the alignment of its length, 4 bytes, whatever its elements are.
template <class T>
std::vector<T> CopyOf(const flatbuffers::Vector<T>* vector) {
  std::vector<T> values(SizeOrZero(vector));
  if (!values.empty()) std::memcpy(values.data(), vector->Data(), values.size() * sizeof(T));
  return values;
}

Status ReadType(const tflite::Tensor& tensor, ModelTensor& result, UnsupportedList& unsupported) {
  if (tensor.type() < tflite::TensorType_MIN || tensor.type() > tflite::TensorType_MAX) {
    return Corrupt(StrCat("type is ", int{tensor.type()}, ", expected 0 to ", int{tflite::TensorType_MAX}));
  }
  result.type = result.file_type = static_cast<DType>(tensor.type());
  if (SizeOf(result.type) == 0 && result.type != DType::kInt4)
    unsupported.Add(StrCat("tensor '", result.name, "' of type ", NameOf(result.type)));
  return {};
}

Status ReadShape(const tflite::Tensor& tensor, ModelTensor& result) {
  if (tensor.shape() != nullptr) result.shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  if (result.shape.size() > kMostDimensions)
    return Corrupt(StrCat("has ", result.shape.size(), " dimensions, expected at most ", kMostDimensions));
  for (uint32_t i = 0; i < SizeOrZero(tensor.shape_signature()); ++i)
    result.open = result.open || tensor.shape_signature()->Get(i) < 0;
  if (result.open)
    result.signature.assign(tensor.shape_signature()->begin(), tensor.shape_signature()->end());
  for (int32_t& extent : result.shape) {
    // Some writers have the open size in the shape itself.
    if (extent == -1) {
      if (result.signature.empty()) result.signature = result.shape;
      extent = 1;
      result.open = true;
    }
    if (extent < 0) return Corrupt(StrCat("shape is ", ToString(result.shape), ", expected sizes >= 0"));
  }
  const auto element = static_cast<int64_t>(std::max<size_t>(SizeOf(result.type), 1));
  if (FlatSize(result.shape) > kLargestTensor / element) {
    return Corrupt(StrCat("shape is ", ToString(result.shape), ", expected at most 2 GiB"));
  }
  return {};
}

// Two values to a byte, the lower half first, become int8. Errors: kCorrupt.
Status ReadInt4(std::span<const uint8_t> data, FileBuffers& buffers, ModelTensor& result) {
  const auto count = static_cast<size_t>(FlatSize(result.shape));
  if (data.size() != (count + 1) / 2) {
    return Corrupt(StrCat("its buffer has ", data.size(), " bytes, expected ", (count + 1) / 2, " for int4 ",
                          ToString(result.shape)));
  }
  auto values = std::make_unique<uint8_t[]>(std::max<size_t>(count, 1));
  for (size_t i = 0; i < count; ++i) {
    const int half = i % 2 == 0 ? data[i / 2] & 0xf : data[i / 2] >> 4;
    values[i] = static_cast<uint8_t>(static_cast<int8_t>(half < 8 ? half : half - 16));
  }
  result.type = DType::kInt8;
  result.constant = buffers.Keep(std::move(values), count);
  return {};
}

Status ReadConstant(const tflite::Tensor& tensor, FileBuffers& buffers, ModelTensor& result,
                    UnsupportedList& unsupported) {
  const auto& all = *buffers.file().buffers();
  if (tensor.buffer() >= all.size())
    return Corrupt(StrCat("buffer is ", tensor.buffer(), ", expected below ", all.size()));
  const tflite::Buffer& buffer = *all.Get(tensor.buffer());
  result.is_constant = tensor.buffer() != 0 && (buffer.data() != nullptr || buffer.offset() > 1);
  const bool packed = result.type == DType::kInt4;
  if (packed && (!result.is_constant || tensor.sparsity() != nullptr))
    unsupported.Add(
        StrCat(result.is_constant ? "sparse" : "computed", " tensor '", result.name, "' of type int4"));
  if (!result.is_constant) return {};
  QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> data, buffers.BytesOf(buffer));
  if (packed) return tensor.sparsity() == nullptr ? ReadInt4(data, buffers, result) : Status();
  const size_t element = SizeOf(result.type);
  const size_t expected = static_cast<size_t>(FlatSize(result.shape)) * element;
  if (element != 0 && tensor.sparsity() != nullptr) {
    QAT_ASSIGN_OR_RETURN(auto dense, Densify(*tensor.sparsity(), result.shape, element, data));
    result.constant = buffers.Keep(std::move(dense), expected);
    return {};
  }
  if (element != 0 && data.size() != expected) {
    return Corrupt(StrCat("its buffer has ", data.size(), " bytes, expected ", expected, " for ",
                          NameOf(result.type), " ", ToString(result.shape)));
  }
  result.constant = buffers.Align(data, element);
  return {};
}

// Early converters gave a bias the dimension of its filter; a list has only one. TFLite-Micro runs such
// models.
Expected<int32_t> ReadDimension(const tflite::QuantizationParameters& quantization, const Shape& shape) {
  const int32_t dimension = quantization.quantized_dimension();
  if (shape.size() == 1 && dimension > 0) return 0;
  if (dimension >= 0 && static_cast<size_t>(dimension) < std::max<size_t>(shape.size(), 1)) return dimension;
  return Corrupt(StrCat("quantized dimension is ", dimension, ", its shape is ", ToString(shape)));
}

Status CheckValues(const ModelTensor& tensor) {
  for (const float scale : tensor.scale) {
    if (!std::isfinite(scale) || scale < 0)
      return Corrupt(StrCat("scale is ", scale, ", expected a number >= 0"));
  }
  using Limits = std::numeric_limits<int32_t>;
  for (const int64_t zero_point : tensor.zero_point) {
    if (zero_point < Limits::min() || zero_point > Limits::max())
      return Corrupt(StrCat("zero point is ", zero_point, ", expected an int32"));
  }
  return {};
}

Status ReadQuantization(const tflite::Tensor& tensor, ModelTensor& result, UnsupportedList& unsupported) {
  const tflite::QuantizationParameters* quantization = tensor.quantization();
  if (quantization == nullptr) return {};
  if (quantization->details_type() == tflite::QuantizationDetails_BlockwiseQuantization) {
    unsupported.Add(StrCat("tensor '", result.name, "' with a scale for each block of values"));
  } else if (quantization->details_type() != tflite::QuantizationDetails_NONE) {
    unsupported.Add(StrCat("quantization details of tensor '", result.name, "'"));
  }
  const size_t count = SizeOrZero(quantization->scale());
  if (count == 0) return {};
  if (SizeOrZero(quantization->zero_point()) != count) {
    return Corrupt(
        StrCat("has ", count, " scales and ", SizeOrZero(quantization->zero_point()), " zero points"));
  }
  QAT_ASSIGN_OR_RETURN(result.quantized_dimension, ReadDimension(*quantization, result.shape));
  result.scale = CopyOf(quantization->scale());
  result.zero_point = CopyOf(quantization->zero_point());
  if (!ScalesFit(result)) {
    return Corrupt(StrCat("has ", count, " scales, expected 1 or one per slice of dimension ",
                          result.quantized_dimension, " of ", ToString(result.shape)));
  }
  return CheckValues(result);
}

}  // namespace

bool ScalesFit(const ModelTensor& tensor) {
  if (tensor.scale.size() <= 1) return true;
  const auto dimension = static_cast<size_t>(tensor.quantized_dimension);
  return dimension < tensor.shape.size() &&
         tensor.scale.size() == static_cast<size_t>(tensor.shape[dimension]);
}

Expected<ModelTensor> ReadTensor(const tflite::Tensor& tensor, FileBuffers& buffers,
                                 UnsupportedList& unsupported) {
  ModelTensor result;
  if (tensor.name() != nullptr) result.name = tensor.name()->str();
  if (tensor.is_variable()) unsupported.Add(StrCat("variable tensor '", result.name, "'"));
  if (tensor.external_buffer() != 0) unsupported.Add(StrCat("externally stored tensor '", result.name, "'"));
  QAT_RETURN_IF_ERROR(ReadType(tensor, result, unsupported));
  QAT_RETURN_IF_ERROR(ReadShape(tensor, result));
  QAT_RETURN_IF_ERROR(ReadConstant(tensor, buffers, result, unsupported));
  // No sizes and no word that it is a scalar: whoever makes it says what shape it has.
  result.open = result.open || (result.shape.empty() && !tensor.has_rank() && !result.is_constant);
  QAT_RETURN_IF_ERROR(ReadQuantization(tensor, result, unsupported));
  return result;
}

}  // namespace qat
