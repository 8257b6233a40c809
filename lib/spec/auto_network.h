// auto_network.h: the network for a training set if none was named, as the text of a spec.
#ifndef QAT_SPEC_AUTO_NETWORK_H_
#define QAT_SPEC_AUTO_NETWORK_H_

#include <string>

#include "spec/data_facts.h"

namespace qat {

/// What a recipe writes for "choose a network that fits the data".
inline constexpr char kAutoNetwork[] = "auto";

struct AutoNetwork {
  std::string name;  ///< of a network of the zoo, or of the text
  /// a spec whose input and outputs are those of the data; its key `classes` is Outputs()
  std::string text;
  std::string reason;  ///< a phrase for people: what it is, and what of the data decided that
};

/// Depends on sizes, classes and targets only, so the float run of a quantized one gets the same network.
///   28x28 grey images, one class each   lenet of the zoo
///   at most 16 places                   two layers of 64: features, single bytes
///   one row or column                   one-dimensional residual blocks, then a layer that sees every
///                                       position
///   images                              residual blocks with batch norm, halved until at most 8 places are
///                                       left per side; for classes their mean, for real numbers a layer
///                                       that sees every position
///   one label per pixel                 down, up and joined, a score for each class in each place of the
///                                       label map
/// Requires sizes and Outputs() > 0.
AutoNetwork ChooseNetwork(const DataFacts& facts);

}  // namespace qat

#endif  // QAT_SPEC_AUTO_NETWORK_H_
