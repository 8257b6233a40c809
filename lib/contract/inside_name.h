// inside_name.h: the name of what the network takes, where layers in front of it make it of what the model
// takes.
#ifndef QAT_CONTRACT_INSIDE_NAME_H_
#define QAT_CONTRACT_INSIDE_NAME_H_

#include <string_view>

namespace qat {

/// The input of the model keeps the name that the input of the network has; the tensor behind the layers in
/// front has this after it.
inline constexpr std::string_view kInsideSuffix = "/inside";

/// What the network calls a tensor of its model.
inline std::string_view NameInNetwork(std::string_view tensor) {
  return tensor.ends_with(kInsideSuffix) ? tensor.substr(0, tensor.size() - kInsideSuffix.size()) : tensor;
}

}  // namespace qat

#endif  // QAT_CONTRACT_INSIDE_NAME_H_
