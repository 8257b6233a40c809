// multiply-inl.h: Product for one instruction set. Behind requantize-inl.h, under the same rules.
//
// Isa: Vector (kLanes int32), kRows x kBlocks accumulators, and what is called below.

namespace qat::simd {
namespace {

// Sums of kRows rows by kBlocks vectors of units from `unit` on, less the row's term; null: there is none.
// They leave by way of memory, and the loop is a function: registers that stayed live around it would be
// spilled within it.
template <class Isa, int kRows, int kBlocks>
[[gnu::noinline]] void SumTile(const Product& p, const uint8_t* const* rows, const int32_t* row_terms,
                               int64_t unit, typename Isa::Vector (&sums)[kRows][kBlocks]) {
  typename Isa::Vector acc[kRows][kBlocks];
#pragma GCC unroll 16
  for (int b = 0; b < kBlocks; ++b) {
    const auto bias = Isa::Load(p.bias + unit + b * Isa::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) acc[r][b] = bias;
  }
  if (row_terms != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto term = Isa::Fill(row_terms[r]);
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) acc[r][b] = Isa::Subtract(acc[r][b], term);
    }
  }
  const int64_t vector_size = Isa::kLanes * 4;
  const int64_t block_size = p.steps * vector_size;
  const uint8_t* filter = p.filter + unit / Isa::kLanes * block_size;
  const auto flip = Isa::RowFlip(p.stage);
  for (int64_t k = 0; k < p.steps; ++k, filter += vector_size) {
    const int64_t position = p.step_offsets[k];
    typename Isa::Vector w[kBlocks];
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) w[b] = Isa::Load(filter + b * block_size);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto x = Isa::Broadcast(rows[r] + position, flip);
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) acc[r][b] = Isa::Dot(acc[r][b], x, w[b]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) sums[r][b] = acc[r][b];
  }
}

// One vector of units: four rows fill a vector of bytes.
template <class Isa, class Requantize, int kRows>
inline void RequantizeColumn(const Product& p, int64_t unit, const typename Isa::Vector (&sums)[kRows][1],
                             uint8_t* output) {
  const Requantize requantize(p.stage, unit);
  const ByteClamp<Isa> clamp(p.stage);
  const int64_t left = p.units - unit, count = left < Isa::kLanes ? left : Isa::kLanes;
  int r = 0;
  for (; r + 4 <= kRows; r += 4) {
    const auto bytes =
        RequantizeBytes<Isa>(clamp, requantize, sums[r][0], sums[r + 1][0], sums[r + 2][0], sums[r + 3][0]);
    Isa::StoreRows(output + r * p.output_step + unit, p.output_step, bytes, count);
  }
  for (; r < kRows; ++r) {
    const auto sum = sums[r][0];
    const auto bytes = RequantizeBytes<Isa>(clamp, requantize, sum, sum, sum, sum);
    Isa::StoreBytes(output + r * p.output_step + unit, bytes, count);
  }
}

// Two vectors of units: two rows fill a vector of bytes.
template <class Isa, class Requantize, int kRows>
inline void RequantizeTwoColumns(const Product& p, int64_t unit, const typename Isa::Vector (&sums)[kRows][2],
                                 uint8_t* output) {
  const Requantize first(p.stage, unit), second(p.stage, unit + Isa::kLanes);
  const ByteClamp<Isa> clamp(p.stage);
  const int64_t left = p.units - unit, count = left < 2 * Isa::kLanes ? left : 2 * Isa::kLanes;
  for (int r = 0; r < kRows; r += 2) {
    const auto bytes = RequantizeBytes<Isa>(clamp, first, sums[r][0], second, sums[r][1], first,
                                            sums[r + 1][0], second, sums[r + 1][1]);
    uint8_t* const row = output + r * p.output_step + unit;
    Isa::StoreBytes(row, bytes, count);
    Isa::StoreBytes(row + p.output_step, Isa::UpperHalf(bytes), count);
  }
}

// In the place of a requantizer: sums stay sums. The output and its step are those of Product::sums in bytes.
template <class Isa>
struct KeepSums {
  static constexpr bool kKeeps = true;
};

template <class Isa, int kRows, int kBlocks>
inline void StoreSums(const Product& p, int64_t unit, const typename Isa::Vector (&sums)[kRows][kBlocks],
                      uint8_t* output) {
  for (int b = 0; b < kBlocks; ++b) {
    const int64_t first = unit + b * Isa::kLanes, left = p.units - first;
    if (left >= Isa::kLanes) {
      for (int r = 0; r < kRows; ++r) Isa::Store(output + r * p.output_step + first * 4, sums[r][b]);
    } else if (left > 0) {
      for (int r = 0; r < kRows; ++r)
        __builtin_memcpy(output + r * p.output_step + first * 4, &sums[r][b],
                         static_cast<uint64_t>(left) * 4);
    }
  }
}

template <class Isa, class Requantize, int kRows, int kBlocks>
inline void RequantizeTile(const Product& p, int64_t unit, typename Isa::Vector (&sums)[kRows][kBlocks],
                           uint8_t* output) {
  if constexpr (requires { Requantize::kKeeps; }) {
    return StoreSums<Isa, kRows, kBlocks>(p, unit, sums, output);
  } else {
    constexpr bool kPairsRows = kBlocks == 2 && kRows % 2 == 0 && requires { &Isa::UpperHalf; };
    if constexpr (kBlocks == 1) {
      RequantizeColumn<Isa, Requantize, kRows>(p, unit, sums, output);
    } else if constexpr (kPairsRows) {
      RequantizeTwoColumns<Isa, Requantize, kRows>(p, unit, sums, output);
    } else {
      const int64_t left = p.units - unit;
      const int64_t count = left < kBlocks * Isa::kLanes ? left : kBlocks * Isa::kLanes;
      const ByteClamp<Isa> clamp(p.stage);
      constexpr int kThird = kBlocks > 2 ? 2 : 0, kFourth = kBlocks > 3 ? 3 : 0;
      if constexpr (requires { &Requantize::Guess; }) {
        const Requantize a(p.stage, unit), b(p.stage, unit + Isa::kLanes);
        const Requantize c(p.stage, unit + kThird * Isa::kLanes), d(p.stage, unit + kFourth * Isa::kLanes);
        for (int r = 0; r < kRows; ++r) {
          const auto bytes = RequantizeBytes<Isa>(clamp, a, sums[r][0], b, sums[r][1], c, sums[r][kThird], d,
                                                  sums[r][kFourth]);
          Isa::StoreBytes(output + r * p.output_step + unit, bytes, count);
        }
        return;
      }
      for (int b = 0; b * Isa::kLanes < count; ++b) {
        const Requantize requantize(p.stage, unit + b * Isa::kLanes);
        for (int r = 0; r < kRows; ++r) sums[r][b] = requantize(sums[r][b]);
      }
      for (int r = 0; r < kRows; ++r) {
        const auto bytes = clamp(sums[r][0], sums[r][1], sums[r][kThird], sums[r][kFourth]);
        Isa::StoreBytes(output + r * p.output_step + unit, bytes, count);
      }
    }
  }
}

// Shares of a filter's zero point in the sums of each row, or of each row of its window.
template <int kRows>
using RowTerms = int32_t[Product::kMaxPoolTaps][kRows];

// The last vector of units holds the rows' terms: they are taken off here, and left to the other vectors if
// there are any.
template <class Isa, int kRows, int kBlocks>
inline void SubtractRowTerms(const Product& p, typename Isa::Vector (&sums)[kRows][kBlocks], int64_t unit,
                             int32_t* row_terms) {
  const auto lane = Isa::Fill(p.row_term_lane);
  if (unit > 0) {
    for (int r = 0; r < kRows; ++r) {
      const auto* last = reinterpret_cast<const uint8_t*>(&sums[r][kBlocks - 1]);
      __builtin_memcpy(&row_terms[r], last + p.row_term_lane * 4, 4);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    const auto term = Isa::FillFromLane(sums[r][kBlocks - 1], lane);
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) sums[r][b] = Isa::Subtract(sums[r][b], term);
  }
}

// SumTile, over the rows of each window where there are any. kLast: the vectors that hold the rows' terms, if
// any does.
template <class Isa, bool kPools, bool kLast, int kRows, int kBlocks>
inline void SumWindows(const Product& p, const uint8_t* const* rows, RowTerms<kRows>& row_terms, int64_t unit,
                       typename Isa::Vector (&sums)[kRows][kBlocks]) {
  const auto sum_tap = [&](const uint8_t* const* taps, int64_t tap, typename Isa::Vector(&to)[kRows][kBlocks])
      __attribute__((always_inline)) {
    SumTile<Isa, kRows, kBlocks>(p, taps, p.row_term_lane < 0 ? nullptr : row_terms[tap], unit, to);
    if (kLast && p.row_term_lane > 0) SubtractRowTerms<Isa, kRows, kBlocks>(p, to, unit, row_terms[tap]);
  };
  if constexpr (!kPools) return sum_tap(rows, 0, sums);
  for (int64_t tap = 0; tap < p.pool_taps; ++tap) {
    const uint8_t* taps[kRows];
    for (int r = 0; r < kRows; ++r) taps[r] = rows[r] + p.pool_offsets[tap];
    typename Isa::Vector more[kRows][kBlocks];
    sum_tap(taps, tap, more);
    for (int r = 0; r < kRows; ++r) {
      for (int b = 0; b < kBlocks; ++b) sums[r][b] = tap == 0 ? more[r][b] : Isa::Max(sums[r][b], more[r][b]);
    }
  }
}

template <class Isa, class Requantize, bool kPools, bool kLast, int kRows, int kBlocks>
inline void MultiplyTile(const Product& p, const uint8_t* const* rows, RowTerms<kRows>& row_terms,
                         int64_t unit, uint8_t* output) {
  typename Isa::Vector sums[kRows][kBlocks];
  SumWindows<Isa, kPools, kLast, kRows, kBlocks>(p, rows, row_terms, unit, sums);
  RequantizeTile<Isa, Requantize, kRows, kBlocks>(p, unit, sums, output);
}

// The last vectors, whose number is known at run time: at most kBlocks.
template <class Isa, class Requantize, bool kPools, int kRows, int kBlocks>
inline void MultiplyRest(const Product& p, const uint8_t* const* rows, RowTerms<kRows>& row_terms,
                         int64_t unit, uint8_t* output) {
  if (unit + (kBlocks - 1) * Isa::kLanes < p.units) {
    MultiplyTile<Isa, Requantize, kPools, true, kRows, kBlocks>(p, rows, row_terms, unit, output);
  } else if constexpr (kBlocks > 1) {
    MultiplyRest<Isa, Requantize, kPools, kRows, kBlocks - 1>(p, rows, row_terms, unit, output);
  }
}

// Where the next rows begin.
struct RowCursor {
  int64_t y, x;

  RowCursor(const Product& p, int64_t row) : y(row / p.width), x(row % p.width) {}
  template <int kRows>
  void Next(const Product& p, const uint8_t* (&rows)[kRows]) {
    const uint8_t* row = p.input + y * p.step_y + x * p.step_x;
    int64_t left = p.width - x;  // of this line of the image
    for (int r = 0; r < kRows; ++r, row += p.step_x) {
      if (left-- == 0) {
        row = p.input + ++y * p.step_y;
        left = p.width - 1;
      }
      rows[r] = row;
    }
    x = p.width - left;
  }
};

// Terms of rows that no vector of units holds: as one more vector, or, where a row is long, as the sum of its
// bytes.
template <class Isa, int kRows>
inline void ComputeRowTerms(const Product& p, const uint8_t* const* rows, int32_t* row_terms) {
  if (p.steps > Product::kLongRow) {
    for (int r = 0; r < kRows; ++r) {
      row_terms[r] = static_cast<int32_t>(static_cast<uint32_t>(p.row_term_factor) *
                                          static_cast<uint32_t>(Isa::SumRow(p, rows[r])));
    }
    return;
  }
  typename Isa::Vector sums[kRows][1];
  SumTile<Isa, kRows, 1>(p, rows, nullptr, p.units, sums);
  for (int r = 0; r < kRows; ++r) __builtin_memcpy(&row_terms[r], &sums[r][0], 4);
}

// What gives the rows' terms comes first: a vector of their own (lane 0), or the last ones of the units.
template <class Isa, class Requantize, bool kPools, int kRows, int kBlocks>
void MultiplyRows(const Product& p, int64_t first, RowCursor& cursor) {
  const uint8_t* rows[kRows];
  RowTerms<kRows> row_terms;
  cursor.Next(p, rows);
  const int64_t taps = kPools ? p.pool_taps : 1;
  for (int64_t tap = 0; p.row_term_lane >= 0 && tap < taps; ++tap) {
    for (int r = 0; r < kRows; ++r) row_terms[tap][r] = 0;
    if (p.row_term_lane != 0) continue;
    const uint8_t* moved[kRows];
    for (int r = 0; r < kRows; ++r) moved[r] = rows[r] + (kPools ? p.pool_offsets[tap] : 0);
    ComputeRowTerms<Isa, kRows>(p, moved, row_terms[tap]);
  }
  uint8_t* const output = p.output + first * p.output_step;
  constexpr int64_t kStep = kBlocks * Isa::kLanes;
  const int64_t whole = p.units / kStep * kStep;
  if (whole < p.units)
    MultiplyRest<Isa, Requantize, kPools, kRows, kBlocks>(p, rows, row_terms, whole, output);
  for (int64_t unit = 0; unit < whole; unit += kStep) {
    MultiplyTile<Isa, Requantize, kPools, false, kRows, kBlocks>(p, rows, row_terms, unit, output);
  }
}

// Rows in tiles of kRows. Fewer rows than a tile, or left by the last one, go in tiles of 4 or of 1: reading
// the filter once more for each of them would take longer. What is left by tiles of 4 is one that overlaps
// the one before it.
template <class Isa, class Requantize, bool kPools, int kRows, int kBlocks>
void MultiplyTiles(const Product& p) {
  int64_t row = p.begin;
  RowCursor cursor(p, row);
  for (; row + kRows <= p.end; row += kRows)
    MultiplyRows<Isa, Requantize, kPools, kRows, kBlocks>(p, row, cursor);
  const int64_t left = p.end - row;
  if (left == 0) return;
  if constexpr (kRows > 4) {
    Product rest = p;
    rest.begin = left > 1 && left < 4 && p.end - p.begin >= 4 ? p.end - 4 : row;
    MultiplyTiles<Isa, Requantize, kPools, 4, Isa::kBlocks>(rest);
  } else if (left > 1 && p.end - p.begin >= kRows) {
    cursor = RowCursor(p, p.end - kRows);
    MultiplyRows<Isa, Requantize, kPools, kRows, kBlocks>(p, p.end - kRows, cursor);
  } else {
    for (; row < p.end; ++row) MultiplyRows<Isa, Requantize, kPools, 1, Isa::kBlocks>(p, row, cursor);
  }
}

constexpr int kColumnTaps = 3;  // pixels: 3x3 filters are the usual ones
constexpr int kColumnRows = 8;  // of a tile; as many as registers hold

// True where windows are kColumnTaps pixels wide and one pixel apart, so that rows side by side read the same
// pixels.
inline bool SharesColumns(const Product& p) {
  const int64_t pixel_steps = p.step_x / 4;
  return p.step_x % 4 == 0 && p.segment_size == kColumnTaps * p.step_x && p.row_term_lane < 0 &&
         p.steps == p.segments * kColumnTaps * pixel_steps && p.width >= kColumnRows;
}

// SumTile of such rows, one after the other: each value that is read goes into the sums of all windows that
// it is part of.
template <class Isa, int kBlocks>
[[gnu::noinline]] void SumColumns(const Product& p, const uint8_t* row,
                                  typename Isa::Vector (&sums)[kColumnRows][kBlocks]) {
  typename Isa::Vector acc[kColumnRows][kBlocks];
#pragma GCC unroll 16
  for (int b = 0; b < kBlocks; ++b) {
    const auto bias = Isa::Load(p.bias + b * Isa::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kColumnRows; ++r) acc[r][b] = bias;
  }
  const int64_t vector_size = Isa::kLanes * 4, tap_size = p.step_x / 4 * vector_size;
  const uint8_t* filter = p.filter;
  const auto flip = Isa::FillBytes(p.stage.flip);
  for (int64_t s = 0; s < p.segments; ++s, filter += (kColumnTaps - 1) * tap_size) {
    const uint8_t* const run = row + p.segment_offsets[s];
    for (int64_t k = 0; k < p.step_x; k += 4, filter += vector_size) {
      typename Isa::Vector w[kColumnTaps][kBlocks];
#pragma GCC unroll 16
      for (int t = 0; t < kColumnTaps; ++t) {
#pragma GCC unroll 16
        for (int b = 0; b < kBlocks; ++b)
          w[t][b] = Isa::Load(filter + t * tap_size + b * p.steps * vector_size);
      }
      const uint8_t* pixel = run + k;
#pragma GCC unroll 16
      for (int column = 0; column < kColumnRows + kColumnTaps - 1; ++column, pixel += p.step_x) {
        const auto x = Isa::Broadcast(pixel, flip);
#pragma GCC unroll 16
        for (int t = 0; t < kColumnTaps; ++t) {
          const int r = column - t;
          if (r < 0 || r >= kColumnRows) continue;
#pragma GCC unroll 16
          for (int b = 0; b < kBlocks; ++b) acc[r][b] = Isa::Dot(acc[r][b], x, w[t][b]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kColumnRows; ++r) {
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) sums[r][b] = acc[r][b];
  }
}

// At most kBlocks vectors of units. Tiles that reach into the next line of the image are summed row by row.
template <class Isa, class Requantize, int kBlocks>
void MultiplyColumns(const Product& p) {
  int64_t row = p.begin;
  RowCursor cursor(p, row);
  for (; row + kColumnRows <= p.end; row += kColumnRows) {
    const uint8_t* rows[kColumnRows];
    typename Isa::Vector sums[kColumnRows][kBlocks];
    cursor.Next(p, rows);
    if (rows[kColumnRows - 1] - rows[0] == (kColumnRows - 1) * p.step_x) {
      SumColumns<Isa, kBlocks>(p, rows[0], sums);
    } else {
      SumTile<Isa, kColumnRows, kBlocks>(p, rows, nullptr, 0, sums);
    }
    RequantizeTile<Isa, Requantize, kColumnRows, kBlocks>(p, 0, sums, p.output + row * p.output_step);
  }
  Product rest = p;
  rest.begin = row;
  MultiplyTiles<Isa, Requantize, false, 4, Isa::kBlocks>(rest);
}

// Few units leave registers for more rows, which share the loads of the filter.
template <class Isa, class Requantize, bool kPools>
void MultiplyAll(const Product& p) {
  if constexpr (!kPools && requires { Isa::kSharesColumns; }) {
    if (p.units <= Isa::kLanes && SharesColumns(p)) return MultiplyColumns<Isa, Requantize, 1>(p);
    if (p.units <= 2 * Isa::kLanes && SharesColumns(p)) return MultiplyColumns<Isa, Requantize, 2>(p);
  }
  if (2 * p.units <= Isa::kBlocks * Isa::kLanes && p.end - p.begin >= 2 * Isa::kRows) {
    MultiplyTiles<Isa, Requantize, kPools, 2 * Isa::kRows, Isa::kBlocks / 2>(p);
  } else {
    MultiplyTiles<Isa, Requantize, kPools, Isa::kRows, Isa::kBlocks>(p);
  }
}

template <class Isa, class Requantize>
struct MultiplyPlain {
  static void Run(const Product& p) { MultiplyAll<Isa, Requantize, false>(p); }
};

// Of a folded stage only, so that no code is made of the others.
template <class Isa, class Requantize>
struct MultiplyPooled {
  static void Run(const Product& p) {
    if constexpr (requires { &Requantize::Guess; }) {
      MultiplyAll<Isa, Requantize, true>(p);
    } else {
      MultiplyAll<Isa, Folded<Isa>, true>(p);
    }
  }
};

template <class Isa>
void Multiply(const Product& p) {
  if (p.sums != nullptr) {
    Product sums = p;
    sums.output = reinterpret_cast<uint8_t*>(p.sums);
    sums.output_step = p.output_step * 4;
    return MultiplyPlain<Isa, KeepSums<Isa>>::Run(sums);
  }
  if (p.pool_taps > 1) return WithRequantizer<Isa, MultiplyPooled>(p.stage, p);
  WithRequantizer<Isa, MultiplyPlain>(p.stage, p);
}

}  // namespace
}  // namespace qat::simd
