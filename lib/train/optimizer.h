// optimizer.h: Adam and momentum as flat loops over the parameters: one pass instead of torch::optim's ten
// small operators, and plain vectors as state, which a trainer state stores exactly.
#ifndef QAT_TRAIN_OPTIMIZER_H_
#define QAT_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace qat {

/// A parameter as the optimizer sees it. Weight decay applies to filters, not to biases. Without a gradient
/// it stays as it is: moving averages of batch norms.
struct TrainableSpan {
  std::string name;
  std::span<float> values;
  std::span<const float> gradient;
  bool decays = false;
  /// One number per row of values: what they are measured in. They learn as values / unit would: gradients
  /// times it, updates times it. Empty: all are 1.
  std::vector<float> units = {};
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step. Requires the same parameters, in the same order, every time.
  virtual void Step(std::span<const TrainableSpan> parameters, double learning_rate) = 0;

  /// Everything that later steps depend on: tensors "<slot>/<parameter>", flat, in LibTorch's layout.
  virtual void Save(std::span<const TrainableSpan> parameters, TrainerState& state) const = 0;
  /// Errors: kCorrupt, naming the tensor that is missing or has another size.
  virtual Status Load(std::span<const TrainableSpan> parameters, const TrainerState& state) = 0;
};

/// Adam with decoupled weight decay, betas 0.9 and 0.999, epsilon 1e-8:
///   m += (1 - b1) (g - m);  v += (1 - b2) (g^2 - v);
///   x -= rate * decay * x;  x -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
/// Source    Kingma, Ba 2015; Loshchilov, Hutter 2019.
std::unique_ptr<Optimizer> MakeAdam(double weight_decay);

/// With d = g + decay * x:  u = momentum * u + d;  x -= rate * u, or with Nesterov's step x -= rate * (d +
/// momentum * u).
/// Source    Sutskever et al. 2013, as torch.optim.SGD writes it.
std::unique_ptr<Optimizer> MakeSgd(double weight_decay, double momentum = 0.9, bool nesterov = false);

}  // namespace qat

#endif  // QAT_TRAIN_OPTIMIZER_H_
