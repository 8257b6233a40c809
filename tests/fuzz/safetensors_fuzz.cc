// Named tensors: the header is JSON, and its length stands before it.
#include "base/printable.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "inspect/print.h"
#include "inspect/readers.h"
#include "support/safetensors_file.h"
#include "weights/weights_file.h"

namespace qat::fuzz {
namespace {

constexpr size_t kLengthBytes = 8;

void Run(std::span<const uint8_t> bytes) {
  const auto file = WeightsFile::Parse(Bytes(bytes.begin(), bytes.end()), "w.safetensors");
  if (!file.ok()) return;
  for (size_t i = 0; i < file->tensors().size(); ++i) (void)file->Values(i);
  const auto inspection = InspectWeights(Bytes(bytes.begin(), bytes.end()), "w.safetensors");
  if (inspection.ok()) (void)PrintableLines(InspectionText(*inspection, true));
}

std::vector<Bytes> Seeds() {
  return {
      testing::SafetensorsWriter()
          .Add("conv.weight", {2, 1, 3, 3}, std::vector<float>(18, 0.5f))
          .Add("conv.bias", {2}, {1, 2})
          .Take(),
      testing::SafetensorsOf(
          R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
          R"("b":{"dtype":"F16","shape":[1,2],"data_offsets":[4,8]},"c":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})",
          std::string(16, '\1'))};
}

size_t HeaderSize(const Bytes& bytes) {
  size_t size = 0;
  for (size_t i = kLengthBytes; i > 0; --i) size = size << 8 | bytes[i - 1];
  return std::min(size, bytes.size() - kLengthBytes);
}

// The header, with its length.
void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  if (bytes.size() < kLengthBytes) return MutateTextBytes(kWords, random, bytes);
  const size_t end = kLengthBytes + HeaderSize(bytes);
  Bytes header(bytes.begin() + kLengthBytes, bytes.begin() + static_cast<std::ptrdiff_t>(end));
  MutateTextBytes(kWords, random, header);
  bytes = testing::SafetensorsOf(TextOf(header), TextOf(std::span(bytes).subspan(end)));
}

}  // namespace

FuzzTarget SafetensorsTarget() { return {"safetensors", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
