// classifier_io.h: raw images into a model's input tensor and its output tensor into labels and scores: the same for our
// interpreter and for any other that runs the same file.
#ifndef QAT_RUNTIME_CLASSIFIER_IO_H_
#define QAT_RUNTIME_CLASSIFIER_IO_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/expected.h"
#include "contract/contract.h"
#include "model/model.h"
#include "predict/predictor.h"
#include "quant/params.h"

namespace qat {

class ClassifierIo {
 public:
  /// Bytes reach an input through 256-entry tables per channel: contract -> real -> input scale. `inputs`: all of a model's, as
  /// the contract lists them; `output`: its first one, shapes as planned. Errors: kUnsupported (an output of neither scores [1, classes] or
  /// [1, height, width, classes] nor indices of them), kCorrupt (more than one scale).
  /// `probabilities`: the scores have gone through a sigmoid or softmax.
  static Expected<ClassifierIo> Create(Contract contract, std::span<const ModelTensor* const> inputs,
                                       const ModelTensor& output, bool probabilities);

  const Contract& contract() const { return contract_; }
  /// One example into the tensors of all inputs. Errors: kInvalidArgument, where it has another size than the contract's.
  Status Load(std::span<const uint8_t> example, std::span<const std::span<uint8_t>> inputs) const;
  /// Of no image yet: the number of classes and the step of the outputs.
  Predictions Empty() const;
  /// Adds the answers that one output holds: one, or one per place, rows from the top. Errors: kNumerical (NaN).
  Status Append(std::span<const uint8_t> output, Predictions& predictions) const;

 private:
  ClassifierIo() = default;

  Contract contract_;
  std::vector<std::function<void(std::span<const uint8_t>, std::span<uint8_t>)>> load_;
  float (*read_)(std::span<const uint8_t> bytes, size_t index, QuantizationParams params) = nullptr;
  QuantizationParams output_params_;
  int32_t classes_ = 0;
  size_t values_ = 0;
  bool wide_index_ = false;
  bool probabilities_ = false;
};

}  // namespace qat

#endif  // QAT_RUNTIME_CLASSIFIER_IO_H_
