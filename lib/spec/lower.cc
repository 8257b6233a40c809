#include "spec/lower.h"

#include "base/strings.h"
#include "ops/padding.h"
#include "ops/shape_rules.h"
#include "spec/layer_shapes.h"

namespace qat {
namespace {

int32_t LastOf(const NetworkSpec& spec) { return static_cast<int32_t>(spec.layers.size()) - 1; }

Status Append(NetworkSpec& spec, LayerSpec layer) {
  QAT_RETURN_IF_ERROR(InferLayer(spec, layer));
  spec.layers.push_back(std::move(layer));
  return {};
}

// Another layer of the same block.
LayerSpec Helper(const LayerSpec& of, std::string_view suffix, OpType type, OpAttributes attributes) {
  LayerSpec layer;
  layer.name = StrCat(of.name, "/", suffix);
  layer.type = type;
  layer.attributes = std::move(attributes);
  layer.inputs = {of.inputs[0]};
  layer.line = of.line;
  layer.column = of.column;
  return layer;
}

ExplicitPadding TakeExplicitPadding(OpAttributes& attributes) {
  return std::visit(
      [](auto& a) {
        ExplicitPadding padding;
        if constexpr (requires { a.explicit_padding; }) std::swap(padding, a.explicit_padding);
        return padding;
      },
      attributes);
}

// Sets padding same, where it pads a convolution's input the same way. Pools do not count what same pads.
bool IsSamePadding(OpAttributes& attributes, const ExplicitPadding& wanted, const Shape& input) {
  return std::visit(
      [&](auto& a) {
        if constexpr (requires { a.kernel_h, a.dilation_h, a.explicit_padding; }) {
          // What cannot fit is left to the shape rule.
          if (!WindowOutput(input, Padding::kSame, a.kernel_h, a.kernel_w, a.stride_h, a.stride_w,
                            a.dilation_h, a.dilation_w)
                   .ok()) {
            return false;
          }
          const WindowExtent h =
              ComputeWindow(Padding::kSame, input[1], a.kernel_h, a.stride_h, a.dilation_h);
          const WindowExtent w =
              ComputeWindow(Padding::kSame, input[2], a.kernel_w, a.stride_w, a.dilation_w);
          if (wanted == ExplicitPadding{h.before, h.after, w.before, w.after}) {
            a.padding = Padding::kSame;
            return true;
          }
        }
        return false;
      },
      attributes);
}

Status PadInFront(NetworkSpec& spec, LayerSpec& layer) {
  const ExplicitPadding padding = TakeExplicitPadding(layer.attributes);
  const Shape& input = spec.ShapeOf(layer.inputs[0]);
  if (padding == ExplicitPadding{} || input.size() != 4) return {};
  if (IsSamePadding(layer.attributes, padding, input)) return {};
  QAT_RETURN_IF_ERROR(
      Append(spec, Helper(layer, "pad", OpType::kPad,
                          PadAttributes{{padding.top, padding.bottom, padding.left, padding.right}})));
  layer.inputs[0] = LastOf(spec);
  return {};
}

Status AppendParts(NetworkSpec& spec, const LayerSpec& split) {
  const auto& attributes = std::get<SplitAttributes>(split.attributes);
  for (int32_t i = 0; i < attributes.splits; ++i) {
    LayerSpec part = split;
    part.name = StrCat(split.name, ":", i);
    std::get<SplitAttributes>(part.attributes).part = i;
    if (!attributes.sizes.empty()) part.type = OpType::kSplitV;
    QAT_RETURN_IF_ERROR(Append(spec, std::move(part)));
  }
  return {};
}

Status AppendDepthwise(NetworkSpec& spec, LayerSpec layer) {
  const auto a = std::get<Conv2DAttributes>(layer.attributes);
  layer.type = OpType::kDepthwiseConv2D;
  layer.attributes = DepthwiseConv2DAttributes{.kernel_h = a.kernel_h,
                                               .kernel_w = a.kernel_w,
                                               .depth_multiplier = a.filters / a.groups,
                                               .stride_h = a.stride_h,
                                               .stride_w = a.stride_w,
                                               .dilation_h = a.dilation_h,
                                               .dilation_w = a.dilation_w,
                                               .padding = a.padding,
                                               .activation = a.activation};
  return Append(spec, std::move(layer));
}

// The concatenation gives all groups one range, as one convolution would have.
Status AppendGroups(NetworkSpec& spec, LayerSpec layer) {
  auto attributes = std::get<Conv2DAttributes>(layer.attributes);
  const int32_t groups = attributes.groups;
  const Shape& input = spec.ShapeOf(layer.inputs[0]);
  if (input.size() != 4 || input[3] % groups != 0 || attributes.filters % groups != 0) {
    return InvalidArgument(StrCat("groups is ", groups, ", expected a divisor of the channels of ",
                                  ToString(input), " and of the ", attributes.filters, " filters"));
  }
  if (groups == input[3]) return AppendDepthwise(spec, std::move(layer));
  QAT_RETURN_IF_ERROR(
      AppendParts(spec, Helper(layer, "in", OpType::kSplit, SplitAttributes{.splits = groups, .axis = -1})));
  const int32_t first_part = LastOf(spec) - groups + 1;
  attributes.groups = 1;
  attributes.filters /= groups;
  LayerSpec joined = Helper(layer, "", OpType::kConcatenation, ConcatenationAttributes{.axis = -1});
  joined.name = layer.name;
  joined.inputs.clear();
  for (int32_t i = 0; i < groups; ++i) {
    LayerSpec group = layer;
    group.name = StrCat(layer.name, "/group", i);
    group.attributes = attributes;
    group.inputs = {first_part + i};
    QAT_RETURN_IF_ERROR(Append(spec, std::move(group)));
    joined.inputs.push_back(LastOf(spec));
  }
  return Append(spec, std::move(joined));
}

}  // namespace

Status AppendLowered(NetworkSpec& spec, LayerSpec layer) {
  QAT_RETURN_IF_ERROR(PadInFront(spec, layer));
  if (std::holds_alternative<SplitAttributes>(layer.attributes)) return AppendParts(spec, layer);
  const auto* conv = std::get_if<Conv2DAttributes>(&layer.attributes);
  if (conv != nullptr && conv->groups > 1) return AppendGroups(spec, std::move(layer));
  return Append(spec, std::move(layer));
}

}  // namespace qat
