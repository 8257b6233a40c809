// An earlier report, as --baseline and the command report read it: parse, print in every form, parse again.
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "report/report.h"
#include "support/sample_report.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const auto report = ParseReport(TextOf(bytes), "report.json");
  if (!report.ok()) return;
  (void)ToTable(*report);
  TableOptions options;
  options.details = true;
  (void)ToTable(*report, options);
  (void)ToHtml(*report);
  const auto again = ParseReport(ToJson(*report), "report.json");
  QAT_CHECK(again.ok());
}

std::vector<Bytes> Seeds() { return {BytesOf(ToJson(testing::SampleReport())), BytesOf(ToJson({}))}; }

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  MutateTextBytes(kWords, random, bytes);
}

}  // namespace

FuzzTarget ReportTarget() { return {"report", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
