// max_pool-inl.h: MaxPoolRow for one instruction set. Included by its source only: everything here has internal linkage and
// includes nothing.

namespace qat::simd {
namespace {

// Bytes in a register of kBytes, and one by one.
template <class Isa>
struct WideBytes {
  using Vector = typename Isa::Vector;
  static constexpr int64_t kBytes = 4 * Isa::kLanes;
  static Vector Load(const uint8_t* from) { return Isa::Load(from); }
  static Vector Max(Vector a, Vector b) { return Isa::MaxBytes(a, b); }
  static Vector Flip(Vector a, uint8_t flip) { return Isa::Xor(a, Isa::FillBytes(flip)); }
  static void Store(uint8_t* to, Vector a) { Isa::Store(to, a); }
};
struct SixteenBytes {
  using Vector = __m128i;
  static constexpr int64_t kBytes = 16;
  static Vector Load(const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
  static Vector Max(Vector a, Vector b) { return _mm_max_epu8(a, b); }
  static Vector Flip(Vector a, uint8_t flip) {
    return _mm_xor_si128(a, _mm_set1_epi8(static_cast<char>(flip)));
  }
  static void Store(uint8_t* to, Vector a) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a); }
};
struct OneByte {
  using Vector = uint8_t;
  static constexpr int64_t kBytes = 1;
  static Vector Load(const uint8_t* from) { return *from; }
  static Vector Max(Vector a, Vector b) { return a < b ? b : a; }
  static Vector Flip(Vector a, uint8_t flip) { return a ^ flip; }
  static void Store(uint8_t* to, Vector a) { *to = a; }
};

// The largest of each column from `i` on, as unsigned bytes, as long as registers are full. Returns where that ends.
template <class Bytes>
inline int64_t MaxOfRows(const MaxPoolRow& m, int64_t i, uint8_t* to) {
  for (; i + Bytes::kBytes <= m.size; i += Bytes::kBytes) {
    auto largest = Bytes::Flip(Bytes::Load(m.rows + i), m.flip);
    for (int64_t row = 1; row < m.count; ++row)
      largest = Bytes::Max(largest, Bytes::Flip(Bytes::Load(m.rows + row * m.step + i), m.flip));
    Bytes::Store(to + i, largest);
  }
  return i;
}

inline void FillZeros(uint8_t* from, uint8_t* to) {
  if (from < to) __builtin_memset(from, 0, static_cast<uint64_t>(to - from));
}

// Sixteen bytes at a time. What is written behind the channels of a pixel is overwritten by the next one.
inline void MaxOfColumns(const MaxPoolRow& m) {
  const __m128i low = _mm_set1_epi8(static_cast<char>(m.activation_min));
  const __m128i high = _mm_set1_epi8(static_cast<char>(m.activation_max));
  const __m128i flip = _mm_set1_epi8(static_cast<char>(m.flip));
  uint8_t* to = m.output;
  for (int64_t pixel = 0; pixel < m.pixels; ++pixel, to += m.depth) {
    const uint8_t* const window = m.columns + pixel * m.pixel_step;
    for (int64_t c = 0; c < m.depth; c += 16) {
      __m128i largest = low;
      for (int64_t tap = 0; tap < m.taps; ++tap) {
        const auto* from = reinterpret_cast<const __m128i*>(window + tap * m.depth + c);
        largest = _mm_max_epu8(largest, _mm_loadu_si128(from));
      }
      const __m128i bytes = _mm_xor_si128(_mm_min_epu8(largest, high), flip);
      if (m.output_end - (to + c) >= 16) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + c), bytes);
      } else {
        const int64_t left = m.depth - c < 16 ? m.depth - c : 16;
        __builtin_memcpy(to + c, &bytes, static_cast<uint64_t>(left));
      }
    }
  }
}

template <class Isa>
void MaxPool(const MaxPoolRow& m) {
  uint8_t* const columns = m.columns + m.before;
  FillZeros(m.columns, columns);
  int64_t done = MaxOfRows<WideBytes<Isa>>(m, 0, columns);
  done = MaxOfRows<SixteenBytes>(m, done, columns);
  MaxOfRows<OneByte>(m, done, columns);
  FillZeros(columns + m.size, m.columns + m.padded);
  MaxOfColumns(m);
}

}  // namespace
}  // namespace qat::simd
