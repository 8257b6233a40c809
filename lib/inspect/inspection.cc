#include "inspect/inspection.h"

#include <algorithm>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "base/slices.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "inspect/readers.h"
#include "weights/element_type.h"

namespace qat {
namespace {

bool IsIdentifiedBy(const Bytes& bytes, std::string_view identifier) {
  return bytes.size() >= 8 && std::equal(identifier.begin(), identifier.end(), bytes.begin() + 4);
}

Expected<Inspection> InspectBytes(Bytes bytes, const std::string& path) {
  if (IsIdentifiedBy(bytes, kTfliteIdentifier)) return InspectModel(std::move(bytes), path);
  if (IsIdentifiedBy(bytes, kGraphIdentifier)) return InspectGraph(std::move(bytes), path);
  if (IsIdentifiedBy(bytes, kCheckpointIdentifier)) return InspectCheckpoint(std::move(bytes), path);
  if (IsKind(bytes, kOnnxIdentifier)) return InspectOnnx(std::move(bytes), path);
  const std::string kind = DescribeKind(bytes);
  const bool weights = kind == "a safetensors file" || kind == "NumPy arrays (.npz)" ||
                       path.ends_with(".safetensors") || path.ends_with(".npz");
  if (weights) return InspectWeights(std::move(bytes), path);
  return Corrupt(StrCat(path, ": is ", kind,
                        ", expected a .tflite or .onnx model, a frozen graph (.qgraph), a checkpoint, a run "
                        "or weights (.safetensors, .npz)"));
}

// Which slice of the quantized dimension a value is in.
size_t SliceOf(const InspectedTensor& tensor, size_t value) {
  if (tensor.scale.size() <= 1) return 0;
  const size_t inner = InnerSize(tensor.shape, static_cast<size_t>(tensor.dimension));
  return value / std::max<size_t>(inner, 1) % tensor.scale.size();
}

}  // namespace

InspectionTotals TotalsOf(const Inspection& inspection) {
  InspectionTotals totals;
  for (const InspectedTensor& tensor : inspection.tensors) {
    if (!tensor.constant) continue;
    ++totals.constants;
    totals.constant_bytes += tensor.bytes;
    const bool counts =
        tensor.type.starts_with("float") || tensor.type == "bfloat16" || !tensor.scale.empty();
    if (counts) totals.parameters += FlatSize(tensor.shape);
  }
  for (const InspectedOperator& each : inspection.operators) {
    // Sizes of a damaged file may be anything.
    if (__builtin_add_overflow(totals.multiply_accumulates, each.multiply_accumulates.value_or(0),
                               &totals.multiply_accumulates))
      totals.multiply_accumulates = INT64_MAX;
    ++totals.operators[each.name];
  }
  return totals;
}

Expected<Inspection> Inspect(const std::string& path, const std::string& select) {
  std::string file = path;
  std::string note;
  if (IsDirectory(path)) {
    if (!IsDirectory(JoinPath(path, "checkpoints")))
      return NotFound(StrCat(path, ": ", FolderInsteadOfFile(path)));
    QAT_ASSIGN_OR_RETURN(const ChosenCheckpoint chosen, ChooseCheckpoint(path, select));
    file = chosen.path;
    note = chosen.note;
  }
  QAT_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(file));
  const std::string sha256 = Sha256(bytes);
  const auto size = static_cast<int64_t>(bytes.size());
  QAT_ASSIGN_OR_RETURN(Inspection inspection, InspectBytes(std::move(bytes), file));
  inspection.path = file;
  inspection.file_bytes = size;
  inspection.sha256 = sha256;
  if (!note.empty()) inspection.facts.emplace_back("chosen", note);
  return inspection;
}

std::vector<float> RealValues(const InspectedTensor& tensor) {
  const ElementType* const type = FindElementType(tensor.type);
  if (!tensor.constant || type == nullptr || type->to_float == nullptr ||
      tensor.data.size() % type->size != 0)
    return {};
  std::vector<float> values = ToFloats(*type, tensor.data);
  if (tensor.scale.empty()) return values;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t slice = SliceOf(tensor, i);
    const int64_t zero_point = slice < tensor.zero_point.size() ? tensor.zero_point[slice] : 0;
    values[i] = tensor.scale[slice] * (values[i] - static_cast<float>(zero_point));
  }
  return values;
}

}  // namespace qat
