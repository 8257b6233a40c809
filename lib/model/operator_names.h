// operator_names.h: TFLite's operators by name, those too of which the project reads and writes nothing.
#ifndef QAT_MODEL_OPERATOR_NAMES_H_
#define QAT_MODEL_OPERATOR_NAMES_H_

#include <cstdint>
#include <string>

namespace qat {

/// "CONV_2D" for a builtin code of TFLite's schema, "builtin operator 1000" for one that is not known.
std::string BuiltinName(int32_t code);

}  // namespace qat

#endif  // QAT_MODEL_OPERATOR_NAMES_H_
