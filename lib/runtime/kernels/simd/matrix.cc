#include "runtime/kernels/simd/matrix.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>

namespace qat::simd {
namespace {

constexpr int64_t kStep = 4;       // bytes of a run that one lane takes at a time
constexpr int64_t kRowSlack = 64;  // bytes beyond gathered rows
constexpr int32_t kMiddle = 128;   // between uint8 and int8

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }
int64_t ElementSize(const Instructions& instructions) { return instructions.widens ? 2 : 1; }

// What sum(x) is multiplied with and taken off: zw - 128, or zw where bytes are signed.
int32_t RowTermFactor(const Instructions& instructions, const Operands& operands) {
  if (instructions.widens) return 0;
  return operands.filter_zero_point - (operands.is_signed ? 0 : kMiddle);
}

int64_t SegmentSteps(const Instructions& instructions, int64_t segment_size) {
  return RoundUp(segment_size * ElementSize(instructions), kStep) / kStep;
}

// Where the bytes of each step lie: those of all runs, then those with a second part once more.
std::vector<int64_t> StepOffsets(const Segments& segments, int64_t element_size,
                                 const std::vector<int64_t>& two_part_steps) {
  const int64_t steps = RoundUp(segments.segment_size * element_size, kStep) / kStep;
  std::vector<int64_t> offsets;
  for (const int64_t offset : segments.offsets) {
    for (int64_t step = 0; step < steps; ++step) offsets.push_back(offset * element_size + step * kStep);
  }
  for (const int64_t step : two_part_steps) offsets.push_back(offsets[static_cast<size_t>(step)]);
  return offsets;
}

// Lane i has unit i.
std::vector<int64_t> UnitsOfLanes(int64_t units, int64_t lanes) {
  std::vector<int64_t> all(static_cast<size_t>(lanes), -1);
  std::iota(all.begin(), all.begin() + units, int64_t{0});
  return all;
}

// A word whose first `count` bytes, of 1 to 4, are ones.
uint32_t FirstBytes(int64_t count) { return ~0u >> 8 * (kStep - count); }

// What int8 holds of w - zw, and what it leaves.
int32_t FirstPart(int32_t value) { return std::clamp(value, -128, 127); }
int32_t SecondPart(int32_t value) { return value - FirstPart(value); }

// Steps with values that have a second part; empty where two parts are not enough.
std::optional<std::vector<int64_t>> TwoPartSteps(const Segments& segments, std::span<const uint8_t> filter,
                                                 const Operands& operands) {
  const int64_t size = segments.segment_size, steps = RoundUp(size, kStep) / kStep;
  std::vector<bool> found(segments.offsets.size() * static_cast<size_t>(steps));
  for (size_t first = 0; first < filter.size();) {
    for (size_t step = 0; step < found.size(); step += static_cast<size_t>(steps)) {
      for (int64_t i = 0; i < size; ++i) {
        const int32_t value = operands.FilterValue(filter[first++]);
        if (SecondPart(value) == 0) continue;
        if (SecondPart(SecondPart(value)) != 0) return std::nullopt;
        found[step + static_cast<size_t>(i / kStep)] = true;
      }
    }
  }
  std::vector<int64_t> all;
  for (size_t step = 0; step < found.size(); ++step) {
    if (found[step]) all.push_back(static_cast<int64_t>(step));
  }
  return all;
}

struct UnitSums {
  int64_t values = 0;  // of w - zero point
  int64_t magnitudes = 0;
};
UnitSums SumsOf(std::span<const uint8_t> unit, const Operands& operands) {
  constexpr size_t kBlock = 1 << 16;  // whose sums fit into 32 bits, which vectors add
  const uint8_t flip = operands.flip();
  const int32_t zero = operands.filter_zero_point + flip;
  UnitSums sums;
  for (size_t first = 0; first < unit.size(); first += kBlock) {
    int32_t values = 0, magnitudes = 0;
    for (const uint8_t w : unit.subspan(first, std::min(kBlock, unit.size() - first))) {
      const int32_t value = (w ^ flip) - zero;
      values += value;
      magnitudes += value < 0 ? -value : value;
    }
    sums.values += values;
    sums.magnitudes += magnitudes;
  }
  return sums;
}

// Largest magnitude of each unit's accumulator.
std::vector<int64_t> Bounds(std::span<const uint8_t> filter, int64_t units, std::span<const int32_t> bias,
                            const Operands& operands) {
  const size_t depth = filter.size() / static_cast<size_t>(units);
  std::vector<int64_t> bounds;
  for (size_t unit = 0; unit < static_cast<size_t>(units); ++unit) {
    const int64_t sum = SumsOf(filter.subspan(unit * depth, depth), operands).magnitudes;
    bounds.push_back(sum * operands.InputReach() + (bias.empty() ? 0 : std::abs(int64_t{bias[unit]})));
  }
  return bounds;
}

int64_t RowSize(const FullyConnected& layer) {
  return RoundUp(layer.shape.acc_depth * layer.filter.element_size(), kStep);
}

}  // namespace

bool SplitsUnits(const ThreadPool* pool, int64_t rows, int64_t units) {
  if (pool == nullptr) return false;
  const int64_t threads = pool->threads();
  return rows < 2 * kRowGrain * threads && units >= threads * kUnitGrain;
}

const Instructions* InstructionsOf(Isa isa) {
#ifdef QAT_X86_KERNELS
  if (isa == Isa::kAvx2) return &kAvx2Instructions;
  if (isa == Isa::kAvxVnni) return HasAvxVnniEncoding() ? &kAvxVnniInstructions : &kAvx512VlInstructions;
  if (isa == Isa::kAvx512Vnni) return &kAvx512VnniInstructions;
#endif
#ifdef QAT_ARM_KERNELS
  if (isa == Isa::kNeon) return &kNeonInstructions;
  if (isa == Isa::kNeonDot) return &kNeonDotInstructions;
#endif
  (void)isa;
  return nullptr;
}

AlignedBytes::AlignedBytes(size_t size) : data_(static_cast<uint8_t*>(::operator new[](size, kAlignment))) {
  std::memset(data_.get(), 0, size);
}

PackedFilter::PackedFilter(const Instructions& instructions, const Segments& segments,
                           std::span<const uint8_t> filter, int64_t units, std::span<const int32_t> bias,
                           const Operands& operands, const Requantization& requantization)
    : instructions_(&instructions),
      operands_(operands),
      units_(units),
      split_(SplitOf(instructions, segments, filter, units, operands)),
      padded_units_(RoundUp(units + (split_.row_term ? 1 : 0), lanes())),
      segment_size_(segments.segment_size),
      segment_steps_(SegmentSteps(instructions, segments.segment_size)),
      segment_offsets_(segments.offsets),
      step_offsets_(StepOffsets(segments, ElementSize(instructions), split_.two_part_steps)),
      values_(static_cast<size_t>(padded_units_ * kStep) * step_offsets_.size()),
      stage_(requantization, operands.is_signed, UnitsOfLanes(units, padded_units_),
             Bounds(filter, units, bias, operands)) {
  for (int64_t& offset : segment_offsets_) offset *= element_size();
  PackValues(filter);
  FoldBias(filter, bias);
  PlaceRowTerm();
}

// In instructions per row, counted in the kernels: a row term costs 3 in a free lane; as a vector of its own
// it costs one per step, or 8 and 4 per run where the bytes are summed. kMostUnits is an estimate: with more
// units, the row term is a small share.
PackedFilter::Split PackedFilter::SplitOf(const Instructions& instructions, const Segments& segments,
                                          std::span<const uint8_t> filter, int64_t units,
                                          const Operands& operands) {
  constexpr int64_t kMostUnits = 64;
  const Split row_term{RowTermFactor(instructions, operands) != 0, {}};
  if (!row_term.row_term || units > kMostUnits) return row_term;
  auto two_part_steps = TwoPartSteps(segments, filter, operands);
  if (!two_part_steps.has_value()) return row_term;
  const int64_t lanes = units <= instructions.narrow_lanes ? instructions.narrow_lanes : instructions.lanes;
  const auto runs = static_cast<int64_t>(segments.offsets.size());
  const int64_t steps = runs * SegmentSteps(instructions, segments.segment_size);
  const int64_t lane_cost = 3, vector_cost = std::min(steps, 8 + 4 * runs);
  const int64_t cost = units % lanes != 0 ? lane_cost : vector_cost;
  const auto more = static_cast<int64_t>(two_part_steps->size()) * (RoundUp(units, lanes) / lanes);
  return more > cost ? row_term : Split{false, *std::move(two_part_steps)};
}

// Products of bytes are faster.
int64_t PackedFilter::WorkOfARow() const {
  return units_ * static_cast<int64_t>(step_offsets_.size()) * instructions_->taps() / 2;
}

void PackedFilter::Multiply(const Product& product, int64_t rows, ThreadPool* pool) const {
  const auto multiply = is_narrow() ? instructions_->narrow_multiply : instructions_->multiply;
  const int64_t work = rows * WorkOfARow();
  if (SplitsUnits(pool, rows, units_) && CanSplitUnits()) {
    ForRuns(pool, work, units_, kUnitGrain, [&](int64_t begin, int64_t end, int) {
      Product part = OfUnits(product, begin, end);
      part.begin = 0;
      part.end = rows;
      multiply(part);
    });
    return;
  }
  ForRuns(pool, work, rows, kRowGrain, [&](int64_t begin, int64_t end, int) {
    Product part = product;
    part.begin = begin;
    part.end = end;
    multiply(part);
  });
}

// Terms of short rows come out of a vector after the last units, which only the last part has.
bool PackedFilter::CanSplitUnits() const {
  return row_term_lane_ < 0 || static_cast<int64_t>(step_offsets_.size()) > Product::kLongRow;
}

// Units [begin, end) of a product; begin at a vector.
Product PackedFilter::OfUnits(const Product& product, int64_t begin, int64_t end) const {
  Product part = product;
  part.units = end - begin;
  part.filter += begin * product.steps * kStep;
  part.bias += begin;
  if (part.sums != nullptr) {
    part.sums += begin;
  } else {
    part.output += begin;
  }
  part.stage = OfUnitsFrom(product.stage, begin);
  if (end < units_ && part.row_term_lane > 0)
    part.row_term_lane = 0;  // another part has the vector with the term
  return part;
}

// word(position, count) holds `count` values of `unit` from `position` on, as a lane takes them, and zeros. A
// lane takes kValues; the compiler knows that of all words but the last of a segment.
template <int64_t kValues, class Word>
void PackedFilter::PackUnit(int64_t unit, Word word) {
  const int64_t step = lanes() * kStep;
  const auto segments = static_cast<int64_t>(segment_offsets_.size());
  uint8_t* to = UnitValues(unit);
  for (int64_t segment = 0; segment < segments; ++segment) {
    const auto put = [&](uint32_t packed) {
      std::memcpy(to, &packed, sizeof(packed));
      to += step;
    };
    const int64_t first = segment * segment_size_, end = first + segment_size_;
    int64_t at = first;
    for (; at + kValues <= end; at += kValues) put(word(at, kValues));
    if (at < end) put(word(at, end - at));
  }
}

uint8_t* PackedFilter::UnitValues(int64_t unit) {
  const auto steps = static_cast<int64_t>(step_offsets_.size());
  return values_.data() + (unit / lanes() * lanes() * steps + unit % lanes()) * kStep;
}

// w - zw: first parts of all steps, then the second parts that there are.
void PackedFilter::PackInParts(int64_t unit, const uint8_t* w) {
  const auto word = [&](int64_t at, int64_t count, const auto& part) {
    uint8_t bytes[kStep] = {};
    for (int64_t i = 0; i < count; ++i)
      bytes[i] = static_cast<uint8_t>(part(operands_.FilterValue(w[at + i])));
    uint32_t packed;
    std::memcpy(&packed, bytes, sizeof(packed));
    return packed;
  };
  PackUnit<4>(unit, [&](int64_t at, int64_t count) { return word(at, count, FirstPart); });
  const auto segments = static_cast<int64_t>(segment_offsets_.size());
  uint8_t* to = UnitValues(unit) + segments * segment_steps_ * lanes() * kStep;
  for (const int64_t step : split_.two_part_steps) {
    const int64_t inside = step % segment_steps_ * kStep;
    const uint32_t packed = word(step / segment_steps_ * segment_size_ + inside,
                                 std::min(kStep, segment_size_ - inside), SecondPart);
    std::memcpy(to, &packed, sizeof(packed));
    to += lanes() * kStep;
  }
}

void PackedFilter::PackValues(std::span<const uint8_t> filter) {
  const size_t depth = filter.size() / static_cast<size_t>(units_);
  const uint32_t to_signed = operands_.is_signed ? 0 : 0x80808080;
  for (int64_t unit = 0; unit < units_; ++unit) {
    const uint8_t* const w = filter.data() + static_cast<size_t>(unit) * depth;
    if (instructions_->widens) {
      PackUnit<2>(unit, [&](int64_t at, int64_t count) {
        const auto low = static_cast<uint16_t>(operands_.FilterValue(w[at]));
        const auto high = static_cast<uint16_t>(count > 1 ? operands_.FilterValue(w[at + 1]) : 0);
        return uint32_t{high} << 16 | low;
      });
    } else if (!split_.row_term && RowTermFactor(*instructions_, operands_) != 0) {
      PackInParts(unit, w);
    } else {
      PackUnit<4>(unit, [&](int64_t at, int64_t count) {
        uint32_t bytes = 0;
        std::memcpy(&bytes, w + at, static_cast<size_t>(count));
        return (bytes ^ to_signed) & FirstBytes(count);
      });
    }
  }
}

void PackedFilter::PlaceRowTerm() {
  if (!split_.row_term) return;
  row_term_lane_ = static_cast<int32_t>(units_ % lanes());
  const auto factor = static_cast<uint8_t>(RowTermFactor(*instructions_, operands_));
  PackUnit<4>(units_, [&](int64_t, int64_t count) { return 0x01010101u * factor & FirstBytes(count); });
}

// In uint32: sums wrap.
void PackedFilter::FoldBias(std::span<const uint8_t> filter, std::span<const int32_t> bias) {
  bias_.assign(static_cast<size_t>(padded_units_), 0);
  std::copy(bias.begin(), bias.end(), bias_.begin());
  if (instructions_->widens) return;
  const size_t depth = filter.size() / static_cast<size_t>(units_);
  for (size_t unit = 0; unit < static_cast<size_t>(units_); ++unit) {
    const auto sum = static_cast<uint32_t>(SumsOf(filter.subspan(unit * depth, depth), operands_).values);
    const auto zero_point =
        static_cast<uint32_t>(operands_.unsigned_input_zero_point() - instructions_->row_shift());
    bias_[unit] = static_cast<int32_t>(static_cast<uint32_t>(bias_[unit]) - zero_point * sum);
  }
}

Product PackedFilter::AsProduct() const {
  Product product = {};
  product.segment_offsets = segment_offsets_.data();
  product.segments = static_cast<int64_t>(segment_offsets_.size());
  product.step_offsets = step_offsets_.data();
  product.steps = static_cast<int64_t>(step_offsets_.size());
  product.segment_size = segment_size_ * element_size();
  product.filter = values_.data();
  product.pool_taps = 1;
  product.units = product.output_step = units_;
  product.bias = bias_.data();
  product.row_term_lane = row_term_lane_;
  product.row_term_factor = RowTermFactor(*instructions_, operands_);
  product.stage = stage_.View();
  return product;
}

void PackedFilter::ConvertInput(const uint8_t* from, uint8_t* to, int64_t count) const {
  const auto offset = static_cast<int16_t>(-operands_.input_zero_point);
  auto* const wide = reinterpret_cast<int16_t*>(to);
  if (instructions_->widen != nullptr) {
    instructions_->widen(from, count, operands_.is_signed, operands_.input_zero_point, wide);
  } else if (instructions_->widens && operands_.is_signed) {
    for (int64_t i = 0; i < count; ++i) wide[i] = static_cast<int16_t>(static_cast<int8_t>(from[i]) + offset);
  } else if (instructions_->widens) {
    for (int64_t i = 0; i < count; ++i) wide[i] = static_cast<int16_t>(from[i] + offset);
  } else {
    std::memcpy(to, from, static_cast<size_t>(count));
  }
}

PackedFilter PackForSums(const Instructions& instructions, const Segments& segments,
                         std::span<const uint8_t> filter, int64_t units, const Operands& operands) {
  const Requantization none = {{QuantizeMultiplier(0.5)}, {}, 0, 0, 0};
  return PackedFilter(instructions, segments, filter, units, {}, operands, none);
}

size_t ScratchSize(const FullyConnected& layer) {
  return layer.filter.ReadsInPlace() ? 0 : static_cast<size_t>(layer.shape.rows * RowSize(layer) + kRowSlack);
}

namespace {

// The rows of the input as the product reads them, converted where that must be.
Product OnRows(const FullyConnected& layer, const uint8_t* input, uint8_t* scratch) {
  const int64_t depth = layer.shape.acc_depth;
  const bool in_place = layer.filter.ReadsInPlace();
  if (!in_place) {
    for (int64_t row = 0; row < layer.shape.rows; ++row) {
      layer.filter.ConvertInput(input + row * depth, scratch + row * RowSize(layer), depth);
    }
  }
  Product product = layer.filter.AsProduct();
  product.input = in_place ? input : scratch;
  product.width = 1;
  product.step_y = RowSize(layer);
  return product;
}

}  // namespace

void Run(const FullyConnected& layer, const uint8_t* input, uint8_t* output, uint8_t* scratch,
         ThreadPool* pool) {
  Product product = OnRows(layer, input, scratch);
  product.output = output;
  layer.filter.Multiply(product, layer.shape.rows, pool);
}

void RunSums(const FullyConnected& layer, const uint8_t* input, int32_t* sums, uint8_t* scratch,
             ThreadPool* pool) {
  Product product = OnRows(layer, input, scratch);
  product.sums = sums;
  layer.filter.Multiply(product, layer.shape.rows, pool);
}

}  // namespace qat::simd
