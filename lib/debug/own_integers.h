// own_integers.h: the filters and biases that a converted model has, where they are more than the network's
// rounded: by adaround, by corrected biases, or by another converter.
#ifndef QAT_DEBUG_OWN_INTEGERS_H_
#define QAT_DEBUG_OWN_INTEGERS_H_

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "ir/graph.h"
#include "model/model.h"
#include "plan/plan.h"

namespace qat {

/// A filter or bias of a model.
struct OwnConstant {
  DType type = DType::kFloat32;  ///< int4 where the file has that
  Bytes integers;                ///< as the model reads them: int4 unpacked to int8
  std::vector<QuantizationParams> params;
  int32_t axis = 0;
};

struct OwnIntegers {
  std::map<std::string, OwnConstant> constants;           ///< by name of the tensor
  std::map<std::string, QuantizationParams> activations;  ///< of what has one scale, to the last bit
  /// "'conv1/filter' is not in it"; then the others are empty. Empty: all could be taken
  std::string why_not;
  bool repaired = false;  ///< by adaround or bias correction, as the model has on record
};

/// Of layers that are quantized in the model and have the network's names. A filter further from the
/// network's than rounding takes it, as after equalization, or a record of equalization is that of another
/// network, and then none is taken.
OwnIntegers OwnIntegersOf(const Graph& network, const Model& model);

/// Scales of the model into the plan, and real values of its integers into `quantized`, which ApplyPlan comes
/// to afterwards. A filter that is to have another type, number of scales or range than in the model, or that
/// was equalized, stays as `network` has it, and so does its bias. Returns the names of filters and biases
/// taken.
std::vector<std::string> TakeOwn(const Graph& network, const OwnIntegers& own, QuantizationPlan& plan,
                                 Graph& quantized);

/// After ApplyPlan: biases to the last integer, where their scale is the model's.
void TakeOwnBiases(const OwnIntegers& own, const std::vector<std::string>& taken, Graph& quantized);

/// The first tensor that `model` has, too, but with other integers, type or scale: "tensor 'conv1' has
/// another scale". Empty: none.
std::string DifferenceFromModel(const Model& made, const Model& model);

}  // namespace qat

#endif  // QAT_DEBUG_OWN_INTEGERS_H_
