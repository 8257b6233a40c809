// uint64 length of the header, little endian | header: JSON | values.
// {"__metadata__": {"format": "pt"}, "conv1.weight": {"dtype": "F32", "shape": [6, 1, 5, 5], "data_offsets":
// [0, 600]}, …}
#include "weights/safetensors.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/printable.h"
#include "base/strings.h"

namespace qat {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLengthSize = 8;
constexpr std::string_view kMetadata = "__metadata__";

std::string TypeNames() {
  std::vector<std::string> names;
  for (const ElementType& type : ElementTypes()) names.emplace_back(type.safetensors);
  return Join(names);
}

class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const std::string& source) : bytes_(bytes), source_(source) {}

  Expected<Safetensors> Run() {
    QAT_ASSIGN_OR_RETURN(const Json header, ReadHeader());
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata) {
        QAT_RETURN_IF_ERROR(ReadMetadata(entry));
      } else {
        QAT_RETURN_IF_ERROR(ReadTensor(name, entry));
      }
    }
    QAT_RETURN_IF_ERROR(CheckPlaces());
    return std::move(found_);
  }

 private:
  Error Broken(const std::string& what) const { return Corrupt(StrCat(source_, ": ", what)); }
  Error Broken(const std::string& name, const std::string& what) const {
    return Broken(StrCat("tensor '", Printable(name), "': ", what));
  }

  Expected<Json> ReadHeader() {
    uint64_t length = 0;
    if (bytes_.size() < kLengthSize)
      return Broken(StrCat("holds ", bytes_.size(), " bytes, expected the 8 of a header's length"));
    for (size_t i = kLengthSize; i > 0; --i) length = length << 8 | bytes_[i - 1];
    if (length > kLargestSafetensorsHeader) {
      return Broken(
          StrCat("its header has ", length, " bytes, expected at most ", kLargestSafetensorsHeader));
    }
    if (length > bytes_.size() - kLengthSize) {
      return Broken(StrCat("is cut off: its header has ", length, " bytes, ", bytes_.size() - kLengthSize,
                           " are there"));
    }
    const auto text = bytes_.subspan(kLengthSize, length);
    values_ = bytes_.subspan(kLengthSize + length);
    return ParseJson(text);
  }

  // Without names that come twice, of which a JSON parser would keep the last; and nothing nested deeper than
  // the format has.
  Expected<Json> ParseJson(std::span<const uint8_t> text) const {
    constexpr int kDeepest = 3;
    std::set<std::string> names;
    std::string wrong;
    const auto look = [&](int depth, Json::parse_event_t event, Json& value) {
      if (depth > kDeepest && wrong.empty()) wrong = "its header is nested deeper than a tensor's shape";
      if (event != Json::parse_event_t::key || depth != 1) return wrong.empty();
      const auto name = value.get<std::string>();
      if (!names.insert(name).second && wrong.empty())
        wrong = StrCat("names tensor '", Printable(name), "' twice");
      return wrong.empty();
    };
    Json header = Json::parse(text.begin(), text.end(), look, /*allow_exceptions=*/false);
    if (!wrong.empty()) return Broken(wrong);
    if (header.is_discarded() || !header.is_object())
      return Broken("its header is no JSON object, expected one entry per tensor");
    return header;
  }

  Status ReadMetadata(const Json& entry) {
    if (!entry.is_object()) return Broken(StrCat(kMetadata, " is no JSON object of texts"));
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) return Broken(StrCat(kMetadata, ": '", Printable(key), "' is no text"));
      found_.metadata[key] = value.get<std::string>();
    }
    return {};
  }

  static const Json* Field(const Json& entry, const char* key) {
    const auto found = entry.find(key);
    return found == entry.end() ? nullptr : &*found;
  }

  static std::optional<uint64_t> WholeNumber(const Json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<uint64_t>();
  }

  Status ReadTensor(const std::string& name, const Json& entry) {
    if (!entry.is_object()) return Broken(name, "its entry is no JSON object");
    const Json* const dtype = Field(entry, "dtype");
    if (dtype == nullptr || !dtype->is_string())
      return Broken(name, "has no dtype, expected a text such as \"F32\"");
    WeightTensor tensor;
    tensor.name = name;
    tensor.type = FindSafetensorsType(dtype->get<std::string>());
    if (tensor.type == nullptr) {
      return Unsupported(StrCat(source_, ": tensor '", Printable(name), "': dtype is '",
                                Printable(dtype->get<std::string>()), "', expected one of ", TypeNames()));
    }
    QAT_RETURN_IF_ERROR(ReadShape(name, Field(entry, "shape"), tensor.shape));
    QAT_RETURN_IF_ERROR(ReadPlace(name, Field(entry, "data_offsets"), tensor));
    found_.tensors.push_back(std::move(tensor));
    return {};
  }

  Status ReadShape(const std::string& name, const Json* sizes, Shape& shape) const {
    if (sizes == nullptr || !sizes->is_array()) return Broken(name, "has no shape, expected a list of sizes");
    for (const Json& each : *sizes) {
      const auto size = WholeNumber(each);
      if (!size || *size > uint64_t{std::numeric_limits<int32_t>::max()}) {
        return Broken(name, StrCat("its shape holds ",
                                   Printable(each.dump(-1, ' ', false, Json::error_handler_t::replace)),
                                   ", expected sizes of 0 to 2147483647"));
      }
      shape.push_back(static_cast<int32_t>(*size));
    }
    return {};
  }

  Status ReadPlace(const std::string& name, const Json* offsets, WeightTensor& tensor) const {
    std::optional<uint64_t> begin, end;
    if (offsets != nullptr && offsets->is_array() && offsets->size() == 2) {
      begin = WholeNumber((*offsets)[0]);
      end = WholeNumber((*offsets)[1]);
    }
    if (!begin || !end) return Broken(name, "has no data_offsets, expected [begin, end]");
    if (*begin > *end || *end > values_.size()) {
      return Broken(name, StrCat("lies at bytes ", *begin, " to ", *end, " of the values, which have ",
                                 values_.size()));
    }
    const auto count = static_cast<uint64_t>(FlatSize(tensor.shape));
    if (count != (*end - *begin) / tensor.type->size || (*end - *begin) % tensor.type->size != 0) {
      return Broken(name, StrCat("has ", *end - *begin, " bytes, expected ", count, " x ", tensor.type->size,
                                 " for ", tensor.type->safetensors, " ", ToString(tensor.shape)));
    }
    tensor.bytes = values_.subspan(*begin, *end - *begin);
    return {};
  }

  // One after the other, without gaps: so no byte is hidden, and none is read as two tensors.
  Status CheckPlaces() {
    std::sort(found_.tensors.begin(), found_.tensors.end(), [](const WeightTensor& a, const WeightTensor& b) {
      return std::pair(a.bytes.data(), a.bytes.size()) < std::pair(b.bytes.data(), b.bytes.size());
    });
    size_t at = 0;
    for (const WeightTensor& tensor : found_.tensors) {
      const auto begin = static_cast<size_t>(tensor.bytes.data() - values_.data());
      if (begin != at) {
        return Broken(tensor.name,
                      StrCat("begins at byte ", begin, " of the values, ",
                             begin < at ? "inside the tensor before it" : "after a gap", ", expected ", at));
      }
      at += tensor.bytes.size();
    }
    if (at != values_.size())
      return Broken(
          StrCat("holds ", values_.size(), " bytes of values, expected the ", at, " of its tensors"));
    return {};
  }

  std::span<const uint8_t> bytes_;
  const std::string& source_;
  std::span<const uint8_t> values_;
  Safetensors found_;
};

}  // namespace

Expected<Safetensors> ParseSafetensors(std::span<const uint8_t> bytes, const std::string& source) {
  return Reader(bytes, source).Run();
}

Bytes SerializeSafetensors(std::span<const StoredTensor> tensors,
                           const std::map<std::string, std::string>& metadata) {
  std::vector<const StoredTensor*> order;
  for (const StoredTensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const StoredTensor* a, const StoredTensor* b) {
    return a->type->size != b->type->size ? a->type->size > b->type->size : a->name < b->name;
  });
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  size_t at = 0;
  for (const StoredTensor* tensor : order) {
    header[tensor->name] = {{"dtype", tensor->type->safetensors},
                            {"shape", tensor->shape},
                            {"data_offsets", {at, at + tensor->bytes.size()}}};
    at += tensor->bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  Bytes bytes;
  bytes.reserve(kLengthSize + text.size() + at);
  for (size_t i = 0; i < kLengthSize; ++i) bytes.push_back(static_cast<uint8_t>(text.size() >> (8 * i)));
  bytes.insert(bytes.end(), text.begin(), text.end());
  for (const StoredTensor* tensor : order)
    bytes.insert(bytes.end(), tensor->bytes.begin(), tensor->bytes.end());
  return bytes;
}

}  // namespace qat
