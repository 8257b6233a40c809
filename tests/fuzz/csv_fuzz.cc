// A table: with the usual column of answers, with a named one, and without.
#include "data/csv_table.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const std::string text = TextOf(bytes);
  for (const CsvRequest& request :
       {CsvRequest{}, CsvRequest{"kind", false}, CsvRequest{"mass,label", false}, CsvRequest{"", true}}) {
    const auto table = ParseCsv(text, "table.csv", request);
    if (!table.ok()) continue;
    const auto values = static_cast<size_t>(FlatSize(table->x.shape));
    QAT_CHECK(table->x.values.size() == values * sizeof(float));
    QAT_CHECK(table->x.shape.size() == 2 && table->features.size() == static_cast<size_t>(table->x.shape[1]));
  }
}

std::vector<Bytes> Seeds() {
  return {BytesOf("mass,height,label\n1.5,2,0\n-3e4,0.25,1\n0,7,2\n"),
          BytesOf("\xef\xbb\xbf;mass;height;kind\r\n0;1,5;2;\"a; b\"\r\n1;-3;4;\"he said \"\"no\"\"\"\r\n"),
          BytesOf("mass\theight\ty\n1\t2\t0.5\n\n3\t4\t-0.25\n"), BytesOf("x,y\n\"1\",\"2\n3\"\n")};
}

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  MutateTextBytes(kWords, random, bytes);
}

}  // namespace

FuzzTarget CsvTarget() { return {"csv", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
