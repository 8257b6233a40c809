#include "onnx/tensor_values.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/half.h"
#include "base/strings.h"
#include "onnx/wire.h"

namespace qat::onnx {
namespace {

/// Most values of one tensor: their float32 then fits into the 2 GiB that a .tflite may have.
constexpr int64_t kLargestTensor = int64_t{1} << 29;
constexpr size_t kMostAxes = 32;

/// The fields of a TensorProto, before anything is decoded.
struct Fields {
  Tensor tensor;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> int32s, int64s, uint64s;
  std::span<const uint8_t> raw;
  bool has_raw = false, is_external = false;
  std::string location;
  int64_t offset = 0, length = -1;
};

Expected<int64_t> ToCount(const std::string& key, const std::string& text) {
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > (int64_t{1} << 50))
      return Corrupt(StrCat(key, " is '", text, "', expected a number of bytes"));
    value = value * 10 + (c - '0');
  }
  return value;
}

Status ReadExternalEntry(std::span<const uint8_t> message, Fields& fields) {
  WireReader reader(message);
  WireField field;
  std::string key, value;
  while (true) {
    QAT_ASSIGN_OR_RETURN(const bool more, reader.Next(field));
    if (!more) break;
    if (field.number == 1) key = field.text();
    if (field.number == 2) value = field.text();
  }
  if (key == "location") fields.location = value;
  if (key == "offset") {
    QAT_ASSIGN_OR_RETURN(fields.offset, ToCount(key, value));
  }
  if (key == "length") {
    QAT_ASSIGN_OR_RETURN(fields.length, ToCount(key, value));
  }
  return {};
}

Status ReadField(const WireField& field, Fields& fields) {
  switch (field.number) {
    case 1:
      return AppendIntegers(field, fields.tensor.dims);
    case 2:
      fields.tensor.type = static_cast<ElementType>(field.integer());
      return {};
    case 3:
      return Unsupported("is one of several segments, which no exporter writes");
    case 4:
      return AppendFloats(field, fields.floats);
    case 5:
      return AppendIntegers(field, fields.int32s);
    case 6:
      fields.tensor.texts.push_back(field.text());
      return {};
    case 7:
      return AppendIntegers(field, fields.int64s);
    case 8:
      fields.tensor.name = field.text();
      return {};
    case 9:
      fields.raw = field.bytes;
      fields.has_raw = true;
      return {};
    case 10:
      return AppendDoubles(field, fields.doubles);
    case 11:
      return AppendIntegers(field, fields.uint64s);
    case 13:
      return ReadExternalEntry(field.bytes, fields);
    case 14:
      fields.is_external = field.bits == 1;
      return {};
    default:
      return {};
  }
}

size_t BytesOf(ElementType type) {
  switch (type) {
    case ElementType::kUInt8:
    case ElementType::kInt8:
    case ElementType::kBool:
      return 1;
    case ElementType::kUInt16:
    case ElementType::kInt16:
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return 2;
    case ElementType::kFloat:
    case ElementType::kInt32:
    case ElementType::kUInt32:
      return 4;
    case ElementType::kDouble:
    case ElementType::kInt64:
    case ElementType::kUInt64:
      return 8;
    default:
      return 0;
  }
}

float FromBits(ElementType type, uint16_t bits) {
  return type == ElementType::kFloat16 ? HalfToFloat(bits) : std::bit_cast<float>(uint32_t{bits} << 16);
}

template <class T, class Out, class Convert>
void Decode(std::span<const uint8_t> raw, std::vector<Out>& values, Convert convert) {
  values.resize(raw.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
    values[i] = convert(value);
  }
}

template <class T>
void DecodeIntegers(std::span<const uint8_t> raw, std::vector<int64_t>& values) {
  Decode<T>(raw, values, [](T value) { return static_cast<int64_t>(value); });
}

void DecodeRaw(std::span<const uint8_t> raw, Tensor& tensor) {
  const ElementType type = tensor.type;
  switch (type) {
    case ElementType::kFloat:
      Decode<float>(raw, tensor.reals, [](float value) { return value; });
      return;
    case ElementType::kDouble:
      Decode<double>(raw, tensor.reals, [](double value) { return static_cast<float>(value); });
      return;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      Decode<uint16_t>(raw, tensor.reals, [type](uint16_t bits) { return FromBits(type, bits); });
      return;
    case ElementType::kUInt8:
    case ElementType::kBool:
      return DecodeIntegers<uint8_t>(raw, tensor.integers);
    case ElementType::kInt8:
      return DecodeIntegers<int8_t>(raw, tensor.integers);
    case ElementType::kUInt16:
      return DecodeIntegers<uint16_t>(raw, tensor.integers);
    case ElementType::kInt16:
      return DecodeIntegers<int16_t>(raw, tensor.integers);
    case ElementType::kInt32:
      return DecodeIntegers<int32_t>(raw, tensor.integers);
    case ElementType::kUInt32:
      return DecodeIntegers<uint32_t>(raw, tensor.integers);
    default:
      return DecodeIntegers<int64_t>(raw, tensor.integers);
  }
}

/// Numbers in fields of their own: 16 bits and less lie in int32_data, bits of halves too.
void DecodeTyped(Fields& fields) {
  Tensor& tensor = fields.tensor;
  switch (tensor.type) {
    case ElementType::kFloat:
      tensor.reals = std::move(fields.floats);
      return;
    case ElementType::kDouble:
      tensor.reals.assign(fields.doubles.begin(), fields.doubles.end());
      return;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      for (const int64_t bits : fields.int32s)
        tensor.reals.push_back(FromBits(tensor.type, static_cast<uint16_t>(bits)));
      return;
    case ElementType::kInt64:
      tensor.integers = std::move(fields.int64s);
      return;
    case ElementType::kUInt32:
    case ElementType::kUInt64:
      tensor.integers = std::move(fields.uint64s);
      return;
    default:
      tensor.integers = std::move(fields.int32s);
      return;
  }
}

Expected<int64_t> CountOf(const Tensor& tensor) {
  if (tensor.dims.size() > kMostAxes) return Corrupt(StrCat("has ", tensor.dims.size(), " axes"));
  int64_t count = 1;
  bool empty = false;
  for (const int64_t size : tensor.dims) {
    if (size < 0) return Corrupt(StrCat("has a size of ", size));
    if (size == 0) empty = true;
    if (size > 0 && count > kLargestTensor / size)
      return Unsupported(StrCat("has more than ", kLargestTensor, " values"));
    count *= size > 0 ? size : 1;
  }
  return empty ? 0 : count;
}

Status Decode(Fields& fields, ExternalFiles& files) {
  Tensor& tensor = fields.tensor;
  QAT_ASSIGN_OR_RETURN(const int64_t count, CountOf(tensor));
  if (tensor.type == ElementType::kString && !fields.has_raw && !fields.is_external) {
    if (std::ssize(tensor.texts) != count)
      return Corrupt(StrCat("holds ", tensor.texts.size(), " values, its sizes say ", count));
    return {};
  }
  const size_t width = BytesOf(tensor.type);
  if (width == 0) {
    return Unsupported(StrCat("is of ", NameOf(tensor.type),
                              ", expected float32, float16, bfloat16, float64, bool or integers of 8 to "
                              "64 bits"));
  }
  if (fields.is_external) {
    QAT_ASSIGN_OR_RETURN(fields.raw, files.Part(fields.location, fields.offset, fields.length));
    fields.has_raw = true;
  }
  const auto wanted = static_cast<uint64_t>(count) * width;
  if (fields.has_raw) {
    if (fields.raw.size() != wanted)
      return Corrupt(StrCat("holds ", fields.raw.size(), " bytes, its sizes and ", NameOf(tensor.type),
                            " take ", wanted));
    DecodeRaw(fields.raw, tensor);
    return {};
  }
  DecodeTyped(fields);
  const auto found = static_cast<int64_t>(tensor.reals.size() + tensor.integers.size());
  if (found != count) return Corrupt(StrCat("holds ", found, " values, its sizes say ", count));
  return {};
}

}  // namespace

ExternalFiles::ExternalFiles(const std::string& model_path) {
  const size_t slash = model_path.find_last_of('/');
  folder_ = slash == std::string::npos ? "." : slash == 0 ? "/" : model_path.substr(0, slash);
}

Expected<std::span<const uint8_t>> ExternalFiles::Part(const std::string& location, int64_t offset,
                                                       int64_t length) {
  namespace fs = std::filesystem;
  const fs::path relative(location);
  const std::string what = StrCat("keeps its values in '", location, "'");
  if (location.empty()) return Corrupt("keeps its values in a file without a name");
  if (location.find('\0') != std::string::npos || relative.is_absolute())
    return Corrupt(StrCat(what, ", expected a path inside the folder of the model"));
  for (const fs::path& part : relative) {
    if (part == "..") return Corrupt(StrCat(what, ", expected a path inside the folder of the model"));
  }
  auto found = files_.find(location);
  if (found == files_.end()) {
    const std::string path = JoinPath(folder_, location);
    std::error_code error;
    const fs::path root = fs::weakly_canonical(folder_, error), real = fs::weakly_canonical(path, error);
    const auto [end, ignored] = std::mismatch(root.begin(), root.end(), real.begin(), real.end());
    if (error || end != root.end())
      return Corrupt(StrCat(what, ", a link that leads out of the folder of the model"));
    QAT_ASSIGN_OR_RETURN_IN(what, Bytes bytes, ReadFile(path, uint64_t{8} << 30));
    found = files_.emplace(location, std::move(bytes)).first;
  }
  const std::span<const uint8_t> all = found->second;
  const auto begin = static_cast<uint64_t>(offset);
  const uint64_t size = length >= 0           ? static_cast<uint64_t>(length)
                        : begin <= all.size() ? all.size() - begin
                                              : 0;
  if (begin > all.size() || size > all.size() - begin)
    return Corrupt(StrCat(what, ": bytes ", begin, " to ", begin + size, ", the file has ", all.size()));
  return all.subspan(begin, size);
}

Expected<Tensor> ReadTensor(std::span<const uint8_t> message, ExternalFiles& files) {
  Fields fields;
  WireReader reader(message);
  WireField field;
  while (true) {
    QAT_ASSIGN_OR_RETURN_IN("tensor", const bool more, reader.Next(field));
    if (!more) break;
    QAT_RETURN_IF_ERROR_IN(StrCat("tensor '", fields.tensor.name, "'"), ReadField(field, fields));
  }
  QAT_RETURN_IF_ERROR_IN(StrCat("tensor '", fields.tensor.name, "'"), Decode(fields, files));
  return std::move(fields.tensor);
}

}  // namespace qat::onnx
