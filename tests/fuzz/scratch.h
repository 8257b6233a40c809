// scratch.h: a folder for readers that take a path.
#ifndef QAT_TESTS_FUZZ_SCRATCH_H_
#define QAT_TESTS_FUZZ_SCRATCH_H_

#include <span>
#include <string>
#include <string_view>

namespace qat::fuzz {

/// Of this process, in memory where the system has /dev/shm; it goes away at the end.
const std::string& ScratchFolder();

/// Writes a file of the scratch folder without waiting for a disk, and returns its path.
std::string PutScratch(std::string_view name, std::span<const uint8_t> bytes);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_SCRATCH_H_
