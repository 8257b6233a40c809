// layer_error.h: what quantization costs each layer: float against integers, layer by layer on the same
// images.
#ifndef QAT_EVAL_LAYER_ERROR_H_
#define QAT_EVAL_LAYER_ERROR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// `images` [count, H, W, C], raw bytes. For every layer that is real in `reference` and quantized in
/// `model`, of the same name and size, with r the reference's values and q the model's, over all images:
///   sqnr_db     = 10 log10(sum r^2 / sum (r - q)^2): everything up to this layer;
///   own_sqnr_db = the same with q = r rounded to this layer's own grid: what its scale and range alone cost;
///   max_steps   = max |r - q| / step;
///   range_used  = (max q - min q) / (255 step): how much of its 256 values the layer uses;
///   clipped     = share of r outside the representable range;
///   histogram   = of r, 40 cells of eight steps: 32 over the representable range, four on either side.
/// A layer without any noise, or without signal, has no ratio. Errors: those of Layers; kInterrupted.
Expected<std::vector<LayerError>> MeasureLayerErrors(Predictor& reference, Predictor& model,
                                                     std::span<const uint8_t> images, int64_t count,
                                                     const WorkHooks& hooks);

/// The layer to look at first, perhaps the input: the one whose own rounding is worst. Null: there is none
/// with a ratio.
const LayerError* WorstLayer(const std::vector<LayerError>& errors, const std::string& model);

/// The layer with the largest share of coarse channels in its filter. Null: no channel is coarse.
const LayerError* CoarsestFilter(const std::vector<LayerError>& errors, const std::string& model);

}  // namespace qat

#endif  // QAT_EVAL_LAYER_ERROR_H_
