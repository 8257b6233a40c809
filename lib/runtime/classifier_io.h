// classifier_io.h: raw images into a model's input tensor and its output tensor into labels and scores: the
// same for our interpreter and for any other that runs the same file.
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

class Interpreter;

/// Interpreter::output_info of each output, in their order.
std::vector<const ModelTensor*> OutputInfos(const Interpreter& interpreter);

/// Writes one example into an input tensor.
using LoadFunction = std::function<void(std::span<const uint8_t> example, std::span<uint8_t> input)>;

/// By the contract, and by `params` where the tensor is quantized: bytes through 256-entry tables, real
/// numbers normalized.
/// Errors: kUnsupported (a type that takes no examples).
Expected<LoadFunction> MakeLoad(const InputContract& contract, const ModelTensor& input,
                                QuantizationParams params);

class ClassifierIo {
 public:
  /// Bytes reach an input through 256-entry tables per channel: contract -> real -> input scale. `inputs`:
  /// all of a model's, as the contract lists them; `outputs`: all of a model's, shapes as planned, of which
  /// the first is read, or all where the contract has several. Errors: kUnsupported (an output of neither
  /// scores [1, classes] or [1, height, width, classes] nor indices of them), kCorrupt (more than one scale,
  /// another number of outputs than the contract's).
  /// `probabilities`, for each output: its scores have gone through a sigmoid or softmax.
  static Expected<ClassifierIo> Create(Contract contract, std::span<const ModelTensor* const> inputs,
                                       std::span<const ModelTensor* const> outputs,
                                       const std::vector<bool>& probabilities);

  const Contract& contract() const { return contract_; }
  /// The same of a model whose outputs are those at `places` of all of `outputs`, with such contracts.
  Expected<ClassifierIo> WithOutputs(const std::vector<size_t>& places, std::vector<OutputContract> contracts,
                                     std::span<const ModelTensor* const> inputs,
                                     std::span<const ModelTensor* const> outputs,
                                     const std::vector<bool>& probabilities) const;
  /// One example into the tensors of all inputs. Errors: kInvalidArgument, where it has another size than the
  /// contract's.
  Status Load(std::span<const uint8_t> example, std::span<const std::span<uint8_t>> inputs) const;
  /// Outputs that are read.
  size_t output_count() const { return outputs_.size(); }
  /// Of no image yet: the number of classes and the step of the outputs.
  Predictions Empty() const;
  /// Adds the answers that the outputs of one example hold: one each, or one per place, rows from the top.
  /// Requires all of the model's.
  /// Errors: kNumerical (NaN); kUnsupported where the first of several outputs of which nothing is said has
  /// another form.
  Status Append(std::span<const std::span<const uint8_t>> outputs, Predictions& predictions) const;

 private:
  /// How one output is read.
  struct Output {
    float (*read)(std::span<const uint8_t> bytes, size_t index, QuantizationParams params) = nullptr;
    QuantizationParams params = {};
    int32_t classes = 0;
    size_t values = 0;
    bool wide_index = false;
    bool probabilities = false;
    bool channels_first = false;

    Predictions Empty() const;
    Status Append(std::span<const uint8_t> output, Predictions& predictions) const;
  };

  ClassifierIo() = default;
  static Expected<Output> MakeOutput(const ModelTensor& tensor, bool numbers, bool probabilities,
                                     bool channels_first);

  Contract contract_;
  std::vector<LoadFunction> load_;
  std::vector<Output> outputs_;
  std::vector<size_t> places_;  ///< of the outputs that are read among the model's
  /// whether the first of several outputs can be read, where no contract says that it is
  Status readable_;
};

}  // namespace qat

#endif  // QAT_RUNTIME_CLASSIFIER_IO_H_
