#include <array>
#include <string_view>

#include "runtime/kernels/kernel.h"

namespace qat {

// kernels/<stem>.cc defines one function per operator; what exists in training only has none.
#define QAT_OP(enumerator, stem, name, tflite_name) const OpKernels& enumerator##Kernels();
#include "ops/op_list.inc"
#undef QAT_OP

const OpKernels* FindKernels(OpType type) {
  static const std::array kAll = {
#define QAT_OP(enumerator, stem, name, tflite_name)           \
  []() -> const OpKernels* {                                  \
    if constexpr (std::string_view(#tflite_name) == "NONE") { \
      return nullptr;                                         \
    } else {                                                  \
      return &enumerator##Kernels();                          \
    }                                                         \
  }(),
#include "ops/op_list.inc"
#undef QAT_OP
  };
  return kAll[static_cast<size_t>(type)];
}

}  // namespace qat
