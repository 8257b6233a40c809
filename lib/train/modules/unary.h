// unary.h: a layer whose every output is a function of one input: on 8 bits a table of 256 entries.
#ifndef QAT_TRAIN_MODULES_UNARY_H_
#define QAT_TRAIN_MODULES_UNARY_H_

#include "train/modules/module.h"

namespace qat {

class UnaryModule : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override;
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final;

 private:
  virtual at::Tensor Real(const at::Tensor& input) const = 0;
  /// The output for the quantized input q, not clamped to its type yet.
  virtual int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const = 0;
};

}  // namespace qat

#endif  // QAT_TRAIN_MODULES_UNARY_H_
