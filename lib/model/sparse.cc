// A sparse tensor is walked level by level. Level i is dimension traversal_order[i]: one of the tensor's, or,
// from its rank on, one of a block, which lies along dimension block_map[…]. A dense level has an index for
// each of its size; a compressed one has, for each place of the levels before it, the indices between two of
// its segments.
#include "model/sparse.h"

#include <cstring>
#include <vector>

#include "base/strings.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

// A small file must not ask for gigabytes of zeros: with fewer values than one in a thousand, a tensor may
// have 1 MiB.
constexpr size_t kMostTimes = 1000, kBytesOfAnyTensor = 1 << 20;

struct Level {
  bool is_dense = true;
  int64_t size = 0;    // indices are below it
  int64_t stride = 0;  // elements from one index to the next
  std::vector<int64_t> segments, indices;
};

template <class T>
size_t SizeOrZero(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

template <class Table>
std::vector<int64_t> ValuesOf(const void* table) {
  const auto* values = static_cast<const Table*>(table)->values();
  if (values == nullptr) return {};
  return {values->begin(), values->end()};
}

std::vector<int64_t> ValuesOf(tflite::SparseIndexVector type, const void* table) {
  if (table == nullptr) return {};
  switch (type) {
    case tflite::SparseIndexVector_Int32Vector:
      return ValuesOf<tflite::Int32Vector>(table);
    case tflite::SparseIndexVector_Uint16Vector:
      return ValuesOf<tflite::Uint16Vector>(table);
    case tflite::SparseIndexVector_Uint8Vector:
      return ValuesOf<tflite::Uint8Vector>(table);
    default:
      return {};
  }
}

class Walk {
 public:
  Walk(const tflite::SparsityParameters& sparsity, const Shape& shape) : sparsity_(sparsity), shape_(shape) {}

  Expected<std::unique_ptr<uint8_t[]>> Run(size_t element, std::span<const uint8_t> values);

 private:
  Status ReadLevels();
  Status ReadBlocks();
  Status ReadLevel(size_t place);
  Status CheckSegments(size_t place) const;
  bool Copy(size_t place, int64_t before, int64_t offset);
  Error Wrong(std::string_view what) const { return Corrupt(StrCat("its sparsity ", what)); }

  const tflite::SparsityParameters& sparsity_;
  const Shape& shape_;
  std::vector<int64_t> block_;       // by dimension of the tensor: how many a block holds
  std::vector<size_t> block_level_;  // by dimension of a block: which of the tensor's it cuts
  std::vector<Level> levels_;        // in the order of the walk
  size_t element_ = 0;
  std::span<const uint8_t> values_;
  uint8_t* dense_ = nullptr;
};

// Blocks cut dimensions into parts of one size, each once.
Status Walk::ReadBlocks() {
  const size_t rank = shape_.size(), blocks = SizeOrZero(sparsity_.block_map());
  const size_t levels = SizeOrZero(sparsity_.dim_metadata());
  if (levels != rank + blocks || SizeOrZero(sparsity_.traversal_order()) != levels)
    return Wrong(StrCat("has ", levels, " levels for ", rank, " dimensions and ", blocks, " of a block"));
  if (blocks > rank) return Wrong(StrCat("has ", blocks, " dimensions of a block for ", rank));
  block_.assign(rank, 1);
  for (uint32_t i = 0; i < blocks; ++i) {
    const int32_t dimension = sparsity_.block_map()->Get(i);
    if (dimension < 0 || static_cast<size_t>(dimension) >= rank ||
        block_[static_cast<size_t>(dimension)] != 1)
      return Wrong(StrCat("has a block along dimension ", dimension));
    block_level_.push_back(static_cast<size_t>(dimension));
    for (uint32_t level = 0; level < levels; ++level) {
      if (static_cast<size_t>(sparsity_.traversal_order()->Get(level)) != rank + i) continue;
      const int32_t size = sparsity_.dim_metadata()->Get(level)->dense_size();
      if (size < 1 || shape_[static_cast<size_t>(dimension)] % size != 0)
        return Wrong(
            StrCat("has blocks of ", size, " along dimension ", dimension, " of ", ToString(shape_)));
      block_[static_cast<size_t>(dimension)] = size;
    }
  }
  return {};
}

Status Walk::ReadLevels() {
  QAT_RETURN_IF_ERROR(ReadBlocks());
  std::vector<bool> seen(SizeOrZero(sparsity_.traversal_order()));
  for (uint32_t place = 0; place < seen.size(); ++place) {
    const auto dimension = static_cast<size_t>(sparsity_.traversal_order()->Get(place));
    if (dimension >= seen.size() || seen[dimension]) return Wrong("walks a dimension twice, or none");
    seen[dimension] = true;
    QAT_RETURN_IF_ERROR(ReadLevel(place));
  }
  return {};
}

Status Walk::ReadLevel(size_t place) {
  const auto dimension = static_cast<size_t>(sparsity_.traversal_order()->Get(static_cast<uint32_t>(place)));
  const bool of_block = dimension >= shape_.size();
  const size_t cut = of_block ? block_level_[dimension - shape_.size()] : dimension;
  Level level;
  level.stride = of_block ? 1 : block_[cut];
  for (size_t i = cut + 1; i < shape_.size(); ++i) level.stride *= shape_[i];
  level.size = of_block ? block_[cut] : shape_[cut] / block_[cut];
  const auto& table = *sparsity_.dim_metadata()->Get(static_cast<uint32_t>(place));
  level.is_dense = table.format() == tflite::DimensionType_DENSE;
  if (level.is_dense && table.dense_size() != level.size)
    return Wrong(StrCat("has a dense level of ", table.dense_size(), ", expected ", level.size));
  if (!level.is_dense) {
    level.segments = ValuesOf(table.array_segments_type(), table.array_segments());
    level.indices = ValuesOf(table.array_indices_type(), table.array_indices());
  }
  levels_.push_back(std::move(level));
  return CheckSegments(place);
}

Status Walk::CheckSegments(size_t place) const {
  const Level& level = levels_[place];
  if (level.is_dense) return {};
  int64_t last = 0;
  for (const int64_t segment : level.segments) {
    if (segment < last || segment > static_cast<int64_t>(level.indices.size()))
      return Wrong(StrCat("has a segment that ends at ", segment, " of ", level.indices.size(), " indices"));
    last = segment;
  }
  for (const int64_t index : level.indices) {
    if (index < 0 || index >= level.size)
      return Wrong(StrCat("has index ", index, " along a level of ", level.size));
  }
  return {};
}

// Copies what lies below one place of the first levels. False where a place has no segment, or values run
// out.
bool Walk::Copy(size_t place, int64_t before, int64_t offset) {
  if (place == levels_.size()) {
    if (values_.size() < element_) return false;
    std::memcpy(dense_ + static_cast<size_t>(offset) * element_, values_.data(), element_);
    values_ = values_.subspan(element_);
    return true;
  }
  const Level& level = levels_[place];
  if (level.is_dense) {
    for (int64_t i = 0; i < level.size; ++i) {
      if (!Copy(place + 1, before * level.size + i, offset + i * level.stride)) return false;
    }
    return true;
  }
  const auto segment = static_cast<size_t>(before);
  if (segment + 1 >= level.segments.size()) return false;
  for (int64_t i = level.segments[segment]; i < level.segments[segment + 1]; ++i) {
    const int64_t index = level.indices[static_cast<size_t>(i)];
    if (!Copy(place + 1, i, offset + index * level.stride)) return false;
  }
  return true;
}

Expected<std::unique_ptr<uint8_t[]>> Walk::Run(size_t element, std::span<const uint8_t> values) {
  QAT_RETURN_IF_ERROR(ReadLevels());
  const size_t size = static_cast<size_t>(FlatSize(shape_)) * element;
  if (size > kBytesOfAnyTensor + kMostTimes * values.size())
    return Unsupported(StrCat("has ", size, " bytes with its zeros, of which ", values.size(),
                              " are stored; expected at most ", kMostTimes, " for each"));
  auto dense = std::make_unique<uint8_t[]>(size);
  element_ = element;
  values_ = values;
  dense_ = dense.get();
  if (!Copy(0, 0, 0) || !values_.empty())
    return Wrong(StrCat("does not have a place for each of its ", values.size() / element, " values"));
  return dense;
}

}  // namespace

Expected<std::unique_ptr<uint8_t[]>> Densify(const tflite::SparsityParameters& sparsity, const Shape& shape,
                                             size_t element, std::span<const uint8_t> values) {
  return Walk(sparsity, shape).Run(element, values);
}

}  // namespace qat
