// random.h: random numbers that are the same on every machine, and that need no saved state: a stream is
// named by what it is for (seed, purpose, step), so a resumed run makes it again instead of reading it from a
// checkpoint.
#ifndef QAT_BASE_RANDOM_H_
#define QAT_BASE_RANDOM_H_

#include <cstdint>
#include <span>

namespace qat {

/// SplitMix64's finalizer: a bijection of 64 bits in which every input bit moves every output bit.
/// Source    Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
constexpr uint64_t MixBits(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// One 64-bit key from several numbers: the order matters.
template <class... Rest>
constexpr uint64_t MixKey(uint64_t first, Rest... rest) {
  uint64_t key = MixBits(first);
  ((key = MixBits(key ^ static_cast<uint64_t>(rest))), ...);
  return key;
}

/// PCG32 (O'Neill 2014, XSH-RR): 64 bits of state, 32 bits per call, integer operations only.
class Random {
 public:
  explicit Random(uint64_t key) : state_(MixBits(key)), increment_(MixBits(key ^ 0x5851f42d4c957f2du) | 1) {
    Next();
  }

  uint32_t Next() {
    const uint64_t old = state_;
    state_ = old * 6364136223846793005u + increment_;
    const auto shifted = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
    const auto rotation = static_cast<uint32_t>(old >> 59);
    return (shifted >> rotation) | (shifted << ((32 - rotation) & 31));
  }

  /// Uniform in [0, bound), without modulo bias. Requires bound > 0.
  uint32_t Below(uint32_t bound) {
    const uint32_t threshold = (0u - bound) % bound;
    while (true) {
      const uint32_t value = Next();
      if (value >= threshold) return value % bound;
    }
  }

  /// Uniform in [low, high], both included. Requires low <= high.
  int32_t Between(int32_t low, int32_t high) {
    const uint32_t count = static_cast<uint32_t>(high) - static_cast<uint32_t>(low) + 1;
    const uint32_t value = count == 0 ? Next() : Below(count);  // 0: all 2^32 of them
    return static_cast<int32_t>(static_cast<uint32_t>(low) + value);
  }

  /// Uniform in [0, 1), a multiple of 2^-24: exact in float.
  float Uniform() { return static_cast<float>(Next() >> 8) * 0x1p-24f; }

 private:
  uint64_t state_;
  uint64_t increment_;
};

/// Fisher-Yates. The same permutation on every machine for the same generator state.
template <class T>
void Shuffle(std::span<T> values, Random& random) {
  for (size_t i = values.size(); i > 1; --i) {
    const uint32_t j = random.Below(static_cast<uint32_t>(i));
    T moved = values[i - 1];
    values[i - 1] = values[j];
    values[j] = moved;
  }
}

}  // namespace qat

#endif  // QAT_BASE_RANDOM_H_
