// NumPy's arrays: the header is Python text, and its length stands before it.
#include "data/npy.h"

#include "data/dataset.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/scratch.h"

namespace qat::fuzz {
namespace {

constexpr size_t kPrefix = 10;  // of versions 1; later ones have 12

void Run(std::span<const uint8_t> bytes) {
  const auto array = ParseNpy(bytes, "x.npy");
  if (!array.ok()) return;
  const auto count = static_cast<size_t>(FlatSize(array->shape));
  QAT_CHECK(array->type == DType::kString ? array->texts.size() == count
                                          : array->values.size() == count * SizeOf(array->type));
  if (array->type != DType::kString) QAT_CHECK(ParseNpy(Serialize(*array), "x.npy").ok());
  OpenOptions options;
  options.unlabelled = true;
  (void)OpenDataset(PutScratch("x.npy", bytes), Split::kTest, options);
}

Bytes Array(const std::string& type, const std::string& order, const std::string& shape, size_t value_bytes,
            bool second = false) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string text("\x93NUMPY", 6);
  text += second ? std::string("\2\0", 2) : std::string("\1\0", 2);
  for (int i = 0; i < (second ? 4 : 2); ++i) text += static_cast<char>(header.size() >> (8 * i));
  return BytesOf(text + header + std::string(value_bytes, '\1'));
}

std::vector<Bytes> Seeds() {
  return {Array("|u1", "False", "(2, 3, 4)", 24), Array("<f4", "True", "(2, 3)", 24),
          Array(">f8", "False", "(3,)", 24),      Array("<U3", "False", "(2,)", 24),
          Array("|S4", "False", "(2,)", 8, true), Array("<i8", "False", "()", 8),
          Array("<f2", "False", "(2, 2)", 8),     Array("|b1", "False", "(1, 2)", 2),
          Array("<u4", "True", "(2, 1)", 8)};
}

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  const auto newline = std::find(bytes.begin(), bytes.end(), uint8_t{'\n'});
  const auto end = static_cast<size_t>(newline - bytes.begin());
  if (bytes.size() < kPrefix || end < kPrefix || bytes[6] != 1) return MutateTextBytes(kWords, random, bytes);
  std::string header = TextOf(std::span(bytes).first(end).subspan(kPrefix));
  MutateText(kWords, random, header);
  Bytes changed(bytes.begin(), bytes.begin() + kPrefix);
  changed[8] = static_cast<uint8_t>(header.size() + 1);
  changed[9] = static_cast<uint8_t>((header.size() + 1) >> 8);
  changed.insert(changed.end(), header.begin(), header.end());
  changed.insert(changed.end(), bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end());
  bytes = std::move(changed);
}

}  // namespace

FuzzTarget NpyTarget() { return {"npy", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
