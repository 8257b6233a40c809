#include "spec/auto_network.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "spec/embedded.h"

namespace qat {
namespace {

constexpr int64_t kFewPlaces = 16;   // so small a map has no neighbourhoods worth a convolution
constexpr int32_t kSmallMap = 8;     // places per side that blocks stop halving at
constexpr int32_t kLargeImage = 40;  // longer sides are halved by the first layer already
constexpr int32_t kMostFilters = 64;
constexpr int32_t kHidden = 64;  // units of layers that are not the last one

/// Writes a spec layer by layer and follows the size of the map.
class SpecWriter {
 public:
  SpecWriter(std::string_view name, const DataFacts& facts)
      : text_(StrCat("name = \"", name, "\"\nclasses = ", facts.Outputs(), "\n\n[input]\nheight = ",
                     facts.height, "\nwidth = ", facts.width, "\nchannels = ", facts.channels, "\n")),
        height_(facts.height),
        width_(facts.width),
        channels_(facts.channels) {}

  struct Convolution {
    std::string name;
    std::string input;  ///< empty: the layer before
    int32_t filters = 0;
    std::string kernel;
    int32_t stride_h = 1, stride_w = 1;
    bool relu = true;
  };
  void Add(const Convolution& layer) {
    Start(layer.name, "conv_2d");
    if (!layer.input.empty()) text_ += StrCat("inputs = [\"", layer.input, "\"]\n");
    text_ += StrCat("filters = ", layer.filters, "\nkernel = ", layer.kernel, "\n");
    if (layer.stride_h * layer.stride_w > 1) {
      text_ += StrCat("stride = [", layer.stride_h, ", ", layer.stride_w, "]\n");
    }
    text_ += StrCat("batch_norm = true\n", layer.relu ? "activation = \"relu\"\n" : "");
    height_ = (height_ + layer.stride_h - 1) / layer.stride_h;
    width_ = (width_ + layer.stride_w - 1) / layer.stride_w;
    channels_ = layer.filters;
  }

  /// A layer with keys written by the caller; sizes stay.
  void Add(const std::string& name, const std::string& op, const std::string& keys = "") {
    Start(name, op);
    text_ += keys;
  }

  int32_t height() const { return height_; }
  int32_t width() const { return width_; }
  int32_t channels() const { return channels_; }
  const std::string& last() const { return last_; }
  std::string text() && { return std::move(text_); }

 private:
  void Start(const std::string& name, const std::string& op) {
    text_ += StrCat("\n[[layer]]\nname = \"", name, "\"\nop = \"", op, "\"\n");
    last_ = name;
  }
  std::string text_;
  std::string last_;
  int32_t height_, width_, channels_;
};

// Two convolutions and a shortcut around them.
void AddBlock(SpecWriter& writer, int number, int32_t filters, const std::string& kernel, int32_t stride_h,
              int32_t stride_w) {
  const std::string input = writer.last(), block = StrCat("block", number);
  const bool same_shape = stride_h * stride_w == 1 && writer.channels() == filters;
  writer.Add({StrCat(block, ".conv1"), "", filters, kernel, stride_h, stride_w});
  writer.Add({StrCat(block, ".conv2"), "", filters, kernel, 1, 1, false});
  std::string shortcut = input;
  if (!same_shape) {
    shortcut = StrCat(block, ".shortcut");
    // Its size is that of conv2 already: only the text of the stride counts.
    writer.Add(shortcut, "conv_2d",
               StrCat("inputs = [\"", input, "\"]\nfilters = ", filters, "\nkernel = 1\nstride = [", stride_h,
                      ", ", stride_w, "]\nbatch_norm = true\n"));
  }
  writer.Add(StrCat(block, ".sum"), "add",
             StrCat("inputs = [\"", block, ".conv2\", \"", shortcut, "\"]\nactivation = \"relu\"\n"));
}

void AddOutputs(SpecWriter& writer) { writer.Add("logits", "fully_connected", "units = \"classes\"\n"); }

void AddHidden(SpecWriter& writer, const std::string& name) {
  writer.Add(name, "fully_connected", StrCat("units = ", kHidden, "\nactivation = \"relu\"\n"));
}

AutoNetwork Perceptron(const DataFacts& facts) {
  SpecWriter writer("perceptron", facts);
  AddHidden(writer, "dense1");
  AddHidden(writer, "dense2");
  AddOutputs(writer);
  return {"perceptron", std::move(writer).text(),
          StrCat("two layers of ", kHidden, " units: the input has ", facts.height * facts.width,
                 facts.height * facts.width == 1 ? " place" : " places")};
}

// As MLPerf Tiny's of 640 values, with a layer less on either side: what fits through eight numbers.
AutoNetwork Autoencoder(const DataFacts& facts) {
  constexpr int32_t kWide = 128, kNarrow = 8;
  SpecWriter writer("autoencoder", facts);
  for (const auto& [name, units] : {std::pair("encode1", kWide),
                                    {"encode2", kWide},
                                    {"code", kNarrow},
                                    {"decode1", kWide},
                                    {"decode2", kWide}}) {
    writer.Add(name, "fully_connected", StrCat("units = ", units, "\nactivation = \"relu\"\n"));
  }
  writer.Add("output", "fully_connected", "units = \"classes\"\n");
  return {"autoencoder", std::move(writer).text(),
          StrCat("dense layers down to ", kNarrow, " units and up to the ", facts.targets,
                 " values of the input")};
}

int32_t HalvedIf(bool large) { return large ? 2 : 1; }

// The first layer and as many blocks as bring the map down to kSmallMap; at least three.
void AddTrunk(SpecWriter& writer, const std::string& stem_kernel, const std::string& kernel) {
  const bool signal = writer.height() == 1 || writer.width() == 1;
  const auto stem_stride = [&](int32_t size) {
    return signal && size > 4 * kSmallMap * kSmallMap ? 4 : HalvedIf(size > (signal ? 64 : kLargeImage));
  };
  writer.Add({"stem", "", 16, stem_kernel, stem_stride(writer.height()), stem_stride(writer.width())});
  int32_t filters = 16;
  for (int number = 1; number <= 3 || writer.height() > kSmallMap || writer.width() > kSmallMap; ++number) {
    const int32_t stride_h = HalvedIf(number > 1 && writer.height() > kSmallMap);
    const int32_t stride_w = HalvedIf(number > 1 && writer.width() > kSmallMap);
    AddBlock(writer, number, filters, kernel, stride_h, stride_w);
    filters = std::min(2 * filters, kMostFilters);
  }
}

// A layer that sees every position, of few channels so that it stays small.
void AddPositions(SpecWriter& writer, bool squeeze) {
  if (squeeze) writer.Add({"squeeze", "", 16, "1"});
  writer.Add("flatten", "reshape");
  AddHidden(writer, "dense");
}

AutoNetwork Signal(const DataFacts& facts) {
  SpecWriter writer("signal", facts);
  const bool row = facts.height == 1;
  AddTrunk(writer, row ? "[1, 7]" : "[7, 1]", row ? "[1, 5]" : "[5, 1]");
  AddPositions(writer, /*squeeze=*/true);
  AddOutputs(writer);
  return {"signal", std::move(writer).text(),
          StrCat("one-dimensional residual blocks: the input is one ", row ? "row of " : "column of ",
                 std::max(facts.height, facts.width), " places")};
}

AutoNetwork Images(const DataFacts& facts) {
  SpecWriter writer("residual", facts);
  AddTrunk(writer, "3", "3");
  if (facts.targets > 0) {
    AddPositions(writer, /*squeeze=*/true);
  } else {
    writer.Add("mean", "mean");
  }
  AddOutputs(writer);
  return {"residual", std::move(writer).text(), "residual blocks with batch norm at the size of the images"};
}

// An edge that a label map has and the way up does not reach is reached by interpolation.
AutoNetwork Pixels(const DataFacts& facts) {
  SpecWriter writer("pixels", facts);
  const auto size = [](int32_t height, int32_t width) {
    return StrCat("size = [", height, ", ", width, "]\n");
  };
  const auto halve = [](int32_t side) { return HalvedIf(side > 2); };
  const auto join = [](const std::string& up, const std::string& down) {
    return StrCat("inputs = [\"", up, "\", \"", down, "\"]\n");
  };
  writer.Add({"down1", "", 16, "3"});
  const int32_t height1 = writer.height(), width1 = writer.width();
  writer.Add({"down2.conv1", "", 32, "3", halve(height1), halve(width1)});
  writer.Add({"down2.conv2", "", 32, "3"});
  const int32_t height2 = writer.height(), width2 = writer.width();
  writer.Add({"down3.conv1", "", 64, "3", halve(height2), halve(width2)});
  writer.Add({"down3.conv2", "", 64, "3"});
  writer.Add("up2", "resize_bilinear", size(height2, width2));
  writer.Add("join2", "concatenation", join("up2", "down2.conv2"));
  writer.Add({"merge2", "", 32, "3"});
  writer.Add("up1", "resize_bilinear", size(height1, width1));
  writer.Add("join1", "concatenation", join("up1", "down1"));
  writer.Add({"merge1", "", 16, "3"});
  if (facts.label_height != height1 || facts.label_width != width1) {
    writer.Add("labels", "resize_bilinear", size(facts.label_height, facts.label_width));
  }
  writer.Add("logits", "conv_2d", "filters = \"classes\"\nkernel = 1\n");
  return {"pixels", std::move(writer).text(),
          StrCat("fully convolutional, a score for each class in each of ", facts.label_height, "x",
                 facts.label_width, " places")};
}

// The text of a network of the zoo.
std::string ZooText(std::string_view name) {
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "zoo" && file.name == name) return std::string(file.text);
  }
  QAT_CHECK(false);
  return "";
}

}  // namespace

AutoNetwork ChooseNetwork(const DataFacts& facts) {
  QAT_CHECK(facts.height > 0 && facts.width > 0 && facts.channels > 0 && facts.Outputs() > 0);
  if (facts.task == Task::kReconstruction) return Autoencoder(facts);
  if (facts.LabelsPixels()) return Pixels(facts);
  const bool digits_size = facts.height == 28 && facts.width == 28 && facts.channels == 1;
  if (digits_size && facts.targets == 0) {
    return {"lenet", ZooText("lenet"), "the images are 28x28 and grey"};
  }
  if (int64_t{facts.height} * facts.width <= kFewPlaces) return Perceptron(facts);
  if (facts.height == 1 || facts.width == 1) return Signal(facts);
  return Images(facts);
}

}  // namespace qat
