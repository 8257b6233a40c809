// layout.h: how the filters of other frameworks lie, and how they become TFLite's.
#ifndef QAT_WEIGHTS_LAYOUT_H_
#define QAT_WEIGHTS_LAYOUT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/shape.h"
#include "weights/network_layers.h"

namespace qat {

/// Whose tensors a file holds.
///            convolution     depthwise       transposed      fully connected, after a flattened map
///   pytorch  [O, I, H, W]    [C*M, 1, H, W]  [I, O, H, W]    [O, I], columns in the order C, H, W
///   keras    [H, W, I, O]    [H, W, C, M]    [H, W, O, I]    [I, O], rows in the order H, W, C
///   tflite   [O, H, W, I]    [1, H, W, C*M]  [O, H, W, I]    [O, I], columns in the order H, W, C
enum class WeightsLayout { kPyTorch, kKeras, kTflite };

std::string_view NameOf(WeightsLayout layout);  ///< "PyTorch", "Keras", "TFLite"
/// "pytorch", "keras", "tflite".
std::optional<WeightsLayout> WeightsLayoutFromName(std::string_view name);

/// ours = transpose(reshape(theirs, view), axes), in TFLite's shape.
struct Arrangement {
  Shape view;
  std::vector<int32_t> axes;
  bool reordered_columns = false;  ///< from C, H, W to H, W, C

  /// "[O, I, H, W] as [O, H, W, I]" in sizes and axes: "axes 0 2 3 1"; "as it is".
  std::string Text() const;
};

/// How a filter of `shape` fits the layer; nullopt: it does not. Convolutions over one axis fit filters with
/// one row or one column, and convolutions of a whole map a fully connected layer. `channels_last`: PyTorch's
/// flattened maps are in the order H, W, C.
std::optional<Arrangement> Arrange(WeightsLayout layout, bool channels_last, const NetworkLayer& layer,
                                   const Shape& shape);

/// The shape that `layout` has for the filter of this layer.
Shape TheirShape(WeightsLayout layout, const NetworkLayer& layer);

std::vector<float> ToOurs(const Arrangement& arrangement, const std::vector<float>& theirs);
std::vector<float> FromOurs(const Arrangement& arrangement, const std::vector<float>& ours);

}  // namespace qat

#endif  // QAT_WEIGHTS_LAYOUT_H_
