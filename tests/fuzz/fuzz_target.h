// fuzz_target.h: a reader as the fuzzers see it. Two engines run the same targets: driver.cc, with any
// compiler and a number of seeded mutations, and libfuzzer.cc, with clang and coverage.
#ifndef QAT_TESTS_FUZZ_FUZZ_TARGET_H_
#define QAT_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/random.h"

namespace qat::fuzz {

struct FuzzTarget {
  std::string_view name;
  /// Gives the bytes to the reader and, where it takes them, to what comes after it. Whatever the bytes are,
  /// it returns: a crash, a failed check or a sanitizer's report is the finding.
  void (*run)(std::span<const uint8_t> bytes) = nullptr;
  /// Files that the reader takes, made by the writers of the tests and the programs.
  std::vector<Bytes> (*seeds)() = nullptr;
  /// Changes bytes by what is known of their structure; mutations that do not know it are the engines' own.
  void (*mutate)(Bytes& bytes, Random& random) = nullptr;
  /// Makes lengths and checksums right again after any change, as far as the structure can still be seen.
  /// Null: the format has none.
  void (*mend)(Bytes& bytes) = nullptr;
};

/// Sorted by name.
const std::vector<FuzzTarget>& AllTargets();

/// Null where there is none of this name.
const FuzzTarget* FindTarget(std::string_view name);

/// One step of an engine: a mutation with or without knowledge of the structure, mended nearly always.
void MutateOnce(const FuzzTarget& target, const std::vector<Bytes>& corpus, size_t limit, Random& random,
                Bytes& bytes);

// One function for each file *_fuzz.cc, for the table in targets.cc.
FuzzTarget BmpTarget();
FuzzTarget CheckpointTarget();
FuzzTarget CifarTarget();
FuzzTarget CsvTarget();
FuzzTarget GraphTarget();
FuzzTarget IdxTarget();
FuzzTarget JpegTarget();
FuzzTarget MetadataTarget();
FuzzTarget NpyTarget();
FuzzTarget NpzTarget();
FuzzTarget OnnxTarget();
FuzzTarget PlanTarget();
FuzzTarget PngTarget();
FuzzTarget RecipeTarget();
FuzzTarget ReportTarget();
FuzzTarget SafetensorsTarget();
FuzzTarget SpecTarget();
FuzzTarget TfliteTarget();

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_FUZZ_TARGET_H_
