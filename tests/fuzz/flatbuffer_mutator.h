// flatbuffer_mutator.h: mutations of a FlatBuffer that follow its schema: one field, length, offset or vtable
// entry changes, and the rest stays readable. Sizes do not change, so a FlatBuffer inside another file can be
// mutated where it lies.
#ifndef QAT_TESTS_FUZZ_FLATBUFFER_MUTATOR_H_
#define QAT_TESTS_FUZZ_FLATBUFFER_MUTATOR_H_

#include <cstdint>
#include <span>

#include "base/random.h"

namespace qat::fuzz {

enum class TableKind { kContract, kCheckpoint, kGraph, kModel, kModelMetadata };

/// Changes one to four places of a FlatBuffer whose root is a table of this kind; bytes that are none are
/// changed as numbers.
void MutateTables(TableKind kind, Random& random, std::span<uint8_t> bytes);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_FLATBUFFER_MUTATOR_H_
