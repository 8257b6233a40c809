// max_pool-inl.h: MaxPoolRow for one instruction set. Included by its source only, after the register type
// Isa and SixteenBytes: everything here has internal linkage and includes nothing.

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
struct OneByte {
  using Vector = uint8_t;
  static constexpr int64_t kBytes = 1;
  static Vector Load(const uint8_t* from) { return *from; }
  static Vector Max(Vector a, Vector b) { return a < b ? b : a; }
  static Vector Flip(Vector a, uint8_t flip) { return a ^ flip; }
  static void Store(uint8_t* to, Vector a) { *to = a; }
};

// The largest of each column from `i` on, as unsigned bytes, as long as registers are full. Returns where
// that ends.
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

// Sixteen bytes at a time. What is written beyond the channels of a pixel is overwritten by the next one.
inline void MaxOfColumns(const MaxPoolRow& m) {
  const auto low = SixteenBytes::Fill(m.activation_min), high = SixteenBytes::Fill(m.activation_max);
  uint8_t* to = m.output;
  for (int64_t pixel = 0; pixel < m.pixels; ++pixel, to += m.depth) {
    const uint8_t* const window = m.columns + pixel * m.pixel_step;
    for (int64_t c = 0; c < m.depth; c += 16) {
      auto largest = low;
      for (int64_t tap = 0; tap < m.taps; ++tap)
        largest = SixteenBytes::Max(largest, SixteenBytes::Load(window + tap * m.depth + c));
      const auto bytes = SixteenBytes::Flip(SixteenBytes::Min(largest, high), m.flip);
      if (m.output_end - (to + c) >= 16) {
        SixteenBytes::Store(to + c, bytes);
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
