// join_some.h: lists in messages, no longer than can be read.
#ifndef QAT_BASE_JOIN_SOME_H_
#define QAT_BASE_JOIN_SOME_H_

#include <cstddef>
#include <span>
#include <string>

namespace qat {

/// "a, b, c and 4 more": the first `most` of them, and how many others there are.
std::string JoinSome(std::span<const std::string> pieces, size_t most);

}  // namespace qat

#endif  // QAT_BASE_JOIN_SOME_H_
