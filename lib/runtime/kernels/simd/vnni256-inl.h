// vnni256-inl.h: dot products of bytes in registers of 256 bits: AVX-VNNI, and AVX-512 with VNNI where units
// are few. Behind vectors256-inl.h, under the same rules.

namespace qat::simd {
namespace {

struct Vnni256 : Vectors256 {
  static constexpr int kTapsOf3x3 = 3;  // of a depthwise filter
  // The bytes as unsigned ones.
  static Vector Broadcast(const uint8_t* from, Vector flip) {
    int32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return _mm256_xor_si256(_mm256_set1_epi32(value), flip);
  }
  static Vector Dot(Vector acc, Vector x, Vector w) { return _mm256_dpbusd_epi32(acc, x, w); }

  [[gnu::always_inline]] static Vector LoadBytes(const uint8_t* from, int64_t count) {
    if (count >= 32) return Load(from);
    uint8_t part[32] = {};
    __builtin_memcpy(part, from, static_cast<uint64_t>(count));
    return Load(part);
  }

  // Sum of the unsigned bytes of a row.
  static int32_t SumRow(const Product& p, const uint8_t* row) {
    const Vector ones = FillBytes(1), flip = FillBytes(p.stage.flip);
    Vector sum = Fill(0);
    for (int64_t s = 0; s < p.segments; ++s) {
      const uint8_t* run = row + p.segment_offsets[s];
      int64_t left = p.segment_size;
      for (; left >= 32; left -= 32, run += 32) sum = Dot(sum, Xor(Load(run), flip), ones);
      if (left > 0) {
        const Vector last = Xor(LoadBytes(run, left), flip);
        sum = Dot(sum, last, FirstBytes(left));
      }
    }
    return SumOfLanes(sum);
  }
  // 1 in the first `count` bytes, else 0.
  static Vector FirstBytes(int64_t count) {
    uint8_t bytes[32] = {};
    for (int64_t i = 0; i < count; ++i) bytes[i] = 1;
    return Load(bytes);
  }

  // Dword j of each 128 bits holds the j-th quarter of the run, so that what the unpacking puts side by side
  // is in order.
  [[gnu::always_inline]] static Vector LoadRow(const uint8_t* from, int64_t count, Vector flip) {
    const Vector bytes = Xor(LoadBytes(from, count), flip);
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
  }
  static void InterleaveRows(const Interleave& i) {
    const Vector flip = FillBytes(i.flip);
    for (int64_t at = 0; at < i.size; at += 32) {
      const int64_t left = i.size - at;
      const Vector a = LoadRow(i.rows[0] + at, left, flip), b = LoadRow(i.rows[1] + at, left, flip);
      const Vector c = LoadRow(i.rows[2] + at, left, flip), d = LoadRow(i.rows[3] + at, left, flip);
      const Vector ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
      const Vector cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
      uint8_t* const to = i.output + at * 4;
      Store(to, _mm256_unpacklo_epi16(ab_low, cd_low));
      Store(to + 32, _mm256_unpackhi_epi16(ab_low, cd_low));
      Store(to + 64, _mm256_unpacklo_epi16(ab_high, cd_high));
      Store(to + 96, _mm256_unpackhi_epi16(ab_high, cd_high));
    }
  }
};

}  // namespace
}  // namespace qat::simd
