// requantize-inl.h: OutputStage for one instruction set. Included by its source only, after the register type
// Isa:
// everything here has internal linkage and includes nothing, so that no code leaves its instruction set.
//
// A requantizer is made for the units of one vector and turns their sums into unsigned bytes, one per lane,
// that still want to be clamped.

namespace qat::simd {
namespace {

template <class Isa>
struct Folded {
  using Vector = typename Isa::Vector;
  Vector multiplier, odd_multiplier, rounding, sign_shift, right_shift;

  Folded(const OutputStage& s, int64_t unit)
      : multiplier(Isa::Load(s.folded_multiplier + unit)),
        odd_multiplier(Isa::OddLanes(multiplier)),
        rounding(Isa::Load(s.rounding + unit)),
        sign_shift(Isa::Load(s.sign_shift + unit)),
        right_shift(Isa::Load(s.right_shift + unit)) {}

  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    const Vector high = Isa::RoundedHigh(acc, multiplier, odd_multiplier);
    const Vector rest = Isa::Subtract(Isa::Add(acc, rounding), Isa::ShiftRightLogical(acc, sign_shift));
    return Isa::ShiftRight(Isa::Add(high, rest), right_shift);
  }
};

// The same with h as one product, of the plain multiplier.
template <class Isa>
requires requires { &Isa::AddHighProduct; }
struct Folded<Isa> {
  using Vector = typename Isa::Vector;
  Vector multiplier, rounding, sign_shift, right_shift;

  Folded(const OutputStage& s, int64_t unit)
      : multiplier(Isa::ShiftRightLogical(Isa::Load(s.folded_multiplier + unit), Isa::Fill(1))),
        rounding(Isa::Load(s.rounding + unit)),
        sign_shift(Isa::Load(s.sign_shift + unit)),
        right_shift(Isa::Load(s.right_shift + unit)) {}

  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    const Vector rest = Isa::Subtract(rounding, Isa::ShiftRightLogical(acc, sign_shift));
    return Isa::ShiftRight(Isa::AddHighProduct(rest, acc, multiplier), right_shift);
  }
};

// Folded where the clamp takes all that is negative: without the half that rounds negative ties away from
// zero. What is negative stays so, or becomes 0.
template <class Isa>
struct FoldedFromZero {
  using Vector = typename Isa::Vector;
  Vector multiplier, odd_multiplier, rounding, right_shift;

  FoldedFromZero(const OutputStage& s, int64_t unit)
      : multiplier(Isa::Load(s.folded_multiplier + unit)),
        odd_multiplier(Isa::OddLanes(multiplier)),
        rounding(Isa::Load(s.rounding + unit)),
        right_shift(Isa::Load(s.right_shift + unit)) {}

  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    const Vector high = Isa::RoundedHigh(acc, multiplier, odd_multiplier);
    return Isa::ShiftRight(Isa::Add(high, Isa::Add(acc, rounding)), right_shift);
  }
};

template <class Isa>
requires requires { &Isa::AddHighProduct; }
struct FoldedFromZero<Isa> {
  using Vector = typename Isa::Vector;
  Vector multiplier, rounding, right_shift;

  FoldedFromZero(const OutputStage& s, int64_t unit)
      : multiplier(Isa::ShiftRightLogical(Isa::Load(s.folded_multiplier + unit), Isa::Fill(1))),
        rounding(Isa::Load(s.rounding + unit)),
        right_shift(Isa::Load(s.right_shift + unit)) {}

  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    return Isa::ShiftRight(Isa::AddHighProduct(rounding, acc, multiplier), right_shift);
  }
};

// y of OutputStage, and the exact output.
template <class Isa, bool kOfNegative>
struct Guessed {
  using Vector = typename Isa::Vector;
  const OutputStage& stage;
  int64_t unit;
  Vector scale, center, center_below;

  Guessed(const OutputStage& s, int64_t first)
      : stage(s),
        unit(first),
        scale(Isa::Load(s.guess_scale + unit)),
        center(Isa::Load(s.guess_center + unit)),
        center_below(Isa::Load(s.guess_center_below + unit)) {}

  Vector Guess(Vector acc) const {
    if constexpr (kOfNegative)
      return Isa::MultiplyAddReal(acc, scale, Isa::SelectBySign(acc, center_below, center));
    return Isa::MultiplyAddReal(acc, scale, center);
  }
  [[gnu::always_inline]] Vector operator()(Vector acc) const { return Folded<Isa>(stage, unit)(acc); }
};

// floor((a * b + 2^30) / 2^31), then / 2^right_shift to nearest, ties away from zero. The offset wraps.
template <class Isa>
struct General {
  using Vector = typename Isa::Vector;
  Vector multiplier, left_shift, right_shift, mask, half, offset, low, high, flip;

  General(const OutputStage& s, int64_t unit)
      : multiplier(Isa::Load(s.multiplier + unit)),
        left_shift(Isa::Load(s.left_shift + unit)),
        right_shift(Isa::Load(s.right_shift + unit)),
        mask(Isa::Subtract(Isa::ShiftLeft(Isa::Fill(1), right_shift), Isa::Fill(1))),
        half(Isa::ShiftRight(mask, Isa::Fill(1))),
        offset(Isa::Fill(s.offset)),
        low(Isa::Fill(s.activation_min)),
        high(Isa::Fill(s.activation_max)),
        flip(Isa::Fill(s.flip)) {}

  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    const Vector q = Isa::RoundingDoublingHighMultiply(Isa::ShiftLeft(acc, left_shift), multiplier);
    // Comparing against half + 1 where negative is comparing the remainder less one.
    const Vector remainder = Isa::Add(Isa::And(q, mask), Isa::ShiftRight(q, Isa::Fill(31)));
    const Vector rounded = Isa::AddIfGreater(Isa::ShiftRight(q, right_shift), remainder, half);
    return Isa::Add(Isa::Clamp(Isa::Add(rounded, offset), low, high), flip);
  }
};

template <class Isa>
struct Real {
  using Vector = typename Isa::Vector;
  const double* multiplier;
  Vector offset;

  Real(const OutputStage& s, int64_t unit)
      : multiplier(s.real_multiplier + unit), offset(Isa::Fill(s.offset + s.flip)) {}
  [[gnu::always_inline]] Vector operator()(Vector acc) const {
    return Isa::Add(Isa::MultiplyRounded(acc, multiplier), offset);
  }
};

// The clamp of the activation, on bytes, and the way back to signed ones.
template <class Isa>
struct ByteClamp {
  using Vector = typename Isa::Vector;
  Vector low, high, flip;

  explicit ByteClamp(const OutputStage& s)
      : low(Isa::FillBytes(s.activation_min + s.flip)),
        high(Isa::FillBytes(s.activation_max + s.flip)),
        flip(Isa::FillBytes(s.flip)) {}

  [[gnu::always_inline]] Vector operator()(Vector bytes) const {
    return Isa::Xor(Isa::ClampBytes(bytes, low, high), flip);
  }
  // The bytes of four vectors, one after the other.
  [[gnu::always_inline]] Vector operator()(Vector a, Vector b, Vector c, Vector d) const {
    return (*this)(Isa::PackBytes(a, b, c, d));
  }
};

// The bytes of the sums a to d, one after the other.
template <class Isa, class R>
[[gnu::always_inline]] inline typename Isa::Vector RequantizeBytes(const ByteClamp<Isa>& clamp, const R& of_a,
                                                                   typename Isa::Vector a, const R& of_b,
                                                                   typename Isa::Vector b, const R& of_c,
                                                                   typename Isa::Vector c, const R& of_d,
                                                                   typename Isa::Vector d) {
  if constexpr (requires { &R::Guess; }) {
    const auto guess_a = of_a.Guess(a), guess_b = of_b.Guess(b), guess_c = of_c.Guess(c),
               guess_d = of_d.Guess(d);
    const auto fractions = Isa::MinWords(Isa::LowWords(guess_a, guess_b), Isa::LowWords(guess_c, guess_d));
    if (!Isa::AnyWordUpTo(fractions, 2 * OutputStage::kGuessError)) [[likely]]
      return clamp(Isa::PackWords(Isa::HighWords(guess_a, guess_b), Isa::HighWords(guess_c, guess_d)));
  }
  return clamp(of_a(a), of_b(b), of_c(c), of_d(d));
}
template <class Isa, class R>
[[gnu::always_inline]] inline typename Isa::Vector RequantizeBytes(const ByteClamp<Isa>& clamp,
                                                                   const R& of_all, typename Isa::Vector a,
                                                                   typename Isa::Vector b,
                                                                   typename Isa::Vector c,
                                                                   typename Isa::Vector d) {
  return RequantizeBytes<Isa>(clamp, of_all, a, of_all, b, of_all, c, of_all, d);
}

// Calls f with the requantizer that the stage has arrays for.
template <class Isa, template <class, class> class F, class... Arguments>
void WithRequantizer(const OutputStage& stage, Arguments&&... arguments) {
  if constexpr (requires { &Isa::MultiplyAddReal; }) {
    if (stage.guess_scale != nullptr && stage.clamps_negative)
      return F<Isa, Guessed<Isa, false>>::Run(arguments...);
    if (stage.guess_scale != nullptr) return F<Isa, Guessed<Isa, true>>::Run(arguments...);
  }
  if constexpr (requires { &Isa::RoundedHigh; }) {
    if (stage.folded_multiplier != nullptr && stage.clamps_negative)
      return F<Isa, FoldedFromZero<Isa>>::Run(arguments...);
  }
  if (stage.folded_multiplier != nullptr) {
    F<Isa, Folded<Isa>>::Run(arguments...);
  } else if (stage.real_multiplier != nullptr) {
    F<Isa, Real<Isa>>::Run(arguments...);
  } else {
    F<Isa, General<Isa>>::Run(arguments...);
  }
}

}  // namespace
}  // namespace qat::simd
