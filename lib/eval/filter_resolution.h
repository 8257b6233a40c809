// filter_resolution.h: how many quantized steps each output channel of a filter has. A single scale for
// channels of very different ranges leaves the small ones a few steps: the usual reason why quantization
// after training fails.
#ifndef QAT_EVAL_FILTER_RESOLUTION_H_
#define QAT_EVAL_FILTER_RESOLUTION_H_

#include <map>
#include <string>

#include "model/model.h"
#include "report/report.h"

namespace qat {

/// Of every layer with a constant uint8 or int8 filter, by the name of its output. A channel has as many
/// steps as its largest |quantized - zero_point|: 127 and more where it fills its grid, 0 where all its
/// weights became zero.
std::map<std::string, FilterResolution> FilterResolutionsOf(const Model& model);

}  // namespace qat

#endif  // QAT_EVAL_FILTER_RESOLUTION_H_
