// The engine with coverage: libFuzzer, for a build by clang with QAT_FUZZER. The environment's
// QAT_FUZZ_TARGET names the target, since libFuzzer owns the command line. scripts/fuzz.sh runs it.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fuzz/fuzz_target.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t limit);

namespace {

const qat::fuzz::FuzzTarget& Target() {
  static const qat::fuzz::FuzzTarget* const kTarget = [] {
    const char* name = std::getenv("QAT_FUZZ_TARGET");
    return name == nullptr ? nullptr : qat::fuzz::FindTarget(name);
  }();
  if (kTarget == nullptr) {
    std::fputs("QAT_FUZZ_TARGET: expected one of the targets that `qat_fuzz --list` prints\n", stderr);
    std::exit(2);
  }
  return *kTarget;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  Target();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Target().run({data, size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t limit, unsigned seed) {
  static const std::vector<qat::Bytes> kSeeds = Target().seeds();
  qat::Random random(seed);
  qat::Bytes bytes(data, data + size);
  if (random.Below(2) == 0) {
    bytes.resize(std::max(limit, size));
    bytes.resize(LLVMFuzzerMutate(bytes.data(), size, limit));
    if (Target().mend != nullptr && random.Below(8) != 0) Target().mend(bytes);
  } else {
    qat::fuzz::MutateOnce(Target(), kSeeds, limit, random, bytes);
  }
  if (bytes.size() > limit) bytes.resize(limit);
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}
