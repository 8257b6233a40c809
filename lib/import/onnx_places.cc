// GatherND and ScatterND at places that are known, as exports of in-place assignments to slices have them:
// rows picked from a list of rows.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

/// The first axes of a tensor that an index goes over, as one: [rows, values].
struct Rows {
  int32_t rows = 1, values = 1;
  Shape rest;                   ///< of one row
  std::vector<int32_t> places;  ///< of each index: its row
};

Expected<Rows> RowsOf(const OnnxNode& node) {
  const Shape& shape = node.In(0).shape;
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, node.Integers(1, "indices"));
  const Shape& list = node.In(1).shape;
  const size_t depth = list.empty() ? 0 : static_cast<size_t>(list.back());
  if (depth < 1 || depth > shape.size())
    return InvalidArgument(StrCat("indices are ", ToString(list), " into ", ToString(shape)));
  Rows result;
  result.rest.assign(shape.begin() + static_cast<std::ptrdiff_t>(depth), shape.end());
  result.values = static_cast<int32_t>(FlatSize(result.rest));
  result.rows = static_cast<int32_t>(
      FlatSize(Shape(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(depth))));
  for (size_t first = 0; first < indices.size(); first += depth) {
    int64_t place = 0;
    for (size_t i = 0; i < depth; ++i) {
      const int64_t size = shape[i], given = indices[first + i], index = given < 0 ? given + size : given;
      if (index < 0 || index >= size)
        return InvalidArgument(StrCat("index ", given, " of an axis of ", size));
      place = place * size + index;
    }
    result.places.push_back(static_cast<int32_t>(place));
  }
  if (result.places.empty()) return InvalidArgument("has no index");
  return result;
}

Expected<OnnxValue> AsRows(OnnxConversion& c, const OnnxValue& x, int32_t rows, int32_t values) {
  if (!x.is_constant()) return c.build.Reshape(x, {rows, values});
  onnx::Tensor tensor = *x.constant;
  tensor.dims = {rows, values};
  return MakeConstant(std::move(tensor));
}

Converted GatherNd(OnnxConversion& c, const OnnxNode& node) {
  if (node.Int("batch_dims", 0) != 0)
    return Unsupported("`batch_dims` has no kernel in TFLite; use a gather along one axis");
  QAT_ASSIGN_OR_RETURN(const Rows rows, RowsOf(node));
  QAT_ASSIGN_OR_RETURN(const OnnxValue table, AsRows(c, node.In(0), rows.rows, rows.values));
  QAT_ASSIGN_OR_RETURN(const OnnxValue picked, c.build.Gather(table, 0, rows.places));
  Shape shape(node.In(1).shape.begin(), node.In(1).shape.end() - 1);
  shape.insert(shape.end(), rows.rest.begin(), rows.rest.end());
  return One(c.build.Reshape(picked, shape));
}

/// The rows of the tensor, then those that are written: each place gets its own or the last that is written
/// there.
Converted ScatterNd(OnnxConversion& c, const OnnxNode& node) {
  const std::string reduction = node.Text("reduction", "none");
  if (reduction != "none") return Unsupported(StrCat("`reduction` is '", reduction, "', expected none"));
  QAT_ASSIGN_OR_RETURN(const Rows rows, RowsOf(node));
  const auto written = static_cast<int32_t>(rows.places.size());
  if (FlatSize(node.In(2).shape) != int64_t{written} * rows.values)
    return InvalidArgument(StrCat("writes ", ToString(node.In(2).shape), " at ", written, " places"));
  QAT_ASSIGN_OR_RETURN(const OnnxValue own, AsRows(c, node.In(0), rows.rows, rows.values));
  QAT_ASSIGN_OR_RETURN(const OnnxValue updates, AsRows(c, node.In(2), written, rows.values));
  std::vector<int32_t> source(static_cast<size_t>(rows.rows));
  for (int32_t i = 0; i < rows.rows; ++i) source[static_cast<size_t>(i)] = i;
  for (int32_t i = 0; i < written; ++i)
    source[static_cast<size_t>(rows.places[static_cast<size_t>(i)])] = rows.rows + i;
  QAT_ASSIGN_OR_RETURN(const OnnxValue both, c.build.Concat({own, updates}, 0));
  QAT_ASSIGN_OR_RETURN(const OnnxValue picked, c.build.Gather(both, 0, source));
  return One(c.build.Reshape(picked, node.In(0).shape));
}

constexpr OnnxConverter kConverters[] = {{"GatherND", 2, GatherNd}, {"ScatterND", 3, ScatterNd}};

}  // namespace

std::span<const OnnxConverter> PlaceConverters() { return kConverters; }

}  // namespace qat
