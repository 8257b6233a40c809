// contract.h: what goes into a network and what its outputs mean: a list of inputs and a list of outputs with
// their tasks.
#ifndef QAT_CONTRACT_CONTRACT_H_
#define QAT_CONTRACT_CONTRACT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/input_contract.h"
#include "contract/task.h"

namespace qat {

struct OutputContract {
  Task task = Task::kUnknown;
  /// class names in label order, or one name per label or number; may be empty
  std::vector<std::string> labels = {};
  /// Of real numbers: target i = mean[i % n] + std[i % n] * output i, of n means; empty: the output itself.
  std::vector<float> mean = {}, std = {};
  std::string name = {};  ///< of several outputs; of one, the column of a table that held its answers
  /// of several outputs: the columns of a table that hold its answers, where they are not called as it is
  std::string columns = {};
  /// Of classes a pixel: the stored label of those that have none and do not count, as 255; kIgnoredLabel:
  /// there is no such label.
  int32_t ignored = kIgnoredLabel;
  /// the model gives [1, C, H, W] or [1, C, T]; answers and targets are [.., C] all the same
  bool channels_first = false;
  /// Of a reconstruction: the class that is normal, every other one is an anomaly; empty: not known.
  std::string normal = {};
  bool operator==(const OutputContract&) const = default;
};

/// At least one input. Outputs in the order of the network; none: nothing is said of them.
struct Contract {
  std::vector<InputContract> inputs = std::vector<InputContract>(1);
  std::vector<OutputContract> outputs = {};

  Contract() = default;
  /// One picture of bytes and one output, as most networks have.
  Contract(int32_t height, int32_t width, int32_t channels, std::vector<float> mean, std::vector<float> std,
           std::vector<std::string> labels);
  Contract(InputContract input, std::vector<std::string> labels);

  bool operator==(const Contract&) const = default;
  const InputContract& input() const { return inputs.front(); }
  InputContract& input() { return inputs.front(); }
  /// Bytes of one example: those of its inputs, one after the other.
  int64_t ExampleSize() const;
  /// Class names of the first output; empty: none.
  const std::vector<std::string>& labels() const;
  /// An output that then says nothing is dropped.
  void set_labels(std::vector<std::string> labels);
};

/// Every input valid, finite means and stds of outputs. Errors: kCorrupt.
Status Validate(const Contract& contract);

/// Outputs, one example after the other, as the targets that they stand for, and back: in double, rounded
/// once. Requires as many outputs as targets of some examples.
void RestoreTargets(const OutputContract& contract, std::span<float> outputs);
void NormalizeTargets(const OutputContract& contract, std::span<float> targets);

/// Whether examples and answers mean the same, wherever the input is normalized.
bool SameMeaning(const Contract& a, const Contract& b);

/// What input `index` gets of examples, each of ExampleSize bytes: of one input the examples themselves, else
/// copied to `copy`.
std::span<const uint8_t> InputOf(const Contract& contract, size_t index, std::span<const uint8_t> examples,
                                 std::vector<uint8_t>& copy);

/// "28x28x1, real = (byte - 0) / 255, 10 labels"; of several inputs one after the other, each with its name.
std::string Describe(const Contract& contract);

/// FlatBuffer bytes (schemas/contract.fbs) and back, as stored in .qgraph, checkpoint and the metadata entry
/// kContractMetadataName of a .tflite. Errors of reading: kCorrupt.
inline constexpr char kContractMetadataName[] = "qat.input_contract";
std::vector<uint8_t> Serialize(const Contract& contract);
Expected<Contract> ParseContract(std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_CONTRACT_CONTRACT_H_
