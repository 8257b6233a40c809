#include "import/source_arrays.h"

#include <cmath>
#include <cstring>

#include "base/ending.h"
#include "base/strings.h"
#include "data/npy.h"
#include "data/npz.h"

namespace qat {
namespace {

template <class T>
void Append(const NpyArray& array, std::vector<float>& values) {
  const size_t count = array.values.size() / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, array.values.data() + i * sizeof(T), sizeof(T));
    values.push_back(static_cast<float>(value));
  }
}

Expected<SourceArray> ToSourceArray(std::string name, const NpyArray& array) {
  SourceArray result{std::move(name), array.shape, {}};
  switch (array.type) {
    case DType::kFloat32:
      Append<float>(array, result.values);
      break;
    case DType::kFloat64:
      Append<double>(array, result.values);
      break;
    case DType::kInt8:
      Append<int8_t>(array, result.values);
      break;
    case DType::kUInt8:
    case DType::kBool:
      Append<uint8_t>(array, result.values);
      break;
    case DType::kInt16:
      Append<int16_t>(array, result.values);
      break;
    case DType::kInt32:
      Append<int32_t>(array, result.values);
      break;
    case DType::kInt64:
      Append<int64_t>(array, result.values);
      break;
    default:
      return Unsupported(StrCat("holds ", NameOf(array.type), ", expected float32, float64 or integers"));
  }
  for (size_t i = 0; i < result.values.size(); ++i) {
    if (!std::isfinite(result.values[i]))
      return Corrupt(StrCat("value ", i, " is ", result.values[i], ", expected finite numbers"));
  }
  return result;
}

Shape WithoutBatch(const Shape& tensor) {
  if (tensor.empty() || tensor[0] != 1) return tensor;
  return Shape(tensor.begin() + 1, tensor.end());
}

// [N, C, H, W] -> [N, H, W, C].
std::vector<float> ChannelsLast(const SourceArray& array, size_t examples, const Shape& image) {
  const auto height = static_cast<size_t>(image[0]), width = static_cast<size_t>(image[1]),
             channels = static_cast<size_t>(image[2]);
  std::vector<float> values(array.values.size());
  size_t at = 0;
  for (size_t n = 0; n < examples; ++n) {
    for (size_t place = 0; place < height * width; ++place) {
      for (size_t c = 0; c < channels; ++c)
        values[at++] = array.values[(n * channels + c) * height * width + place];
    }
  }
  return values;
}

}  // namespace

Expected<std::vector<SourceArray>> ReadSourceArrays(const std::string& path) {
  std::vector<SourceArray> arrays;
  if (!HasEnding(path, ".npz")) {
    QAT_ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(path));
    QAT_ASSIGN_OR_RETURN_IN(path, SourceArray only, ToSourceArray("", array));
    arrays.push_back(std::move(only));
    return arrays;
  }
  QAT_ASSIGN_OR_RETURN(const NpzFile file, NpzFile::Open(path));
  for (const std::string& member : file.names()) {
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, file.Read(member));
    const std::string source = StrCat(path, ": '", member, "'");
    QAT_ASSIGN_OR_RETURN(const NpyArray array, ParseNpy(bytes, source));
    const std::string name = HasEnding(member, ".npy") ? member.substr(0, member.size() - 4) : member;
    QAT_ASSIGN_OR_RETURN_IN(source, SourceArray next, ToSourceArray(name, array));
    arrays.push_back(std::move(next));
  }
  if (arrays.empty()) return Corrupt(StrCat(path, ": holds no arrays"));
  return arrays;
}

Expected<int64_t> FitExamples(const Shape& tensor, SourceArray& array, bool& transposed) {
  const Shape one = WithoutBatch(tensor);
  const int64_t size = FlatSize(one);
  const auto mismatch = [&] {
    return Corrupt(StrCat("is ", ToString(array.shape), ", expected [N, …] of ", ToString(one)));
  };
  transposed = false;
  if (array.shape == one && !one.empty()) return 1;
  if (array.shape.empty() || array.shape[0] < 1 || size < 1) return mismatch();
  const int64_t examples = array.shape[0];
  const Shape example(array.shape.begin() + 1, array.shape.end());
  if (example == one) return examples;
  if (one.size() == 3 && example == Shape{one[2], one[0], one[1]}) {
    array.values = ChannelsLast(array, static_cast<size_t>(examples), one);
    transposed = true;
    return examples;
  }
  if (std::ssize(array.values) == examples * size) return examples;
  return mismatch();
}

Expected<int64_t> FitOrderedExamples(const Shape& tensor, const AxisOrder& order, SourceArray& array) {
  Shape source(WithoutUnitAxes(order).size(), 1);
  for (size_t k = 0; k < order.size(); ++k) {
    if (order[k] >= 0) source[static_cast<size_t>(order[k])] = tensor[k];
  }
  Shape example = array.shape;
  int64_t examples = 1;
  const int32_t batch = order.empty() ? 0 : std::max(order[0], 0);  // the source's axis of the examples
  const auto at = static_cast<size_t>(batch);
  const bool has_batch = !source.empty() && source[at] == 1;
  if (has_batch && example.size() == source.size()) {
    examples = example[at];
    example[at] = 1;
  }
  if (example != source || examples < 1) {
    const std::string_view several = !has_batch ? "" : batch == 0 ? "[N, …] of " : "[…, N, …] of ";
    return Corrupt(StrCat("is ", ToString(array.shape), ", expected ", several, ToString(source)));
  }
  if (batch != 0) {
    AxisOrder first = IdentityOrder(source.size());
    first.erase(first.begin() + batch);
    first.insert(first.begin(), batch);
    array.values = Permuted(array.values, array.shape, first);
  }
  const size_t size = array.values.size() / static_cast<size_t>(examples);
  std::vector<float> values;
  for (size_t i = 0; i < static_cast<size_t>(examples); ++i) {
    const auto begin = array.values.begin() + static_cast<int64_t>(i * size);
    const std::vector<float> moved =
        Permuted(std::vector<float>(begin, begin + static_cast<int64_t>(size)), source, order);
    values.insert(values.end(), moved.begin(), moved.end());
  }
  array.values = std::move(values);
  return examples;
}

}  // namespace qat
