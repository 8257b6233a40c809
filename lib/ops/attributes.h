// attributes.h: the parameters of an operator other than its tensors. Enumerators are numbered as TFLite's.
#ifndef QAT_OPS_ATTRIBUTES_H_
#define QAT_OPS_ATTRIBUTES_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"

namespace qat {

enum class Padding : int8_t { kSame = 0, kValid = 1 };

/// Specs only: rows and columns of zeros around an image. Reading a spec puts a pad in front instead.
struct ExplicitPadding {
  int32_t top = 0;
  int32_t bottom = 0;
  int32_t left = 0;
  int32_t right = 0;
  bool operator==(const ExplicitPadding&) const = default;
};

enum class Activation : int8_t { kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3 };

/// filters and kernel_* describe the parameters to train; a graph or a model has them in its filter's shape
/// instead.
struct Conv2DAttributes {
  int32_t filters = 0;
  int32_t kernel_h = 0;
  int32_t kernel_w = 0;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  int32_t dilation_h = 1;
  int32_t dilation_w = 1;
  Padding padding = Padding::kSame;
  Activation activation = Activation::kNone;
  int32_t groups = 1;  ///< specs only: reading one makes a split, convolutions and a concatenation of more
  ExplicitPadding explicit_padding = {};
  DType quantized_bias_type =
      DType::kFloat32;  ///< of int16 activations: int32 or int64; kFloat32: not given, which is int64
  bool operator==(const Conv2DAttributes&) const = default;
};

/// units describes the parameters to train, as above.
struct FullyConnectedAttributes {
  int32_t units = 0;
  Activation activation = Activation::kNone;
  bool keep_num_dims = false;
  bool asymmetric_inputs =
      false;  ///< models with float activations and 8-bit filters only: how inputs are quantized
  DType quantized_bias_type = DType::kFloat32;  ///< as above
  bool operator==(const FullyConnectedAttributes&) const = default;
};

struct Pool2DAttributes {
  int32_t filter_h = 2;
  int32_t filter_w = 2;
  int32_t stride_h = 2;
  int32_t stride_w = 2;
  Padding padding = Padding::kValid;
  Activation activation = Activation::kNone;
  ExplicitPadding explicit_padding = {};
  bool operator==(const Pool2DAttributes&) const = default;
};

/// One size may be -1: whatever is left. Kept in the second input too, as current writers do.
struct ReshapeAttributes {
  Shape new_shape;
  bool operator==(const ReshapeAttributes&) const = default;
};

struct SoftmaxAttributes {
  float beta = 1;
  bool operator==(const SoftmaxAttributes&) const = default;
};

/// The axis is the second input. output_type is kInt32 or kInt64.
struct ArgMaxAttributes {
  DType output_type = DType::kInt32;
  bool operator==(const ArgMaxAttributes&) const = default;
};

/// Training only: keeps each value with probability `keep` and scales it by 1 / keep; freezing removes it.
struct DropoutAttributes {
  float keep = 0.5f;
  bool operator==(const DropoutAttributes&) const = default;
};

/// Specs only: reading one folds it into the layer before it.
struct BatchNormAttributes {
  float epsilon = 1e-3f;
  float momentum = 0.99f;  ///< of the moving averages: moving = momentum * moving + (1 - momentum) * batch
  bool operator==(const BatchNormAttributes&) const = default;
};

/// One filter per channel: the filter is [1, H, W, input channels * depth_multiplier]. kernel_* describe the
/// parameters to train, as above.
struct DepthwiseConv2DAttributes {
  int32_t kernel_h = 0;
  int32_t kernel_w = 0;
  int32_t depth_multiplier = 1;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  int32_t dilation_h = 1;
  int32_t dilation_w = 1;
  Padding padding = Padding::kSame;
  Activation activation = Activation::kNone;
  ExplicitPadding explicit_padding = {};
  bool operator==(const DepthwiseConv2DAttributes&) const = default;
};

/// add, sub and mul.
struct BinaryAttributes {
  Activation activation = Activation::kNone;
  bool power_of_two_scales =
      true;  ///< add and sub of int16: values are shifted where all scales are powers of 2
  bool operator==(const BinaryAttributes&) const = default;
};

/// The axes are the second input. What is marked "specs only", here and below, makes the index inputs of a
/// graph's node; read from a graph or a model it is empty.
struct MeanAttributes {
  bool keep_dims = false;
  std::vector<int32_t> axes = {};  ///< specs only
  bool operator==(const MeanAttributes&) const = default;
};

struct LeakyReluAttributes {
  float alpha = 0;
  bool operator==(const LeakyReluAttributes&) const = default;
};

/// Specs only: the slope for negative values at the start of training, one per channel.
struct PReluAttributes {
  float slope = 0.25f;
  bool operator==(const PReluAttributes&) const = default;
};

/// A negative axis counts from the last one.
struct ConcatenationAttributes {
  int32_t axis = 0;
  bool operator==(const ConcatenationAttributes&) const = default;
};

/// Of split and split_v: how many outputs there are. Axis and sizes are inputs. A spec has one layer for each
/// part.
struct SplitAttributes {
  int32_t splits = 1;
  int32_t axis = -1;                ///< specs only
  std::vector<int32_t> sizes = {};  ///< specs only; with split_v
  int32_t part = 0;                 ///< specs only: which output this layer stands for
  bool operator==(const SplitAttributes&) const = default;
};

/// Of pack: where the new axis is; negative: counted from the last of the output.
struct PackAttributes {
  int32_t axis = 0;
  bool operator==(const PackAttributes&) const = default;
};

/// Of unpack: the axis that it takes apart, and its size.
struct UnpackAttributes {
  int32_t count = 1;
  int32_t axis = 0;
  int32_t part = 0;  ///< specs only: which output this layer stands for
  bool operator==(const UnpackAttributes&) const = default;
};

/// The axis that the indices count along; the first batch_dims axes are common to input and indices.
struct GatherAttributes {
  int32_t axis = 0;
  int32_t batch_dims = 0;
  std::vector<int32_t> indices = {};  ///< specs only
  bool operator==(const GatherAttributes&) const = default;
};

/// Element type of the output of shape (int32 or int64) and of cast.
struct CastAttributes {
  DType output_type = DType::kInt32;
  bool operator==(const CastAttributes&) const = default;
};

/// Bit i of a mask is for entry i of begin, end and strides: its begin or end is open, its one index is taken
/// and the axis dropped, or it stands for a new one of size 1.
struct StridedSliceAttributes {
  int32_t begin_mask = 0;
  int32_t end_mask = 0;
  int32_t shrink_axis_mask = 0;
  int16_t new_axis_mask = 0;
  int8_t ellipsis = -1;             ///< which entry stands for all axes that the others leave; -1: none
  bool end_is_offset = false;       ///< ends count from the beginnings
  std::vector<int32_t> begin = {};  ///< specs only, as the next two: axes after the batch
  std::vector<int32_t> end = {};
  std::vector<int32_t> strides = {};
  bool operator==(const StridedSliceAttributes&) const = default;
};

/// Specs only: axes after the batch. A size of -1 is the rest.
struct SliceAttributes {
  std::vector<int32_t> begin;
  std::vector<int32_t> size;
  bool operator==(const SliceAttributes&) const = default;
};

/// Specs only: before and after each axis but the batch; axes not listed get nothing.
struct PadAttributes {
  std::vector<int32_t> pads;
  bool operator==(const PadAttributes&) const = default;
};

/// Specs only: axis i of the output is axis permutation[i] of the input, the batch included.
struct TransposeAttributes {
  std::vector<int32_t> permutation;
  bool operator==(const TransposeAttributes&) const = default;
};

/// Specs only: where the new axis is in the output.
struct ExpandDimsAttributes {
  int32_t axis = -1;
  bool operator==(const ExpandDimsAttributes&) const = default;
};

/// Axes of size 1 to drop; none: all of them.
struct SqueezeAttributes {
  std::vector<int32_t> axes;
  bool operator==(const SqueezeAttributes&) const = default;
};

/// Where the pixels of the output lie over those of the input. The new size is the second input.
struct ResizeAttributes {
  bool align_corners = false;
  bool half_pixel_centers = false;
  int32_t height = 0;  ///< specs only, as the next three; 0: scale_h times the input's
  int32_t width = 0;
  int32_t scale_h = 0;
  int32_t scale_w = 0;
  bool operator==(const ResizeAttributes&) const = default;
};

/// The output's shape is the first input. filters and kernel_* describe the parameters to train.
struct TransposeConvAttributes {
  int32_t filters = 0;
  int32_t kernel_h = 0;
  int32_t kernel_w = 0;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  Padding padding = Padding::kSame;
  Activation activation = Activation::kNone;
  DType quantized_bias_type = DType::kFloat32;  ///< as above
  bool operator==(const TransposeConvAttributes&) const = default;
};

/// Specs only: how often each axis but the batch is repeated.
struct TileAttributes {
  std::vector<int32_t> multiples;
  bool operator==(const TileAttributes&) const = default;
};

/// Specs only: the new sizes of all axes but the batch.
struct BroadcastToAttributes {
  std::vector<int32_t> shape;
  bool operator==(const BroadcastToAttributes&) const = default;
};

/// Specs only: the axes that are read backwards.
struct ReverseAttributes {
  std::vector<int32_t> axes;
  bool operator==(const ReverseAttributes&) const = default;
};

struct GeluAttributes {
  bool approximate = false;  ///< by tanh
  bool operator==(const GeluAttributes&) const = default;
};

/// Beyond the border, the input is mirrored, with the value at the border (symmetric) or without it.
struct MirrorPadAttributes {
  bool symmetric = false;
  std::vector<int32_t> pads = {};  ///< specs only, as those of pad
  bool operator==(const MirrorPadAttributes&) const = default;
};

/// Side of the squares that become channels, or the other way round.
struct BlockAttributes {
  int32_t size = 1;
  bool operator==(const BlockAttributes&) const = default;
};

/// Which operands are read with their last two axes exchanged.
struct BatchMatMulAttributes {
  bool adjoint_a = false;
  bool adjoint_b = false;
  bool asymmetric_inputs = false;  ///< as that of fully_connected
  bool operator==(const BatchMatMulAttributes&) const = default;
};

struct CumsumAttributes {
  bool exclusive = false;
  bool reverse = false;
  int32_t axis = -1;  ///< specs only
  bool operator==(const CumsumAttributes&) const = default;
};

/// Position of the new axis; -1: after the others.
struct OneHotAttributes {
  int32_t axis = -1;
  bool operator==(const OneHotAttributes&) const = default;
};

/// Operators without attributes have none of these.
using OpAttributes =
    std::variant<std::monostate, Conv2DAttributes, FullyConnectedAttributes, Pool2DAttributes,
                 ReshapeAttributes, SoftmaxAttributes, ArgMaxAttributes, DropoutAttributes,
                 BatchNormAttributes, DepthwiseConv2DAttributes, BinaryAttributes, MeanAttributes,
                 LeakyReluAttributes, PReluAttributes, SliceAttributes, PadAttributes, TransposeAttributes,
                 ExpandDimsAttributes, ConcatenationAttributes, SplitAttributes, PackAttributes,
                 GatherAttributes, CastAttributes, StridedSliceAttributes, SqueezeAttributes,
                 ResizeAttributes, TransposeConvAttributes, UnpackAttributes, GeluAttributes,
                 MirrorPadAttributes, BlockAttributes, BatchMatMulAttributes, CumsumAttributes,
                 OneHotAttributes, TileAttributes, BroadcastToAttributes, ReverseAttributes>;

}  // namespace qat

#endif  // QAT_OPS_ATTRIBUTES_H_
