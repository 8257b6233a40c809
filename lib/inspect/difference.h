// difference.h: in what two files differ: operators, tensors, quantization, constants, what they say besides.
#ifndef QAT_INSPECT_DIFFERENCE_H_
#define QAT_INSPECT_DIFFERENCE_H_

#include <string>
#include <vector>

#include "inspect/inspection.h"

namespace qat {

struct Difference {
  std::string where;  ///< "operator 3 (CONV_2D)", "tensor 'conv1/filter'", "file"
  std::string field;  ///< "shape", "scale", "values", …
  std::string a, b;   ///< "-": not there
};

/// Operators are aligned by the longest common sequence of their names, tensors by their places in aligned
/// operators, what is left by name. Constants of one shape are compared as real numbers: how many differ, and
/// by how much at most. Sizes and hashes of the files do not count. Empty: the same model.
std::vector<Difference> Compare(const Inspection& a, const Inspection& b);

/// "scale 0.0127, zero point 33"; "6 scales 0.001 to 0.02 along axis 0"; "-" without any.
std::string QuantizationText(const InspectedTensor& tensor);

}  // namespace qat

#endif  // QAT_INSPECT_DIFFERENCE_H_
