#include "weights/weights_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/ending.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/printable.h"
#include "base/strings.h"
#include "base/zip.h"
#include "data/npy.h"
#include "weights/safetensors.h"

namespace qat {
namespace {

constexpr std::string_view kArrayEnding = ".npy";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsArchive(std::span<const uint8_t> bytes) {
  return bytes.size() > 4 && std::memcmp(bytes.data(), "PK\x03\x04", 4) == 0;
}

// What to do with the files of other frameworks.
std::string_view AdviceFor(std::string_view kind) {
  if (kind == "a PyTorch file")
    return "; safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\") writes one";
  if (kind.starts_with("a Keras model") || kind.starts_with("an HDF5 file"))
    return "; numpy.savez(\"weights.npz\", **{w.path: w.numpy() for w in model.weights}) writes one";
  return "";
}

Error OtherKind(std::span<const uint8_t> bytes, const std::string& source) {
  const std::string kind = DescribeKind(bytes);
  return Corrupt(StrCat(source, ": is ", kind, ", expected weights (.safetensors or .npz)", AdviceFor(kind)));
}

// The digits at the front of `text`, leading zeros dropped.
std::string_view TakeNumber(std::string_view& text) {
  size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) ++length;
  std::string_view number = text.substr(0, length);
  text.remove_prefix(length);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

bool NaturallyBefore(std::string_view a, std::string_view b) {
  const std::string_view all_a = a, all_b = b;
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const std::string_view x = TakeNumber(a), y = TakeNumber(b);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.size() != b.size() ? a.size() < b.size() : all_a < all_b;
}

bool IsNpzName(std::string_view path) { return HasEnding(path, ".npz"); }

Expected<WeightsFile> WeightsFile::Read(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path));
  return Parse(std::move(bytes), path);
}

Expected<WeightsFile> WeightsFile::Parse(Bytes bytes, const std::string& source) {
  WeightsFile file;
  file.source_ = source;
  file.sha256_ = Sha256(bytes);
  file.storage_.push_back(std::move(bytes));
  const std::span<const uint8_t> all = file.storage_[0];
  const std::string kind = DescribeKind(all);
  if (IsArchive(all)) {
    if (kind == "a PyTorch file" || kind.starts_with("a Keras model")) return OtherKind(all, source);
    file.format_ = Format::kNpz;
    QAT_RETURN_IF_ERROR(file.ParseArchive());
    return file;
  }
  // A header of 16 MiB at most leaves the upper bytes of its length 0; anything else that is known is another
  // kind.
  if (kind != "a safetensors file" && kind != "a file of unknown kind") return OtherKind(all, source);
  QAT_ASSIGN_OR_RETURN(Safetensors found, ParseSafetensors(all, source));
  file.tensors_ = std::move(found.tensors);
  file.metadata_ = std::move(found.metadata);
  std::sort(file.tensors_.begin(), file.tensors_.end(),
            [](const WeightTensor& a, const WeightTensor& b) { return NaturallyBefore(a.name, b.name); });
  return file;
}

// Arrays are unpacked once; the archive goes.
Status WeightsFile::ParseArchive() {
  const Bytes archive = std::move(storage_[0]);
  storage_.clear();
  auto entries = ListZip(archive);
  if (!entries.ok()) {
    if (entries.error().code == ErrorCode::kNotFound)
      return Corrupt(StrCat(source_, ": is cut off: a ZIP archive ends in its directory"));
    return std::move(entries).error().Prefixed(source_);
  }
  uint64_t left = kLargestTable;
  std::set<std::string> names;
  for (const ZipEntry& entry : *entries) {
    const std::string place = StrCat(source_, ": '", Printable(entry.name), "'");
    if (!entry.name.ends_with(kArrayEnding))
      return Corrupt(StrCat(place, " is no array (.npy), expected what numpy.savez writes"));
    if (entry.size > left)
      return Unsupported(StrCat(place, ": unpacked, the arrays have more than ", kLargestTable, " bytes"));
    QAT_ASSIGN_OR_RETURN_IN(place, const Bytes packed, ExtractZip(archive, entry, left));
    left -= entry.size;
    QAT_ASSIGN_OR_RETURN(NpyArray array, ParseNpy(packed, place));
    WeightTensor tensor;
    tensor.name = entry.name.substr(0, entry.name.size() - kArrayEnding.size());
    if (!names.insert(tensor.name).second) return Corrupt(StrCat(place, " comes twice"));
    tensor.type = ElementTypeOf(array.type);
    if (tensor.type == nullptr) return Unsupported(StrCat(place, " holds text, expected numbers"));
    tensor.shape = std::move(array.shape);
    storage_.push_back(std::move(array.values));
    tensor.bytes = storage_.back();
    tensors_.push_back(std::move(tensor));
  }
  return {};
}

Expected<std::vector<float>> WeightsFile::Values(size_t index) const {
  const WeightTensor& tensor = tensors_[index];
  const std::string place = StrCat(source_, ": tensor '", Printable(tensor.name), "'");
  if (tensor.type->to_float == nullptr)
    return Unsupported(StrCat(place, " holds ", tensor.type->name, ", expected real numbers"));
  std::vector<float> values = ToFloats(*tensor.type, tensor.bytes);
  const auto wrong =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (wrong == values.end()) return values;
  return Corrupt(
      StrCat(place, ": value ", wrong - values.begin(), " is ", *wrong, ", expected finite numbers"));
}

Expected<Bytes> SerializeWeights(WeightsFile::Format format, std::span<const StoredTensor> tensors,
                                 const std::map<std::string, std::string>& metadata) {
  if (format == WeightsFile::Format::kSafetensors) return SerializeSafetensors(tensors, metadata);
  std::vector<ZipFile> files;
  for (const StoredTensor& tensor : tensors) {
    const std::string place = StrCat("tensor '", Printable(tensor.name), "'");
    NpyArray array;
    bool known = false;
    for (const DType type : {DType::kFloat32, DType::kFloat16, DType::kFloat64, DType::kInt8, DType::kUInt8,
                             DType::kInt16, DType::kInt32, DType::kInt64, DType::kBool}) {
      if (NameOf(type) != tensor.type->name) continue;
      array.type = type;
      known = true;
    }
    if (!known)
      return Unsupported(StrCat(place, ": ", tensor.type->name, " has no form in .npz; write .safetensors"));
    if (tensor.bytes.size() > 0xfffffff0 - kLargestText)
      return Unsupported(StrCat(place, ": has 4 GiB or more; write .safetensors"));
    array.shape = tensor.shape;
    array.values = tensor.bytes;
    files.push_back({StrCat(tensor.name, kArrayEnding), Serialize(array)});
  }
  Bytes bytes;
  AppendZip(files, bytes);
  return bytes;
}

}  // namespace qat
