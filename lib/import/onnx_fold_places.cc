// Constants read and written at single places.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_fold_parts.h"

namespace qat::fold {

using onnx::Tensor;

namespace {

/// Where each index of GatherND and ScatterND points to: the first of `inner` elements.
Expected<std::vector<size_t>> PlacesOf(const OnnxNode& node, size_t batch, size_t& inner) {
  const Shape& shape = node.In(0).shape;
  const Shape& list = node.In(1).shape;
  if (IsReal(*node.In(1).constant) || list.empty()) return InvalidArgument("has no indices");
  const auto depth = static_cast<size_t>(list.back());
  if (depth < 1 || batch + depth > shape.size() || batch + 1 > list.size())
    return InvalidArgument(StrCat("indices are ", ToString(list), " into ", ToString(shape)));
  const auto at = [](size_t i) { return static_cast<std::ptrdiff_t>(i); };
  if (!std::equal(shape.begin(), shape.begin() + at(batch), list.begin()))
    return InvalidArgument(StrCat("indices are ", ToString(list), " into ", ToString(shape)));
  inner = static_cast<size_t>(FlatSize(Shape(shape.begin() + at(batch + depth), shape.end())));
  const std::vector<int64_t>& indices = node.In(1).constant->integers;
  const auto batches = static_cast<size_t>(FlatSize(Shape(shape.begin(), shape.begin() + at(batch))));
  const size_t each = batches == 0 ? 0 : indices.size() / depth / batches;
  std::vector<size_t> places;
  for (size_t i = 0; each > 0 && i < indices.size() / depth; ++i) {
    int64_t place = static_cast<int64_t>(i / each);
    for (size_t k = 0; k < depth; ++k) {
      const int64_t size = shape[batch + k], given = indices[i * depth + k],
                    index = given < 0 ? given + size : given;
      if (index < 0 || index >= size)
        return InvalidArgument(StrCat("index ", given, " of an axis of ", size));
      place = place * size + index;
    }
    places.push_back(static_cast<size_t>(place) * inner);
  }
  return places;
}

Results FoldGatherNd(const OnnxNode& node) {
  const int64_t batch = node.Int("batch_dims", 0);
  if (batch < 0 || batch > std::ssize(node.In(0).shape))
    return InvalidArgument(StrCat("`batch_dims` is ", batch));
  size_t inner = 1;
  QAT_ASSIGN_OR_RETURN(const std::vector<size_t> starts, PlacesOf(node, static_cast<size_t>(batch), inner));
  const Shape &x = node.In(0).shape, &list = node.In(1).shape;
  Shape shape(list.begin(), list.end() - 1);
  shape.insert(shape.end(), x.begin() + static_cast<std::ptrdiff_t>(batch) + list.back(), x.end());
  QAT_RETURN_IF_ERROR(ExpectSize(shape, node.In(0).constant->size() + node.In(1).constant->size()));
  std::vector<size_t> places;
  for (const size_t start : starts) {
    for (size_t i = 0; i < inner; ++i) places.push_back(start + i);
  }
  QAT_ASSIGN_OR_RETURN(Tensor result, Picked(*node.In(0).constant, places, shape));
  return One(std::move(result));
}

Results FoldScatterNd(const OnnxNode& node) {
  if (node.Text("reduction", "none") != "none") return Unsupported("`reduction` is not none");
  size_t inner = 1;
  QAT_ASSIGN_OR_RETURN(const std::vector<size_t> starts, PlacesOf(node, 0, inner));
  Tensor result = *node.In(0).constant;
  const Tensor& updates = *node.In(2).constant;
  if (IsReal(updates) != IsReal(result) || updates.size() != static_cast<int64_t>(starts.size() * inner))
    return InvalidArgument(StrCat("writes ", ToString(node.In(2).shape), " at ", starts.size(), " places"));
  for (size_t i = 0; i < starts.size() * inner; ++i) {
    const size_t place = starts[i / inner] + i % inner;
    if (IsReal(result))
      result.reals[place] = updates.reals[i];
    else
      result.integers[place] = updates.integers[i];
  }
  return One(std::move(result));
}

constexpr Entry kEntries[] = {{"GatherND", 2, FoldGatherNd}, {"ScatterND", 3, FoldScatterNd}};

}  // namespace

std::span<const Entry> PlaceFolds() { return kEntries; }

}  // namespace qat::fold
