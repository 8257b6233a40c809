// calibrate.h: ranges of activations from data instead of training: post-training quantization.
#ifndef QAT_CALIBRATE_CALIBRATE_H_
#define QAT_CALIBRATE_CALIBRATE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "calibrate/float_run.h"
#include "calibrate/observer.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "quant/precision.h"

namespace qat {

/// Which observer finds the range of each activation.
struct ObserverChoice {
  Observer usual = Observer::kMinMax;       ///< of activations
  std::map<std::string, Observer> by_name;  ///< of some, and of inputs of reals, by the name of the tensor
};

/// "mse", "minmax,conv1=kl"; empty: minmax for all.
std::string Describe(const ObserverChoice& choice);

struct CalibrationOptions {
  Precisions precisions;
  ObserverChoice observers = {};
  ChosenExamples chosen = nullptr;
  std::vector<bool> float_outputs = {};    ///< which outputs the model will give as float32; empty: none
  std::set<std::string> int16_nodes = {};  ///< that will compute on 16 bits (KeepInt16)
};

/// Runs the graph in float32 on every image (twice, where an observer needs a histogram) and gives each
/// output that is observed in training the range by its observer: the least and the largest value it took, or
/// less, widened to hold 0; outputs that must share a scale (ir/range_groups.h) get the union. Filters lose
/// their trained ranges, so that quantization takes those of their values. An input of reals gets the range
/// of its values, of a network that was trained here that together with what training saw; or, if it is
/// named, that by its observer. Sets the graph's scheme to the name of the precisions, and the provenance
/// keys calibration_images, calibration_sha256 and kObserversKey. Same images, same ranges.
/// Requires  a verified graph without quantization, images of the size in its contract, integers to quantize
/// to.
/// Errors: kInvalidArgument (an observer for a name that has no range of its own, with the nearest),
/// kNumerical (a value that is not finite, the tensor named), kCorrupt (no images, another size), those of
/// the writer, the interpreter, the data set; kInterrupted; the graph is then as before.
Status Calibrate(const Dataset& dataset, const CalibrationOptions& options, const WorkHooks& hooks,
                 Graph& graph, std::vector<std::string>& warnings);

}  // namespace qat

#endif  // QAT_CALIBRATE_CALIBRATE_H_
