// moving.h: modules of operators whose outputs are values of their input, moved or chosen: real and quantized
// ones alike, on the grid that they have.
#ifndef QAT_TRAIN_MODULES_MOVING_H_
#define QAT_TRAIN_MODULES_MOVING_H_

#include <vector>

#include "train/modules/module.h"

namespace qat {

class MovingModule : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) final {
    return Moved(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final {
    return {Moved(inputs[0].values), inputs[0].params};
  }

 private:
  /// Values of any floating type.
  virtual at::Tensor Moved(const at::Tensor& input) const = 0;
};

}  // namespace qat

#endif  // QAT_TRAIN_MODULES_MOVING_H_
