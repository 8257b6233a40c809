// input_contract.h: how a raw byte becomes a real number. Written by qat-train, kept by every stage, embedded in the
// .tflite file, enforced by qat-eval; so nobody works out a mean and a std by hand again.
#ifndef QAT_CONTRACT_INPUT_CONTRACT_H_
#define QAT_CONTRACT_INPUT_CONTRACT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// One image as the network takes it: uint8 [H, W, C], and per channel real = (byte - mean[c]) / std[c].
struct InputContract {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  std::vector<float> mean;          ///< [channels], in byte units
  std::vector<float> std;           ///< [channels], in byte units, > 0; {0}, {255} is [0, 1]
  std::vector<std::string> labels;  ///< class names in label order; may be empty

  bool operator==(const InputContract&) const = default;
  int64_t ImageSize() const { return int64_t{height} * width * channels; }
};

/// Sizes positive, as many means and stds as channels, every mean within 1e15, every std from 1e-15 to 1e15. Errors:
/// kCorrupt.
Status Validate(const InputContract& contract);

/// "28x28x1, real = (byte - 0) / 255, 10 labels"; per-channel lists in brackets.
std::string Describe(const InputContract& contract);

/// The real value of every byte: [channels][256].
using RealTable = std::vector<std::array<float, 256>>;
RealTable MakeRealTable(const InputContract& contract);

/// bytes [count, H, W, C] -> real [count, H, W, C]. Requires sizes that agree.
void BytesToReal(const RealTable& table, std::span<const uint8_t> bytes, std::span<float> real);

/// FlatBuffer bytes (schemas/contract.fbs) and back, as stored in .qgraph, checkpoint and the metadata entry
/// kContractMetadataName of a .tflite. Errors of reading: kCorrupt.
inline constexpr char kContractMetadataName[] = "qat.input_contract";
std::vector<uint8_t> Serialize(const InputContract& contract);
Expected<InputContract> ParseInputContract(std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_CONTRACT_INPUT_CONTRACT_H_
