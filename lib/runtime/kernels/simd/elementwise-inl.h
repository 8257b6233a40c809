// elementwise-inl.h: Pairs, RowSums and lookups for one instruction set. Behind requantize-inl.h, under the same rules.

namespace qat::simd {
namespace {

// Calls f(from, to) for whole vectors of bytes, then once on a copy of what is left, so that nothing behind the ends is
// touched, and an input that is the output is read before it is written.
template <class Isa, class F>
inline void ForEachVector(const uint8_t* const (&from)[2], int64_t size, uint8_t* to, const F& f) {
  constexpr int64_t kBytes = 4 * Isa::kLanes;
  int64_t i = 0;
  for (; i + kBytes <= size; i += kBytes) f(from[0] + i, from[1] + i, to + i);
  if (i == size) return;
  uint8_t rest[3][kBytes] = {};
  __builtin_memcpy(rest[0], from[0] + i, static_cast<uint64_t>(size - i));
  __builtin_memcpy(rest[1], from[1] + i, static_cast<uint64_t>(size - i));
  f(rest[0], rest[1], rest[2]);
  __builtin_memcpy(to + i, rest[2], static_cast<uint64_t>(size - i));
}

template <class Isa, int kSign>
struct SumOfPair {
  using Vector = typename Isa::Vector;
  Folded<Isa> requantize_a, requantize_b;
  Vector left = Isa::Fill(20);

  explicit SumOfPair(const Pairs& p) : requantize_a(p.stage_a, 0), requantize_b(p.stage_b, 0) {}
  Vector operator()(Vector a, Vector b) const {
    const Vector scaled_a = requantize_a(Isa::ShiftLeft(a, left));
    const Vector scaled_b = requantize_b(Isa::ShiftLeft(b, left));
    return kSign > 0 ? Isa::Add(scaled_a, scaled_b) : Isa::Subtract(scaled_a, scaled_b);
  }
};

template <class Isa>
struct ProductOfPair {
  using Vector = typename Isa::Vector;
  explicit ProductOfPair(const Pairs&) {}
  Vector operator()(Vector a, Vector b) const { return Isa::Multiply(a, b); }
};

template <class Isa, class Requantize, class Combine>
void RunPairs(const Pairs& p) {
  using Vector = typename Isa::Vector;
  const Combine combine(p);
  const Requantize requantize(p.stage, 0);
  const ByteClamp<Isa> clamp(p.stage);
  const Vector flip = Isa::FillBytes(p.stage.flip);
  const Vector zero_a = Isa::Fill(p.zero_point_a), zero_b = Isa::Fill(p.zero_point_b);
  ForEachVector<Isa>({p.a, p.b}, p.size, p.output, [&](const uint8_t* a, const uint8_t* b, uint8_t* output) {
    Vector q[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Vector x = Isa::Subtract(Isa::Widen(a + i * Isa::kLanes, flip), zero_a);
      const Vector y = Isa::Subtract(Isa::Widen(b + i * Isa::kLanes, flip), zero_b);
      q[i] = requantize(combine(x, y));
    }
    Isa::Store(output, clamp(q[0], q[1], q[2], q[3]));
  });
}

template <class Isa, class Requantize>
struct AddAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, SumOfPair<Isa, 1>>(p); }
};
template <class Isa, class Requantize>
struct SubtractAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, SumOfPair<Isa, -1>>(p); }
};
template <class Isa, class Requantize>
struct MultiplyPairsAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, ProductOfPair<Isa>>(p); }
};

template <class Isa>
void AddPairs(const Pairs& p) {
  WithRequantizer<Isa, AddAll>(p.stage, p);
}
template <class Isa>
void SubtractPairs(const Pairs& p) {
  WithRequantizer<Isa, SubtractAll>(p.stage, p);
}
template <class Isa>
void MultiplyPairs(const Pairs& p) {
  WithRequantizer<Isa, MultiplyPairsAll>(p.stage, p);
}

template <class Isa>
void SumRows(const RowSums& r) {
  using Vector = typename Isa::Vector;
  const Vector flip = Isa::FillBytes(r.flip);
  int64_t at = 0;
  for (; at + 4 * Isa::kLanes <= r.size; at += 4 * Isa::kLanes) {
    Vector sums[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) sums[i] = Isa::Load(r.sums + at + i * Isa::kLanes);
    for (int64_t row = 0; row < r.count; ++row) {
      const uint8_t* const from = r.rows + row * r.step + at;
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sums[i] = Isa::Add(sums[i], Isa::Widen(from + i * Isa::kLanes, flip));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) Isa::Store(r.sums + at + i * Isa::kLanes, sums[i]);
  }
  for (; at < r.size; ++at) {
    for (int64_t row = 0; row < r.count; ++row) r.sums[at] += r.rows[row * r.step + at] ^ r.flip;
  }
}

// Sixteen tables of sixteen bytes: each answers for its own values and gives 0 for the others.
template <class Isa>
void Lookup(const uint8_t* table, const uint8_t* from, int64_t size, uint8_t* to) {
  using Vector = typename Isa::Vector;
  ForEachVector<Isa>({from, from}, size, to, [&](const uint8_t* x, const uint8_t*, uint8_t* output) {
    Vector rest = Isa::Load(x), found = Isa::LookUp16(table, rest);
    const Vector sixteen = Isa::FillBytes(16);
#pragma GCC unroll 16
    for (int i = 1; i < 16; ++i) {
      rest = Isa::SubtractBytes(rest, sixteen);
      found = Isa::Or(found, Isa::LookUp16(table + 16 * i, rest));
    }
    Isa::Store(output, found);
  });
}

}  // namespace
}  // namespace qat::simd
