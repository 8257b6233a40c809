#include "ops/attributes.h"

#include <limits>

#include "base/strings.h"
#include "ops/op.h"

namespace qat {
namespace {

std::string WithActivation(std::string text, Activation activation) {
  if (activation == Activation::kNone) return text;
  if (!text.empty()) text += ", ";
  return StrCat(text, "activation ", NameOf(activation));
}

std::string WindowText(int32_t stride_h, int32_t stride_w, Padding padding) {
  return StrCat("stride ", stride_h, "x", stride_w, ", padding ", NameOf(padding));
}

std::string ListText(std::string_view name, const std::vector<int32_t>& values) {
  return values.empty() ? "" : StrCat(name, " ", ToString(values));
}

struct Describer {
  std::string operator()(const std::monostate&) const { return ""; }
  std::string operator()(const Conv2DAttributes& a) const {
    std::string text = WindowText(a.stride_h, a.stride_w, a.padding);
    if (a.dilation_h != 1 || a.dilation_w != 1)
      text += StrCat(", dilation ", a.dilation_h, "x", a.dilation_w);
    return WithActivation(text, a.activation);
  }
  std::string operator()(const FullyConnectedAttributes& a) const { return WithActivation("", a.activation); }
  std::string operator()(const Pool2DAttributes& a) const {
    return WithActivation(
        StrCat("window ", a.filter_h, "x", a.filter_w, ", ", WindowText(a.stride_h, a.stride_w, a.padding)),
        a.activation);
  }
  std::string operator()(const ReshapeAttributes& a) const { return StrCat("shape ", ToString(a.new_shape)); }
  std::string operator()(const SoftmaxAttributes& a) const {
    return a.beta == 1 ? "" : StrCat("beta ", a.beta);
  }
  std::string operator()(const ArgMaxAttributes& a) const { return StrCat("output ", NameOf(a.output_type)); }
  std::string operator()(const DropoutAttributes& a) const { return StrCat("keep ", a.keep); }
  std::string operator()(const BatchNormAttributes& a) const {
    return StrCat("epsilon ", a.epsilon, ", momentum ", a.momentum);
  }
  std::string operator()(const DepthwiseConv2DAttributes& a) const {
    std::string text =
        StrCat("multiplier ", a.depth_multiplier, ", ", WindowText(a.stride_h, a.stride_w, a.padding));
    if (a.dilation_h != 1 || a.dilation_w != 1)
      text += StrCat(", dilation ", a.dilation_h, "x", a.dilation_w);
    return WithActivation(text, a.activation);
  }
  std::string operator()(const BinaryAttributes& a) const { return WithActivation("", a.activation); }
  std::string operator()(const MeanAttributes& a) const {
    const std::string axes = ListText("axes", a.axes);
    return a.keep_dims ? StrCat(axes, axes.empty() ? "" : ", ", "keeps its axes") : axes;
  }
  std::string operator()(const LeakyReluAttributes& a) const { return StrCat("alpha ", a.alpha); }
  std::string operator()(const PReluAttributes& a) const { return StrCat("slope ", a.slope, " at first"); }
  std::string operator()(const SliceAttributes& a) const {
    return a.begin.empty() ? "" : StrCat("begin ", ToString(a.begin), ", size ", ToString(a.size));
  }
  std::string operator()(const PadAttributes& a) const { return ListText("pads", a.pads); }
  std::string operator()(const TransposeAttributes& a) const { return ListText("perm", a.permutation); }
  std::string operator()(const ExpandDimsAttributes& a) const { return StrCat("axis ", a.axis); }
  std::string operator()(const ConcatenationAttributes& a) const { return StrCat("axis ", a.axis); }
  std::string operator()(const SplitAttributes& a) const { return StrCat(a.splits, " parts"); }
  std::string operator()(const PackAttributes& a) const { return StrCat("axis ", a.axis); }
  std::string operator()(const GatherAttributes& a) const {
    return StrCat("axis ", a.axis, ListText(", indices", a.indices));
  }
  std::string operator()(const CastAttributes& a) const { return StrCat("to ", NameOf(a.output_type)); }
  std::string operator()(const StridedSliceAttributes& a) const {
    if (!a.begin.empty()) {
      const std::string strides = ListText(", strides", a.strides);
      return StrCat("begin ", ToString(a.begin), ", end ", ToString(a.end), strides);
    }
    return StrCat("masks ", a.begin_mask, ", ", a.end_mask, ", ", a.shrink_axis_mask);
  }
  std::string operator()(const SqueezeAttributes& a) const { return StrCat("axes ", ToString(a.axes)); }
  std::string operator()(const ResizeAttributes& a) const {
    return a.half_pixel_centers ? "half-pixel centers" : a.align_corners ? "aligned corners" : "";
  }
  std::string operator()(const TransposeConvAttributes& a) const {
    return WithActivation(WindowText(a.stride_h, a.stride_w, a.padding), a.activation);
  }
  std::string operator()(const UnpackAttributes& a) const { return StrCat("axis ", a.axis); }
  std::string operator()(const GeluAttributes& a) const { return a.approximate ? "by tanh" : ""; }
  std::string operator()(const MirrorPadAttributes& a) const {
    return StrCat(a.symmetric ? "symmetric" : "reflect", ListText(", pads", a.pads));
  }
  std::string operator()(const BlockAttributes& a) const { return StrCat("block ", a.size, "x", a.size); }
  std::string operator()(const BatchMatMulAttributes& a) const {
    return StrCat(a.adjoint_a ? "first transposed" : "", a.adjoint_a && a.adjoint_b ? ", " : "",
                  a.adjoint_b ? "second transposed" : "");
  }
  std::string operator()(const CumsumAttributes& a) const {
    return StrCat(a.exclusive ? "exclusive" : "", a.exclusive && a.reverse ? ", " : "",
                  a.reverse ? "from the end" : "");
  }
  std::string operator()(const TileAttributes& a) const { return ListText("multiples", a.multiples); }
  std::string operator()(const BroadcastToAttributes& a) const { return ListText("shape", a.shape); }
  std::string operator()(const ReverseAttributes& a) const { return ListText("axes", a.axes); }
  std::string operator()(const OneHotAttributes& a) const { return StrCat("axis ", a.axis); }
};

}  // namespace

Activation FusedActivation(const OpAttributes& attributes) {
  return std::visit(
      [](const auto& a) {
        if constexpr (requires { a.activation; }) return a.activation;
        return Activation::kNone;
      },
      attributes);
}

bool SetFusedActivation(OpAttributes& attributes, Activation activation) {
  return std::visit(
      [activation](auto& a) {
        if constexpr (requires { a.activation; }) {
          a.activation = activation;
          return true;
        }
        return false;
      },
      attributes);
}

std::string_view NameOf(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "none";
    case Activation::kRelu:
      return "relu";
    case Activation::kReluN1To1:
      return "relu_n1_to_1";
    case Activation::kRelu6:
      return "relu6";
  }
  return "unknown activation";
}

std::string_view NameOf(Padding padding) { return padding == Padding::kSame ? "same" : "valid"; }

Range ActivationRange(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::kNone:
      return {-kInfinity, kInfinity};
    case Activation::kRelu:
      return {0, kInfinity};
    case Activation::kReluN1To1:
      return {-1, 1};
    case Activation::kRelu6:
      return {0, 6};
  }
  return {-kInfinity, kInfinity};
}

std::string Describe(const OpAttributes& attributes) { return std::visit(Describer(), attributes); }

}  // namespace qat
