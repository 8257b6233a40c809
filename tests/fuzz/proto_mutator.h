// proto_mutator.h: mutations of protobuf messages: fields of the wire format change, move or repeat, and
// lengths around them follow.
#ifndef QAT_TESTS_FUZZ_PROTO_MUTATOR_H_
#define QAT_TESTS_FUZZ_PROTO_MUTATOR_H_

#include "base/file.h"
#include "base/random.h"

namespace qat::fuzz {

/// What looks like a message inside a field is taken for one.
void MutateMessage(Random& random, Bytes& bytes);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_PROTO_MUTATOR_H_
