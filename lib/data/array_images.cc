#include "data/array_images.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/packed.h"
#include "base/shape.h"
#include "base/strings.h"
#include "data/array_values.h"

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
  if (range->whole && range->low >= 0 && range->high <= 255 &&
      (range->high > 1 || array.type != DType::kFloat32))
    return ": the values are whole, 0 to 255: x.astype(\"uint8\")";
  if (range->low >= 0 && range->high <= 1 && range->high > 0.5)
    return ": for values of 0 to 1, (x * 255).round().astype(\"uint8\")";
  if (width == 0) return StrCat(": every value is ", Short(range->low));
  const double std = 255 / width;
  return StrCat(": (", Less(range->low), " / ", Short(width),
                " * 255).round().clip(0, 255).astype(\"uint8\"), and `mean` ", Short(-range->low * std),
                " `std` ", Short(std), " gives the values back (here ", Short(range->low), " to ",
                Short(range->high), ")");
}

Error OtherType(const NpyArray& array, const std::string& path) {
  return Corrupt(StrCat(path, ": elements are ", NameOf(array.type),
                        ", expected uint8, since the network takes bytes", Conversion(array)));
}

// Channels in front, as PyTorch has them: [count, C, H, W].
bool ChannelsFirst(const Shape& shape, const OpenOptions& network) {
  if (shape.size() != 4) return false;
  if (network.channels > 0)
    return shape[1] == network.channels && shape[2] == network.height && shape[3] == network.width &&
           shape[3] != shape[1];
  return shape[1] == 3 && shape[2] == shape[3] && shape[2] > 4;
}

// "[count, 64, 6]": the same of every split.
std::string WithoutCount(const Shape& shape) {
  std::string text = "[count";
  for (size_t i = 1; i < shape.size(); ++i) text += StrCat(", ", shape[i]);
  return text + "]";
}

Error OtherShape(const Shape& shape, const std::string& path) {
  return Corrupt(StrCat(
      path, ": shape ", ToString(shape),
      ", expected [count, values], [count, height, width] or [count, steps, channels], or one axis more"));
}

/// How an example lies in the network, and a sentence where that is not plain.
struct View {
  int32_t height = 0, width = 0, channels = 0;
  std::string note;
};

std::string SizeText(const View& view) { return StrCat(view.height, "x", view.width, "x", view.channels); }

// The view of an array as a network of a known size takes it: [count, values] or [count, W, C] as its one
// row, [count, H, C] as its one column. Nothing where the axes say something else.
std::optional<View> ViewOfNetwork(const Shape& shape, const OpenOptions& network) {
  if (network.height <= 0 || network.channels <= 0) return std::nullopt;
  const bool row = network.height == 1, column = network.width == 1;
  const int64_t values = int64_t{network.height} * network.width * network.channels;
  const bool flat = shape.size() <= 2 && FlatSize(shape) == values * shape[0] && (row || column);
  const bool steps = shape.size() == 3 && shape[2] == network.channels &&
                     ((row && network.width > 1 && shape[1] == network.width) ||
                      (column && network.height > 1 && shape[1] == network.height));
  if (!flat && !steps) return std::nullopt;
  return View{network.height, network.width, network.channels, "as the network takes them"};
}

View Series(const Shape& shape) { return {1, shape[1], shape.size() == 3 ? shape[2] : 1, ""}; }

// What the layout asked for says; reals as a rule are series or features, bytes are pictures.
std::optional<View> ViewOfLayout(const Shape& shape, ArrayLayout layout, ValueType values) {
  const bool reals = values == ValueType::kReal;
  const int64_t each = shape[0] > 0 ? FlatSize(shape) / shape[0] : 0;
  const View features = {1, 1, static_cast<int32_t>(each), ""};
  switch (layout) {
    case ArrayLayout::kFeatures:
      return features;
    case ArrayLayout::kSeries:
      if (shape.size() == 2 || shape.size() == 3) return Series(shape);
      return std::nullopt;
    case ArrayLayout::kPictures:
      break;
    case ArrayLayout::kAuto:
      if (shape.size() <= 2) {
        View view = features;
        if (shape.size() == 2 && shape[1] > 1)
          view.note = StrCat("features, without an order (`layout` series reads ", shape[1], " steps)");
        return view;
      }
      if (shape.size() == 3 && reals) {
        View view = Series(shape);
        view.note = StrCat("series of ", shape[1], shape[1] == 1 ? " step" : " steps", " in ", shape[2],
                           shape[2] == 1 ? " channel" : " channels", " (`layout` pictures reads images)");
        return view;
      }
      break;
  }
  if (shape.size() != 3 && shape.size() != 4) return std::nullopt;
  return View{shape[1], shape[2], shape.size() == 4 ? shape[3] : 1, ""};
}

// [count, samples, channels] of bytes, where nothing says what it is: far longer than wide.
bool LooksLikeSignals(const Shape& shape, const OpenOptions& network) {
  constexpr int32_t kFar = 4;
  return network.height == 0 && network.layout == ArrayLayout::kAuto && shape.size() == 3 && shape[2] > 1 &&
         shape[1] >= kFar * shape[2];
}

// The same of reals: far more channels than steps.
bool LooksTransposed(const Shape& shape) {
  constexpr int32_t kFar = 4;
  return shape.size() == 3 && shape[1] > 1 && shape[2] >= kFar * shape[1];
}

Expected<View> ViewOf(const Shape& shape, const std::string& path, ValueType values,
                      const OpenOptions& network) {
  const std::string_view what = values == ValueType::kByte ? "images " : "examples ";
  if (auto view = ViewOfNetwork(shape, network)) {
    // What would have been understood without a network needs no word.
    const auto plain = ViewOfLayout(shape, ArrayLayout::kAuto, values);
    const bool same = plain && SizeText(*plain) == SizeText(*view);
    view->note =
        same ? "" : StrCat(what, WithoutCount(shape), " are read as ", SizeText(*view), ", ", view->note);
    return *view;
  }
  if (ChannelsFirst(shape, network)) {
    return Corrupt(StrCat(path, ": shape ", ToString(shape),
                          " has the channels first, expected them last: x.transpose(0, 2, 3, 1)"));
  }
  // A network that takes pictures makes pictures of three axes; a size that was only asked for does not.
  const bool known = network.channels > 0 || values == ValueType::kByte;
  const bool fits = known && network.height > 1 && network.width > 1 && shape.size() == 3;
  std::optional<View> view = ViewOfLayout(shape, fits ? ArrayLayout::kPictures : network.layout, values);
  if (!view) return OtherShape(shape, path);
  if (values == ValueType::kByte && LooksLikeSignals(shape, network)) {
    view->note = StrCat("images ", WithoutCount(shape), " are read as ", shape[1], "x", shape[2],
                        " pixels, not as signals of ", shape[1], " samples in ", shape[2],
                        " channels (`layout` series does)");
  } else if (!view->note.empty()) {
    if (values == ValueType::kReal && LooksTransposed(shape)) {
      view->note += StrCat("; if the ", shape[1], " are the channels: x.transpose(0, 2, 1)");
    }
    view->note = StrCat(what, WithoutCount(shape), " are read as ", view->note);
  }
  return *std::move(view);
}

}  // namespace

Expected<ArrayImages> ReadArrayImages(NpyArray array, const std::string& path, const OpenOptions& network) {
  const Shape shape = array.shape;
  if (array.type == DType::kString) return Corrupt(StrCat(path, ": elements are text, expected numbers"));
  if (array.type != DType::kUInt8 && network.values == ValueType::kByte) return OtherType(array, path);
  if (shape.empty()) return OtherShape(shape, path);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return Corrupt(StrCat(path, ": shape ", ToString(shape), ", expected no size of 0"));
  const ValueType values =
      network.values.value_or(array.type == DType::kUInt8 ? ValueType::kByte : ValueType::kReal);
  QAT_ASSIGN_OR_RETURN(View view, ViewOf(shape, path, values, network));
  ArrayImages images = {shape[0], view.height, view.width, view.channels, {}, std::move(view.note)};
  images.values = values;
  if (values == ValueType::kByte) {
    images.pixels = std::move(array.values);
    return images;
  }
  images.shape.assign(shape.begin() + 1, shape.end());
  if (images.shape.empty()) images.shape = {1};
  if (images.shape == Shape{images.height, images.width, images.channels}) images.shape.clear();
  QAT_ASSIGN_OR_RETURN(images.pixels, FloatValues(std::move(array), path));
  return images;
}

int64_t ArrayImages::Size() const {
  return int64_t{height} * width * channels * static_cast<int64_t>(SizeOf(values));
}

Expected<std::vector<ArrayImages>> ReadInputArrays(
    const std::vector<std::string>& names,
    const std::function<Expected<NpyArray>(const std::string& name)>& read,
    const std::function<std::string(const std::string& name)>& path_of, const OpenOptions& network) {
  std::vector<ArrayImages> images;
  for (size_t i = 0; i < names.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(NpyArray array, read(names[i]));
    QAT_ASSIGN_OR_RETURN(ArrayImages each,
                         ReadArrayImages(std::move(array), path_of(names[i]), ForInput(network, i)));
    if (i > 0 && each.count != images[0].count) {
      return Corrupt(StrCat(path_of(names[i]), ": holds ", each.count, " examples, but ", path_of(names[0]),
                            " holds ", images[0].count));
    }
    if (names.size() > 1 && !each.note.empty()) each.note = StrCat("'", names[i], "': ", each.note);
    images.push_back(std::move(each));
  }
  return images;
}

std::vector<ExampleInput> InputsOf(std::span<const ArrayImages> images, const OpenOptions& network) {
  std::vector<ExampleInput> inputs;
  for (size_t i = 0; i < images.size(); ++i) {
    const ArrayImages& each = images[i];
    inputs.push_back({each.height, each.width, each.channels, each.values, each.shape,
                      i < network.inputs.size() ? network.inputs[i].name : ""});
  }
  return inputs;
}

Bytes PackedInputs(std::vector<ArrayImages> images) {
  if (images.size() == 1) return std::move(images[0].pixels);
  std::vector<Bytes> parts;
  std::vector<int64_t> sizes;
  for (ArrayImages& each : images) {
    sizes.push_back(each.Size());
    parts.push_back(std::move(each.pixels));
  }
  return Packed(parts, sizes);
}

Dataset Unlabelled(std::vector<ArrayImages> images, const OpenOptions& network, const std::string& name,
                   const std::string& note) {
  Dataset dataset;
  dataset.name = name;
  dataset.inputs = InputsOf(images, network);
  dataset.labelled = false;
  dataset.labels.assign(static_cast<size_t>(images[0].count), 0);
  dataset.notes.push_back(note);
  dataset.images = PackedInputs(std::move(images));
  return dataset;
}

}  // namespace qat
