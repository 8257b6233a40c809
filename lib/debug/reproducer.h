// reproducer.h: one layer of a converted network as a model of its own, with an input and what it should and
// does give.
#ifndef QAT_DEBUG_REPRODUCER_H_
#define QAT_DEBUG_REPRODUCER_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "debug/converted.h"
#include "debug/isolate.h"

namespace qat {

/// Files by name.
struct ReproducerFile {
  std::string name;
  Bytes bytes;
};

/// layer.tflite: the node with its constants, quantized as in the network; input.npy, input.1.npy, …: its
/// data inputs on one example, integers; output.npy: what the integers give by the reference kernels;
/// expected.npy: what the network of real numbers has there.
/// Of the examples it is the one on which the two differ most. Errors: kInvalidArgument, for a layer that is
/// no node.
Expected<std::vector<ReproducerFile>> CutOut(const Converted& converted, const DebugLayer& layer,
                                             const Dataset& dataset);

}  // namespace qat

#endif  // QAT_DEBUG_REPRODUCER_H_
