// onnx_windows.h: windows that move over an image, as ONNX says them. A series is an image of one row. For
// .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_WINDOWS_H_
#define QAT_IMPORT_ONNX_WINDOWS_H_

#include <algorithm>
#include <vector>

#include "import/onnx_convert.h"
#include "ops/padding.h"

namespace qat {

/// One axis of a window over `input` values.
struct Window {
  int32_t input = 1, kernel = 1, stride = 1, dilation = 1;
  int32_t before = 0, after = 0;  ///< as ONNX says
  int32_t output = 1;

  int32_t extent() const { return (kernel - 1) * dilation + 1; }
  /// What the last window reaches beyond the input: at most `after`, or more with ceil_mode.
  int32_t reach() const { return std::max((output - 1) * stride + extent() - before - input, 0); }
  bool IsSame() const {
    const WindowExtent same = ComputeWindow(Padding::kSame, input, kernel, stride, dilation);
    return same.output == output && same.before == before && same.after == reach();
  }
  bool IsValid() const { return before == 0 && reach() == 0; }
};

/// Height and width; of a series the height is 1.
using Windows = std::vector<Window>;

/// Entry i of a list of positive numbers, 1 where the list is not given. Errors: kInvalidArgument.
Expected<int32_t> PositiveAt(const std::vector<int64_t>& values, size_t i, std::string_view what);
/// Pads of the last `spatial` windows, by `pads` or `auto_pad`.
Status SetPads(const OnnxNode& node, size_t spatial, Windows& windows);
/// What a node's attributes say, for a kernel of such sizes. Errors: kInvalidArgument, kUnsupported
/// (volumes).
Expected<Windows> WindowsOf(const OnnxNode& node, const OnnxValue& x, const std::vector<int64_t>& kernel);
/// The image with the windows' pads in it, where TFLite's two ways of padding do not have them; the windows
/// are then without.
/// `counts_pads`: TFLite's own pads would not do, since it leaves them out of averages.
Expected<OnnxValue> Padded(OnnxConversion& c, const OnnxValue& image, Windows& windows,
                           OnnxBuilder::PadMode mode, bool counts_pads, Padding& padding);
/// The value of a tensor [N, H, W, C] made from a value in ToImage's order.
OnnxValue ImageOf(const OnnxConversion& c, int32_t tensor, const OnnxValue& like);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_WINDOWS_H_
