// mutate.h: mutations of bytes, numbers and texts that know nothing of a format; those that do are made of
// them.
#ifndef QAT_TESTS_FUZZ_MUTATE_H_
#define QAT_TESTS_FUZZ_MUTATE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/random.h"

namespace qat::fuzz {

/// In [0, bound); 0 where `bound` is 0.
size_t Place(Random& random, size_t bound);

/// A number at the edge of some type: 0, ±1, 127, 2^31 - 1, …; or one near `old`; or any.
int64_t InterestingInteger(Random& random, int64_t old);

/// 0, -0, NaN, infinities, denormals, the largest, or a power of two; one time out of four near `old`.
double InterestingReal(Random& random, double old);

/// Changes, inserts, removes, copies or moves bytes, or takes some of `other`.
void MutateBytes(std::span<const uint8_t> other, Random& random, Bytes& bytes);

/// Overwrites one to eight bytes with an interesting number in either byte order. The size stays.
void MutateNumberInPlace(Random& random, std::span<uint8_t> bytes);

/// Replaces, repeats, removes or moves a line, a word or a number of a text; `words` are those that the
/// format knows.
void MutateText(std::span<const std::string> words, Random& random, std::string& text);

/// The different words of texts, sorted: keys and values that a format knows, where the texts are examples of
/// it.
std::vector<std::string> WordsIn(std::span<const Bytes> texts);

/// MutateText one to three times.
void MutateTextBytes(std::span<const std::string> words, Random& random, Bytes& bytes);

std::string TextOf(std::span<const uint8_t> bytes);
Bytes BytesOf(std::string_view text);

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_MUTATE_H_
