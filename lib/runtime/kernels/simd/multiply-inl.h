// multiply-inl.h: Product for one instruction set. Included by its source only, after the register type Isa:
// everything here has internal linkage and includes nothing, so that no code leaves its instruction set.
//
// Isa: Vector (kLanes int32), kRows x kBlocks accumulators, and what is called below.

namespace qat::simd {
namespace {

// Bias, and the row's share of the filter's zero point.
template <class Isa, int kRows, int kBlocks>
inline void InitializeTile(const Product& p, const int32_t* row_terms, int64_t unit,
                           typename Isa::Vector (&acc)[kRows][kBlocks]) {
#pragma GCC unroll 16
  for (int b = 0; b < kBlocks; ++b) {
    const auto bias = Isa::Load(p.bias + unit + b * Isa::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[r][b] = Isa::Add(bias, Isa::Fill(row_terms[r]));
  }
}

// Sums of kRows rows by kBlocks vectors of units from `unit` on.
template <class Isa, int kRows, int kBlocks>
inline void SumTile(const Product& p, const uint8_t* const* rows, int64_t unit,
                    typename Isa::Vector (&acc)[kRows][kBlocks]) {
  const int64_t vector_size = Isa::kLanes * 4;
  const int64_t block_size = p.segments * p.segment_steps * vector_size;
  const uint8_t* filter = p.filter + unit / Isa::kLanes * block_size;
  for (int64_t s = 0; s < p.segments; ++s) {
    int64_t position = p.segment_offsets[s];
    for (int64_t k = 0; k < p.segment_steps; ++k, position += 4, filter += vector_size) {
      typename Isa::Vector w[kBlocks];
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) w[b] = Isa::Load(filter + b * block_size);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const auto x = Isa::Broadcast(rows[r] + position);
#pragma GCC unroll 16
        for (int b = 0; b < kBlocks; ++b) acc[r][b] = Isa::Dot(acc[r][b], x, w[b]);
      }
    }
  }
}

// floor((a * b + 2^30) / 2^31), then / 2^right_shift to nearest, ties away from zero.
template <class Isa>
struct FixedPoint {
  typename Isa::Vector multiplier, left_shift, right_shift, mask, half;

  FixedPoint(const Product& p, int64_t unit)
      : multiplier(Isa::Load(p.multiplier + unit)),
        left_shift(Isa::Load(p.left_shift + unit)),
        right_shift(Isa::Load(p.right_shift + unit)),
        mask(Isa::Subtract(Isa::ShiftLeft(Isa::Fill(1), right_shift), Isa::Fill(1))),
        half(Isa::ShiftRight(mask, Isa::Fill(1))) {}

  typename Isa::Vector operator()(typename Isa::Vector acc) const {
    const auto high = Isa::RoundingDoublingHighMultiply(Isa::ShiftLeft(acc, left_shift), multiplier);
    // Comparing against half + 1 where negative is comparing the remainder less one.
    const auto remainder = Isa::Add(Isa::And(high, mask), Isa::ShiftRight(high, Isa::Fill(31)));
    return Isa::AddIfGreater(Isa::ShiftRight(high, right_shift), remainder, half);
  }
};

template <class Isa>
struct Double {
  const double* multiplier;

  Double(const Product& p, int64_t unit) : multiplier(p.real_multiplier + unit) {}
  typename Isa::Vector operator()(typename Isa::Vector acc) const {
    return Isa::MultiplyRounded(acc, multiplier);
  }
};

template <class Isa, class Requantize, int kRows, int kBlocks>
inline void RequantizeTile(const Product& p, int64_t unit, typename Isa::Vector (&acc)[kRows][kBlocks],
                           uint8_t* output) {
  const auto offset = Isa::Fill(p.output_offset);
  const auto low = Isa::Fill(p.activation_min), high = Isa::Fill(p.activation_max);
#pragma GCC unroll 16
  for (int b = 0; b < kBlocks; ++b) {
    const int64_t first = unit + b * Isa::kLanes;
    const int64_t left = p.units - first;
    const Requantize requantize(p, first);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto q = Isa::Clamp(Isa::Add(requantize(acc[r][b]), offset), low, high);
      Isa::StoreBytes(output + r * p.units + first, q, left < Isa::kLanes ? left : Isa::kLanes);
    }
  }
}

template <class Isa, class Requantize, int kRows, int kBlocks>
inline void MultiplyTile(const Product& p, const uint8_t* const* rows, const int32_t* row_terms, int64_t unit,
                         uint8_t* output) {
  typename Isa::Vector acc[kRows][kBlocks];
  InitializeTile<Isa, kRows, kBlocks>(p, row_terms, unit, acc);
  SumTile<Isa, kRows, kBlocks>(p, rows, unit, acc);
  RequantizeTile<Isa, Requantize, kRows, kBlocks>(p, unit, acc, output);
}

// What is left of the units: kBlocks vectors. Leaves the rows' terms, if they are among them, to the others.
template <class Isa, class Requantize, int kRows, int kBlocks>
inline void MultiplyLastTile(const Product& p, const uint8_t* const* rows, int32_t* row_terms, int64_t unit,
                             uint8_t* output) {
  typename Isa::Vector acc[kRows][kBlocks];
  InitializeTile<Isa, kRows, kBlocks>(p, row_terms, unit, acc);
  SumTile<Isa, kRows, kBlocks>(p, rows, unit, acc);
  if (p.row_term_lane >= 0) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto term = Isa::FillFromLane(acc[r][kBlocks - 1], p.row_term_lane);
      row_terms[r] = Isa::FirstLane(term);
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) acc[r][b] = Isa::Add(acc[r][b], term);
    }
  }
  RequantizeTile<Isa, Requantize, kRows, kBlocks>(p, unit, acc, output);
}

// The same where the number of vectors is known at run time: at most kBlocks.
template <class Isa, class Requantize, int kRows, int kBlocks>
inline void MultiplyRest(const Product& p, const uint8_t* const* rows, int32_t* row_terms, int64_t unit,
                         uint8_t* output) {
  if (unit + (kBlocks - 1) * Isa::kLanes < p.units) {
    MultiplyLastTile<Isa, Requantize, kRows, kBlocks>(p, rows, row_terms, unit, output);
  } else if constexpr (kBlocks > 1) {
    MultiplyRest<Isa, Requantize, kRows, kBlocks - 1>(p, rows, row_terms, unit, output);
  }
}

// The last units first: the term of each row is among them.
template <class Isa, class Requantize, int kRows, int kBlocks>
void MultiplyRows(const Product& p, int64_t first) {
  const uint8_t* rows[kRows];
  int32_t row_terms[kRows];
  const bool sums_apart = p.row_sum_factor != 0 && p.row_term_lane < 0;
  int64_t y = first / p.width, x = first % p.width;
  for (int r = 0; r < kRows; ++r) {
    rows[r] = p.input + y * p.step_y + x * p.step_x;
    if (++x == p.width) {
      ++y;
      x = 0;
    }
    row_terms[r] = sums_apart ? Isa::RowTerm(p, rows[r]) : 0;
  }
  uint8_t* const output = p.output + first * p.units;
  constexpr int64_t kStep = kBlocks * Isa::kLanes;
  const int64_t whole = p.units / kStep * kStep;
  if (whole < p.units) MultiplyRest<Isa, Requantize, kRows, kBlocks>(p, rows, row_terms, whole, output);
  for (int64_t unit = 0; unit < whole; unit += kStep) {
    MultiplyTile<Isa, Requantize, kRows, kBlocks>(p, rows, row_terms, unit, output);
  }
}

// Rows in tiles of Isa::kRows. The last tile overlaps the one before it; fewer rows than a tile go one by one.
template <class Isa, class Requantize>
void MultiplyAll(const Product& p) {
  if (p.rows < Isa::kRows) {
    for (int64_t row = 0; row < p.rows; ++row) MultiplyRows<Isa, Requantize, 1, Isa::kBlocks>(p, row);
    return;
  }
  int64_t row = 0;
  for (; row + Isa::kRows <= p.rows; row += Isa::kRows) {
    MultiplyRows<Isa, Requantize, Isa::kRows, Isa::kBlocks>(p, row);
  }
  if (row < p.rows) MultiplyRows<Isa, Requantize, Isa::kRows, Isa::kBlocks>(p, p.rows - Isa::kRows);
}

template <class Isa>
void Multiply(const Product& p) {
  if (p.real_multiplier != nullptr) {
    MultiplyAll<Isa, Double<Isa>>(p);
  } else {
    MultiplyAll<Isa, FixedPoint<Isa>>(p);
  }
}

}  // namespace
}  // namespace qat::simd
