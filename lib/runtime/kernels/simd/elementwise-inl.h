// elementwise-inl.h: Pairs, RowSums and lookups for one instruction set. Behind requantize-inl.h, under the
// same rules.

namespace qat::simd {
namespace {

// Calls f(from, to) for whole vectors of bytes, then once on a copy of the rest, so that nothing beyond the
// ends is touched, and an input that is the output is read before it is written.
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

// True where the stage halves without rounding, as the operand of the larger scale wants it.
inline bool Halves(const OutputStage& stage) {
  return stage.folded_multiplier[0] == -2147483647 - 1 && stage.right_shift[0] == 0;
}

inline Pairs Swapped(Pairs p) {
  const uint8_t* const a = p.a;
  const int32_t zero_point_a = p.zero_point_a;
  const OutputStage stage_a = p.stage_a;
  p.a = p.b, p.zero_point_a = p.zero_point_b, p.stage_a = p.stage_b;
  p.b = a, p.zero_point_b = zero_point_a, p.stage_b = stage_a;
  p.real = {p.real.scale_b, p.real.scale_a, p.real.constant, p.real.sure};
  return p;
}

// kSignA * stage_a(a * 2^20) + kSignB * stage_b(b * 2^20), stage_a being one that halves.
template <class Isa, int kSignA, int kSignB>
struct SumOfPair {
  using Vector = typename Isa::Vector;
  Folded<Isa> requantize_b;
  Vector left_a = Isa::Fill(19), left_b = Isa::Fill(20);

  explicit SumOfPair(const Pairs& p) : requantize_b(p.stage_b, 0) {}
  Vector operator()(Vector a, Vector b) const {
    const Vector scaled_a = Isa::ShiftLeft(a, left_a), scaled_b = requantize_b(Isa::ShiftLeft(b, left_b));
    if (kSignA < 0) return Isa::Subtract(scaled_b, scaled_a);
    return kSignB < 0 ? Isa::Subtract(scaled_a, scaled_b) : Isa::Add(scaled_a, scaled_b);
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
  [[maybe_unused]] const RealSum real = p.real;
  ForEachVector<Isa>({p.a, p.b}, p.size, p.output, [&](const uint8_t* a, const uint8_t* b, uint8_t* output) {
    Vector x[4], y[4], q[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      x[i] = Isa::Widen(a + i * Isa::kLanes, flip);
      y[i] = Isa::Widen(b + i * Isa::kLanes, flip);
    }
    if constexpr (requires { &Isa::RoundSum; }) {
      bool sure = real.sure > 0;
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sure = sure && Isa::RoundSum(real, x[i], y[i], q[i]);
      if (sure) return Isa::Store(output, clamp(q[0], q[1], q[2], q[3]));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) q[i] = combine(Isa::Subtract(x[i], zero_a), Isa::Subtract(y[i], zero_b));
    Isa::Store(output, RequantizeBytes<Isa>(clamp, requantize, q[0], q[1], q[2], q[3]));
  });
}

template <class Isa, class Requantize>
struct AddAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, SumOfPair<Isa, 1, 1>>(p); }
};
template <class Isa, class Requantize>
struct SubtractAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, SumOfPair<Isa, 1, -1>>(p); }
};
template <class Isa, class Requantize>
struct SubtractFromAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, SumOfPair<Isa, -1, 1>>(p); }
};
template <class Isa, class Requantize>
struct MultiplyPairsAll {
  static void Run(const Pairs& p) { RunPairs<Isa, Requantize, ProductOfPair<Isa>>(p); }
};

template <class Isa>
void AddPairs(const Pairs& p) {
  WithRequantizer<Isa, AddAll>(p.stage, Halves(p.stage_a) ? p : Swapped(p));
}
template <class Isa>
void SubtractPairs(const Pairs& p) {
  if (Halves(p.stage_a)) return WithRequantizer<Isa, SubtractAll>(p.stage, p);
  WithRequantizer<Isa, SubtractFromAll>(p.stage, Swapped(p));
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

// Where no instruction looks up more: sixteen tables of sixteen bytes, each of which answers for its own
// values and gives 0 for the others.
template <class Isa>
inline typename Isa::Vector LookUpBytes(const uint8_t* table, typename Isa::Vector x) {
  if constexpr (requires { &Isa::LookUp256; }) {
    return Isa::LookUp256(table, x);
  } else {
    auto rest = x, found = Isa::LookUp16(table, rest);
    const auto sixteen = Isa::FillBytes(16);
#pragma GCC unroll 16
    for (int i = 1; i < 16; ++i) {
      rest = Isa::SubtractBytes(rest, sixteen);
      found = Isa::Or(found, Isa::LookUp16(table + 16 * i, rest));
    }
    return found;
  }
}

template <class Isa>
void Lookup(const uint8_t* table, const uint8_t* from, int64_t size, uint8_t* to) {
  ForEachVector<Isa>({from, from}, size, to, [&](const uint8_t* x, const uint8_t*, uint8_t* output) {
    Isa::Store(output, LookUpBytes<Isa>(table, Isa::Load(x)));
  });
}

}  // namespace
}  // namespace qat::simd
