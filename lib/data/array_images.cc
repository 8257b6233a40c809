#include "data/array_images.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/shape.h"
#include "base/strings.h"

namespace qat {
namespace {

struct ValueRange {
  double low = 0, high = 0;
  bool whole = true;
  bool finite = true;
};

template <class Stored>
ValueRange RangeOf(const Bytes& bytes) {
  ValueRange range;
  for (size_t at = 0; at + sizeof(Stored) <= bytes.size(); at += sizeof(Stored)) {
    Stored stored;
    std::memcpy(&stored, &bytes[at], sizeof(Stored));
    const auto value = static_cast<double>(stored);
    range.finite &= std::isfinite(value);
    range.whole &= value == std::trunc(value);
    range.low = at == 0 ? value : std::min(range.low, value);
    range.high = at == 0 ? value : std::max(range.high, value);
  }
  return range;
}

std::optional<ValueRange> RangeOf(const NpyArray& array) {
  switch (array.type) {
    case DType::kFloat32:
      return RangeOf<float>(array.values);
    case DType::kFloat64:
      return RangeOf<double>(array.values);
    case DType::kInt8:
      return RangeOf<int8_t>(array.values);
    case DType::kInt16:
      return RangeOf<int16_t>(array.values);
    case DType::kInt32:
      return RangeOf<int32_t>(array.values);
    case DType::kInt64:
      return RangeOf<int64_t>(array.values);
    default:
      return std::nullopt;
  }
}

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

// "x - 3", "x + 3", "x".
std::string Less(double low) {
  if (low == 0) return "x";
  return low < 0 ? StrCat("(x + ", Short(-low), ")") : StrCat("(x - ", Short(low), ")");
}

// The line that stores these values as bytes, and what a byte means then.
std::string Conversion(const NpyArray& array) {
  if (array.type == DType::kBool) return ": x.astype(\"uint8\") * 255";
  const std::optional<ValueRange> range = RangeOf(array);
  if (!range || !range->finite) return "";
  const double width = range->high - range->low;
  if (range->whole && range->low >= 0 && range->high <= 255 && (range->high > 1 || array.type != DType::kFloat32))
    return ": the values are whole, 0 to 255: x.astype(\"uint8\")";
  if (range->low >= 0 && range->high <= 1 && range->high > 0.5)
    return ": for values of 0 to 1, (x * 255).round().astype(\"uint8\")";
  if (width == 0) return StrCat(": every value is ", Short(range->low));
  const double std = 255 / width;
  return StrCat(": (", Less(range->low), " / ", Short(width), " * 255).round().clip(0, 255).astype(\"uint8\"), and `mean` ",
                Short(-range->low * std), " `std` ", Short(std), " gives the values back (here ", Short(range->low), " to ",
                Short(range->high), ")");
}

Error OtherType(const NpyArray& array, const std::string& path) {
  return Corrupt(StrCat(path, ": elements are ", NameOf(array.type),
                        ", expected uint8: images and signals are stored as bytes", Conversion(array)));
}

// Channels in front, as PyTorch has them: [count, C, H, W].
bool ChannelsFirst(const Shape& shape, const OpenOptions& network) {
  if (shape.size() != 4) return false;
  if (network.channels > 0)
    return shape[1] == network.channels && shape[2] == network.height && shape[3] == network.width &&
           shape[3] != shape[1];
  return shape[1] == 3 && shape[2] == shape[3] && shape[2] > 4;
}

// [count, values] or [count, W, C] as the one row that the network takes.
bool IsRow(const Shape& shape, const OpenOptions& network) {
  if (network.height != 1) return false;
  if (shape.size() == 2) return shape[1] == int64_t{network.width} * network.channels;
  return shape.size() == 3 && shape[1] == network.width && shape[2] == network.channels && network.width > 1;
}

// [count, samples, channels], where no network says what it is: far longer than wide.
bool LooksLikeSignals(const Shape& shape, const OpenOptions& network) {
  constexpr int32_t kFar = 4;
  return network.height == 0 && shape.size() == 3 && shape[2] > 1 && shape[1] >= kFar * shape[2];
}

// "[count, 64, 6]": the same of every split.
std::string WithoutCount(const Shape& shape) {
  std::string text = "[count";
  for (size_t i = 1; i < shape.size(); ++i) text += StrCat(", ", shape[i]);
  return text + "]";
}

Error OtherShape(const Shape& shape, const std::string& path) {
  std::string way_out;
  if (shape.size() == 2)
    way_out = StrCat("; a row of ", shape[1], " values is x.reshape(-1, 1, ", shape[1], ", 1)");
  return Corrupt(StrCat(path, ": shape ", ToString(shape), ", expected [count, height, width] or with channels", way_out));
}

}  // namespace

Expected<ArrayImages> ReadArrayImages(NpyArray array, const std::string& path, const OpenOptions& network) {
  const Shape& shape = array.shape;
  if (array.type != DType::kUInt8) return OtherType(array, path);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return Corrupt(StrCat(path, ": shape ", ToString(shape), ", expected no size of 0"));
  ArrayImages images;
  if (IsRow(shape, network)) {
    images = {shape[0], network.height, network.width, network.channels, {}, ""};
    images.note = StrCat("images ", WithoutCount(shape), " are read as ", images.height, "x", images.width, "x",
                         images.channels, ", as the network takes them");
  } else if (shape.size() == 3 || shape.size() == 4) {
    if (ChannelsFirst(shape, network)) {
      return Corrupt(StrCat(path, ": shape ", ToString(shape),
                            " has the channels first, expected them last: x.transpose(0, 2, 3, 1)"));
    }
    images = {shape[0], shape[1], shape[2], shape.size() == 4 ? shape[3] : 1, {}, ""};
    if (LooksLikeSignals(shape, network)) {
      images.note = StrCat("images ", WithoutCount(shape), " are read as ", shape[1], "x", shape[2],
                           " pixels; signals of ", shape[1], " samples in ", shape[2], " channels are x.reshape(-1, 1, ",
                           shape[1], ", ", shape[2], ")");
    }
  } else {
    return OtherShape(shape, path);
  }
  images.pixels = std::move(array.values);
  return images;
}

Dataset Unlabelled(const ArrayImages& images, const std::string& name, const std::string& note) {
  Dataset dataset;
  dataset.name = name;
  dataset.height = images.height;
  dataset.width = images.width;
  dataset.channels = images.channels;
  dataset.images = images.pixels;
  dataset.labelled = false;
  dataset.labels.assign(static_cast<size_t>(images.count), 0);
  dataset.notes.push_back(note);
  return dataset;
}

}  // namespace qat
